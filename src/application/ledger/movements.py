"""What every movement of points says of itself, and the journal and events that say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.ledger.journal import Entry, Journal, JournalType


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Its key makes it happen once; its reference says what for, its descriptions say so to people."""

    user_id: UUID
    key: str
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str

    def journal(
        self,
        journal_type: JournalType,
        entries: tuple[Entry, ...],
        *,
        journal_id: UUID,
        at: datetime,
        reverses: UUID | None = None,
    ) -> Journal:
        return Journal(
            id=journal_id,
            journal_type=journal_type,
            idempotency_key=self.key,
            reference_type=self.reference_type,
            reference_id=self.reference_id,
            description_ar=self.description_ar,
            description_en=self.description_en,
            occurred_at=at,
            entries=entries,
            reverses=reverses,
        )

    def told_by(self, journal: Journal) -> dict[str, Any]:
        """What the events of points say beside how many."""
        return {
            "at": journal.occurred_at,
            "user_id": self.user_id,
            "journal_id": journal.id,
            "reference_type": self.reference_type,
            "reference_id": self.reference_id,
        }
