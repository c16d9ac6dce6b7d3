"""Stripe's gateway with a provider behind it, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from application.billing.ports import (
    Checkout,
    ProviderIdentity,
    Reading,
    RefundAnswer,
    RefundRequest,
    TransferRequest,
)
from config.settings import StripeSettings
from domain.shared.money import Money
from fake_providers.stripe import StripeServer
from fake_providers.stripe.sending import encode, sign
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from infrastructure.payment.http import ProviderClient
from infrastructure.payment.stripe import StripeGateway
from infrastructure.payment.stripe.api import StripeApi
from tests.contract.gateway_bench import a_request

TOTAL = Money.of(149_910, "EGP")


@dataclass
class ShiftedClock:
    """The machine's clock, ahead by as much as a test says, or stopped."""

    ahead: timedelta = timedelta()
    stopped_at: datetime | None = None

    def now(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead


@dataclass
class StripeBench:
    """The gateway, and the server behind it."""

    server: StripeServer
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    def __post_init__(self) -> None:
        self.gateway = self.gateway_with()

    def gateway_with(
        self,
        *,
        api_base: str = "",
        api_key: str = TEST_KEY,
        secrets: tuple[str, ...] = (WEBHOOK_SECRET,),
        total_seconds: float = 10.0,
    ) -> StripeGateway:
        account = StripeSettings(api_base or self.server.address, api_key, secrets)
        client = ProviderClient("STRIPE", total_seconds=total_seconds)
        return StripeGateway(account, api=StripeApi(account, client=client), clock=self.clock)

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        for _ in range(times):
            self.server.act("pay", {"session_id": checkout.provider_reference})

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        session = checkout.provider_reference
        return self.signed(self.event("checkout.session.completed", lambda about: about["id"] == session))

    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        session = checkout.provider_reference
        event = self.event("checkout.session.completed", lambda about: about["id"] == session)
        return self.signed(event, secrets=("whsec_a_guessed_secret_of_forty_characters",))

    def payee(self) -> str:
        """A connected account, and a balance to pay it from."""
        self.pay(self.gateway.create_checkout(a_request(attempt_id=uuid4())))
        return "acct_1PgafTB7WZ01zgkW"

    def sent_to(self, payee: str) -> Money:
        sent = (it["amount"] for it in self.server.books.all("transfer") if it["destination"] == payee)
        return Money.of(sum(sent), "EGP")

    def event(self, kind: str, fits: Callable[[Any], bool] = lambda about: True) -> Any:
        """The newest event of a kind whose object fits."""
        return next(it for it in self.server.books.all("event") if it["type"] == kind and fits(it["data"]["object"]))

    def signed(
        self, event: Any, *, secrets: tuple[str, ...] = (WEBHOOK_SECRET,), seconds: int = 0
    ) -> tuple[bytes, Mapping[str, str]]:
        """An event as it is sent, signed so many seconds from the gateway's now."""
        body = event if isinstance(event, bytes) else encode(event)
        return body, {"Stripe-Signature": sign(body, secrets, at=int(self.clock.now().timestamp()) + seconds)}

    def last_body(self, operation: str) -> dict[str, str]:
        """The fields of the last POST of an operation."""
        return dict(parse_qsl(next(raw for name, raw in reversed(self.server.bodies) if name == operation)))

    def read(self, checkout: Checkout) -> Reading:
        return self.gateway.read(checkout.identity)

    def refund(
        self, checkout: Checkout, minor: int, *, reference: str = "rf_1", charged: Money = TOTAL
    ) -> RefundAnswer:
        return self.gateway.refund(a_refund(checkout.identity, minor, reference=reference, charged=charged))


def a_refund(
    identity: ProviderIdentity, minor: int, *, reference: str = "rf_1", charged: Money = TOTAL
) -> RefundRequest:
    amount = Money(minor, charged.currency)
    return RefundRequest(reference, identity, amount, charged=charged, reason="the trip was cancelled")


def a_transfer(
    minor: int = 50_000, *, reference: str = "tr_1", destination: str = "acct_1PgafTB7WZ01zgkW", code: str = "EGP"
) -> TransferRequest:
    return TransferRequest(reference, destination, Money.of(minor, code), "Commission of July")


def reserialised(body: bytes) -> bytes:
    """The same document in other bytes."""
    return json.dumps(json.loads(body)).encode()
