"""Periods of the books, and the proof that a trial balance is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.accounts import CHART, AccountKind
from domain.ledger.periods import FIRST_DAY, LAST_DAY, Period, asked_period, last_month, this_month
from domain.ledger.reconciliation import BreakKind, Comparison, LineKind
from domain.ledger.trial_balance import AccountTotals, trial_balance
from domain.shared.clock import business_date
from domain.shared.errors import InvalidValue

pytestmark = pytest.mark.unit
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
UNITS = st.sampled_from(["EGP", "KWD", "PTS"])
MINOR = st.integers(0, 10**12)


@given(st.dates(FIRST_DAY, LAST_DAY - timedelta(days=1)))
def test_a_day_begins_with_its_first_instant_whatever_the_clocks_do(day: date) -> None:
    period = Period(day, day + timedelta(days=1))

    assert business_date(period.begins_at) == day
    assert business_date(period.begins_at - timedelta(microseconds=1)) == day - timedelta(days=1)
    assert business_date(period.ends_at - timedelta(microseconds=1)) == day


def test_the_night_that_has_no_midnight() -> None:
    """Egypt's clocks jump from 24 April 2026, 00:00 to 01:00."""
    assert Period(date(2026, 4, 24), date(2026, 4, 25)).begins_at == datetime(2026, 4, 23, 22, tzinfo=UTC)


def test_months() -> None:
    assert last_month(date(2026, 1, 31)) == Period(date(2025, 12, 1), date(2026, 1, 1))
    assert this_month(date(2026, 2, 1)) == Period(date(2026, 2, 1), date(2026, 2, 2))
    assert asked_period(None, None, otherwise=NOVEMBER) == NOVEMBER
    assert asked_period(date(2026, 1, 1), date(2026, 1, 2), otherwise=NOVEMBER).last_day == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("since", "until", "pointer"),
    [
        (date(2026, 1, 2), date(2026, 1, 2), "/to"),
        (date(2026, 1, 2), None, "/to"),
        (None, date(2026, 1, 2), "/from"),
        (date(1, 1, 1), date(2026, 1, 2), "/from"),
        (date(2026, 1, 2), date(9999, 12, 31), "/to"),
    ],
)
def test_a_period_that_is_none_is_refused(since: date | None, until: date | None, pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        asked_period(since, until, otherwise=NOVEMBER)

    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@given(st.lists(st.tuples(UNITS, st.permutations(list(CHART)), MINOR, MINOR), max_size=12))
def test_books_that_balance_are_proved_and_a_missing_side_is_seen(
    moves: list[tuple[str, list[AccountKind], int, int]],
) -> None:
    """Every move gives one account what it takes from another, some of it before the period."""
    totals: dict[tuple[AccountKind, str], list[int]] = {}
    for unit, kinds, before, within in moves:
        giver, taker = (totals.setdefault((kind, unit), [0, 0, 0]) for kind in kinds[:2])
        giver[0] -= before
        taker[0] += before
        giver[1] += within
        taker[2] += within
    lines = [
        AccountTotals(kind=kind, provider="", unit=unit, opening=opening, debits=taken, credits=came)
        for (kind, unit), (opening, taken, came) in totals.items()
    ]

    balance = trial_balance(NOVEMBER, lines)

    assert balance.is_balanced
    assert [(line.unit, list(CHART).index(line.kind)) for line in balance.lines] == sorted(
        (line.unit, list(CHART).index(line.kind)) for line in lines
    )
    one_sided = AccountTotals(kind=AccountKind.SUSPENSE, provider="", unit="EGP", opening=0, debits=0, credits=1)
    assert not trial_balance(NOVEMBER, [*lines, one_sided]).is_balanced


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (100, 100, None),
        (100, None, BreakKind.ONLY_OURS),
        (None, 100, BreakKind.ONLY_THEIRS),
        (None, -5, BreakKind.ONLY_THEIRS),
        (100, 97, BreakKind.AMOUNT_DIFFERS),
        (0, 100, BreakKind.AMOUNT_DIFFERS),
        (None, None, None),
        (0, None, None),
    ],
)
def test_two_sides_differ_in_one_of_three_ways(ours: int | None, theirs: int | None, kind: BreakKind | None) -> None:
    compared = Comparison(
        provider_reference="r", line_kind=LineKind.PAYMENT, unit="EGP", ours=ours, theirs=theirs, day=None
    )

    assert compared.break_kind is kind
