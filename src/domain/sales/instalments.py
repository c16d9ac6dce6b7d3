"""Payment plans: a deposit now, and the rest in equal parts until some days before the trip.

Days are those of Cairo, and an instalment is in time until its day is over there. The last one is due two days before
the start at least: that day is over in Cairo before the trip's begins anywhere. Payments pay the oldest instalment
first, so how much of each is paid follows from what was paid in all.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.errors import InvalidValue
from domain.shared.events import DomainEvent
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage

LEAST_DAYS_BEFORE: Final = 2
EVERYTHING: Final = Percentage(10_000)


class PaymentPlan(StrEnum):
    """How a booking is paid."""

    FULL = "FULL"
    """All at once."""
    DEPOSIT = "DEPOSIT"
    """The deposit now, the rest some days before the trip."""
    INSTALMENTS = "INSTALMENTS"
    """The deposit now, the rest in equal monthly parts, the last of them some days before the trip."""


class InstalmentStatus(StrEnum):
    """Where an instalment stands on a day."""

    PAID = "PAID"
    DUE = "DUE"
    """To be paid by the end of this day, or the deposit that the booking waits for."""
    OVERDUE = "OVERDUE"
    UPCOMING = "UPCOMING"
    CANCELLED = "CANCELLED"
    """Not paid when the booking ended: nobody owes it any more."""


class PlanNotOffered(InvalidValue):
    """The trip is too near for this plan, or the company offers none like it."""

    code = "plan_not_offered"

    def __init__(self, detail: str, *, pointer: str = "/payment_plan") -> None:
        super().__init__(detail, pointer=pointer, code=self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReminderDue(DomainEvent):
    """An instalment is due soon, or today; what is left of it was still owed."""

    name: ClassVar[str] = "sales.payment_reminder_due"
    booking_id: UUID
    user_id: UUID
    position: int
    due_on: date
    left_minor: int
    currency: str
    is_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentOverdue(DomainEvent):
    """An instalment was not paid in time; after `cancelled_after` the booking is cancelled."""

    name: ClassVar[str] = "sales.instalment_overdue"
    booking_id: UUID
    user_id: UUID
    position: int
    due_on: date
    left_minor: int
    currency: str
    cancelled_after: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """The company's figures: what confirms a booking, and how the rest may be paid. 100 percent offers no plan."""

    deposit: Percentage
    due_days_before: int
    """The last instalment is due so many days before the first day of the trip, LEAST_DAYS_BEFORE at least."""
    most_parts: int

    def __post_init__(self) -> None:
        if self.due_days_before < LEAST_DAYS_BEFORE:
            raise InvalidValue("the price is paid before the trip begins", code="out_of_range")


@dataclass(frozen=True, slots=True)
class PlanWanted:
    """What a customer asks for; None leaves it to the company: its deposit where the trip is far enough, else all."""

    plan: PaymentPlan | None = None
    parts: int | None = None
    """Into how many the rest is split, of INSTALMENTS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of the price, and the day on which it is due; the first is the deposit."""

    position: int
    due_on: date
    amount: Money


def schedule(
    price: Money, wanted: PlanWanted, terms: PlanTerms, *, held_until: date, starts_on: date
) -> tuple[Instalment, ...]:
    """The instalments of a price, none where it is paid at once. Raises PlanNotOffered.

    The deposit is due by the day on which its seats are held no more. The parts after it are a month apart, counted
    back from the last, and all of them later than that day: nothing else is due before the booking is confirmed.
    """
    if wanted.plan is PaymentPlan.FULL or (wanted.plan is None and terms.deposit == EVERYTHING):
        return ()
    try:
        return _planned(price, _parts(wanted, terms), terms, held_until, starts_on)
    except PlanNotOffered:
        if wanted.plan is None:
            return ()
        raise


def _parts(wanted: PlanWanted, terms: PlanTerms) -> int:
    if terms.deposit == EVERYTHING:
        raise PlanNotOffered("bookings are paid at once")
    if wanted.plan is not PaymentPlan.INSTALMENTS:
        return 1
    parts = wanted.parts or 0
    if not 2 <= parts <= terms.most_parts:
        raise PlanNotOffered(f"two parts to {terms.most_parts}", pointer="/instalments")
    return parts


def _planned(price: Money, parts: int, terms: PlanTerms, held_until: date, starts_on: date) -> tuple[Instalment, ...]:
    last_day = starts_on - timedelta(days=terms.due_days_before)
    days = [_months_before(last_day, parts - number) for number in range(1, parts + 1)]
    if days[0] <= held_until:
        raise PlanNotOffered("the trip is too near")
    deposit = terms.deposit.of(price)
    amounts = [deposit, *(price - deposit).allocate([1] * parts)]
    if not all(amount.is_positive for amount in amounts):
        raise PlanNotOffered("the price is too small to be split")
    return tuple(
        Instalment(position=position, due_on=due_on, amount=amount)
        for position, (due_on, amount) in enumerate(zip([held_until, *days], amounts, strict=True), start=1)
    )


