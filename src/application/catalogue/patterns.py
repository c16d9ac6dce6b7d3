"""Patterns: departures that are planned ahead on the weekdays that staff or a vendor chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from application.catalogue.authors import Author, item_of, read_item, shown
from application.catalogue.pattern_ports import TravelDates
from application.ports import NewUnitOfWork, UnitOfWork
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.availability import Availability
from domain.catalogue.departures import DepartureCancelled, DeparturePlanned
from domain.catalogue.items import Item
from domain.catalogue.packages import PackageNotFound
from domain.catalogue.patterns import DeparturePattern, PatternDetails, PatternNotFound, PatternStatus
from domain.catalogue.publication import CatalogueItem, ItemStatus
from domain.operations.audit import changed
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, refuse_stale
from domain.shared.identifiers import NewId

MOST_PREVIEWED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPattern:
    """An item departs on these days, planned as far ahead as `horizon`."""

    author: Author
    item: Item
    details: PatternDetails
    horizon: timedelta


def begin_pattern(command: BeginPattern, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Plan a pattern's departures, up to the horizon at once, and further ones by a job every day.

    Raises PackageNotFound, ActivityNotFound, PoolSeriesNotFound, or InvalidValue.
    """
    now = clock.now()
    with uow:
        item = read_item(command.item, command.author, uow)
        pattern = DeparturePattern.begin(
            pattern_id=new_id(),
            package_id=command.item.package_id,
            activity_id=command.item.activity_id,
            created_by=command.author.user_id,
            at=now,
            **command.details,
        )
        uow.patterns.add(pattern)
        _plan_ahead(pattern, item, horizon=command.horizon, uow=uow, at=now)
        _audit(uow, command.author, pattern, {}, clock)
        uow.commit()
    return pattern.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePattern:
    """`details` holds only what changes; `expected_version` is the one that the author saw, None for any."""

    author: Author
    pattern_id: UUID
    details: PatternDetails
    horizon: timedelta
    expected_version: int | None = None


