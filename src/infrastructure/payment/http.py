"""Calls to providers over HTTP: bounded in time and size, never repeated, told apart by what is certain.

Three outcomes matter to money, and every call ends in an answer or in one of them: nothing was sent
(ProviderUnreachable), it was sent and nobody knows (OutcomeUnknown), the provider said no (ProviderRefused).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

import structlog

from application.billing.ports import OutcomeUnknown, ProviderRefused, ProviderUnreachable
from infrastructure.payment.exchange import Cut, Exchange, NothingSent

CONNECT_SECONDS: Final = 2.0
"""Name lookup, TCP and TLS together (guarantee P4)."""
TOTAL_SECONDS: Final = 10.0
LONGEST_REASON: Final = 300

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A JSON object that a provider answered; its fractions are Decimal, its whole numbers int."""

    status: int
    document: Mapping[str, object]
    content: bytes = b""
    """The bytes that it was read from."""


class RefusedWithAnswer(ProviderRefused):
    """A 4xx with a message; `answer` is kept for providers whose 4xx says more than no."""

    def __init__(self, answer: JsonAnswer, *, provider: str, reason: str) -> None:
        super().__init__(provider=provider, status=answer.status, reason=reason)
        self.answer = answer


class CircuitBreaker:
    """Stops calls to a provider that does not answer: open after 5 failures in a row, for 30 seconds.

    Then one call is let through; it closes the breaker, or opens it for as long again.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        opens_after: int = 5,
        open_seconds: float = 30.0,
    ) -> None:
        self._monotonic = monotonic
        self._opens_after = opens_after
        self._open_seconds = open_seconds
        self._guard = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None

    def admits(self) -> bool:
        """Whether a call may be made now; a probe's admission counts as reopening until it reports."""
        with self._guard:
            if self._opened_at is None:
                return True
            if self._monotonic() - self._opened_at < self._open_seconds:
                return False
            self._opened_at = self._monotonic()
            return True

    def succeeded(self) -> None:
        with self._guard:
            self._failures = 0
            self._opened_at = None

    def failed(self) -> None:
        with self._guard:
            self._failures += 1
            if self._failures >= self._opens_after:
                self._opened_at = self._monotonic()


class ProviderClient:
    """Sends one request at a time to one provider; no redirects, no proxies from the environment, no retries.

    Every call has a connection of its own: a kept one that the provider has closed meanwhile fails after
    the request was written, and a create call would end as unknown for nothing.
    """

    def __init__(
        self,
        provider: str,
        *,
        breaker: CircuitBreaker | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._breaker = breaker or CircuitBreaker(monotonic=monotonic)
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._monotonic = monotonic

    def call(
        self, operation: str, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> JsonAnswer:
        """Ask once; `operation` is the call's name in the log, where its address never appears.

        Raises ProviderUnreachable, OutcomeUnknown, or RefusedWithAnswer.
        """
        return self._accepted(self.ask(operation, method, url, headers=headers, body=body))

    def ask(
        self, operation: str, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> JsonAnswer:
        """As `call`, with every answer below 500 an answer: for a caller that tells refusals apart itself.

        Raises ProviderUnreachable or OutcomeUnknown.
        """
        if not self._breaker.admits():
            log.warning("provider_call", provider=self._provider, operation=operation, outcome="breaker_open")
            raise ProviderUnreachable(provider=self._provider, reason="breaker_open")
        started = self._monotonic()
        try:
            answer = self._answer(Exchange(method, url, headers, body))
        except (ProviderUnreachable, OutcomeUnknown) as trouble:
            self._breaker.failed()
            self._tell(operation, str(trouble.facts["reason"]), trouble.facts.get("status"), started)
            raise
        self._breaker.succeeded()
        self._tell(operation, "answered", answer.status, started)
        return answer

    def _answer(self, exchange: Exchange) -> JsonAnswer:
        try:
            status, content = exchange.run(self._connect_seconds, self._total_seconds)
        except NothingSent as trouble:
            raise ProviderUnreachable(provider=self._provider, reason=str(trouble)) from trouble
        except Cut as trouble:
            raise OutcomeUnknown(provider=self._provider, reason=str(trouble)) from trouble
        document = None if status >= 500 else json_object(content)
        if document is None:
            reason = "server_error" if status >= 500 else "not_a_json_object"
            raise OutcomeUnknown(provider=self._provider, status=status, reason=reason)
        return JsonAnswer(status, document, content)

    def _accepted(self, answer: JsonAnswer) -> JsonAnswer:
        if answer.status < 300:
            return answer
        if answer.status == 429:
            # Turned away before anything was looked at: certain, and worth another try later.
            raise ProviderUnreachable(provider=self._provider, status=429, reason="rate_limited")
        reason = refusal_reason(answer.document)
        if answer.status < 400 or not reason:
            raise OutcomeUnknown(provider=self._provider, status=answer.status, reason="not_understood")
        raise RefusedWithAnswer(answer, provider=self._provider, reason=reason)

    def _tell(self, operation: str, outcome: str, status: object, started: float) -> None:
        tell = log.info if outcome == "answered" else log.warning
        tell(
            "provider_call",
            provider=self._provider,
            operation=operation,
            outcome=outcome,
            status=status,
            milliseconds=round((self._monotonic() - started) * 1000),
        )


def json_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object in an answer, fractions as Decimal; None for anything else, whatever its shape."""
    try:
        document = json.loads(content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def refusal_reason(document: Mapping[str, object]) -> str:
    """The sentence in `message`: a string, or an object of lists of sentences by field; empty if none."""
    message = document.get("message") or document.get("error")
    if isinstance(message, str):
        return message[:LONGEST_REASON]
    if isinstance(message, Mapping):
        return "; ".join(f"{name}: {_sentences(told)}" for name, told in message.items())[:LONGEST_REASON]
    return ""


def _sentences(told: object) -> str:
    return " ".join(map(str, told)) if isinstance(told, list) else str(told)
