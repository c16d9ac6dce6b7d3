"""Payouts: one payee's sum in one currency, on its way out, arrived, or back."""

from __future__ import annotations

from enum import StrEnum


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    PENDING = "PENDING"
    """Not sent yet."""
    SENT = "SENT"
    """The intent to send is stored: asked of the provider, or in the bank's file. Never sent again."""
    PAID = "PAID"
    FAILED = "FAILED"
    """Refused; its money is owed again."""
    UNKNOWN = "UNKNOWN"
    """Nobody knows whether it was carried out: read back, or decided by a person (guarantee P3)."""
    CANCELLED = "CANCELLED"
    """Staff took it back before it was carried out, or the balance no longer bore it at the approval."""


_S = PayoutStatus
NEXT = {
    _S.PENDING: {_S.SENT, _S.PAID, _S.FAILED, _S.CANCELLED},
    _S.SENT: {_S.PAID, _S.FAILED, _S.UNKNOWN},
    # Back to SENT only when the provider was read and knows nothing of it; the key stays the same.
    _S.UNKNOWN: {_S.SENT, _S.PAID, _S.FAILED, _S.CANCELLED},
    _S.PAID: set[PayoutStatus](),
    _S.FAILED: set[PayoutStatus](),
    _S.CANCELLED: set[PayoutStatus](),
}

OPEN = frozenset({_S.PENDING, _S.SENT, _S.UNKNOWN})
"""While a payout is open its money is neither the payee's nor gone."""
