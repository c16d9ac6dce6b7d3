"""Periods: in each one a scheduled job runs once. A period has a name, and an end, where the next begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

from domain.shared.clock import BUSINESS_ZONE


class Periods(Protocol):
    """One after the other without gaps; `str()` says them to a person, such as `daily 02:00 Cairo`."""

    def __call__(self, at: datetime) -> str:
        """The name of the period that this instant lies in; different for each, and kept in `scheduled_runs`."""
        ...

    def next_after(self, at: datetime) -> datetime:
        """When the period after this instant's begins."""
        ...


@dataclass(frozen=True, slots=True)
class slices_of:  # noqa: N801 - reads as a word of the table
    """Periods of a fixed length, named by their first instant."""

    length: timedelta

    def __call__(self, at: datetime) -> str:
        return self._start(at).isoformat()

    def __str__(self) -> str:
        seconds = int(self.length.total_seconds())
        return f"every {seconds // 60} min" if seconds >= 60 else f"every {seconds} s"

    def next_after(self, at: datetime) -> datetime:
        return self._start(at) + self.length

    def _start(self, at: datetime) -> datetime:
        seconds = int(self.length.total_seconds())
        return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, at.tzinfo)


@dataclass(frozen=True, slots=True)
class days_from:  # noqa: N801 - reads as a word of the table
    """Days that begin at this hour in Cairo, whatever its clocks do, named by their date."""

    hour: int

    def __call__(self, at: datetime) -> str:
        on_the_wall = at.astimezone(BUSINESS_ZONE).replace(tzinfo=None)
        return (on_the_wall - timedelta(hours=self.hour)).date().isoformat()

    def __str__(self) -> str:
        return f"daily {self.hour:02d}:00 Cairo"

    def next_after(self, at: datetime) -> datetime:
        tomorrow = datetime.fromisoformat(self(at)).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(self.hour), BUSINESS_ZONE).astimezone(at.tzinfo)
