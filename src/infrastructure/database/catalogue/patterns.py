"""Patterns, and the departures and pools that are made of them, by the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.catalogue.pattern_ports import TravelDates
from domain.catalogue.patterns import DeparturePattern, PatternNotFound, PatternStatus
from domain.catalogue.pools import PoolSeries, PoolSeriesNotFound
from domain.shared.identifiers import NewId
from infrastructure.database.transaction import Statements

_GET: Final = """
SELECT p.*, ARRAY(SELECT s.series_id FROM departure_pattern_series s WHERE s.pattern_id = p.id ORDER BY 1)
    AS series_ids
FROM departure_patterns p WHERE p.id = %s FOR UPDATE
"""
_ADD: Final = """
INSERT INTO departure_patterns (id, package_id, activity_id, weekdays, first_on, last_on, exceptions, start_time,
                                capacity, status, created_by_user_id, created_at)
VALUES (%(id)s, %(package_id)s, %(activity_id)s, %(weekdays)s, %(first_on)s, %(last_on)s, %(exceptions)s::date[],
        %(start_time)s, %(capacity)s, %(status)s, %(created_by_user_id)s, %(created_at)s)
"""
_SAVE: Final = """
UPDATE departure_patterns
SET weekdays = %(weekdays)s, first_on = %(first_on)s, last_on = %(last_on)s, exceptions = %(exceptions)s::date[],
    start_time = %(start_time)s, capacity = %(capacity)s, status = %(status)s
WHERE id = %(id)s
"""
_DROP_SERIES: Final = "DELETE FROM departure_pattern_series WHERE pattern_id = %s AND series_id <> ALL(%s::uuid[])"
_ADD_SERIES: Final = """
INSERT INTO departure_pattern_series (pattern_id, series_id)
SELECT %s, s.id FROM pool_series s WHERE s.id = ANY(%s::uuid[]) ON CONFLICT DO NOTHING
"""
_KNOWN_SERIES: Final = "SELECT count(*) AS known FROM pool_series WHERE id = ANY(%s::uuid[])"
_DUE: Final = """
SELECT id FROM departure_patterns
WHERE status = 'ACTIVE' AND first_on <= %(through)s AND (last_on IS NULL OR last_on > %(today)s)
ORDER BY id
"""
# A day that has had one, though it was moved or cancelled since, is not planned again.
_PLAN: Final = """
INSERT INTO departures (id, package_id, activity_id, starts_on, ends_on, start_time, time_zone, capacity, seats_taken,
                        status, created_at, pattern_id, planned_for)
SELECT v.id, %(package_id)s, %(activity_id)s, v.starts_on, v.ends_on, %(start_time)s, %(time_zone)s, %(capacity)s, 0,
       'OPEN', %(at)s, %(pattern_id)s, v.starts_on
FROM unnest(%(ids)s::uuid[], %(starts)s::date[], %(ends)s::date[]) AS v(id, starts_on, ends_on)
WHERE NOT EXISTS (SELECT 1 FROM departures d WHERE d.pattern_id = %(pattern_id)s AND d.planned_for = v.starts_on)
ON CONFLICT (pattern_id, planned_for) DO NOTHING
RETURNING id, starts_on
"""
# In one order, whoever makes them: two patterns of one series never wait for each other's days.
_MAKE_POOLS: Final = """
INSERT INTO pools (id, name_ar, name_en, capacity, series_id, on_date, created_at)
SELECT v.id, s.name_ar, s.name_en, s.capacity, s.id, v.on_date, %(at)s
FROM unnest(%(ids)s::uuid[], %(series)s::uuid[], %(days)s::date[]) AS v(id, series_id, on_date)
JOIN pool_series s ON s.id = v.series_id
ORDER BY v.on_date, v.series_id
ON CONFLICT (series_id, on_date) DO NOTHING
"""
_ATTACH: Final = """
INSERT INTO departure_pools (departure_id, pool_id)
SELECT d.id, p.id FROM departures d JOIN pools p ON p.on_date = d.starts_on
WHERE d.id = ANY(%(departures)s::uuid[]) AND p.series_id = ANY(%(series)s::uuid[])
ORDER BY p.id
ON CONFLICT DO NOTHING
"""
_DETACH: Final = """
DELETE FROM departure_pools a USING pools p
WHERE p.id = a.pool_id AND p.series_id <> ALL(%(series)s::uuid[]) AND a.departure_id = ANY(%(departures)s::uuid[])
"""
_UNSOLD: Final = """
SELECT id, starts_on FROM departures
WHERE pattern_id = %s AND planned_for > %s AND starts_on = planned_for AND seats_taken = 0 AND status <> 'CANCELLED'
ORDER BY id FOR UPDATE
"""
_REPLAN: Final = """
UPDATE departures d
SET ends_on = v.ends_on, start_time = %(start_time)s, time_zone = %(time_zone)s, capacity = %(capacity)s
FROM unnest(%(ids)s::uuid[], %(ends)s::date[]) AS v(id, ends_on)
WHERE d.id = v.id
"""
_CANCEL: Final = """
UPDATE departures
SET status = 'CANCELLED', pattern_id = CASE WHEN %(forget)s THEN NULL ELSE pattern_id END,
    planned_for = CASE WHEN %(forget)s THEN NULL ELSE planned_for END
