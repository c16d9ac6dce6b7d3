"""Pools of seats: making them, changing how many seats they have, and which departures draw from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from application.ports import UnitOfWork
from domain.catalogue.departures import Departure
from domain.catalogue.pools import Pool, PoolSeries, refuse_capacity
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePool:
    """A pool, or a series of one for each day."""

    actor_id: UUID
    name_ar: str
    name_en: str
    capacity: int


def create_pool(command: CreatePool, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """A pool that no departure draws from yet. Raises InvalidValue."""
    now = clock.now()
    with uow:
        pool = Pool.create(
            pool_id=new_id(), name_ar=command.name_ar, name_en=command.name_en, capacity=command.capacity, at=now
        )
        uow.departures.add_pool(pool)
        _audit(uow, command.actor_id, "POOL", pool.id, {}, _edited(pool), clock)
        uow.commit()
    return pool.id


class PoolChanges(TypedDict, total=False):
    """What may be given a pool anew."""

    name_ar: str
    name_en: str
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePool:
    """`details` holds only what changes; `expected_version` is the one that was seen, None for any."""

    actor_id: UUID
    pool_id: UUID
    details: PoolChanges
    expected_version: int | None = None


def change_pool(command: ChangePool, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises PoolNotFound, PreconditionFailed, InvalidValue, or CapacityBelowSold."""
    with uow:
        pool = uow.departures.pool(command.pool_id)
        refuse_stale(command.expected_version, current=pool.version)
        before = _edited(pool)
        pool.name_ar = command.details.get("name_ar", pool.name_ar)
        pool.name_en = command.details.get("name_en", pool.name_en)
        pool.change_capacity(command.details.get("capacity", pool.capacity), at=clock.now())
        _audit(uow, command.actor_id, "POOL", pool.id, before, _edited(pool), clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPool:
    """A departure begins to draw from a pool, or no longer does."""

    actor_id: UUID
    departure_id: UUID
    pool_id: UUID


def attach_pool(command: AttachPool, *, uow: UnitOfWork, clock: Clock) -> None:
    """Draw a departure's seats, those that are taken too, from a pool.

    Raises DepartureNotFound, PoolNotFound, PoolAttached, SoldOut where they do not fit, or DepartureClosed.
    """
    with uow:
        departure = _locked(command, uow)
        before = _pools(departure)
        departure.attach(uow.departures.pool(command.pool_id))
        _audit(uow, command.actor_id, "DEPARTURE", departure.id, before, _pools(departure), clock)
        uow.commit()


def detach_pool(command: AttachPool, *, uow: UnitOfWork, clock: Clock) -> None:
    """Draw from it no longer. Raises DepartureNotFound or PoolNotAttached."""
    with uow:
        departure = _locked(command, uow)
        before = _pools(departure)
        departure.detach(command.pool_id, at=clock.now())
        _audit(uow, command.actor_id, "DEPARTURE", departure.id, before, _pools(departure), clock)
        uow.commit()


def _locked(command: AttachPool, uow: UnitOfWork) -> Departure:
    """The departure, with its pools and this one locked in one go: pools are locked by id."""
    (departure,) = uow.departures.get_all([command.departure_id], pool_ids=[command.pool_id])
    return departure


def create_series(command: CreatePool, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """What the pool of each day is made from. Raises InvalidValue."""
    with uow:
        series = PoolSeries.create(
            series_id=new_id(),
            name_ar=command.name_ar,
            name_en=command.name_en,
            capacity=command.capacity,
            at=clock.now(),
        )
        uow.patterns.add_series(series)
        _audit(uow, command.actor_id, "POOL_SERIES", series.id, {}, _edited(series), clock)
        uow.commit()
    return series.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeries:
    """`details` holds only what changes; `expected_version` is the one that was seen, None for any."""

    actor_id: UUID
    series_id: UUID
    details: PoolChanges
    expected_version: int | None = None


def change_series(command: ChangeSeries, *, uow: UnitOfWork, clock: Clock) -> None:
    """How pools are from here on; those of days that are planned stay as they are.

    Raises PoolSeriesNotFound, PreconditionFailed, or InvalidValue.
    """
    with uow:
        series = uow.patterns.series(command.series_id)
        refuse_stale(command.expected_version, current=series.version)
        before = _edited(series)
        for name, value in command.details.items():
            setattr(series, name, value)
        refuse_capacity(series.capacity)
        uow.patterns.save_series(series)
        _audit(uow, command.actor_id, "POOL_SERIES", series.id, before, _edited(series), clock)
        uow.commit()


def _edited(pool: Pool | PoolSeries) -> dict[str, object]:
    return {"name_ar": pool.name_ar, "name_en": pool.name_en, "capacity": pool.capacity}


def _pools(departure: Departure) -> dict[str, object]:
    return {"pools": [str(pool.id) for pool in departure.pools]}


def _audit(
    uow: UnitOfWork,
    actor: UUID,
    kind: str,
    resource_id: UUID,
    before: dict[str, object],
    after: dict[str, object],
    clock: Clock,
) -> None:
    changes = changed(before, after)
    if changes["after"]:
        uow.audit.add(
            actor=actor,
            action="pools.manage",
            resource_type=kind,
            resource_id=resource_id,
            changes=changes,
            at=clock.now(),
        )
