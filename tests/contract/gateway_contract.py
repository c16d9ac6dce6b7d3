"""What every payment gateway promises, written once; a gateway's tests subclass it and give a bench.

A third party's gateway runs the same suite: subclass `GatewayContract`, give the fixture `bench`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.billing.ports import (
    BadSignature,
    Checkout,
    CheckoutRequest,
    OutcomeUnknown,
    Payer,
    PaymentGateway,
    ProviderIdentity,
    ReadingStatus,
    UnreadableWebhook,
)
from domain.billing.payments import PaymentMethod
from domain.shared.money import Money

ATTEMPT_ID = UUID("01890000-0000-7000-8000-000000000001")
OTHER_ATTEMPT_ID = UUID("01890000-0000-7000-8000-000000000002")


class GatewayBench(Protocol):
    """A gateway with a provider behind it whose customers do as they are told."""

    gateway: PaymentGateway

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        """The customer pays the checkout, once or by mistake twice."""
        ...

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        """The signed webhook that the provider would send about it now: body and headers."""
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
    )


class GatewayContract:
    """The promises of `PaymentGateway`; `method` is one that the gateway serves."""

    method = "CREDIT_CARD"

    def test_its_name_is_upper_case_and_its_methods_are_payment_methods(self, bench: GatewayBench) -> None:
        gateway = bench.gateway
        assert gateway.name == gateway.name.upper() != ""
        assert gateway.methods <= {method.value for method in PaymentMethod}

    def test_a_new_checkout_is_open_and_unpaid(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.OPEN, ())

    def test_a_paid_checkout_reads_as_the_exact_amount(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(Money.of(149_910, "EGP"), method=self.method))
        bench.pay(checkout)
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.PAID, (Money.of(149_910, "EGP"),))

    def test_what_is_paid_twice_reads_as_two_charges(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(Money.of(5_000, "EGP"), method=self.method))
        bench.pay(checkout, times=2)
        reading = bench.gateway.read(checkout.identity)
        assert reading.paid == (Money.of(5_000, "EGP"), Money.of(5_000, "EGP"))

    def test_a_reference_nobody_gave_out_is_not_found(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        reading = bench.gateway.read(ProviderIdentity("1", checkout.provider_key))
        assert (reading.status, reading.paid) == (ReadingStatus.NOT_FOUND, ())

    def test_a_paid_checkout_of_another_key_is_not_believed(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        if not checkout.provider_key:
            pytest.skip("this provider's references have no second half")
        bench.pay(checkout)
        with pytest.raises(OutcomeUnknown):
            bench.gateway.read(ProviderIdentity(checkout.provider_reference, f"{checkout.provider_key}x"))

    def test_a_signed_webhook_says_which_attempt_to_read(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        bench.pay(checkout)
        notice = bench.gateway.parse_webhook(*bench.webhook(checkout))
        assert (notice.provider_reference, notice.merchant_reference) == (
            checkout.provider_reference,
            f"pa_{ATTEMPT_ID.hex}",
        )

    def test_a_redelivery_has_the_same_event_key(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(a_request(method=self.method))
        other = bench.gateway.create_checkout(a_request(method=self.method, attempt_id=OTHER_ATTEMPT_ID))
        bench.pay(checkout)
        bench.pay(other)
        keys = [bench.gateway.parse_webhook(*bench.webhook(it)).event_key for it in (checkout, checkout, other)]
        assert keys[0] == keys[1] != keys[2]

    # The bench is read only here: no example leaves anything behind for the next. Every gateway's class runs this
    # one method, which is what a contract is for; Hypothesis warns of it where two run in one process.
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
        deadline=None,
        max_examples=150,
    )
    @given(
        body=st.binary(max_size=400) | st.text(max_size=200).map(lambda it: it.encode("utf-8", "ignore")),
        content_type=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/x"]),
    )
    def test_junk_is_refused_and_never_an_accident(self, bench: GatewayBench, body: bytes, content_type: str) -> None:
        with pytest.raises((BadSignature, UnreadableWebhook)):
            bench.gateway.parse_webhook(body, {"Content-Type": content_type})