WHERE id = ANY(%(ids)s)
"""
_NEW_SERIES: Final = "INSERT INTO pool_series (id, name_ar, name_en, capacity, created_at) VALUES (%s, %s, %s, %s, %s)"
_GET_SERIES: Final = "SELECT * FROM pool_series WHERE id = %s FOR UPDATE"
_SAVE_SERIES: Final = "UPDATE pool_series SET name_ar = %s, name_en = %s, capacity = %s WHERE id = %s"


class SqlPatterns:
    """Implements `application.catalogue.pattern_ports.Patterns`."""

    def __init__(self, statements: Statements, new_id: NewId) -> None:
        self._statements = statements
        self._new_id = new_id

    def add(self, pattern: DeparturePattern) -> None:
        self._statements.execute(_ADD, vars(pattern))
        self._save_series_of(pattern)

    def get(self, pattern_id: UUID) -> DeparturePattern:
        row = self._statements.row(_GET, (pattern_id,))
        if row is None:
            raise PatternNotFound()
        return DeparturePattern(**{**row, "status": PatternStatus(row["status"])})

    def save(self, pattern: DeparturePattern) -> None:
        self._statements.execute(_SAVE, vars(pattern))
        self._save_series_of(pattern)

    def _save_series_of(self, pattern: DeparturePattern) -> None:
        series = list(pattern.series_ids)
        known = self._statements.row(_KNOWN_SERIES, (series,))
        if known is None or known["known"] != len(series):
            raise PoolSeriesNotFound()
        self._statements.execute(_DROP_SERIES, (pattern.id, series))
        self._statements.execute(_ADD_SERIES, (pattern.id, series))

    def due(self, *, today: date, through: date) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_DUE, {"today": today, "through": through})]

    def plan(
        self, pattern: DeparturePattern, sessions: Sequence[TravelDates], *, time_zone: str, at: datetime
    ) -> Sequence[UUID]:
        if not sessions:
            return []
        planned = self._statements.rows(
            _PLAN,
            {
                **_written(pattern, time_zone),
                "package_id": pattern.package_id,
                "activity_id": pattern.activity_id,
                "pattern_id": pattern.id,
                "ids": [self._new_id() for _ in sessions],
                "starts": [session.starts_on for session in sessions],
                "ends": [session.ends_on for session in sessions],
                "at": at,
            },
        )
        self._share([row["id"] for row in planned], [row["starts_on"] for row in planned], pattern, at)
        return [row["id"] for row in planned]

    def _share(
        self, departure_ids: Sequence[UUID], days: Sequence[date], pattern: DeparturePattern, at: datetime
    ) -> None:
        """Let departures draw from the pools of their days, and make those that are missing."""
        if not pattern.series_ids or not departure_ids:
            return
        wanted = [(self._new_id(), series_id, day) for day in sorted(set(days)) for series_id in pattern.series_ids]
        ids, series, on = (list(column) for column in zip(*wanted, strict=True))
        self._statements.execute(_MAKE_POOLS, {"ids": ids, "series": series, "days": on, "at": at})
        self._statements.execute(_ATTACH, {"departures": list(departure_ids), "series": list(pattern.series_ids)})

    def unsold_of(self, pattern_id: UUID, *, after: date) -> Mapping[UUID, date]:
        return {row["id"]: row["starts_on"] for row in self._statements.rows(_UNSOLD, (pattern_id, after))}

    def replan(
        self, pattern: DeparturePattern, sessions: Mapping[UUID, TravelDates], *, time_zone: str, at: datetime
    ) -> None:
        if not sessions:
            return
        ends = [session.ends_on for session in sessions.values()]
        self._statements.execute(_REPLAN, {**_written(pattern, time_zone), "ids": list(sessions), "ends": ends})
        self._statements.execute(_DETACH, {"departures": list(sessions), "series": list(pattern.series_ids)})
        self._share(list(sessions), [session.starts_on for session in sessions.values()], pattern, at)

    def cancel(self, departure_ids: Sequence[UUID], *, forget: bool) -> None:
        if departure_ids:
            self._statements.execute(_CANCEL, {"forget": forget, "ids": list(departure_ids)})

    def add_series(self, series: PoolSeries) -> None:
        self._statements.execute(
            _NEW_SERIES, (series.id, series.name_ar, series.name_en, series.capacity, series.created_at)
        )

    def series(self, series_id: UUID) -> PoolSeries:
        row = self._statements.row(_GET_SERIES, (series_id,))
        if row is None:
            raise PoolSeriesNotFound()
        return PoolSeries(**row)

    def save_series(self, series: PoolSeries) -> None:
        self._statements.execute(_SAVE_SERIES, (series.name_ar, series.name_en, series.capacity, series.id))


def _written(pattern: DeparturePattern, time_zone: str) -> dict[str, object]:
    return {"start_time": pattern.start_time, "capacity": pattern.capacity, "time_zone": time_zone}
