"""What the contract of gateways works with: a gateway, a provider behind it, and what people there can be told to do.

A bench has what `GatewayBench` asks. Each further protocol is an ability: a bench that has its method is also asked
the questions that need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID

from application.billing.ports import (
    Checkout,
    CheckoutRequest,
    Payer,
    PaymentGateway,
    ProviderIdentity,
    RefundRequest,
    TransferRequest,
)
from domain.shared.money import Money

ATTEMPT_ID = UUID("01890000-0000-7000-8000-000000000001")
OTHER_ATTEMPT_ID = UUID("01890000-0000-7000-8000-000000000002")
PRICE = Money.of(10_000, "EGP")


class GatewayBench(Protocol):
    """A gateway with a provider behind it whose customers do as they are told."""

    gateway: PaymentGateway

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        """The customer pays the checkout, once or by mistake twice."""
        ...

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """The signed webhook that the provider would send about it now: body and headers."""
        ...


@runtime_checkable
class Forges(Protocol):
    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """The webhook as somebody would send it who knows everything but the secret."""
        ...


@runtime_checkable
class ApprovesRefunds(Protocol):
    def approve_refunds(self, checkout: Checkout) -> None:
        """Whoever decides about refunds at the provider approves those of this checkout that wait."""
        ...


@runtime_checkable
class RefusesRefunds(Protocol):
    def refuse_refunds(self, checkout: Checkout) -> None:
        """They are refused, or sent back after they had succeeded."""
        ...


@runtime_checkable
class TellsOfRefunds(Protocol):
    def refund_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """The signed webhook about the newest refund of this checkout."""
        ...


@runtime_checkable
class CountsRefunds(Protocol):
    def refunded(self, checkout: Checkout) -> Money:
        """What was given back or is about to be, by the provider's books; for gateways whose readings do not tell."""
        ...


@runtime_checkable
class HasDisputes(Protocol):
    def dispute(self, checkout: Checkout) -> None:
        """The customer's bank questions the charge."""
        ...

    def lose_dispute(self, checkout: Checkout) -> None:
        """The bank decides for its customer."""
        ...


@runtime_checkable
class HasPayees(Protocol):
    def payee(self) -> str:
        """An account at the provider that transfers may go to."""
        ...

    def sent_to(self, payee: str) -> Money:
        """What the provider's books say was sent there."""
        ...


@runtime_checkable
class HasDays(Protocol):
    def today(self) -> date:
        """The day in Cairo that the provider books on, where it is not the machine's."""
        ...


def a_request(
    amount: Money | None = None,
    *,
    method: str = "CREDIT_CARD",
    first_name: str = "Mona",
    last_name: str = "Adel",
    email: str = "mona@example.com",
    phone: str = "01000000000",
    description: str = "Booking BK-2026-001042",
    webhook_url: str = "https://api.example.com/webhooks/fawaterk_json",
    locale: str = "en",
    expires_at: datetime | None = None,
    attempt_id: UUID = ATTEMPT_ID,
) -> CheckoutRequest:
    """A request for a checkout; tests name what matters to them."""
    return CheckoutRequest(
        attempt_id=attempt_id,
        merchant_reference=f"pa_{attempt_id.hex}",
        amount=amount or Money.of(149_910, "EGP"),
        description=description,
        method=method,
        payer=Payer(first_name=first_name, last_name=last_name, email=email, phone=phone),
        success_url="https://app.example.com/pay/ok",
        cancel_url="https://app.example.com/pay/fail",
        webhook_url=webhook_url,
        locale=locale,
        expires_at=expires_at or datetime.now(UTC) + timedelta(minutes=30),
        created_at=datetime.now(UTC),
    )


def asked_of(bench: GatewayBench, amount: Money | None = None, *, attempt_id: UUID = ATTEMPT_ID) -> CheckoutRequest:
    """A request that the bench's gateway serves: by card, where it takes cards."""
    methods = bench.gateway.methods
    method = "CREDIT_CARD" if "CREDIT_CARD" in methods else min(methods)
    return a_request(amount, method=method, attempt_id=attempt_id)


def a_refund(
    identity: ProviderIdentity, minor: int, *, reference: str = "rf_one", charged: Money = PRICE
) -> RefundRequest:
    """A request to give back a part of `charged`."""
    return RefundRequest(
        merchant_reference=reference,
        identity=identity,
        amount=Money(minor, charged.currency),
        charged=charged,
        reason="cancelled in time",
    )


def a_transfer(payee: str, minor: int = 2_500, *, reference: str = "tr_one") -> TransferRequest:
    """A request to send money on."""
    return TransferRequest(
        merchant_reference=reference,
        destination=payee,
        amount=Money.of(minor, "EGP"),
        description="Commission of June",
    )
