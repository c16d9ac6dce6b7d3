"""Cancellation terms: deadlines on the clocks of the place, and amounts that are always the whole (traps 41, 42)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.billing.refunds import newest_first, shares_of
from domain.billing.tenders import RefundAboveCapture, Tender, TenderKind, TenderStatus
from domain.sales.cancellation import (
    ALWAYS,
    EVERYTHING,
    LONGEST_HOURS,
    NEVER,
    NOTHING,
    CancellationTerms,
    RefundTier,
    Settlement,
    deadlines,
    split,
)
from domain.sales.policies import CancellationPolicy
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, a_payment, egp

CAIRO = "Africa/Cairo"
WEEK, HALF_WAY, DAY = (7 * 24, 100), (3 * 24, 50), (24, 25)


def terms(*tiers: tuple[int, int]) -> CancellationTerms:
    """Hours before the start, and whole percent."""
    return CancellationTerms(
        tiers=tuple(RefundTier(hours_before=hours, refund=Percentage(share * 100)) for hours, share in tiers)
    )


def cairo(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(CAIRO), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("tiers", "pointer"),
    [
        ([(24, 50), (24, 25)], "/tiers/1"),
        ([(24, 50), (48, 25)], "/tiers/1"),
        ([(48, 50), (24, 51)], "/tiers/1"),
        ([(-1, 50)], "/tiers/0"),
        ([(365 * 24 + 1, 50)], "/tiers/0"),
        ([(hours, 0) for hours in range(11, 0, -1)], "/tiers"),
    ],
)
def test_terms_refuse_what_nobody_could_follow(tiers: list[tuple[int, int]], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        terms(*tiers)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_a_deadline_is_in_time_and_the_instant_after_it_is_not() -> None:
    starts_at, agreed = cairo("2026-12-20 08:00"), terms(WEEK, HALF_WAY, DAY)
    for days, before, after in ((7, 100, 50), (3, 50, 25), (1, 25, 0)):
        deadline = starts_at - timedelta(days=days)
        shares = [
            agreed.applied(at=at, starts_at=starts_at, time_zone=CAIRO).refund
            for at in (deadline, deadline + timedelta(microseconds=1))
        ]
        assert shares == [Percentage(before * 100), Percentage(after * 100)]


@pytest.mark.parametrize(
    ("starts_at", "hours", "deadline"),
    [
        # Clocks go forward on 24 April 2026 and 30 April 2027 at midnight, back on 30 October 2026 and 29 October 2027.
        ("2026-04-26 08:00", 72, "2026-04-23T06:00Z"),
        ("2027-05-01 08:00", 72, "2027-04-28T06:00Z"),
        ("2026-10-31 08:00", 48, "2026-10-29T05:00Z"),
        ("2027-10-30 08:00", 48, "2027-10-28T05:00Z"),
        ("2026-04-23 08:00", 24, "2026-04-22T06:00Z"),
        # Midnight, and half past it, that no clock shows: as far behind the hour before.
        ("2026-04-25 00:00", 24, "2026-04-23T22:00Z"),
        ("2026-04-25 00:30", 24, "2026-04-23T22:30Z"),
        # A time that clocks show twice: the first.
        ("2026-10-30 23:30", 24, "2026-10-29T20:30Z"),
        ("2026-10-31 00:00", 24, "2026-10-29T22:00Z"),
        ("2027-01-01 00:00", 1, "2026-12-31T21:00Z"),
    ],
)
def test_deadlines_are_times_on_the_clocks_of_the_place(starts_at: str, hours: int, deadline: str) -> None:
    starts, agreed = cairo(starts_at), terms((hours, 50))
    expected = datetime.fromisoformat(deadline)

    assert deadlines(agreed, starts_at=starts, time_zone=CAIRO) == [(expected, Percentage(5_000))]
    applied = agreed.applied(at=expected, starts_at=starts, time_zone=CAIRO)
    assert (applied.refund, applied.hours_before, applied.until) == (Percentage(5_000), hours, expected)
    late = agreed.applied(at=expected + timedelta(microseconds=1), starts_at=starts, time_zone=CAIRO)
    assert (late.refund, late.hours_before, late.until) == (NOTHING, None, None)


@pytest.mark.parametrize(
    ("starts_at", "hours", "ends"),
    [
        ("2026-04-26 08:00", 72, "2026-04-23T06:00Z"),
        ("2026-10-31 08:00", 48, "2026-10-29T05:00Z"),
        ("2026-04-25 00:30", 24, "2026-04-23T22:30Z"),
        ("2026-10-30 23:30", 24, "2026-10-29T20:30Z"),
        ("2027-01-01 00:00", 0, "2026-12-31T22:00Z"),
    ],
)
def test_the_suppliers_deadline_is_a_time_on_the_clocks_of_the_place(starts_at: str, hours: int, ends: str) -> None:
    agreed = CancellationTerms(tiers=(), supplier_hours_before=hours)

    assert agreed.supplier_deadline(starts_at=cairo(starts_at), time_zone=CAIRO) == datetime.fromisoformat(ends)
    assert NEVER.supplier_deadline(starts_at=cairo(starts_at), time_zone=CAIRO) is None


@pytest.mark.parametrize(
    ("tiers", "hours", "code"),
    [
        ([WEEK, DAY], 7 * 24, None),
        ([WEEK, DAY], 0, None),
        ([WEEK, DAY], 7 * 24 + 1, "out_of_order"),
        ([(240, 100), (48, 100), DAY], 48, None),
        ([(240, 100), (48, 100), DAY], 49, "out_of_order"),
        ([HALF_WAY, DAY], LONGEST_HOURS, None),
        ([], LONGEST_HOURS, None),
        ([], LONGEST_HOURS + 1, "out_of_range"),
        ([], -1, "out_of_range"),
    ],
)
def test_nobody_has_everything_back_after_the_supplier_takes_nothing_back(
    tiers: list[tuple[int, int]], hours: int, code: str | None
) -> None:
    if code is None:
        assert replace(terms(*tiers), supplier_hours_before=hours).supplier_hours_before == hours
        return
    with pytest.raises(InvalidValue) as refused:
        replace(terms(*tiers), supplier_hours_before=hours)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/supplier_hours_before", code)]


def test_the_zone_is_the_places_and_not_the_companys() -> None:
    starts_at = datetime(2026, 10, 31, 5, tzinfo=UTC)

    in_cairo, in_dubai = (
        deadlines(terms(HALF_WAY), starts_at=starts_at, time_zone=zone)[0][0] for zone in (CAIRO, "Asia/Dubai")
    )

    assert in_cairo + timedelta(hours=1) == in_dubai == starts_at - timedelta(days=3)


def test_always_and_never() -> None:
    starts_at = cairo("2026-12-20 00:00")
    for agreed, at, share in ((ALWAYS, starts_at, EVERYTHING), (NEVER, starts_at - timedelta(days=99), NOTHING)):
        assert agreed.applied(at=at, starts_at=starts_at, time_zone=CAIRO).refund == share


SHARES = st.integers(0, 10_000).map(Percentage)
MONEY = st.builds(Money.of, st.integers(0, 10**12), st.sampled_from(["EGP", "JPY", "KWD"]))
TIERS = st.lists(st.integers(0, 1000), max_size=10, unique=True).map(lambda hours: sorted(hours, reverse=True))


@given(money=MONEY, points=st.integers(0, 10**9), share=SHARES)
def test_what_comes_back_and_what_is_kept_are_always_the_whole(money: Money, points: int, share: Percentage) -> None:
    parted = split(money, points=points, share=share, kept_fees=Money(0, money.currency))

    assert parted.refund + parted.kept == money
    assert Money(0, money.currency) <= parted.refund <= money
    # The policy's own percentage, within half a minor unit: never a ratio of rounded amounts.
    assert abs(parted.refund.minor * 10_000 - money.minor * share.hundredths) <= 5_000
    assert abs(parted.points_restored * 10_000 - points * share.hundredths) <= 5_000
    assert parted.returns_promotions == (share == EVERYTHING)
    if share == EVERYTHING:
        assert (parted.kept.is_zero, parted.points_restored) == (True, points)


@given(
    hours=TIERS,
    shares=st.lists(st.integers(0, 10_000), min_size=10, max_size=10),
    minutes=st.integers(0, 600 * 24 * 60),
    early=st.timedeltas(timedelta(0), timedelta(days=50)),
    later=st.timedeltas(timedelta(0), timedelta(days=2)),
)
@settings(deadline=None)
def test_the_later_it_is_cancelled_the_less_comes_back(
    hours: list[int], shares: list[int], minutes: int, early: timedelta, later: timedelta
) -> None:
    falling = sorted(shares, reverse=True)
    agreed = CancellationTerms(
        tiers=tuple(
            RefundTier(hours_before=each, refund=Percentage(share)) for each, share in zip(hours, falling, strict=False)
        )
    )
    starts_at = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    at = starts_at - early

    first = agreed.applied(at=at, starts_at=starts_at, time_zone=CAIRO)
    second = agreed.applied(at=at + later, starts_at=starts_at, time_zone=CAIRO)
    assert second.refund.hundredths <= first.refund.hundredths
    if first.until is not None:
        assert at <= first.until
        assert agreed.applied(at=first.until, starts_at=starts_at, time_zone=CAIRO) == first
    ends = [until for until, _ in deadlines(agreed, starts_at=starts_at, time_zone=CAIRO)]
    assert ends == sorted(ends)


def a_paid(amounts: list[int], unit: str, number: int) -> Any:
    """A settled payment in up to three tenders."""
    whole = Money.of(sum(amounts), unit)
    payment = a_payment(amount=whole)
    nothing = Money(0, whole.currency)
    payment.paid_at = NOON + timedelta(minutes=number)
    payment.tenders = [
        Tender(
            id=new_id(), payment_id=payment.id, position=position, kind=kind, method="WALLET",
            amount=Money.of(minor, unit), points=None, refunding=nothing, refunded=nothing,
            status=TenderStatus.CAPTURED, journal_id=new_id(), updated_at=NOON,
        )
        for position, (kind, minor) in enumerate(zip(TenderKind, amounts, strict=False))
    ]  # fmt: skip
    return payment


@given(
    paid=st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=3), min_size=1, max_size=4),
    unit=st.sampled_from(["EGP", "JPY", "KWD"]),
    share=SHARES,
)
@settings(deadline=None)
def test_refunds_of_all_tenders_and_the_fee_are_what_was_paid(
    paid: list[list[int]], unit: str, share: Percentage
) -> None:
    payments = [a_paid(amounts, unit, number) for number, amounts in enumerate(paid)]
    whole = total((payment.amount for payment in payments), unit)
    parted = split(whole, points=0, share=share, kept_fees=Money(0, whole.currency))

    parts = newest_first(parted.refund, payments)

    given_back = total(
        (each.amount for payment, part in parts for each in shares_of(part, payment.tenders, unit)), unit
    )
    assert given_back + parted.kept == whole
    assert all(part <= payment.amount for payment, part in parts)
    # Newest first, and only the last of them in part.
    assert [payment.id for payment, _ in parts] == [payment.id for payment in reversed(payments)][: len(parts)]
    assert all(part == payment.amount for payment, part in parts[:-1])


def test_no_more_goes_back_than_the_payments_hold() -> None:
    with pytest.raises(RefundAboveCapture):
        newest_first(egp("0.02"), [a_paid([1], "EGP", 0)])


@given(amounts=st.lists(st.integers(0, 10**9), min_size=6, max_size=6))
def test_a_settlement_sums_where_things_go(amounts: list[int]) -> None:
    assume(any(amounts))
    original, wallet, credit, points, kept, agents = (Money.of(minor, "EGP") for minor in amounts)
    settled = Settlement(
        to_original=original, to_wallet=wallet, to_voucher_credit=credit, in_points=points, kept=kept, to_agent=agents
    )
    assert settled.refund + settled.kept == total((Money.of(minor, "EGP") for minor in amounts), "EGP")
    assert Settlement.of_unpaid("EGP").refund.is_zero


def a_policy(**changes: Any) -> CancellationPolicy:
    values: dict[str, Any] = {
        "id": new_id(),
        "name_ar": "شروط",
        "name_en": "Terms",
        "terms": terms(DAY),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return CancellationPolicy(**{**values, **changes})


def test_a_policy_changes_only_what_was_given() -> None:
    policy = a_policy(is_default=True)
    tiers = terms(WEEK).tiers

    changed = policy.changed(at=NOON + timedelta(days=1), tiers=tiers, name_en="Others")

    assert (changed.name_ar, changed.name_en, changed.is_default) == ("شروط", "Others", True)
    assert changed.terms == CancellationTerms(policy_id=policy.id, tiers=tiers)
    assert policy.terms == terms(DAY)


def test_tiers_and_the_suppliers_deadline_are_changed_one_without_the_other_and_held_together() -> None:
    policy = a_policy().changed(at=NOON, supplier_hours_before=24)
    kept = policy.changed(at=NOON, tiers=terms(WEEK).tiers)
    assert kept.terms == replace(terms(WEEK), policy_id=policy.id, supplier_hours_before=24)

    with pytest.raises(InvalidValue):
        kept.changed(at=NOON, tiers=terms((23, 100)).tiers)
    assert kept.changed(at=NOON, supplier_hours_before=None).terms == replace(terms(WEEK), policy_id=policy.id)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"is_default": True, "is_active": False}, "/is_active"),
        ({"name_en": ""}, "/name_en"),
        ({"name_ar": "ش" * 101}, "/name_ar"),
    ],
)
def test_a_policy_refuses_to_be_unsound(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        a_policy(**changes)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
