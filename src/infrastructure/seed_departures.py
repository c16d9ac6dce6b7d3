"""When the demo's packages and activities depart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final

import psycopg

from domain.catalogue.departures import Departure

Connection = psycopg.Connection[Any]

_ANCHOR: Final = date(2026, 1, 1)
FORTNIGHT: Final = timedelta(days=14)
HALF_A_YEAR: Final = timedelta(days=182)

_ADD_DEPARTURE = """
INSERT INTO departures (id, package_id, activity_id, starts_on, ends_on, start_time, time_zone, capacity, seats_taken,
                        status, created_at)
SELECT %(id)s, %(package_id)s::uuid, %(activity_id)s::uuid, %(starts_on)s::date, %(ends_on)s, %(start_time)s::time,
       %(time_zone)s, %(capacity)s, 0, 'OPEN', %(created_at)s
WHERE NOT EXISTS (
    SELECT 1 FROM departures
    WHERE (package_id = %(package_id)s::uuid OR activity_id = %(activity_id)s::uuid)
      AND starts_on = %(starts_on)s::date AND start_time = %(start_time)s::time)
"""


def departure_dates(offset: int, *, today: date) -> Iterator[date]:
    """Every second week of the coming half-year, on days that stay the same whenever this is asked."""
    first_ahead = today + timedelta(days=1)
    begun = (first_ahead - _ANCHOR - timedelta(days=offset)) % FORTNIGHT
    day = first_ahead + (FORTNIGHT - begun) % FORTNIGHT
    while day <= today + HALF_A_YEAR:
        yield day
        day += FORTNIGHT


def add_departures(connection: Connection, departures: Iterable[Departure]) -> None:
    """Those that are missing; one that staff closed or cancelled is there, and stays as it is."""
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_DEPARTURE, [vars(departure) for departure in departures])
