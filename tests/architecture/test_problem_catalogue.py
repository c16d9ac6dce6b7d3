"""The catalogue of codes in the guide is that of the code."""

from __future__ import annotations

import orjson
from flask import Flask

from domain.shared.errors import FieldFault
from middlewares.error_handler import TOLD, problem
from middlewares.messages import MESSAGES
from middlewares.problem_catalogue import catalogue_page, status_of_codes
from tests.architecture.code import SRC

DOCS = SRC.parent / "docs"


def test_the_page_of_problem_codes_is_up_to_date(bare_app: Flask) -> None:
    assert (DOCS / "problems.md").read_text("utf-8") == catalogue_page(), "run `make problems`"


def test_every_code_has_its_status(bare_app: Flask) -> None:
    statuses = status_of_codes()

    assert set(MESSAGES) <= set(statuses)
    assert (statuses["package_not_found"], statuses["rate_limited"], statuses["precondition_failed"]) == (404, 429, 412)
    assert all(400 <= status < 600 for status in statuses.values())


def test_every_fact_that_a_problem_tells_is_described(bare_app: Flask) -> None:
    fault = FieldFault("/amount", "required", "it is needed")
    with bare_app.test_request_context("/api/v1/bookings"):
        told = problem(409, "conflict", facts={"current": "DRAFT", **dict.fromkeys(TOLD, "told")}, faults=(fault,))

    described = bare_app.test_client().get("/openapi.json").get_json()["components"]["schemas"]["Problem"]
    assert set(orjson.loads(told.get_data())) == set(described["properties"])
