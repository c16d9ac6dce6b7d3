"""Instalments that are due: reminders and notices, once each, and the end of bookings that nobody goes on paying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.ports import NotedInstalment, Notice
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue, last_day_of_grace
from domain.shared.clock import Clock, business_date

BATCH: Final = 200


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
