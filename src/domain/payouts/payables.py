"""Payable entries: every movement of what a payee is owed, and from when it is paid out."""

from __future__ import annotations

from enum import StrEnum


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
