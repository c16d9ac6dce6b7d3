"""Which lots points are taken from, and which they go back to.

A lot ends when it expires or, where points were given back to it after that, when its grace is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.ledger.journal import InsufficientBalance, ReversalRefused


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot, what is left of it, and the journal that it came with."""

    id: UUID
    remaining: int
    ends_at: datetime
    journal_id: UUID


@dataclass(frozen=True, slots=True)
class LotEntry:
    """What one journal did to one lot: points below zero were taken, above zero given back."""

    lot_id: UUID
    points: int
    grace_until: datetime | None = None


def consume(lots: Iterable[OpenLot], points: int) -> tuple[LotEntry, ...]:
    """Take exactly so many points, soonest-ending lots first, the older lot on a tie.

    Raises InsufficientBalance where the lots hold less: then nothing is taken (trap 22).
    """
    return _take(sorted(lots, key=_soonest), points)


def consume_from(lots: Iterable[OpenLot], points: int, *, first: UUID) -> tuple[LotEntry, ...]:
    """The same, beginning with the lot of one journal: what is taken back of an earning leaves its own lot first."""
    return _take(sorted(lots, key=lambda lot: (lot.journal_id != first, *_soonest(lot))), points)


def _take(lots: Iterable[OpenLot], points: int) -> tuple[LotEntry, ...]:
    taken, wanted = [], points
    for lot in lots:
        part = min(lot.remaining, wanted)
        if part:
            taken.append(LotEntry(lot.id, -part))
            wanted -= part
    if wanted:
        raise InsufficientBalance()
    return tuple(taken)


def give_back(outstanding: Iterable[OpenLot], points: int, *, at: datetime, grace: timedelta) -> tuple[LotEntry, ...]:
    """Undo the newest part of a consumption; `remaining` is what a lot still misses of it.

    Latest-ending lots first, the mirror of `consume`: whoever redeems 100 and is given back 30 has the lots of
    somebody who redeemed 70, and every sequence of parts ends where giving back all at once ends. A lot that has
    ended meanwhile lives on until its grace is over (trap 27). Raises ReversalRefused for more than was taken.
    """
    given, wanted = [], points
    for lot in sorted(outstanding, key=_soonest, reverse=True):
        part = min(lot.remaining, wanted)
        if part:
            given.append(LotEntry(lot.id, part, at + grace if lot.ends_at <= at else None))
            wanted -= part
    if wanted:
        raise ReversalRefused()
    return tuple(given)


def _soonest(lot: OpenLot) -> tuple[datetime, UUID]:
    return lot.ends_at, lot.id
