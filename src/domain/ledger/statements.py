"""Statements of account: what an owned account began a period with, every entry of it, and what it ended with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.ledger.accounts import AccountKind
from domain.ledger.periods import Period
from domain.shared.errors import NotFound, RuleBroken
from domain.shared.events import DomainEvent

MOST_PRINTED: Final = 1_000
"""Entries in a PDF, half a minute of drawing in both languages; a file of CSV has no bound."""

A_DAY: Final = timedelta(days=1)
MOST_A_DAY: Final = 20
MOST_A_DAY_FOR_STAFF: Final = 500
KEPT_FOR: Final = timedelta(days=30)
ASKED_AGAIN_AFTER: Final = timedelta(minutes=15)
"""A PDF that is not made by then is asked for anew by whoever comes for it."""


class AccountNotFound(NotFound):
    """There is no such account, or it has never moved."""

    code = "account_not_found"


class StatementTooLong(RuleBroken):
    """More entries than a PDF holds."""

    code = "statement_too_long"

    def __init__(self) -> None:
        super().__init__(most=MOST_PRINTED)


class TooManyStatements(RuleBroken):
    """As many statements as a day allows were drawn for somebody; drawing one takes a worker seconds."""

    code = "statement_limit_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRequested(DomainEvent):
    name: ClassVar[str] = "ledger.statement_requested"
    statement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFigures:
    """What stands above and below the entries, in minor units of `unit`; credits are positive.

    `entries` counts those of the period; nothing after `last_sequence` of the account was looked at.
    """

    account_id: UUID
    kind: AccountKind
    unit: str
    period: Period
    opening: int
    debits: int
    credits: int
    entries: int
    first_sequence: int
    last_sequence: int

    @property
    def closing(self) -> int:
        return self.opening - self.debits + self.credits

    def refuse_long(self) -> None:
        """Raises StatementTooLong for more than can be printed."""
        if self.entries > MOST_PRINTED:
            raise StatementTooLong()


class Cause(StrEnum):
    """Why a payee's account moved; all of a period's sums make the difference between its balances."""

    EARNED = "EARNED"
    REVERSED = "REVERSED"
    """Taken back with a refund."""
    ADJUSTED = "ADJUSTED"
    PAID_OUT = "PAID_OUT"
    """Less what came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEntry:
    """One entry of a statement, in the order of the account's sequence; `amount` below zero is a debit."""

    sequence: int
    occurred_at: datetime
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str
    amount: int

    @property
    def debit(self) -> int:
        return max(-self.amount, 0)

    @property
    def credit(self) -> int:
        return max(self.amount, 0)


def with_balances(opening: int, entries: Iterable[StatementEntry]) -> Iterator[tuple[StatementEntry, int]]:
    """Each entry with what the account held after it, counted on from the opening balance.

    Counted, not taken from the account's chain: an entry that was posted late stands in the period that it occurred
    in, and the statement adds up nevertheless.
    """
    balance = opening
    for entry in entries:
        balance += entry.amount
        yield entry, balance


def storage_key(statement_id: UUID) -> str:
    """Where a statement's PDF lies; the erasing function of the database knows the same rule."""
    return f"statements/{statement_id}.pdf"
