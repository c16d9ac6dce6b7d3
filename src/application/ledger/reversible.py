"""What reversing reads and writes besides postings: a journal with all that was taken back of it, and its lots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.ledger.lots import LotEntry, OpenLot
from domain.ledger.reversals import PostedJournal


@dataclass(frozen=True, slots=True)
class Reversible:
    """A posted journal, and by owner the lots that it took points from, with what each still misses of them."""

    journal: PostedJournal
    outstanding: Mapping[UUID, Sequence[OpenLot]]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Somebody's lots with something left, and which of them came with the journal that was asked about."""

    lots: Sequence[OpenLot]
    first: UUID | None


class Reversals(Protocol):
    """Journals as they are taken back, one reversal after another."""

    def get(self, journal_id: UUID) -> Reversible:
        """The journal; other reversals of it wait until this unit of work ends. Raises JournalNotFound."""
        ...

    def made_by(self, idempotency_key: str) -> PostedJournal | None:
        """The reversal that was posted under this key; ask after `get`."""
        ...

    def lots_of(self, owner: UUID, *, journal_id: UUID) -> Holdings:
        """What somebody's lots hold; ask while the points account is locked."""
        ...

    def add_lot_entries(self, journal_id: UUID, entries: Sequence[LotEntry]) -> None: ...
