"""States of batches and payouts, when payroll runs, and what banks can read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payouts import batches, payouts
from domain.payouts.bank_words import for_banks
from domain.payouts.batches import Batch, BatchPayees, BatchPeriod, BatchStatus, Debtor, OwnBatch
from domain.payouts.payouts import (
    Payout,
    PayoutFailed,
    PayoutPaid,
    PayoutSent,
    PayoutStatus,
    bank_key_of,
    id_in,
    key_of,
)
from domain.payouts.periods import cut_off_of, newest_run, next_run, runs_due
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from domain.shared.money import Money
from domain.shared.payees import PayeeType

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
MAKER, CHECKER = uuid4(), uuid4()
DEBTOR = Debtor("AltayarVIP", "EG380019000500000000263180002", "")


def a_batch(**changes: Any) -> Batch:
    values: dict[str, Any] = {
        "batch_id": uuid4(),
        "number": "PB-2026-000001",
        "period": BatchPeriod.WEEKLY,
        "payee_type": BatchPayees.ALL,
        "period_start": date(2026, 11, 30),
        "cut_off": NOW,
        "by": MAKER,
        "at": NOW,
    }
    return Batch.make(**values | changes)


def a_payout(status: PayoutStatus = PayoutStatus.PENDING) -> Payout:
    return Payout(
        id=uuid4(),
        payout_number="PO-2026-000001",
        batch_id=uuid4(),
        payee_id=uuid4(),
        payee_type=PayeeType.VENDOR,
        method="STRIPE",
        stripe_account="acct_1",
        amount=Money.parse("50.00", "USD"),
        status=status,
        journal_id=uuid4(),
        created_at=NOW,
    )


STEPS: dict[str, Any] = {
    "send": lambda it: it.send(until=NOW, at=NOW),
    "doubt": lambda it: it.doubt(again_at=NOW),
    "pay": lambda it: it.pay(journal_id=uuid4(), at=NOW),
    "fail": lambda it: it.fail(journal_id=uuid4(), failure_code="refused", reason=None, at=NOW),
    "cancel": lambda it: it.cancel(journal_id=uuid4(), reason="a test", at=NOW),
    "send_back": lambda it: it.send_back(journal_id=uuid4(), reason=None, at=NOW),
}
LEADS_TO = {
    "send": "SENT", "doubt": "UNKNOWN", "pay": "PAID", "fail": "FAILED", "cancel": "CANCELLED", "send_back": "RETURNED",
}  # fmt: skip


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_a_payout_goes_only_where_its_table_leads_and_ends_once(steps: list[str]) -> None:
    payout = a_payout()
    for step in steps:
        before = payout.status
        allowed = PayoutStatus(LEADS_TO[step]) in payouts.NEXT[before] or (
            step == "doubt" and before is PayoutStatus.UNKNOWN
        )
        try:
            STEPS[step](payout)
        except IllegalTransition:
            assert not allowed
            assert payout.status is before
        else:
            assert allowed
    ends = [event for event in payout.pull_events() if isinstance(event, PayoutPaid | PayoutFailed)]
    came_back = payout.status is PayoutStatus.RETURNED
    assert len(ends) == (payout.status not in payouts.OPEN) + came_back
    assert (payout.closed_at is not None) == (payout.status not in payouts.OPEN)
    assert (payout.paid_journal_id is not None) == (payout.status is PayoutStatus.PAID or came_back)
    assert payout.return_journal_id is None or (payout.paid_journal_id is not None) == came_back


@pytest.mark.parametrize("status", [PayoutStatus.SENT, PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELLED])
def test_what_was_sent_is_not_sent_again(status: PayoutStatus) -> None:
    with pytest.raises(IllegalTransition):
        a_payout(status).send(until=NOW, at=NOW)


def test_a_payout_is_told_as_sent_once_and_keeps_its_key() -> None:
    payout = a_payout()
    key = payout.key
    payout.send(until=NOW, at=NOW)
    payout.doubt(again_at=NOW)
    payout.send(until=NOW + timedelta(hours=1), at=NOW + timedelta(hours=1))
    assert [type(event) for event in payout.pull_events()] == [PayoutSent]
    assert (payout.key, payout.attempts, payout.sent_at) == (key, 2, NOW)


@given(st.uuids())
def test_a_key_fits_into_35_characters_and_names_its_payout(payout_id: UUID) -> None:
    assert len(key_of(payout_id)) == len(bank_key_of(payout_id)) == 35
    assert id_in(key_of(payout_id)) == id_in(bank_key_of(payout_id)) == payout_id
    assert set(bank_key_of(payout_id)) <= SEPA
    assert id_in(f"{key_of(payout_id)}0") is None


def test_nobody_decides_about_their_own_payout() -> None:
    payout = a_payout()
    with pytest.raises(OwnRequest):
        payout.decided(by=payout.payee_id)


@given(st.lists(st.sampled_from(["approve", "process", "complete", "cancel"]), max_size=8))
def test_a_batch_goes_only_where_its_table_leads(steps: list[str]) -> None:
    batch = a_batch()
    verbs: dict[str, Any] = {
        "approve": lambda: batch.approve(by=CHECKER, debtor=DEBTOR, at=NOW),
        "process": lambda: batch.process(at=NOW),
        "complete": lambda: batch.complete(at=NOW),
        "cancel": lambda: batch.cancel(at=NOW),
    }
    leads = {"approve": "APPROVED", "process": "PROCESSING", "complete": "COMPLETED", "cancel": "CANCELLED"}
    for step in steps:
        before = batch.status
        allowed = BatchStatus(leads[step]) in batches.NEXT[before]
        try:
            verbs[step]()
        except IllegalTransition:
            assert not allowed
        else:
            assert allowed
    assert (batch.approved_at is not None) == (
        batch.status in (BatchStatus.APPROVED, BatchStatus.PROCESSING, BatchStatus.COMPLETED)
    )


def test_a_batch_is_approved_by_another() -> None:
    with pytest.raises(OwnBatch):
        a_batch().approve(by=MAKER, debtor=DEBTOR, at=NOW)
    scheduled = a_batch(by=None)
    scheduled.approve(by=MAKER, debtor=DEBTOR, at=NOW)
    assert scheduled.status is BatchStatus.APPROVED


def test_a_cut_off_is_never_still_to_come() -> None:
    with pytest.raises(InvalidValue):
        a_batch(cut_off=NOW + timedelta(microseconds=1))


# When payroll runs


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [
        (date(2026, 4, 20), 6),  # the Monday before Egypt's clocks go forward (last Friday of April)
        (date(2026, 4, 27), 5),
        (date(2026, 10, 26), 5),
        (date(2026, 11, 2), 6),  # the Monday after they go back (last Thursday of October)
    ],
)
def test_it_is_eight_in_cairo_on_both_sides_of_summer_time(day: date, utc_hour: int) -> None:
    assert cut_off_of(day) == datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC)
    just_before = cut_off_of(day) - timedelta(seconds=1)
    assert newest_run(BatchPeriod.WEEKLY, cut_off_of(day)) == day
    assert newest_run(BatchPeriod.WEEKLY, just_before) == day - timedelta(days=7)


def test_a_month_begins_at_eight_of_its_first() -> None:
    assert newest_run(BatchPeriod.MONTHLY, datetime(2026, 12, 1, 5, 59, tzinfo=UTC)) == date(2026, 11, 1)
    assert newest_run(BatchPeriod.MONTHLY, datetime(2026, 12, 1, 6, 0, tzinfo=UTC)) == date(2026, 12, 1)
    assert next_run(BatchPeriod.MONTHLY, date(2026, 12, 1)) == date(2027, 1, 1)


def test_missed_runs_are_made_up_for_oldest_first() -> None:
    due = runs_due(BatchPeriod.WEEKLY, last=date(2026, 11, 9), now=NOW)
    assert list(due) == [date(2026, 11, 16), date(2026, 11, 23), date(2026, 11, 30)]
    assert list(runs_due(BatchPeriod.WEEKLY, last=None, now=NOW)) == [date(2026, 11, 30)]
    assert list(runs_due(BatchPeriod.WEEKLY, last=date(2026, 11, 30), now=NOW)) == []


@given(
    st.sampled_from(BatchPeriod),
    st.timedeltas(min_value=-timedelta(days=600), max_value=timedelta(days=3000)),
)
def test_the_newest_run_is_over_and_the_next_is_not(period: BatchPeriod, later: timedelta) -> None:
    now = NOW + later
    day = newest_run(period, now)
    assert cut_off_of(day) <= now < cut_off_of(next_run(period, day))
    assert cut_off_of(day).astimezone(BUSINESS_ZONE).hour == 8


# What banks can read

SEPA = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


@given(st.text(max_size=200), st.integers(1, 140))
def test_whatever_it_is_banks_can_read_it(text: str, most: int) -> None:
    written = for_banks(text, most)
    assert set(written) <= SEPA
    assert len(written) <= most
    assert not written.startswith("/") and not written.endswith("/") and "//" not in written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("منى عادل", "Mna Aadl"),
        ("شركة النيل للسياحة", "Shrka Alnyl Llsyaha"),
        ("Müller & Søn", "Muller + Son"),
        ("=HYPERLINK()", "HYPERLINK()"),
        ("//a//", "a"),
    ],
)
def test_names_are_written_in_latin_letters(name: str, written: str) -> None:
    assert for_banks(name, 70) == written
