"""Schemathesis against the whole API: no answer is a fault, whatever is sent, and each is as specified.

`make fuzz` does the same against a running server with a far larger budget.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from tests.api.shop import SignUp
from tests.fuzz.business import a_business
from tests.fuzz.fuzzer import Fuzzer

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(300)]

BUDGET = 700
"""Requests; `make fuzz` sends more."""


def test_the_api_keeps_to_its_specification_whatever_is_sent(app: Flask, client: FlaskClient, sign_up: SignUp) -> None:
    def ask(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        sent = {"Idempotency-Key": uuid4().hex, **(headers or {})}
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=sent)
        assert answer.status_code < 300, answer.text
        return answer.json

    def headers_of(role: str) -> dict[str, str]:
        return sign_up(role).headers if role else {}

    fuzzer = Fuzzer(
        schemathesis.openapi.from_wsgi("/openapi.json", app),
        headers_of,
        known=a_business(ask, headers_of("ADMIN"), headers_of("CUSTOMER")),
    )
    # Who is nobody is refused at the door of most; `make fuzz` sends as nobody as well.
    fuzzer.run(["CUSTOMER", "ADMIN"], budget=BUDGET)

    assert fuzzer.sent >= BUDGET
    assert fuzzer.found == {}, fuzzer.report()
    assert fuzzer.statuses[200] + fuzzer.statuses[201] > BUDGET / 10, fuzzer.report()
