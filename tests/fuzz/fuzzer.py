"""Sends whatever the OpenAPI document allows to every operation, as somebody, and checks every answer against it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

Known = Mapping[str, Sequence[str]]
"""Ids that exist, by the name of the parameter or field that they stand in."""

NOT_SENT = {("DELETE", "/api/v1/users/me")}
"""It ends the account that everything else is asked with."""


def status_is_named(ctx: Any, response: Any, case: Case) -> None:
    """Every operation names each status that it answers; `default` is for what nobody thought of."""
    named = case.operation.definition.raw["responses"]
    if str(response.status_code) not in named:
        raise Failure(operation=case.operation.label, title=f"{response.status_code} is not named", message="")


CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    status_is_named,
]


@dataclass
class Fuzzer:
    """Counts what was sent and answered; `headers_of` signs somebody of a role in, anew where a token has ended."""

    schema: Any
    headers_of: Callable[[str], dict[str, str]]
    known: Known
    options: Mapping[str, Any] = field(default_factory=dict)
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)
    _signed_in: dict[str, dict[str, str]] = field(default_factory=dict)

    def operations(self) -> list[Any]:
        offered = [result.ok() for result in self.schema.get_all_operations()]
        return [operation for operation in offered if (operation.method.upper(), operation.path) not in NOT_SENT]

    def run(self, roles: Sequence[str], *, budget: int) -> None:
        """Ask every operation as every role, round by round, until so many requests were sent."""
        operations, number = self.operations(), 0
        while self.sent < budget:
            number += 1
            each = max(2, (budget - self.sent) // (len(operations) * len(roles)))
            for operation in operations:
                for role in roles:
                    self._ask(operation, role, examples=min(each, 100), number=number)

    def _ask(self, operation: Any, role: str, *, examples: int, number: int) -> None:
        chance = random.Random(f"{number} {operation.label} {role}")

        @seed(number)
        @given(case=operation.as_strategy())
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def send(case: Case) -> None:
            if chance.random() < 0.6:
                _enliven(case, self.known, chance)
            self._send(case, role)

        send()

    def _send(self, case: Case, role: str) -> None:
        headers = self._signed_in.setdefault(role, {}) or self._sign_in(role)
        response = case.call(headers=headers, **self.options)
        self.sent += 1
        self.statuses[response.status_code] += 1
        if response.status_code == 401 and headers:
            self._signed_in.pop(role)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                key = f"{case.operation.label}: {getattr(failure, 'title', failure)} ({response.status_code})"
                self.found.setdefault(key, f"as {role}\n{failure}")

    def _sign_in(self, role: str) -> dict[str, str]:
        self._signed_in[role] = self.headers_of(role)
        return self._signed_in[role]

    def report(self) -> str:
        answered = ", ".join(f"{status}: {times}" for status, times in sorted(self.statuses.items()))
        lines = [f"{self.sent} requests sent; answers {answered}", f"{len(self.found)} findings"]
        return "\n".join([*lines, *(f"\n{what}\n{how}" for what, how in sorted(self.found.items()))])


def _enliven(case: Case, known: Known, chance: random.Random) -> None:
    """Put ids that exist where some would: what is only ever not found is not tried."""
    for fields in (case.path_parameters, case.query, case.body if isinstance(case.body, dict) else None):
        _put(fields, known, chance)
    if isinstance(case.body, dict) and isinstance(case.body.get("payable"), dict):
        kind = case.body["payable"].get("type")
        name = {"BOOKING": "booking_id", "MEMBERSHIP": "subscription_id"}.get(str(kind), "")
        if known.get(name):
            case.body["payable"]["id"] = chance.choice(known[name])


def _put(fields: Any, known: Known, chance: random.Random) -> None:
    for name in fields or ():
        if known.get(name):
            fields[name] = chance.choice(known[name])
