"""The library's way out: through our own exchange, so that there is one deadline, one breaker and no retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import stripe

from infrastructure.payment.http import ProviderClient

FORWARDED: Final = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version")
"""What Stripe needs; what the library tells of this machine stays here."""

RESOURCES: Final = frozenset({
    "balance", "balance_transactions", "checkout", "disputes", "payment_intents", "refunds", "sessions", "transfers",
})  # fmt: skip


class ExchangeClient(stripe.HTTPClient):
    """Sends each request once; raises ProviderUnreachable and OutcomeUnknown straight through the library.

    Answers below 500 that are JSON objects go to the library, which tells the kinds of refusal apart.
    """

    name: ClassVar[str] = "altayar"

    def __init__(self, client: ProviderClient) -> None:
        super().__init__()
        self._client = client

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self._client.ask(
            operation_of(method, url),
            method.upper(),
            url,
            headers={name: value for name, value in (headers or {}).items() if name in FORWARDED},
            body=post_data.encode() if isinstance(post_data, str) else post_data,
        )
        return answer.content.decode(), answer.status, {}

    def close(self) -> None:
        """Every request has a connection of its own: nothing is left to close."""


def operation_of(method: str, url: str) -> str:
    """A call's name for the log, without ids: `get checkout/sessions/*`."""
    segments = urlsplit(url).path.strip("/").split("/")[1:]
    return f"{method.lower()} {'/'.join(one if one in RESOURCES else '*' for one in segments)}"
