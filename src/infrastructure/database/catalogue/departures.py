"""Departures and the pools they draw from, by hand-written statements: the busiest rows of the catalogue.

Locks are taken in one order: departures by id, then their pools by id. Whoever needs several departures takes
them with `get_all`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from domain.catalogue.departures import Departure, DepartureNotFound, DepartureStatus
from domain.catalogue.pools import Pool, PoolNotFound
from domain.shared.aggregate import Aggregate
from infrastructure.database.transaction import Row, Statements

DEPARTURE_COLUMNS: Final = """
    d.id AS departure_id, d.package_id, d.activity_id, d.starts_on, d.ends_on, d.start_time,
    d.time_zone AS departure_time_zone, d.capacity, d.seats_taken, d.status AS departure_status,
    d.created_at AS departure_created_at, d.version AS departure_version, d.has_pools
"""
"""What `SqlDepartures.locked` reads, of a row `d` that the statement locks."""

_GET: Final = f"SELECT {DEPARTURE_COLUMNS} FROM departures d WHERE d.id = ANY(%s) ORDER BY d.id FOR UPDATE"
# Not FOR UPDATE: foreign keys to pools are written meanwhile, by whoever attaches.
_POOLS: Final = """
SELECT p.*, ARRAY(SELECT a.departure_id FROM departure_pools a
                  WHERE a.pool_id = p.id AND a.departure_id = ANY(%(departures)s)) AS departure_ids
FROM pools p
WHERE p.id IN (SELECT a.pool_id FROM departure_pools a WHERE a.departure_id = ANY(%(departures)s)
               UNION ALL SELECT unnest(%(pools)s::uuid[]))
ORDER BY p.id FOR NO KEY UPDATE OF p
"""
_ADD: Final = """
INSERT INTO departures (id, package_id, activity_id, starts_on, ends_on, start_time, time_zone, capacity,
                        seats_taken, status, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE: Final = """
UPDATE departures SET seats_taken = %s, capacity = %s, status = %s, starts_on = %s, ends_on = %s, start_time = %s
WHERE id = %s
"""
_ADD_POOL: Final = """
INSERT INTO pools (id, name_ar, name_en, capacity, seats_taken, series_id, on_date, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE_POOLS: Final = """
UPDATE pools p SET name_ar = v.name_ar, name_en = v.name_en, capacity = v.capacity, seats_taken = v.seats_taken
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::int[]) AS v(id, name_ar, name_en, capacity, seats_taken)
WHERE p.id = v.id
"""
_ATTACH: Final = "INSERT INTO departure_pools (departure_id, pool_id) SELECT %s, unnest(%s::uuid[])"
_DETACH: Final = "DELETE FROM departure_pools WHERE departure_id = %s AND pool_id = ANY(%s)"
_Written = tuple[Any, ...]


class SqlDepartures:
    """Implements `application.catalogue.record_ports.Departures`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._departures: dict[UUID, Departure] = {}
        self._pools: dict[UUID, Pool] = {}
        self._as_stored: dict[UUID, _Written] = {}
        self._attached: dict[UUID, frozenset[UUID]] = {}

    def add(self, departure: Departure) -> None:
        self._statements.execute(
            _ADD,
            (departure.id, departure.package_id, departure.activity_id, departure.starts_on, departure.ends_on,
             departure.start_time, departure.time_zone, departure.capacity, departure.seats_taken, departure.status,
             departure.created_at),
        )  # fmt: skip
        self._remember(departure)

    def get(self, departure_id: UUID) -> Departure:
        (departure,) = self.get_all([departure_id])
        return departure

    def get_all(self, departure_ids: Sequence[UUID], *, pool_ids: Sequence[UUID] = ()) -> Sequence[Departure]:
        wanted = [departure_id for departure_id in departure_ids if departure_id not in self._departures]
        if wanted:
            self._lock(wanted, pool_ids)
        return [self._departures[departure_id] for departure_id in departure_ids]

    def _lock(self, departure_ids: Sequence[UUID], pool_ids: Sequence[UUID]) -> None:
        rows = self._statements.rows(_GET, (list(departure_ids),))
        if len(rows) < len(set(departure_ids)):
            raise DepartureNotFound()
        for row in rows:
            self._remember(_departure(row))
        shared = [row["departure_id"] for row in rows if row["has_pools"]]
        if shared or pool_ids:
            self._lock_pools(shared, pool_ids)

    def locked(self, row: Row) -> Departure:
        """The departure of a row with `DEPARTURE_COLUMNS` that is locked; its pools, if any, are locked here."""
        departure = self._remember(_departure(row))
        if row["has_pools"]:
            self._lock_pools([departure.id])
        return departure

    def _lock_pools(self, departure_ids: Sequence[UUID], pool_ids: Sequence[UUID] = ()) -> None:
        for row in self._statements.rows(_POOLS, {"departures": list(departure_ids), "pools": list(pool_ids)}):
            drawn_by = row.pop("departure_ids")
            pool = self._pools.setdefault(row["id"], Pool(**row))
            self._as_stored.setdefault(pool.id, _pool_row(pool))
            for departure_id in drawn_by:
                self._departures[departure_id].pools.append(pool)
                self._attached[departure_id] |= {pool.id}

    def pool(self, pool_id: UUID) -> Pool:
        if pool_id not in self._pools:
            self._lock_pools((), [pool_id])
        if pool_id not in self._pools:
            raise PoolNotFound()
        return self._pools[pool_id]

    def add_pool(self, pool: Pool) -> None:
        self._statements.execute(
            _ADD_POOL,
            (pool.id, pool.name_ar, pool.name_en, pool.capacity, pool.seats_taken, pool.series_id, pool.on_date,
             pool.created_at),
        )  # fmt: skip
        self._pools[pool.id] = pool
        self._as_stored[pool.id] = _pool_row(pool)

    def _remember(self, departure: Departure) -> Departure:
        self._departures[departure.id] = departure
        self._as_stored[departure.id] = _written(departure)
        self._attached[departure.id] = frozenset()
        return departure

    def flush(self) -> list[Aggregate]:
        """Write what changed since it was loaded; answers all that was touched."""
        for departure in self._departures.values():
            self._save(departure)
        self._save_pools()
        for departure in self._departures.values():
            self._save_attachments(departure)
        return [*self._departures.values(), *self._pools.values()]

    def _save(self, departure: Departure) -> None:
        now = _written(departure)
        if now != self._as_stored[departure.id]:
            self._statements.execute(_SAVE, (*now, departure.id))
            self._as_stored[departure.id] = now

    def _save_pools(self) -> None:
        changed = [row for pool in self._pools.values() if (row := _pool_row(pool)) != self._as_stored[pool.id]]
        if changed:
            self._statements.execute(_SAVE_POOLS, [list(column) for column in zip(*changed, strict=True)])
            self._as_stored.update({row[0]: row for row in changed})

    def _save_attachments(self, departure: Departure) -> None:
        before, now = self._attached[departure.id], frozenset(pool.id for pool in departure.pools)
        if gone := before - now:
            self._statements.execute(_DETACH, (departure.id, list(gone)))
        if new := now - before:
            self._statements.execute(_ATTACH, (departure.id, sorted(new)))
        self._attached[departure.id] = now


def _written(departure: Departure) -> _Written:
    return (
        departure.seats_taken,
        departure.capacity,
        departure.status,
        departure.starts_on,
        departure.ends_on,
        departure.start_time,
    )


def _pool_row(pool: Pool) -> _Written:
    return pool.id, pool.name_ar, pool.name_en, pool.capacity, pool.seats_taken


def _departure(row: Row) -> Departure:
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