def change_pattern(command: ChangePattern, *, uow: UnitOfWork, clock: Clock) -> None:
    """From here on it departs so: what nobody has booked is changed or cancelled, what is sold stays as it is.

    Raises PatternNotFound, PreconditionFailed, IllegalTransition, PoolSeriesNotFound, or InvalidValue.
    """
    now = clock.now()
    today = business_date(now)
    with uow:
        pattern, item = _own(command.pattern_id, command.author, uow)
        refuse_stale(command.expected_version, current=pattern.version)
        before = _edited(pattern)
        pattern.change(**command.details)
        uow.patterns.save(pattern)
        unsold = uow.patterns.unsold_of(pattern.id, after=today)
        # As far as anything is planned, which may be beyond today's horizon.
        through = max([today + command.horizon, *unsold.values()])
        wanted = {session.starts_on: session for session in _sessions(pattern, item, after=today, through=through)}
        kept = {departure_id: wanted[day] for departure_id, day in unsold.items() if day in wanted}
        _cancel([departure_id for departure_id in unsold if departure_id not in kept], uow, now, forget=True)
        uow.patterns.replan(pattern, kept, time_zone=item.time_zone, at=now)
        _plan_ahead(pattern, item, horizon=command.horizon, uow=uow, at=now)
        _audit(uow, command.author, pattern, before, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPattern:
    author: Author
    pattern_id: UUID
    expected_version: int | None = None


def stop_pattern(command: StopPattern, *, uow: UnitOfWork, clock: Clock) -> None:
    """Plan nothing more, and cancel what nobody has booked; what is sold takes place.

    Raises PatternNotFound, PreconditionFailed, or IllegalTransition.
    """
    now = clock.now()
    with uow:
        pattern, _ = _own(command.pattern_id, command.author, uow)
        refuse_stale(command.expected_version, current=pattern.version)
        before = _edited(pattern)
        pattern.stop()
        uow.patterns.save(pattern)
        _cancel(list(uow.patterns.unsold_of(pattern.id, after=business_date(now))), uow, now, forget=False)
        _audit(uow, command.author, pattern, before, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPattern:
    """What a pattern with these details would plan."""

    author: Author
    item: Item
    details: PatternDetails
    horizon: timedelta


def preview_pattern(command: PreviewPattern, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Sequence[TravelDates]:
    """The dates up to the horizon, 400 at most; nothing is stored. Raises what `begin_pattern` raises."""
    now = clock.now()
    today = business_date(now)
    with uow:
        item = read_item(command.item, command.author, uow)
    pattern = DeparturePattern.begin(
        pattern_id=new_id(),
        package_id=command.item.package_id,
        activity_id=command.item.activity_id,
        created_by=command.author.user_id,
        at=now,
        **command.details,
    )
    return list(islice(_sessions(pattern, item, after=today, through=today + command.horizon), MOST_PREVIEWED))


def plan_patterns(*, new_uow: NewUnitOfWork, clock: Clock, horizon: timedelta) -> int:
    """Plan every active pattern's departures up to the horizon; how many were planned. Run again, it plans no more.

    Each pattern in a transaction of its own; one that somebody is changing at this moment is left to the next run.
    """
    today = business_date(clock.now())
    with new_uow() as uow:
        due = uow.patterns.due(today=today, through=today + horizon)
    return sum(_plan_or_leave(pattern_id, new_uow=new_uow, clock=clock, horizon=horizon) for pattern_id in due)


def _plan_or_leave(pattern_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, horizon: timedelta) -> int:
    try:
        with new_uow() as uow:
            pattern = uow.patterns.get(pattern_id)
            item = item_of(_item_of(pattern), uow)
            if pattern.status is not PatternStatus.ACTIVE or item.status is ItemStatus.ARCHIVED:
                return 0
            planned = _plan_ahead(pattern, item, horizon=horizon, uow=uow, at=clock.now())
            uow.commit()
    except Conflict:
        return 0
    return planned


def _plan_ahead(
    pattern: DeparturePattern, item: CatalogueItem, *, horizon: timedelta, uow: UnitOfWork, at: datetime
) -> int:
    """Plan the days up to the horizon that are not planned yet; how many departures that made."""
    today = business_date(at)
    sessions = list(_sessions(pattern, item, after=today, through=today + horizon))
    planned = uow.patterns.plan(pattern, sessions, time_zone=item.time_zone, at=at)
    for departure_id in planned:
        uow.publish(DeparturePlanned(at=at, departure_id=departure_id))
    return len(planned)


def _sessions(pattern: DeparturePattern, item: CatalogueItem, *, after: date, through: date) -> Iterator[TravelDates]:
    """The days on which the pattern departs and its item is offered, each with its last day."""
    availability = Availability(item.availability_start, item.availability_end)
    for starts_on in pattern.dates(after=after, through=through):
        ends_on = item.last_day(starts_on, pattern.start_time)
        if availability.covers(starts_on, ends_on):
            yield TravelDates(starts_on, ends_on)


def _cancel(departure_ids: Sequence[UUID], uow: UnitOfWork, at: datetime, *, forget: bool) -> None:
    """Cancel departures that are locked and unsold; `forget` lets their days be planned again."""
    uow.patterns.cancel(departure_ids, forget=forget)
    for departure_id in departure_ids:
        uow.publish(DepartureCancelled(at=at, departure_id=departure_id))


def _own(pattern_id: UUID, author: Author, uow: UnitOfWork) -> tuple[DeparturePattern, CatalogueItem]:
    pattern = uow.patterns.get(pattern_id)
    try:
        return pattern, read_item(_item_of(pattern), author, uow)
    except (PackageNotFound, ActivityNotFound):
        raise PatternNotFound() from None


def _item_of(pattern: DeparturePattern) -> Item:
    return Item.of(pattern.package_id, pattern.activity_id)


def _edited(pattern: DeparturePattern) -> dict[str, object]:
    return {**shown(pattern.details()), "status": pattern.status.value}


def _audit(uow: UnitOfWork, author: Author, pattern: DeparturePattern, before: dict[str, object], clock: Clock) -> None:
    changes = changed(before, _edited(pattern))
    if changes["after"]:
        uow.audit.add(
            actor=author.user_id,
            action="departures.update",
            resource_type="DEPARTURE_PATTERN",
            resource_id=pattern.id,
            changes=changes,
            at=clock.now(),
        )
