"""What reversing reads: a journal with all that was taken back of it, and the lots that it took from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.ledger.journal import JournalType
from domain.ledger.lots import OpenLot
from domain.ledger.reversals import PostedJournal


@dataclass(frozen=True, slots=True)
class Reversible:
    """A posted journal, and by owner the lots that it took points from, with what each still misses of them."""

    journal: PostedJournal
    outstanding: Mapping[UUID, Sequence[OpenLot]]


class Reversals(Protocol):
    """Journals as they are taken back, one reversal after another."""

    def get(self, journal_id: UUID) -> Reversible:
        """The journal; other reversals of it wait until this unit of work ends. Raises JournalNotFound."""
        ...

    def posted_for(self, journal_type: JournalType, reference_type: str, reference_id: UUID) -> Sequence[UUID]:
        """The journals of a type that refer to something, newest first."""
        ...

    def made_by(self, idempotency_key: str) -> PostedJournal | None:
        """The journal that was posted under this key; of a reversal, ask after `get`."""
        ...
