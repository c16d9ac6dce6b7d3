"""Points whose time is over, and telling their owners beforehand: jobs that work through people in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.ledger.lots import LotEntry, OpenLot, consume
from domain.ledger.points import PointsExpired, PointsExpiring
from domain.shared.clock import Clock
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId

PEOPLE_AT_ONCE: Final = 200
REMIND_BEFORE: Final = (timedelta(days=7), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Expired:
    """What a run of the expiry took."""

    people: int = 0
    lots: int = 0
    points: int = 0

    def __add__(self, other: Expired) -> Expired:
        return Expired(self.people + other.people, self.lots + other.lots, self.points + other.points)


def expire_points(
    *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId, people_at_once: int = PEOPLE_AT_ONCE
) -> Expired:
    """Take what is left of every lot that has ended, a batch of people in each transaction.

    Safe to run twice, at once, and after it was killed: lots are read under their owners' locks. A batch that
    somebody holds up for too long is passed over, and its Conflict raised once the others are done.
    """
    now, after, done = clock.now(), None, Expired()
    held_up: Conflict | None = None
    while owners := _owners_of_ending(None, now, after, people_at_once, uow=new_uow()):
        try:
            done += _expire_of(owners, now, uow=new_uow(), new_id=new_id)
        except Conflict as conflict:
            held_up = conflict
        after = owners[-1]
    if held_up is not None:
        raise held_up
    return done


def _owners_of_ending(
    since: datetime | None, until: datetime, behind: UUID | None, limit: int, *, uow: UnitOfWork
) -> Sequence[UUID]:
    with uow:
        return uow.points.owners_of_ending(since=since, until=until, behind=behind, limit=limit)


def _expire_of(owners: Sequence[UUID], now: datetime, *, uow: UnitOfWork, new_id: NewId) -> Expired:
    with uow:
        standing = uow.ledger.lock(accounts.points(owner) for owner in owners)
        batch = _Batch(now, new_id)
        for owner, lots in uow.points.ended_lots(owners, at=now).items():
            available = standing[accounts.points(owner)].available_minor
            event = batch.take(owner, lots, available)
            if event is not None:
                uow.publish(event)
        if batch.journals:
            uow.ledger.post(batch.journals)
            uow.points.record(batch.entries)
        uow.commit()
    return batch.done


class _Batch:
    """The journals of one transaction: one for each lot, whose key says which end of which lot it is."""

    def __init__(self, now: datetime, new_id: NewId) -> None:
        self._now = now
        self._new_id = new_id
        self.journals: list[Journal] = []
        self.entries: dict[UUID, tuple[LotEntry, ...]] = {}
        self.done = Expired()

    def take(self, owner: UUID, lots: Sequence[OpenLot], available: int) -> PointsExpired | None:
        """Take what is left of a person's ended lots; what a hold sets aside waits until the hold is over."""
        by_id = {lot.id: lot for lot in lots}
        taken = consume(lots, min(available, sum(lot.remaining for lot in lots)))
        if not taken:
            return None
        for entry in taken:
            journal = self._expiry(owner, by_id[entry.lot_id], -entry.points)
            self.journals.append(journal)
            self.entries[journal.id] = (entry,)
        points = -sum(entry.points for entry in taken)
        self.done += Expired(people=1, lots=len(taken), points=points)
        return PointsExpired(at=self._now, user_id=owner, points=points, lots=len(taken))

    def _expiry(self, owner: UUID, lot: OpenLot, points: int) -> Journal:
        return Journal(
            id=self._new_id(),
            journal_type=JournalType.EXPIRED,
            # A lot ends again after a grace, and in parts where some of it was held.
            idempotency_key=f"points:expired:{lot.id}:{lot.ends_at.isoformat()}:{lot.remaining}",
            reference_type="POINTS_LOT",
            reference_id=lot.id,
            description_ar="انتهت صلاحية النقاط",
            description_en="Points expired",
            occurred_at=self._now,
            entries=transfer(accounts.points(owner), accounts.platform(AccountKind.EXPIRY_INCOME, POINTS_UNIT), points),
        )


def remind_of_expiry(*, new_uow: NewUnitOfWork, clock: Clock, people_at_once: int = PEOPLE_AT_ONCE) -> int:
    """Have everybody told, once per lot and stage, whose points end within 30 and within 7 days; how often it was.

    Noted and published in one transaction, so that whoever is noted is told.
    """
    now, after, told = clock.now(), None, 0
    while owners := _owners_of_ending(now, now + max(REMIND_BEFORE), after, people_at_once, uow=new_uow()):
        told += _remind(owners, now, uow=new_uow())
        after = owners[-1]
    return told


def _remind(owners: Sequence[UUID], now: datetime, *, uow: UnitOfWork) -> int:
    with uow:
        reminders = uow.points.remind(owners, REMIND_BEFORE, at=now)
        for each in reminders:
            uow.publish(
                PointsExpiring(at=now, user_id=each.user_id, points=each.points, days=each.days, ends_at=each.ends_at)
            )
        uow.commit()
    return len(reminders)
