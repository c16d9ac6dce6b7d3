"""Cashback before any database: its states, its time, and that refunds take it back exactly in proportion (M6, M9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.accounts import AccountKind
from domain.ledger.cashback import (
    NEXT,
    REFUNDED,
    CashbackApproved,
    CashbackCancelled,
    CashbackClawedBack,
    CashbackCredited,
    CashbackNotEligible,
    CashbackPromised,
    CashbackRecord,
    CashbackStatus,
    WaitsFor,
    eligible_from,
    waits_for,
)
from domain.ledger.cashback_entries import (
    crediting,
    promising,
    taking_back_promise,
    taking_from_wallet,
)
from domain.ledger.journal import Entry
from domain.shared.clock import start_of_business_day
from domain.shared.errors import IllegalTransition, OwnRequest
from domain.shared.money import EXPONENTS, CurrencyMismatch, Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, a_cashback_record, egp

ELIGIBLE = NOON + timedelta(days=7)
NOTHING = egp("0.00")
Verb = Callable[[CashbackRecord], object]
MOVES: dict[CashbackStatus, Verb] = {
    CashbackStatus.APPROVED: lambda record: record.approve(by=None, at=ELIGIBLE),
    CashbackStatus.CREDITED: lambda record: record.credit(journal_id=new_id(), repaid=NOTHING, at=ELIGIBLE),
    CashbackStatus.CANCELLED: lambda record: record.cancel(reason="a mistake", at=ELIGIBLE),
}
every_state = pytest.mark.parametrize("status", CashbackStatus)


def spare(record: CashbackRecord) -> dict[str, object]:
    """All that a record says, without the events that it still has to tell."""
    return {name: value for name, value in vars(record).items() if not name.startswith("_")}


# States ----------------------------------------------------------------------------------------------


@every_state
@pytest.mark.parametrize("wanted", MOVES)
def test_a_record_moves_along_the_table_and_nowhere_else(status: CashbackStatus, wanted: CashbackStatus) -> None:
    record = a_cashback_record(status=status)
    before = spare(record)

    if wanted in NEXT[status]:
        MOVES[wanted](record)
        assert record.status is wanted
        assert len(record.pull_events()) == 1
        return
    with pytest.raises(IllegalTransition) as refused:
        MOVES[wanted](record)
    assert refused.value.facts == {"current": status, "wanted": wanted}
    assert (spare(record), record.pull_events()) == (before, [])


@every_state
def test_a_part_is_clawed_back_from_every_state_but_cancelled(status: CashbackStatus) -> None:
    record = a_cashback_record(status=status)

    if status is CashbackStatus.CANCELLED:
        with pytest.raises(IllegalTransition):
            record.claw_back(egp("1.00"), debt=NOTHING, at=ELIGIBLE)
        return
    record.claw_back(egp("1.00"), debt=NOTHING, at=ELIGIBLE)
    assert (record.status, record.clawed_back, record.remaining) == (status, egp("1.00"), egp("49.00"))


def test_nobody_approves_cashback_of_their_own() -> None:
    record = a_cashback_record()

    with pytest.raises(OwnRequest):
        record.approve(by=record.user_id, at=NOON)

    assert (record.status, record.approved_at, record.pull_events()) == (CashbackStatus.PENDING, None, [])


def test_each_step_says_when_by_whom_and_why() -> None:
    record, staff, journal_id = a_cashback_record(), new_id(), new_id()

    record.approve(by=staff, at=NOON)
    record.credit(journal_id=journal_id, repaid=egp("10.00"), at=ELIGIBLE)

    ids = {"cashback_id": record.id, "user_id": record.user_id, "booking_id": record.booking_id}
    assert (record.approved_at, record.approved_by_user_id) == (NOON, staff)
    assert (record.credited_at, record.credit_journal_id) == (ELIGIBLE, journal_id)
    assert record.pull_events() == [
        CashbackApproved(at=NOON, approved_by_user_id=staff, **ids),
        CashbackCredited(at=ELIGIBLE, amount_minor=5_000, repaid_minor=1_000, currency="EGP", **ids),
    ]


def test_a_cancelled_record_says_why_and_what_it_takes_back() -> None:
    record = a_cashback_record()
    record.claw_back(egp("20.00"), debt=NOTHING, at=NOON)
    record.pull_events()

    record.cancel(reason="booked by mistake", at=NOON)

    [told] = record.pull_events()
    assert isinstance(told, CashbackCancelled)
    assert (told.amount_minor, told.currency) == (3_000, "EGP")
    assert (record.cancelled_at, record.cancel_reason) == (NOON, "booked by mistake")


# The promise -----------------------------------------------------------------------------------------


@given(minor=st.integers(1, 10**9), code=st.sampled_from(sorted(EXPONENTS)), hundredths=st.integers(1, 10_000))
def test_the_promise_is_the_frozen_rate_of_what_was_paid_rounded_half_up(
    minor: int, code: str, hundredths: int
) -> None:
    rate, paid = Percentage(hundredths), Money.of(minor, code)
    exact_times_two = 2 * minor * hundredths

    if exact_times_two < 10_000:
        with pytest.raises(ValueError, match="nothing"):
            a_cashback_record(paid=paid, rate=str(rate))
        return
    promised = a_cashback_record(paid=paid, rate=str(rate)).cashback_amount
    assert -10_000 <= exact_times_two - 2 * promised.minor * 10_000 < 10_000
    assert promised.currency.code == code


def test_a_promise_is_told() -> None:
    record = CashbackRecord.promise(
        cashback_id=new_id(), user_id=new_id(), booking_id=new_id(), booking_number="BK-2026-000001",
        paid=egp("1000.00"), rate=Percentage.parse("5"), amount=egp("50.00"), eligible_at=ELIGIBLE,
        journal_id=new_id(), at=NOON,
    )  # fmt: skip

    [told] = record.pull_events()

    assert isinstance(told, CashbackPromised)
    assert (told.amount_minor, told.booking_id) == (5_000, record.booking_id)
    assert (record.status, record.clawed_back) == (CashbackStatus.PENDING, NOTHING)


# Its time --------------------------------------------------------------------------------------------


def test_it_is_eligible_days_after_completion_and_never_while_it_can_be_refunded() -> None:
    week = timedelta(days=7)

    assert eligible_from(NOON, after=week, refundable_until=NOON - timedelta(days=3)) == NOON + week
    assert eligible_from(NOON, after=week, refundable_until=NOON + timedelta(days=30)) == NOON + timedelta(days=30)
    assert eligible_from(NOON, after=timedelta(0), refundable_until=NOON) == NOON


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (date(2026, 1, 15), "2026-01-14T22:00:00+00:00"),
        (date(2026, 7, 15), "2026-07-14T21:00:00+00:00"),
        # Egypt's clocks skip midnight on the last Friday of April, and repeat the hour before on Thursday in October.
        (date(2026, 4, 24), "2026-04-23T22:00:00+00:00"),
        (date(2026, 10, 30), "2026-10-29T22:00:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_in_cairo(day: date, begins: str) -> None:
    assert start_of_business_day(day) == datetime.fromisoformat(begins)


def test_it_is_not_credited_before_its_time() -> None:
    record = a_cashback_record(status=CashbackStatus.APPROVED)

    with pytest.raises(CashbackNotEligible):
        record.credit(journal_id=new_id(), repaid=NOTHING, at=ELIGIBLE - timedelta(microseconds=1))
    assert record.status is CashbackStatus.APPROVED
    record.credit(journal_id=new_id(), repaid=NOTHING, at=ELIGIBLE)
    assert record.status is CashbackStatus.CREDITED


@pytest.mark.parametrize(
    ("status", "is_eligible", "approves_itself", "waits"),
    [
        (CashbackStatus.PENDING, False, False, WaitsFor.APPROVAL),
        (CashbackStatus.PENDING, True, False, WaitsFor.APPROVAL),
        (CashbackStatus.PENDING, False, True, WaitsFor.ELIGIBILITY),
        (CashbackStatus.PENDING, True, True, WaitsFor.NONE),
        (CashbackStatus.APPROVED, False, False, WaitsFor.ELIGIBILITY),
        (CashbackStatus.APPROVED, True, False, WaitsFor.NONE),
        (CashbackStatus.CREDITED, True, False, WaitsFor.NONE),
        (CashbackStatus.CANCELLED, False, False, WaitsFor.NONE),
    ],
)
def test_what_it_waits_for(status: CashbackStatus, is_eligible: bool, approves_itself: bool, waits: WaitsFor) -> None:
    at = ELIGIBLE if is_eligible else NOON

    assert waits_for(status, ELIGIBLE, at=at, approves_itself=approves_itself) is waits


# Refunds ---------------------------------------------------------------------------------------------


@st.composite
def refunds(draw: st.DrawFn) -> tuple[int, list[int]]:
    """What was paid, and parts of it that are given back one after another, at most all of it."""
    paid = draw(st.integers(100, 10**7))
    marks = draw(st.lists(st.integers(0, paid), max_size=8).map(sorted))
    return paid, marks


@given(
    of=refunds(),
    hundredths=st.integers(100, 10_000),
    status=st.sampled_from([CashbackStatus.PENDING, CashbackStatus.APPROVED, CashbackStatus.CREDITED]),
)
def test_any_sequence_of_partial_refunds_takes_back_exactly_in_proportion(
    of: tuple[int, list[int]], hundredths: int, status: CashbackStatus
) -> None:
    paid, marks = of
    record = a_cashback_record(paid=Money.of(paid, "EGP"), rate=str(Percentage(hundredths)), status=status)
    promised = record.cashback_amount.minor

    for refunded in marks:
        part = record.to_claw_back(Money.of(refunded, "EGP"), of=Money.of(paid, "EGP"))
        if part.is_positive:
            record.claw_back(part, debt=NOTHING, at=ELIGIBLE)
        # Never further from the exact share than half a minor unit, however it was reached.
        assert abs(2 * record.clawed_back.minor * paid - 2 * promised * refunded) <= paid

    told = [event for event in record.pull_events() if isinstance(event, CashbackClawedBack)]
    assert sum(event.amount_minor for event in told) == record.clawed_back.minor <= promised

    rest = record.to_claw_back(Money.of(paid, "EGP"), of=Money.of(paid, "EGP"))
    if rest.is_positive:
        record.claw_back(rest, debt=NOTHING, at=ELIGIBLE)
    assert record.clawed_back == record.cashback_amount
    assert record.status is (CashbackStatus.CREDITED if status is CashbackStatus.CREDITED else CashbackStatus.CANCELLED)


@given(of=refunds())
def test_the_parts_do_not_depend_on_the_way(of: tuple[int, list[int]]) -> None:
    paid, marks = of
    price = Money.of(paid, "EGP")
    at_once, in_steps = (a_cashback_record(paid=price, rate="7.77") for _ in range(2))

    for refunded in marks:
        part = in_steps.to_claw_back(Money.of(refunded, "EGP"), of=price)
        if part.is_positive:
            in_steps.claw_back(part, debt=NOTHING, at=NOON)

    if marks:
        assert at_once.to_claw_back(Money.of(marks[-1], "EGP"), of=price) == in_steps.clawed_back


def test_the_same_refunds_told_again_take_nothing() -> None:
    record, half = a_cashback_record(), egp("500.00")
    record.claw_back(record.to_claw_back(half, of=egp("1000.00")), debt=NOTHING, at=NOON)

    assert record.to_claw_back(half, of=egp("1000.00")) == NOTHING
    assert record.to_claw_back(egp("100.00"), of=egp("1000.00")) == NOTHING
    assert record.clawed_back == egp("25.00")


def test_a_promise_with_nothing_left_is_cancelled_and_credited_cashback_is_not() -> None:
    promised, credited = a_cashback_record(), a_cashback_record(status=CashbackStatus.CREDITED)

    for record in (promised, credited):
        record.claw_back(egp("50.00"), debt=NOTHING, at=NOON)

    assert (promised.status, promised.cancel_reason) == (CashbackStatus.CANCELLED, REFUNDED)
    assert [type(event) for event in promised.pull_events()] == [CashbackClawedBack, CashbackCancelled]
    assert credited.status is CashbackStatus.CREDITED
    assert [type(event) for event in credited.pull_events()] == [CashbackClawedBack]


def test_a_cancelled_record_has_nothing_to_claw_back() -> None:
    record = a_cashback_record(status=CashbackStatus.CANCELLED)

    assert record.to_claw_back(egp("1000.00"), of=egp("1000.00")) == NOTHING


@pytest.mark.parametrize("part", ["0.00", "-1.00", "50.01"])
def test_a_clawback_takes_something_and_no_more_than_remains(part: str) -> None:
    with pytest.raises(ValueError, match="clawback"):
        a_cashback_record().claw_back(egp(part), debt=NOTHING, at=NOON)


@pytest.mark.parametrize("refunded", ["-0.01", "1000.01"])
def test_refunds_are_a_part_of_what_was_paid(refunded: str) -> None:
    with pytest.raises(ValueError, match="part of what was paid"):
        a_cashback_record().to_claw_back(egp(refunded), of=egp("1000.00"))
    with pytest.raises(CurrencyMismatch):
        a_cashback_record().to_claw_back(Money.of(1, "KWD"), of=egp("1000.00"))


# Its money -------------------------------------------------------------------------------------------


@given(
    of=refunds(),
    credited_after=st.integers(0, 8),
    owed=st.integers(0, 10**6),
    spent_share=st.integers(0, 100),
)
def test_whatever_happens_the_legs_sum_to_nothing_and_the_accounts_agree(
    of: tuple[int, list[int]], credited_after: int, owed: int, spent_share: int
) -> None:
    paid, marks = of
    record = a_cashback_record(paid=Money.of(paid, "EGP"), status=CashbackStatus.APPROVED)
    books: Counter[AccountKind] = Counter({AccountKind.CUSTOMER_DEBT: -owed})
    posted: list[int] = []

    def post(legs: tuple[Entry, ...]) -> None:
        posted.append(sum(leg.amount_minor for leg in legs))
        for leg in legs:
            books[leg.account.kind] += leg.amount_minor

    post(promising(record))
    for place, refunded in enumerate([*marks, paid]):
        if place == credited_after and record.status is CashbackStatus.APPROVED:
            post(crediting(record, owed_minor=owed))
            record.credit(journal_id=new_id(), repaid=NOTHING, at=ELIGIBLE)
            books[AccountKind.WALLET] -= books[AccountKind.WALLET] * spent_share // 100
        part = record.to_claw_back(Money.of(refunded, "EGP"), of=Money.of(paid, "EGP"))
        if not part.is_positive:
            continue
        if record.status is CashbackStatus.CREDITED:
            post(taking_from_wallet(record, part, available_minor=books[AccountKind.WALLET]))
        else:
            post(taking_back_promise(record, part))
        record.claw_back(part, debt=NOTHING, at=ELIGIBLE)

    assert not any(posted)
    assert books[AccountKind.CASHBACK] == books[AccountKind.CASHBACK_COST] == 0
    assert books[AccountKind.WALLET] >= 0 >= books[AccountKind.CUSTOMER_DEBT]


def test_a_debt_is_paid_off_before_the_wallet_gets_the_rest() -> None:
    record = a_cashback_record(status=CashbackStatus.APPROVED)

    def moved(owed_minor: int) -> dict[AccountKind, int]:
        return {leg.account.kind: leg.amount_minor for leg in crediting(record, owed_minor=owed_minor)}

    assert moved(0) == {AccountKind.CASHBACK: -5_000, AccountKind.WALLET: 5_000}
    assert moved(2_000) == {
        AccountKind.CASHBACK: -5_000,
        AccountKind.CUSTOMER_DEBT: 2_000,
        AccountKind.WALLET: 3_000,
    }
    assert moved(9_000) == {AccountKind.CASHBACK: -5_000, AccountKind.CUSTOMER_DEBT: 5_000}


def test_whatever_is_due_waits_for_the_word_of_a_bank() -> None:
    def waits(status: CashbackStatus) -> WaitsFor:
        return waits_for(status, ELIGIBLE, at=ELIGIBLE, approves_itself=False, is_disputed=True)

    assert [waits(status) for status in CashbackStatus] == [
        WaitsFor.APPROVAL, WaitsFor.DISPUTE, WaitsFor.NONE, WaitsFor.NONE,
    ]  # fmt: skip
