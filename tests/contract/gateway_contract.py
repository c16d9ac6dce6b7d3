"""What every payment gateway promises, written once; a gateway's tests subclass it and give a bench.

A third party's gateway runs the same suite: subclass `GatewayContract`, give the fixture `bench`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.billing.ports import (
    BadSignature,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    Reading,
    ReadingStatus,
    TransferState,
    UnreadableWebhook,
)
from domain.billing.payments import PaymentMethod
from domain.ledger.reconciliation import LineKind
from domain.shared.clock import business_date
from domain.shared.money import Money
from tests.contract.gateway_bench import (
    ATTEMPT_ID,
    OTHER_ATTEMPT_ID,
    Forges,
    GatewayBench,
    HasDays,
    HasPayees,
    a_request,
    a_transfer,
    asked_of,
)
from tests.contract.gateway_refunds import RefundPromises, a_paid_checkout

__all__ = ["ATTEMPT_ID", "OTHER_ATTEMPT_ID", "GatewayBench", "GatewayContract", "a_request"]


class PayoutPromises:
    """Transfers to payees, and the provider's own statement."""

    def test_a_gateway_that_pays_nobody_refuses_to(self, bench: GatewayBench) -> None:
        if bench.gateway.capabilities.pays_out:
            pytest.skip("this gateway pays out")
        with pytest.raises(ProviderRefused):
            bench.gateway.transfer(a_transfer("anybody"))
        with pytest.raises(ProviderRefused):
            bench.gateway.read_transfer("tr_one", "")

    def test_a_transfer_asked_for_again_is_sent_once(self, bench: GatewayBench) -> None:
        payee = payee_of(bench)
        before = bench.sent_to(payee)
        sent = [bench.gateway.transfer(a_transfer(payee)) for _ in range(3)]
        assert len({transfer.provider_transfer_reference for transfer in sent}) == 1
        assert bench.sent_to(payee) - before == Money.of(2_500, "EGP")

    def test_a_transfer_is_read_by_our_reference_or_the_providers(self, bench: GatewayBench) -> None:
        sent = bench.gateway.transfer(a_transfer(payee_of(bench)))
        assert sent.state in (TransferState.PENDING, TransferState.SUCCEEDED)
        assert (sent.merchant_reference, sent.amount) == ("tr_one", Money.of(2_500, "EGP"))
        for provider_reference in ("", sent.provider_transfer_reference):
            assert bench.gateway.read_transfer("tr_one", provider_reference) == sent

    def test_a_transfer_nobody_asked_for_is_none(self, bench: GatewayBench) -> None:
        payee_of(bench)
        assert bench.gateway.read_transfer("tr_none", "") is None

    def test_a_gateway_that_states_nothing_says_so(self, bench: GatewayBench) -> None:
        if bench.gateway.capabilities.states:
            pytest.skip("this gateway states")
        with pytest.raises(ProviderRefused):
            bench.gateway.statement(business_date(datetime.now(UTC)))

    def test_a_days_statement_has_its_charges_under_the_reference_that_readings_have(self, bench: GatewayBench) -> None:
        if not bench.gateway.capabilities.states:
            pytest.skip("this gateway states nothing")
        checkout = a_paid_checkout(bench)
        bench.gateway.create_checkout(asked_of(bench, attempt_id=OTHER_ATTEMPT_ID))
        reading = bench.gateway.read(checkout.identity)
        day = bench.today() if isinstance(bench, HasDays) else business_date(datetime.now(UTC))
        stated = bench.gateway.statement(day)
        assert stated.provider == bench.gateway.name
        assert [
            (line.provider_reference, line.amount, line.booked_on)
            for line in stated.lines
            if line.kind is LineKind.PAYMENT
        ] == [(reading.provider_reference, *reading.paid, day)]


