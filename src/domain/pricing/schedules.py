"""When a voucher can be used within its window: days of the week, hours in Cairo, dates of travel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import FieldFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is left empty does not restrict.

    `weekdays` are ISO numbers, 1 being Monday. Hours go from `hours_from` until just before `hours_until`; where they
    pass midnight, those after it belong to the day on which they began. The trip starts within the travel dates,
    both included.
    """

    weekdays: tuple[int, ...] = ()
    hours_from: time | None = None
    hours_until: time | None = None
    travel_from: date | None = None
    travel_until: date | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the weekly hours do."""
        local = at.astimezone(BUSINESS_ZONE)
        if self.hours_from is None or self.hours_until is None:
            return self._has_day(local.date())
        clock = local.time().replace(tzinfo=None)
        if self.hours_from < self.hours_until:
            return self._has_day(local.date()) and self.hours_from <= clock < self.hours_until
        yesterday = local.date() - timedelta(days=1)
        return (clock >= self.hours_from and self._has_day(local.date())) or (
            clock < self.hours_until and self._has_day(yesterday)
        )

    def _has_day(self, day: date) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays

    def covers_trip(self, starts_on: date | None) -> bool:
        """Whether a trip starts within the travel dates; one without a date does not where there are some."""
        if self.travel_from is None and self.travel_until is None:
            return True
        if starts_on is None:
            return False
        return (self.travel_from or date.min) <= starts_on <= (self.travel_until or date.max)

    def at_any_hour(self) -> Schedule:
        """The same travel dates, for what was bought already."""
        return replace(self, weekdays=(), hours_from=None, hours_until=None)

    def faults(self) -> Iterator[FieldFault]:
        """What cannot be a schedule."""
        if not set(self.weekdays) <= set(range(1, 8)):
            yield FieldFault("/schedule/weekdays", "out_of_range", "days are numbered 1 (Monday) to 7")
        if (self.hours_from is None) != (self.hours_until is None):
            yield FieldFault("/schedule/hours_until", "required", "hours have a beginning and an end")
        elif self.hours_from is not None and self.hours_from == self.hours_until:
            yield FieldFault("/schedule/hours_until", "out_of_range", "hours end at another time than they begin")
        if self.travel_from and self.travel_until and self.travel_until < self.travel_from:
            yield FieldFault("/schedule/travel_until", "out_of_range", "on or after travel_from")


ALWAYS = Schedule()
