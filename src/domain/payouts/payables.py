"""Payable entries: every movement of what a payee is owed, and from when it is paid out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.money import Money
from domain.shared.payees import PayeeType


class PayableKind(StrEnum):
    """Why a payee's balance moved."""

    EARNED = "EARNED"
    """A trip was completed."""
    REVERSED = "REVERSED"
    """Money of the trip went back to its customer: below zero."""
    ADJUSTED = "ADJUSTED"
    """Staff gave or took by hand."""
    RETURNED = "RETURNED"
    """A payout failed or was cancelled: its amount is owed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableEntry:
    """One movement of what a payee is owed, beside the journal that moved it; below zero it is owed to the company."""

    id: UUID
    payee_id: UUID
    payee_type: PayeeType
    kind: PayableKind
    account_id: UUID
    journal_id: UUID
    booking_id: UUID | None
    amount: Money
    released_at: datetime
    occurred_at: datetime
