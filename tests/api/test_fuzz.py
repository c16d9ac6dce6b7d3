"""Schemathesis against the whole API: no answer is a fault, whatever is sent, and each is as specified."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.shop import Shop, SignUp

pytestmark = [pytest.mark.database, pytest.mark.slow]

EXAMPLES = 12
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.mark.parametrize("role", ["CUSTOMER", "ADMIN"])
def test_the_api_keeps_to_its_specification_whatever_is_sent(
    app: Flask, shop: Shop, sign_up: SignUp, role: str
) -> None:
    shop.book(sign_up(), shop.offer())
    person = sign_up(role)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    found: list[str] = []
    for operation in (result.ok() for result in schema.get_all_operations()):
        if (operation.method, operation.path) == ("delete", "/api/v1/users/me"):
            # It ends the account that everything else is asked with.
            continue
        try:
            _send(operation, person.headers)
        except BaseExceptionGroup as faults:
            found += [f"{operation.label}: {fault}" for fault in faults.exceptions]
    assert found == []


def _send(operation: Any, headers: dict[str, str]) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
