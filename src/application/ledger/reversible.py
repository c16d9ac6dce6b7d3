"""What reversing reads and writes besides postings: a journal with all that was taken back of it, and its lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.points import LotUse
from domain.ledger.reversals import PostedJournal


@dataclass(frozen=True, slots=True)
class TakenLot:
    """Points that a journal took from a lot of somebody's, and how many of them reversals gave back."""

    owner: UUID
    lot_id: UUID
    expires_at: datetime
    taken: int
    given_back: int


@dataclass(frozen=True, slots=True)
class LotChange:
    """One row beside a journal: points below zero are taken from a lot, above zero given back to it."""

    lot_id: UUID
    points: int
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reversible:
    """A posted journal, and the lots it took from in the order in which they expire."""

    journal: PostedJournal
    lots: Sequence[TakenLot]


class Reversals(Protocol):
    """Journals as they are taken back, one reversal after another."""

    def get(self, journal_id: UUID) -> Reversible:
        """The journal; other reversals of it wait until this unit of work ends. Raises JournalNotFound."""
        ...

    def made_by(self, idempotency_key: str) -> PostedJournal | None:
        """The reversal that was posted under this key; ask after `get`."""
        ...

    def open_lots(self, owner: UUID, *, first: UUID) -> Sequence[LotUse]:
        """What is left in somebody's lots: that of the journal `first`, then the others as they expire.

        Ask while the points account is locked.
        """
        ...

    def add_lot_entries(self, journal_id: UUID, changes: Sequence[LotChange]) -> None: ...
