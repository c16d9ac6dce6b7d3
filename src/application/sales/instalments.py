"""Instalments that are due: reminders and notices, once each, and the end of bookings that nobody goes on paying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from application.billing.ports import Gateways
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.cancelling import CancelBooking, cancel_within
from application.sales.ports import NotedInstalment, Notice, OverdueBooking
from domain.sales.booking_states import BookingStatus
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue, last_day_of_grace
from domain.shared.clock import Clock, business_date
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId

BATCH: Final = 200
NOT_PAID_IN_TIME: Final = "an instalment was not paid in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfInstalments:
    """The company's figures: how long before the day a customer is reminded, and how long after it they may pay."""

    days_before: int
    grace_days: int


@dataclass(frozen=True, slots=True)
class Told:
    """How many customers a run told that an instalment is due, and that one is overdue."""

    reminded: int
    overdue: int


def tell_of_instalments(command: TellOfInstalments, *, new_uow: NewUnitOfWork, clock: Clock) -> Told:
    """Have everybody told, once per instalment: some days before it is due, on its day, and once it is overdue.

    Noted and published in one transaction, so that whoever is noted is told; a batch in each.
    """

    def told(notice: Notice) -> int:
        owed, noted = 0, BATCH
        while noted == BATCH:
            noted, of_them = _tell(notice, command, uow=new_uow(), clock=clock)
            owed += of_them
        return owed

    return Told(reminded=told(Notice.SOON) + told(Notice.TODAY), overdue=told(Notice.OVERDUE))


def _tell(notice: Notice, command: TellOfInstalments, *, uow: UnitOfWork, clock: Clock) -> tuple[int, int]:
    """How many were noted, and how many of them are owed and told of."""
    now = clock.now()
    today = business_date(now)
    with uow:
        noted, owed = uow.instalments.note(
            notice, today=today, until=today + timedelta(days=command.days_before), at=now, limit=BATCH
        )
        for each in owed:
            is_overdue = notice is Notice.OVERDUE
            uow.publish(_overdue(each, command.grace_days, at=now) if is_overdue else _reminder(each, at=now))
        uow.commit()
    return noted, len(owed)


def _reminder(noted: NotedInstalment, *, at: datetime) -> PaymentReminderDue:
    return PaymentReminderDue(
        at=at,
        booking_id=noted.booking_id,
        user_id=noted.user_id,
        position=noted.position,
        due_on=noted.due_on,
        left_minor=noted.left_minor,
        currency=noted.currency,
        is_today=noted.due_on == business_date(at),
    )


def _overdue(noted: NotedInstalment, grace_days: int, *, at: datetime) -> InstalmentOverdue:
    last_day = last_day_of_grace(
        due_on=noted.due_on, told_on=business_date(at), grace_days=grace_days, starts_on=noted.starts_on
    )
    return InstalmentOverdue(
        at=at,
        booking_id=noted.booking_id,
        user_id=noted.user_id,
        position=noted.position,
        due_on=noted.due_on,
        left_minor=noted.left_minor,
        currency=noted.currency,
        cancelled_after=last_day,
    )


@dataclass(frozen=True, slots=True)
class CancelledOverdue:
    """What a run did: bookings that it cancelled, and why it left others, by id."""

    cancelled: int
    left: Mapping[UUID, str]


def cancel_overdue(
    grace_days: int, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> CancelledOverdue:
    """Cancel bookings whose customers did not pay an instalment within its grace, each as its terms say.

    Each in a transaction of its own. One that is being paid at this moment is either paid first, and stays, or is
    cancelled first, and its money is in suspense as LATE. One that cannot be cancelled, as of money that a bank
    decides about, is left to people.
    """
    cancelled, left, after = 0, dict[UUID, str](), None
    while batch := _overdue_bookings(after, uow=new_uow(), clock=clock):
        today = business_date(clock.now())
        for booking in batch:
            if _last_day_of(booking, grace_days) >= today:
                continue
            try:
                done = _cancel(booking, uow=new_uow(), gateways=gateways, clock=clock, new_id=new_id)
            except DomainError as refused:
                left[booking.booking_id] = refused.code
            else:
                cancelled += done
        after = batch[-1].booking_id
    return CancelledOverdue(cancelled, left)


def _overdue_bookings(after: UUID | None, *, uow: UnitOfWork, clock: Clock) -> Sequence[OverdueBooking]:
    with uow:
        return uow.instalments.overdue(at=clock.now(), after=after, limit=BATCH)


def _last_day_of(booking: OverdueBooking, grace_days: int) -> date:
    return last_day_of_grace(
        due_on=booking.due_on, told_on=booking.told_on, grace_days=grace_days, starts_on=booking.starts_on
    )


def _cancel(found: OverdueBooking, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> bool:
    """Cancel it if the same instalment is still owed now that it is locked."""
    with uow:
        booking = uow.bookings.get(found.booking_id)
        owed = booking.oldest_owed(today=business_date(clock.now()))
        if booking.status is not BookingStatus.CONFIRMED or owed is None or owed.instalment.due_on != found.due_on:
            return False
        command = CancelBooking(booking_id=booking.id, actor_id=None, owner=None, reason=NOT_PAID_IN_TIME)
        cancel_within(command, uow=uow, gateways=gateways, clock=clock, new_id=new_id)
        uow.commit()
    return True
