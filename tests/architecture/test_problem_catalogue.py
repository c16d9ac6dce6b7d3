"""The catalogue of codes in the guide is that of the code."""

from __future__ import annotations

from flask import Flask

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
