"""What gateways promise of money that goes back; part of `GatewayContract`."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from application.billing.ports import (
    Checkout,
    DisputeState,
    ProviderIdentity,
    ProviderRefused,
    Reading,
    ReadingStatus,
    RefundState,
)
from domain.shared.money import Money, total
from tests.contract.gateway_bench import (
    PRICE,
    ApprovesRefunds,
    CountsRefunds,
    GatewayBench,
    HasDisputes,
    RefusesRefunds,
    TellsOfRefunds,
    a_refund,
    asked_of,
)


class RefundPromises:
    """Refunds and disputes: of gateways that can, and of those that cannot."""

    def test_a_gateway_without_refunds_refuses_them(self, bench: GatewayBench) -> None:
        checkout = a_paid_checkout(bench)
        if bench.gateway.capabilities.refunds:
            pytest.skip("this gateway gives money back")
        with pytest.raises(ProviderRefused):
            bench.gateway.refund(a_refund(checkout.identity, 1_000))

    def test_a_gateway_that_tells_no_refunds_lists_none(self, bench: GatewayBench) -> None:
        if bench.gateway.capabilities.tells_refunds:
            pytest.skip("this gateway's readings list refunds")
        checkout = a_paid_checkout(bench)
        with contextlib.suppress(ProviderRefused):
            bench.gateway.refund(a_refund(identity_of(bench, checkout), 1_000))
        reading = bench.gateway.read(checkout.identity)
        assert (reading.refunds, reading.disputes) == ((), ())

    def test_a_refund_is_told_with_our_reference_its_exact_amount_and_its_state(self, bench: GatewayBench) -> None:
        only_where_readings_tell(bench)
        checkout = a_paid_checkout(bench)
        answer = bench.gateway.refund(a_refund(identity_of(bench, checkout), 3_333, reference="rf_third"))
        (refund,) = bench.gateway.read(checkout.identity).refunds
        assert refund.provider_refund_reference == answer.provider_refund_reference != ""
        assert (refund.merchant_reference, refund.amount) == ("rf_third", Money.of(3_333, "EGP"))
        assert refund.state == answer.state

    def test_a_refund_asked_for_again_gives_back_once(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = a_paid_checkout(bench)
        request = a_refund(identity_of(bench, checkout), 4_000)
        answers = [bench.gateway.refund(request) for _ in range(3)]
        assert len({answer.provider_refund_reference for answer in answers}) == 1
        assert given_back(bench, checkout) == Money.of(4_000, "EGP")

    def test_one_reference_never_stands_for_two_sums(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = a_paid_checkout(bench)
        identity = identity_of(bench, checkout)
        bench.gateway.refund(a_refund(identity, 4_000))
        with contextlib.suppress(ProviderRefused):
            bench.gateway.refund(a_refund(identity, 5_000))
        assert given_back(bench, checkout) == Money.of(4_000, "EGP")

    def test_parts_add_up_to_the_charge_and_never_beyond_it(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = a_paid_checkout(bench)
        identity = identity_of(bench, checkout)
        for reference, minor in (("rf_one", 2_500), ("rf_two", 4_000), ("rf_three", 3_500)):
            bench.gateway.refund(a_refund(identity, minor, reference=reference))
        assert given_back(bench, checkout) == PRICE
        with contextlib.suppress(ProviderRefused):
            answer = bench.gateway.refund(a_refund(identity, 1, reference="rf_beyond"))
            assert answer.state is RefundState.FAILED
        assert given_back(bench, checkout) == PRICE

    def test_a_charge_stays_paid_when_it_is_refunded(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = a_paid_checkout(bench)
        bench.gateway.refund(a_refund(identity_of(bench, checkout), PRICE.minor))
        if isinstance(bench, ApprovesRefunds):
            bench.approve_refunds(checkout)
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.PAID, (PRICE,))

    def test_what_was_never_paid_gives_nothing_back(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = bench.gateway.create_checkout(asked_of(bench, PRICE))
        with pytest.raises(ProviderRefused):
            bench.gateway.refund(a_refund(checkout.identity, 1_000))

    def test_what_nobody_knows_gives_nothing_back(self, bench: GatewayBench) -> None:
        only_where_money_goes_back(bench)
        checkout = a_paid_checkout(bench)
        identity = identity_of(bench, checkout)
        with pytest.raises(ProviderRefused):
            bench.gateway.refund(a_refund(replace(identity, reference="1", charge=""), 1_000))
        assert given_back(bench, checkout).is_zero

    def test_an_approved_refund_has_succeeded(self, bench: GatewayBench) -> None:
        only_where_readings_tell(bench)
        if not isinstance(bench, ApprovesRefunds):
            pytest.skip("nobody approves refunds at this provider")
        checkout = a_paid_checkout(bench)
        answer = bench.gateway.refund(a_refund(identity_of(bench, checkout), 4_000))
        assert answer.state is RefundState.PENDING
        bench.approve_refunds(checkout)
        assert states_of(bench, checkout) == [RefundState.SUCCEEDED]

    def test_a_refund_that_was_refused_has_failed_and_may_be_asked_for_anew(self, bench: GatewayBench) -> None:
        only_where_readings_tell(bench)
        if not isinstance(bench, RefusesRefunds):
            pytest.skip("nobody refuses refunds at this provider")
        checkout = a_paid_checkout(bench)
        identity = identity_of(bench, checkout)
        bench.gateway.refund(a_refund(identity, PRICE.minor))
        bench.refuse_refunds(checkout)
        assert states_of(bench, checkout) == [RefundState.FAILED]
        bench.gateway.refund(a_refund(identity, PRICE.minor, reference="rf_again"))
        assert given_back(bench, checkout) == PRICE

    def test_a_webhook_about_a_refund_says_which_attempt_to_read(self, bench: GatewayBench) -> None:
        if not isinstance(bench, TellsOfRefunds):
            pytest.skip("this provider sends nothing about refunds")
        checkout = a_paid_checkout(bench)
        known = bench.gateway.read(checkout.identity)
        bench.gateway.refund(a_refund(identity_of(bench, checkout), 4_000))
        notice = bench.gateway.parse_webhook(*bench.refund_webhook(checkout))
        assert notice.is_about_refund
        named = (notice.provider_reference, notice.charge_reference, notice.merchant_reference)
        ours = (known.provider_reference, known.charge_reference, known.merchant_reference)
        assert [told for told in named if told] != []
        assert all(told in ("", own) for told, own in zip(named, ours, strict=True))

    def test_a_dispute_is_told_until_it_is_decided_and_the_charge_stays(self, bench: GatewayBench) -> None:
        if not isinstance(bench, HasDisputes):
            pytest.skip("this provider knows no disputes")
        checkout = a_paid_checkout(bench)
        for act, state in ((bench.dispute, DisputeState.OPEN), (bench.lose_dispute, DisputeState.LOST)):
            act(checkout)
            reading = bench.gateway.read(checkout.identity)
            (dispute,) = reading.disputes
            assert (dispute.amount, dispute.state) == (PRICE, state)
            assert (reading.status, reading.paid) == (ReadingStatus.PAID, (PRICE,))


def a_paid_checkout(bench: GatewayBench) -> Checkout:
    checkout = bench.gateway.create_checkout(asked_of(bench, PRICE))
    bench.pay(checkout)
    return checkout


def identity_of(bench: GatewayBench, checkout: Checkout) -> ProviderIdentity:
    """All that is known of a paid checkout, the charge's name included."""
    charge = bench.gateway.read(checkout.identity).charge_reference
    return replace(checkout.identity, charge=charge)


def only_where_money_goes_back(bench: GatewayBench) -> None:
    if not bench.gateway.capabilities.refunds:
        pytest.skip("this gateway gives nothing back")


def only_where_readings_tell(bench: GatewayBench) -> None:
    only_where_money_goes_back(bench)
    if not bench.gateway.capabilities.tells_refunds:
        pytest.skip("this gateway's readings do not list refunds")


def given_back(bench: GatewayBench, checkout: Checkout) -> Money:
    """What went back or is about to, by the readings, or by the provider's books where those do not tell."""
    if not bench.gateway.capabilities.tells_refunds:
        if not isinstance(bench, CountsRefunds):
            pytest.skip("neither readings nor the bench tell what was given back")
        return bench.refunded(checkout)
    return refunds_of(bench.gateway.read(checkout.identity))


def refunds_of(reading: Reading) -> Money:
    return total((one.amount for one in reading.refunds if one.state is not RefundState.FAILED), "EGP")


def states_of(bench: GatewayBench, checkout: Checkout) -> list[RefundState]:
    return [one.state for one in bench.gateway.read(checkout.identity).refunds]
