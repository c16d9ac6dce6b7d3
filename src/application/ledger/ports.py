"""What the ledger's use cases need from outside, beside the posting path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.cashback import CashbackRecord, CashbackStatus


@dataclass(frozen=True, slots=True)
class DueCashback:
    """A record whose time has come; what was promised to somebody who was erased since goes to nobody."""

    record: CashbackRecord
    owner_is_erased: bool


class CashbackRecords(Protocol):
    """Cashback records; whoever decides about one holds its row's lock, before any lock of the ledger's."""

    def add(self, record: CashbackRecord) -> None:
        """Keep a promise whose journal is posted."""
        ...

    def get(self, cashback_id: UUID) -> CashbackRecord:
        """The record, locked. Raises CashbackNotFound."""
        ...

    def of_booking(self, booking_id: UUID) -> CashbackRecord | None:
        """The record of a booking, locked; None where it promised none."""
        ...

    def due(self, statuses: Collection[CashbackStatus], *, at: datetime, limit: int) -> Sequence[UUID]:
        """Records in these states that are eligible at an instant, longest first; not locked."""
        ...

    def lock_due(
        self, cashback_ids: Sequence[UUID], statuses: Collection[CashbackStatus], *, at: datetime
    ) -> Sequence[DueCashback]:
        """Those of them that are still due, locked; left out are those that somebody else holds now.

        Their owners cannot be erased before the unit of work ends.
        """
        ...

    def save(self, records: Sequence[CashbackRecord]) -> None:
        """Store what verbs changed, after the journals that they name were posted; one step of status at a time."""
        ...
