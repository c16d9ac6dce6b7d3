"""Journals: balanced sets of entries, the only way that value moves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.shared.errors import Conflict, RuleBroken
from domain.shared.money import Money


class InsufficientBalance(RuleBroken):
    """The account holds less than the movement needs."""

    code = "insufficient_balance"


class JournalKeyReused(Conflict):
    """A journal with this idempotency key exists and says something else."""

    code = "journal_key_reused"


class JournalType(StrEnum):
    """Why value moved; what a customer reads as the kind of transaction."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    CASHBACK = "CASHBACK"
    """Cashback promised to a customer for a completed trip."""
    BONUS = "BONUS"
    COMMISSION = "COMMISSION"
    EARNED = "EARNED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    ADJUSTMENT = "ADJUSTMENT"
    REVERSAL = "REVERSAL"
    REVENUE = "REVENUE"
    """A trip was completed: what was prepaid for it is earned."""
    SUSPENSE = "SUSPENSE"
    """Money came in that nothing claims; a person decides."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg: `amount_minor` above zero is a credit to the account, below zero a debit."""

    account: AccountRef
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A movement: entries that sum to zero per unit; `idempotency_key` makes it happen once."""

    id: UUID
    journal_type: JournalType
    idempotency_key: str
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str
    occurred_at: datetime
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if len(self.entries) < 2 or any(entry.amount_minor == 0 for entry in self.entries):
            raise ValueError("a journal has two entries or more, and none of nothing")
        sums: defaultdict[str, int] = defaultdict(int)
        for entry in self.entries:
            sums[entry.account.currency] += entry.amount_minor
        if any(sums.values()):
            raise ValueError(f"a journal sums to zero per unit, not {dict(sums)}")


def transfer(source: AccountRef, target: AccountRef, amount: Money | int) -> tuple[Entry, Entry]:
    """The two legs that move an amount above zero from one account to another of the same unit."""
    minor = amount.minor if isinstance(amount, Money) else amount
    if minor <= 0:
        raise ValueError("a transfer moves more than nothing")
    return Entry(source, -minor), Entry(target, minor)
