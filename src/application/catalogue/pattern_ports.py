"""What patterns are kept in, and how many departures are planned at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.catalogue.patterns import DeparturePattern
from domain.catalogue.pools import PoolSeries


@dataclass(frozen=True, slots=True)
class TravelDates:
    """A day on which an item departs, and its last day."""

    starts_on: date
    ends_on: date


class Patterns(Protocol):
    """Patterns, the departures that they plan, and the series that these departures' pools are made from.

    Departures are written by the set. A pattern is locked before its departures; nothing that sells locks a pattern.
    """

    def add(self, pattern: DeparturePattern) -> None:
        """Raises PoolSeriesNotFound for a series that there is not."""
        ...

    def get(self, pattern_id: UUID) -> DeparturePattern:
        """The pattern, locked. Raises PatternNotFound."""
        ...

    def save(self, pattern: DeparturePattern) -> None:
        """Raises PoolSeriesNotFound for a series that there is not."""
        ...

    def due(self, *, today: date, through: date) -> Sequence[UUID]:
        """Active patterns that depart on days between these two."""
        ...

    def plan(
        self, pattern: DeparturePattern, sessions: Sequence[TravelDates], *, time_zone: str, at: datetime
    ) -> Sequence[UUID]:
        """Departures on those of these days for which the pattern has planned none yet; their ids.

        Each draws from the day's pool of each series, which is made where it is missing.
        """
        ...

    def unsold_of(self, pattern_id: UUID, *, after: date) -> Mapping[UUID, date]:
        """A pattern's departures behind a day, locked, with their days.

        Without those that are cancelled, have a seat taken, or were moved to another day by hand.
        """
        ...

    def replan(
        self, pattern: DeparturePattern, sessions: Mapping[UUID, TravelDates], *, time_zone: str, at: datetime
    ) -> None:
        """Give locked, unsold departures the pattern's hour, seats and series."""
        ...

    def cancel(self, departure_ids: Sequence[UUID], *, forget: bool) -> None:
        """Cancel locked, unsold departures; `forget` says that they are no longer the pattern's."""
        ...

    def add_series(self, series: PoolSeries) -> None: ...

    def series(self, series_id: UUID) -> PoolSeries:
        """The series, locked. Raises PoolSeriesNotFound."""
        ...

    def save_series(self, series: PoolSeries) -> None: ...