def rescheduled(
    instalments: Sequence[Instalment], price: Money, *, starts_on: date, today: date
) -> tuple[Instalment, ...]:
    """The same plan for a trip that costs or begins otherwise by now; none where the deposit is all of the price.

    The deposit stays; the rest is shared as it was, each part due on its day or as late as the trip leaves. Where that
    leaves no day to each, what is still to come is one part, due as late as the trip leaves: today at the earliest.
    """
    last = max(starts_on - timedelta(days=LEAST_DAYS_BEFORE), today)
    deposit, later = replace(instalments[0], due_on=min(instalments[0].due_on, last)), instalments[1:]
    rest = price - deposit.amount
    if not rest.is_positive:
        return ()
    amounts = rest.allocate([each.amount.minor for each in later])
    parts = [(each.due_on, amount) for each, amount in zip(later, amounts, strict=True) if amount.is_positive]
    passed = [part for part in parts if part[0] < today]
    before = passed[-1][0] if passed else deposit.due_on
    found = [*passed, *_to_come(parts[len(passed) :], last, before=before, today=today)]
    rows = enumerate(found, start=2)
    return (deposit, *(Instalment(position=n, due_on=day, amount=amount) for n, (day, amount) in rows))


def _to_come(parts: Sequence[tuple[date, Money]], last: date, *, before: date, today: date) -> list[tuple[date, Money]]:
    """Days and amounts after a day, none of them over or later than the last; in one where they find no days."""
    if not parts:
        return []
    days = _no_later([due_on for due_on, _ in parts], last)
    amounts = [amount for _, amount in parts]
    if days[0] <= before or days[0] < today:
        return [(last, total(amounts, amounts[0].currency.code))]
    return list(zip(days, amounts, strict=True))


def _no_later(days: Sequence[date], last: date) -> list[date]:
    """Days that follow each other, the last of them no later than this, each as near to what it was as that leaves."""
    found: list[date] = []
    for day in reversed(days):
        found.append(min(day, last))
        last = found[-1] - timedelta(days=1)
    return found[::-1]


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def plan_of(instalments: Sequence[Instalment]) -> PaymentPlan:
    """What a schedule is called."""
    if not instalments:
        return PaymentPlan.FULL
    return PaymentPlan.DEPOSIT if len(instalments) == 2 else PaymentPlan.INSTALMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An instalment on a day, and what of it was paid."""

    instalment: Instalment
    paid: Money
    status: InstalmentStatus

    @property
    def left(self) -> Money:
        return self.instalment.amount - self.paid


def standings(
    instalments: Sequence[Instalment], paid: Money, *, today: date, is_over: bool = False
) -> tuple[Standing, ...]:
    """How far what was paid reaches; `is_over` says that nothing more is owed."""
    found, rest = [], paid
    for instalment in instalments:
        of_it = min(instalment.amount, rest)
        rest -= of_it
        status = InstalmentStatus.PAID if of_it == instalment.amount else _unpaid(instalment, today, is_over=is_over)
        found.append(Standing(instalment=instalment, paid=of_it, status=status))
    return tuple(found)


def _unpaid(instalment: Instalment, today: date, *, is_over: bool) -> InstalmentStatus:
    if is_over:
        return InstalmentStatus.CANCELLED
    if today > instalment.due_on:
        return InstalmentStatus.OVERDUE
    is_due = today == instalment.due_on or instalment.position == 1
    return InstalmentStatus.DUE if is_due else InstalmentStatus.UPCOMING


def next_due(found: Sequence[Standing]) -> Standing | None:
    """The oldest that is still owed."""
    return next((each for each in found if each.status not in _SETTLED), None)


_SETTLED: Final = frozenset({InstalmentStatus.PAID, InstalmentStatus.CANCELLED})


def asked_now(instalments: Sequence[Instalment], paid: Money, *, today: date) -> Money:
    """All that is due or overdue; where nothing is, the next instalment."""
    found = standings(instalments, paid, today=today)
    owed = [each.left for each in found if each.status in (InstalmentStatus.DUE, InstalmentStatus.OVERDUE)]
    following = next_due(found)
    if owed or following is None:
        return total(owed, paid.currency.code)
    return following.left


def last_day_of_grace(*, due_on: date, told_on: date, grace_days: int, starts_on: date) -> date:
    """Until the end of which day an overdue instalment may be paid before the booking is cancelled.

    A customer who was told late has as many days as one who was told in time; nobody has more than the trip leaves, or
    loses the booking on the day on which they are told.
    """
    in_time = due_on + timedelta(days=grace_days)
    of_notice = told_on + timedelta(days=grace_days - 1)
    before_trip = starts_on - timedelta(days=LEAST_DAYS_BEFORE)
    return max(min(max(in_time, of_notice), before_trip), told_on)
