"""Fawaterk's gateways of both versions, with the fake behind them and a clock that tests move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from application.billing.ports import Checkout, RefundRequest
from config.settings import FawaterkSettings
from domain.shared.money import Money
from fake_providers.fawaterk import FawaterkServer, sign
from infrastructure.payment.fawaterk import FawaterkGateway, FawaterkV3Gateway
from infrastructure.payment.http import ProviderClient

KEY = "demo-vendor-key-0001"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class SettableClock:
    at: datetime = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class FawaterkBench:
    """The gateway, the server behind it, and the clock that both tests and gateway look at."""

    server: FawaterkServer
    version: str = "v2"
    with_credentials: bool = False
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        self.gateway = self.gateway_with()

    def account(self, *, base_url: str = "", **changes: Any) -> FawaterkSettings:
        has_credentials = self.with_credentials or self.version == "v3"
        told: dict[str, Any] = {
            "base_url": base_url or f"{self.server.address}/api/{self.version}",
            "api_key": KEY,
            "webhook_secret": KEY,
            "api_version": self.version,
            "client_id": self.server.client_id if has_credentials else "",
            "client_secret": self.server.client_secret if has_credentials else "",
        }
        return FawaterkSettings(**{**told, **changes})

    def gateway_with(
        self, *, base_url: str = "", total_seconds: float = 10.0, **changes: Any
    ) -> FawaterkGateway | FawaterkV3Gateway:
        make = FawaterkV3Gateway if self.version == "v3" else FawaterkGateway
        client = ProviderClient("FAWATERK", total_seconds=total_seconds)
        return make(self.account(base_url=base_url, **changes), client=client, clock=self.clock)

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        self.server.pay(checkout.provider_reference, times)

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        return orjson.dumps(self.server.webhook("paid", checkout.provider_reference)), JSON

    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        forged = self.server.webhook("paid", checkout.provider_reference)
        guessed = sign("a guessed vendor key", "InvoiceId=1&InvoiceKey=1&PaymentMethod=Fawry")
        for name in ("hashKey", "transactionHashKey"):
            if name in forged:
                forged[name] = guessed
        return orjson.dumps(forged), JSON

    def last_order(self) -> Any:
        return json.loads(self.server.orders[-1], parse_float=Decimal)


def a_refund(
    checkout: Checkout,
    amount: Money,
    *,
    reference: str = "rf_0190a0000000",
    charge: str = "",
    charged: Money | None = None,
    reason: str = "booking cancelled",
) -> RefundRequest:
    """A request to give back a part of what was paid by a checkout."""
    identity = checkout.identity
    return RefundRequest(
        merchant_reference=reference,
        identity=type(identity)(identity.reference, identity.key, charge),
        amount=amount,
        charged=charged or Money.of(149_910, "EGP"),
        reason=reason,
    )