class GatewayContract(RefundPromises, PayoutPromises):
    """The promises of `PaymentGateway`."""

    def test_its_name_is_upper_case_and_its_methods_are_payment_methods(self, bench: GatewayBench) -> None:
        gateway = bench.gateway
        assert gateway.name == gateway.name.upper() != ""
        assert gateway.methods <= {method.value for method in PaymentMethod}

    def test_what_is_offered_now_are_methods_of_its_own(self, bench: GatewayBench) -> None:
        assert bench.gateway.offered() <= bench.gateway.methods

    def test_a_new_checkout_is_open_and_unpaid(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench))
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.OPEN, ())

    def test_a_checkout_asked_for_again_is_the_same_one(self, bench: GatewayBench) -> None:
        if not bench.gateway.capabilities.repeats_creation:
            pytest.skip("this provider opens another checkout each time")
        request = asked_of(bench)
        first, again = bench.gateway.create_checkout(request), bench.gateway.create_checkout(request)
        assert first.identity == again.identity
        bench.pay(first)
        assert bench.gateway.create_checkout(request).identity == first.identity

    def test_a_paid_checkout_reads_as_the_exact_amount(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench, Money.of(149_910, "EGP")))
        bench.pay(checkout)
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.PAID, (Money.of(149_910, "EGP"),))

    def test_what_is_paid_twice_reads_as_two_charges(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench, Money.of(5_000, "EGP")))
        bench.pay(checkout, times=2)
        reading = bench.gateway.read(checkout.identity)
        assert reading.paid == (Money.of(5_000, "EGP"), Money.of(5_000, "EGP"))

    def test_whoever_reads_twice_learns_the_same_twice(self, bench: GatewayBench) -> None:
        checkout = a_paid_checkout(bench)
        assert bench.gateway.read(checkout.identity) == bench.gateway.read(checkout.identity)

    def test_a_charge_is_read_by_its_own_name_alone(self, bench: GatewayBench) -> None:
        known = bench.gateway.read(a_paid_checkout(bench).identity)
        if not known.charge_reference:
            pytest.skip("this provider has no other name for a charge")
        by_charge = read_by_charge(bench, known.charge_reference)
        assert (by_charge.status, by_charge.paid) == (known.status, known.paid)
        assert by_charge.merchant_reference == known.merchant_reference

    def test_a_charge_nobody_made_is_not_found(self, bench: GatewayBench) -> None:
        known = bench.gateway.read(a_paid_checkout(bench).identity)
        if not known.charge_reference:
            pytest.skip("this provider has no other name for a charge")
        reading = read_by_charge(bench, "1")
        assert (reading.status, reading.paid) == (ReadingStatus.NOT_FOUND, ())

    def test_a_reference_nobody_gave_out_is_not_found(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench))
        reading = bench.gateway.read(ProviderIdentity("1", checkout.provider_key))
        assert (reading.status, reading.paid) == (ReadingStatus.NOT_FOUND, ())

    def test_a_paid_checkout_of_another_key_is_not_believed(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench))
        if not checkout.provider_key:
            pytest.skip("this provider's references have no second half")
        bench.pay(checkout)
        with pytest.raises(OutcomeUnknown):
            bench.gateway.read(ProviderIdentity(checkout.provider_reference, f"{checkout.provider_key}x"))

    def test_a_signed_webhook_says_which_attempt_to_read(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench))
        bench.pay(checkout)
        notice = bench.gateway.parse_webhook(*bench.webhook(checkout))
        assert (notice.provider_reference, notice.merchant_reference) == (
            checkout.provider_reference,
            f"pa_{ATTEMPT_ID.hex}",
        )
        assert not notice.is_about_refund

    def test_a_redelivery_has_the_same_event_key(self, bench: GatewayBench) -> None:
        checkout = bench.gateway.create_checkout(asked_of(bench))
        other = bench.gateway.create_checkout(asked_of(bench, attempt_id=OTHER_ATTEMPT_ID))
        bench.pay(checkout)
        bench.pay(other)
        keys = [bench.gateway.parse_webhook(*bench.webhook(it)).event_key for it in (checkout, checkout, other)]
        assert keys[0] == keys[1] != keys[2]

    def test_a_webhook_of_somebody_without_the_secret_is_not_believed(self, bench: GatewayBench) -> None:
        if not isinstance(bench, Forges):
            pytest.skip("nobody forges this provider's webhooks")
        checkout = a_paid_checkout(bench)
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(*bench.forged_webhook(checkout))

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


def read_by_charge(bench: GatewayBench, charge: str) -> Reading:
    """What is read of a charge by its own name; skips where the gateway says that it reads none that way."""
    try:
        return bench.gateway.read(ProviderIdentity("", "", charge))
    except ProviderRefused:
        pytest.skip("this provider reads no charge by its own name")


def payee_of(bench: GatewayBench) -> str:
    """An account that transfers may go to; skips where the gateway pays nobody."""
    if not bench.gateway.capabilities.pays_out:
        pytest.skip("this gateway pays nobody")
    assert isinstance(bench, HasPayees), "a gateway that pays out is tested with payees"
    return bench.payee()
