"""When payroll runs: every Monday and on every first of a month at 08:00 by Cairo's clocks, whatever they do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from domain.payouts.batches import BatchPeriod
from domain.shared.clock import BUSINESS_ZONE, starts_at

RUNS_AT: Final = time(8)


def cut_off_of(day: date) -> datetime:
    """The UTC instant at which the run of a day cuts off what it pays."""
    return starts_at(day, RUNS_AT, BUSINESS_ZONE)


def newest_run(period: BatchPeriod, now: datetime) -> date:
    """The day of the last run whose hour has come."""
    on_the_wall = now.astimezone(BUSINESS_ZONE).replace(tzinfo=None)
    day = (on_the_wall - timedelta(hours=RUNS_AT.hour)).date()
    return day - timedelta(days=day.weekday()) if period is BatchPeriod.WEEKLY else day.replace(day=1)


def runs_due(period: BatchPeriod, *, last: date | None, now: datetime) -> Iterator[date]:
    """The days of every run after the last that was made, oldest first; without one, the newest alone."""
    newest = newest_run(period, now)
    day = newest if last is None else next_run(period, last)
    while day <= newest:
        yield day
        day = next_run(period, day)


def next_run(period: BatchPeriod, day: date) -> date:
    """The day of the run after that of a day."""
    if period is BatchPeriod.WEEKLY:
        return day + timedelta(days=7)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
