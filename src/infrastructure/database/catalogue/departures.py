"""Departures, by hand-written statements: the busiest rows of the catalogue."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from domain.catalogue.departures import Departure, DepartureNotFound, DepartureStatus
from infrastructure.database.transaction import Row, Statements

DEPARTURE_COLUMNS: Final = """
    d.id AS departure_id, d.package_id, d.activity_id, d.starts_on, d.ends_on, d.start_time,
    d.time_zone AS departure_time_zone, d.capacity, d.seats_taken, d.status AS departure_status,
    d.created_at AS departure_created_at, d.version AS departure_version
"""
"""What `departure_of` reads, of a row `d` that the statement locks."""

_GET: Final = f"SELECT {DEPARTURE_COLUMNS} FROM departures d WHERE d.id = %s FOR UPDATE"
_ADD: Final = """
INSERT INTO departures (id, package_id, activity_id, starts_on, ends_on, start_time, time_zone, capacity,
                        seats_taken, status, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE: Final = """
UPDATE departures SET seats_taken = %s, capacity = %s, status = %s, starts_on = %s, ends_on = %s, start_time = %s
WHERE id = %s
"""
_Written = tuple[Any, ...]


class SqlDepartures:
    """Implements `application.ports.Departures`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._loaded: dict[UUID, tuple[Departure, _Written]] = {}

    def add(self, departure: Departure) -> None:
        self._statements.execute(
            _ADD,
            (departure.id, departure.package_id, departure.activity_id, departure.starts_on, departure.ends_on,
             departure.start_time, departure.time_zone, departure.capacity, departure.seats_taken, departure.status,
             departure.created_at),
        )  # fmt: skip
        self.remember(departure)

    def get(self, departure_id: UUID) -> Departure:
        known = self._loaded.get(departure_id)
        if known is not None:
            return known[0]
        row = self._statements.row(_GET, (departure_id,))
        if row is None:
            raise DepartureNotFound()
        return self.remember(departure_of(row))

    def remember(self, departure: Departure) -> Departure:
        """Watch a departure whose row is locked: what changes is written when the unit of work flushes."""
        self._loaded[departure.id] = (departure, _written(departure))
        return departure

    def flush(self) -> list[Departure]:
        """Write the departures that changed since they were loaded; answers all that were touched."""
        for departure, before in self._loaded.values():
            now = _written(departure)
            if now != before:
                self._statements.execute(_SAVE, (*now, departure.id))
                self.remember(departure)
        return [departure for departure, _ in self._loaded.values()]


def _written(departure: Departure) -> _Written:
    return (
        departure.seats_taken,
        departure.capacity,
        departure.status,
        departure.starts_on,
        departure.ends_on,
        departure.start_time,
    )


def departure_of(row: Row) -> Departure:
    """A departure as a locked row with `DEPARTURE_COLUMNS` tells it."""
    return Departure(
        id=row["departure_id"],
        package_id=row["package_id"],
        activity_id=row["activity_id"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        start_time=row["start_time"],
        time_zone=row["departure_time_zone"],
        capacity=row["capacity"],
        seats_taken=row["seats_taken"],
        status=DepartureStatus(row["departure_status"]),
        created_at=row["departure_created_at"],
        version=row["departure_version"],
    )
