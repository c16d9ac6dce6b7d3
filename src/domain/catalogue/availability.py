"""The dates between which something of the catalogue is offered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.shared.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Availability:
    """From a first to a last day, both included; None leaves that side open."""

    first_day: date | None
    last_day: date | None

    def covers(self, starts_on: date, ends_on: date) -> bool:
        """Whether all of these days lie inside."""
        begins = self.first_day is None or starts_on >= self.first_day
        return begins and (self.last_day is None or ends_on <= self.last_day)

    def refuse_outside(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates that do not lie inside."""
        if self.first_day is not None and starts_on < self.first_day:
            raise InvalidValue(f"it is offered from {self.first_day}", pointer="/starts_on", code="out_of_range")
        if self.last_day is not None and ends_on > self.last_day:
            raise InvalidValue(f"it is offered until {self.last_day}", pointer="/ends_on", code="out_of_range")
