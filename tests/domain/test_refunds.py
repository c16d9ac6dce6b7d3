"""Refunds: split exactly, forward only, and standing where the worst of their parts stands (M6, M8, Q3)."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.disputes import Dispute, DisputeStatus
from domain.billing.invoices import tax_of_share
from domain.billing.refunds import (
    NEXT,
    WORST_FIRST,
    Destination,
    Origin,
    Refund,
    RefundFailed,
    RefundPart,
    RefundPartSucceeded,
    RefundRequested,
    RefundStatus,
    RefundSucceeded,
    Told,
    Way,
    reference_of,
    shares_of,
)
from domain.billing.tenders import RefundAboveCapture, Tender, TenderKind, TenderStatus
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, egp


def a_tender(minor: int, *, refunded: int = 0, status: TenderStatus = TenderStatus.CAPTURED) -> Tender:
    return Tender(
        id=new_id(),
        payment_id=new_id(),
        position=0,
        kind=TenderKind.GATEWAY,
        method="CREDIT_CARD",
        amount=Money.of(minor, "EGP"),
        status=status,
        refunding=egp("0.00"),
        refunded=Money.of(refunded, "EGP"),
        updated_at=NOON,
    )


def a_part(status: RefundStatus = RefundStatus.REQUESTED, *, minor: int = 100) -> RefundPart:
    part_id = new_id()
    return RefundPart(
        id=part_id,
        refund_id=new_id(),
        position=0,
        tender_id=new_id(),
        receipt_id=None,
        attempt_id=new_id(),
        way=Way.PROVIDER,
        amount=Money.of(minor, "EGP"),
        status=status,
        merchant_reference=reference_of(part_id),
        provider="SCRIPTED",
        updated_at=NOON,
    )


def a_refund(*parts: RefundPart) -> Refund:
    return Refund(
        id=new_id(),
        refund_number="RF-2026-000001",
        payment_id=new_id(),
        user_id=new_id(),
        amount=egp("1.00"),
        reason="a test",
        destination=Destination.ORIGINAL,
        origin=Origin.STAFF,
        requested_by=None,
        idempotency_key=new_id().hex,
        status=RefundStatus.REQUESTED,
        created_at=NOON,
        updated_at=NOON,
        parts=list(parts),
    )


# Splitting ---------------------------------------------------------------------------------------------------

CAPTURES = st.lists(st.integers(1, 10**9) | st.integers(1, 30), min_size=1, max_size=4)


@given(captures=CAPTURES, thousandths=st.integers(1, 1000))
def test_shares_sum_to_the_refund_and_none_is_above_its_tender(captures: list[int], thousandths: int) -> None:
    tenders = [a_tender(minor) for minor in captures]
    wanted = max(sum(captures) * thousandths // 1000, 1)
    shares = shares_of(Money.of(wanted, "EGP"), tenders, "EGP")
    assert sum(share.amount.minor for share in shares) == wanted
    assert all(0 < share.amount.minor <= share.tender.amount.minor for share in shares)


@given(captures=CAPTURES, thousandths=st.lists(st.integers(1, 1000), max_size=8))
def test_any_sequence_of_refunds_ends_at_exactly_the_whole(captures: list[int], thousandths: list[int]) -> None:
    tenders = [a_tender(minor) for minor in captures]
    left = sum(captures)
    for share in thousandths:
        part = max(left * share // 1000, 1)
        if part > left:
            break
        give(shares := shares_of(Money.of(part, "EGP"), tenders, "EGP"))
        assert shares
        left -= part
    if left:
        give(shares_of(None, tenders, "EGP"))
    assert all(tender.refunded == tender.amount for tender in tenders)


def give(shares: list) -> None:  # type: ignore[type-arg]
    for share in shares:
        share.tender.ask_back(share.amount, at=NOON)
        share.tender.give_back(share.amount, at=NOON)


def test_what_was_not_taken_or_is_given_back_has_no_share() -> None:
    planned = a_tender(500, status=TenderStatus.PLANNED)
    gone, left = a_tender(500, refunded=500), a_tender(300)
    assert [(share.tender, share.amount.minor) for share in shares_of(None, [planned, gone, left], "EGP")] == [
        (left, 300)
    ]


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_refund_is_above_zero(amount: str) -> None:
    with pytest.raises(InvalidValue):
        shares_of(egp(amount), [a_tender(500)], "EGP")


def test_a_refund_is_in_the_payments_currency_and_no_more_than_is_left() -> None:
    with pytest.raises(InvalidValue):
        shares_of(Money.of(1, "USD"), [a_tender(500)], "EGP")
    with pytest.raises(RefundAboveCapture):
        shares_of(egp("5.01"), [a_tender(500)], "EGP")
    with pytest.raises(RefundAboveCapture):
        shares_of(None, [a_tender(500, refunded=500)], "EGP")


# The status machine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), list(product(RefundStatus, RefundStatus)))
def test_a_part_moves_only_as_the_table_says(old: RefundStatus, new: RefundStatus) -> None:
    part = a_part(old)
    if new in NEXT[old]:
        part.move_to(new, at=NOON)
        assert part.status is new
    else:
        with pytest.raises(IllegalTransition):
            part.move_to(new, at=NOON)


def test_what_needs_somebody_is_seen_before_what_goes_on_by_itself() -> None:
    assert set(WORST_FIRST) == set(RefundStatus)
    for one, other in permutations(RefundStatus, 2):
        refund = a_refund(a_part(one), a_part(other))
        refund.asked_for(at=NOON)
        assert refund.status is min(one, other, key=WORST_FIRST.index)


def test_a_refund_succeeds_with_its_last_part_and_says_so_once() -> None:
    one, other = a_part(), a_part()
    refund = a_refund(one, other)
    refund.asked_for(at=NOON)
    refund.done(one, journal_id=new_id(), at=NOON)
    assert refund.status is RefundStatus.REQUESTED
    refund.done(other, journal_id=new_id(), at=NOON)
    assert refund.status is RefundStatus.SUCCEEDED
    assert [type(event) for event in refund.pull_events()] == [RefundRequested, RefundPartSucceeded, RefundSucceeded]


def test_another_part_takes_the_place_of_one_that_failed() -> None:
    part, successor = a_part(), a_part()
    refund = a_refund(part)
    with pytest.raises(IllegalTransition):
        refund.replace(part, successor, at=NOON)
    refund.failed(part, error_code="refused", at=NOON)
    refund.replace(part, successor, at=NOON)
    assert (refund.status, refund.living_parts) == (RefundStatus.REQUESTED, [successor])
    with pytest.raises(IllegalTransition):
        refund.replace(part, a_part(), at=NOON)


def test_what_came_back_is_told_as_that() -> None:
    part = a_part()
    refund = a_refund(part)
    refund.done(part, journal_id=new_id(), at=NOON)
    refund.returned(part, error_code="account_closed", journal_id=new_id(), at=NOON)
    failed = refund.pull_events()[-1]
    assert isinstance(failed, RefundFailed)
    assert failed.was_returned


def test_a_late_answer_changes_nothing_that_a_reading_has_told() -> None:
    part = a_part()
    refund = a_refund(part)
    refund.submit(part, until=NOON, at=NOON)
    part.told = Told.PENDING
    refund.in_doubt(part, error_code="lost", again_at=NOON, at=NOON)
    refund.not_sent(part, error_code="lost", again_at=NOON, at=NOON)
    assert part.status is RefundStatus.SUBMITTED


@given(st.permutations(list(Told)), st.lists(st.sampled_from(list(Told))))
def test_what_a_provider_has_said_is_the_same_whatever_order_it_is_heard_in(
    order: list[Told], again: list[Told]
) -> None:
    known: Told | None = None
    for told in [*order, *again]:
        if told.is_news_after(known):
            known = told
    assert known is Told.FAILED


# Disputes and credit notes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [DisputeStatus.WON, DisputeStatus.LOST])
def test_the_first_verdict_of_a_dispute_stays(verdict: DisputeStatus) -> None:
    dispute = Dispute.told_of(
        dispute_id=new_id(),
        payment_id=new_id(),
        user_id=new_id(),
        attempt_id=new_id(),
        provider="SCRIPTED",
        reference="dp_1",
        amount=egp("10.00"),
        reason="fraudulent",
        at=NOON,
    )
    for status in (DisputeStatus.OPEN, verdict, *DisputeStatus):
        dispute.hear(status, at=NOON)
    assert dispute.status is verdict
    assert [event.name for event in dispute.pull_events()] == [
        "billing.dispute_opened", f"billing.dispute_{verdict.lower()}",
    ]  # fmt: skip


@given(tax=st.integers(0, 10**6), net=st.integers(1, 10**7), thousandths=st.lists(st.integers(1, 1000), max_size=10))
def test_the_taxes_of_all_credit_notes_sum_to_the_invoices(tax: int, net: int, thousandths: list[int]) -> None:
    whole, of = Money.of(tax + net, "EGP"), Money.of(tax, "EGP")
    credited, taken = egp("0.00"), egp("0.00")
    for share in [*thousandths, 1000]:
        left = whole - credited
        part = left if share == 1000 else Money(left.minor * share // 1000, left.currency)
        credited += part
        note = tax_of_share(of, whole, reached=credited) - taken
        assert 0 <= note.minor <= part.minor
        taken += note
    assert taken == of
