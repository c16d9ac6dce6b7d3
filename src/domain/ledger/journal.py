"""Journals: balanced sets of entries, the only way that value moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.shared.errors import Conflict, NotFound, RuleBroken
from domain.shared.money import Money


class InsufficientBalance(RuleBroken):
    """The account holds less than the movement needs."""

    code = "insufficient_balance"


class AgentCreditExceeded(InsufficientBalance):
    """An agent's deposit account and its credit limit together are less than this needs."""

    code = "agent_credit_exceeded"


class JournalKeyReused(Conflict):
    """A journal with this idempotency key exists and says something else."""

    code = "journal_key_reused"


class ReversalRefused(Conflict):
    """More would be reversed than was posted, or a reversal would be reversed."""

    code = "reversal_refused"


class JournalNotFound(NotFound):
    """There is no such journal."""

    code = "journal_not_found"


class JournalType(StrEnum):
    """Why value moved; what a customer reads as the kind of transaction."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    CASHBACK = "CASHBACK"
    """Cashback: promised to a customer for a completed trip, or put into the wallet."""
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
    TRANSFER = "TRANSFER"
    """Between a customer's own currencies, at a dated rate."""
    CLAWBACK = "CLAWBACK"
    """What was earned is taken back with a refund; what was spent of it becomes debt."""
    REPAYMENT = "REPAYMENT"
    """Earnings pay off a debt."""
    EARNING = "EARNING"
    """A vendor's share of a completed trip."""
    PAYOUT = "PAYOUT"
    FEE = "FEE"
    DISPUTE = "DISPUTE"
    WRITE_OFF = "WRITE_OFF"
    """A debt that nobody will pay, or a difference found by reconciliation."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg: `amount_minor` above zero is a credit to the account, below zero a debit."""

    account: AccountRef
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A movement: entries that sum to zero per unit; `idempotency_key` makes it happen once.

    `reverses` is the journal that this one takes back, in whole or in part; only of a REVERSAL.
    """

    id: UUID
    journal_type: JournalType
    idempotency_key: str
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str
    occurred_at: datetime
    entries: tuple[Entry, ...]
    reverses: UUID | None = None

    def __post_init__(self) -> None:
        if self.reverses is not None and self.journal_type is not JournalType.REVERSAL:
            raise ValueError("only a REVERSAL reverses")
        if len(self.entries) < 2:
            raise ValueError("a journal has two entries or more")
        sums: dict[str, int] = {}
        for entry in self.entries:
            unit, minor = entry.account.currency, entry.amount_minor
            if minor == 0:
                raise ValueError("no entry is of nothing")
            sums[unit] = sums.get(unit, 0) + minor
        if any(sums.values()):
            raise ValueError(f"a journal sums to zero per unit, not {sums}")


def transfer(source: AccountRef, target: AccountRef, amount: Money | int) -> tuple[Entry, Entry]:
    """The two legs that move an amount above zero from one account to another of the same unit."""
    minor = amount.minor if isinstance(amount, Money) else amount
    if minor <= 0:
        raise ValueError("a transfer moves more than nothing")
    return Entry(source, -minor), Entry(target, minor)
