"""Which lots points are taken from, and which they go back to.

A lot ends when it expires or, where points were given back to it after that, when its grace is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.ledger.journal import InsufficientBalance, ReversalRefused
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot, and what is left of it."""

    id: UUID
    remaining: int
    ends_at: datetime


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


def consume_from(lots: Iterable[OpenLot], points: int, *, first: UUID | None) -> tuple[LotEntry, ...]:
    """The same, beginning with one lot of them: what is taken back of an earning leaves its own lot first."""
    return _take(sorted(lots, key=lambda lot: (lot.id != first, *_soonest(lot))), points)


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a redemption: points, and the minor units of money that they paid."""

    points: int
    worth_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """Points that a journal took, what they paid, and what its reversals gave back of both so far.

    `paid` is the account whose money came from the discounts, None where no money moved. `outstanding` are the
    lots with what they still miss.
    """

    journal_id: UUID
    points: int
    worth_minor: int
    paid: AccountRef | None
    points_back: int
    worth_back_minor: int
    outstanding: Sequence[OpenLot]

    def part(self, asked: Money | int | None) -> Part:
        """A part by what it paid, or by its points; the other follows by their share of all parts together.

        Both round down until the last part, which takes the rest: the parts sum to the whole whatever they are.
        None asks for all that is left. Raises ReversalRefused for more than that.
        """
        if asked is None:
            found = Part(self.points - self.points_back, self.worth_minor - self.worth_back_minor)
        elif isinstance(asked, Money):
            if self.paid is None or asked.currency.code != self.paid.currency:
                raise ReversalRefused()
            share = self.points * (self.worth_back_minor + asked.minor) // self.worth_minor
            found = Part(max(share - self.points_back, 0), asked.minor)
        else:
            share = self.worth_minor * (self.points_back + asked) // self.points
            found = Part(asked, max(share - self.worth_back_minor, 0))
        return self._within(found)

    def _within(self, part: Part) -> Part:
        is_something = min(part.points, part.worth_minor) >= 0 and max(part.points, part.worth_minor) > 0
        if (
            not is_something
            or self.points_back + part.points > self.points
            or self.worth_back_minor + part.worth_minor > self.worth_minor
        ):
            raise ReversalRefused()
        return part
