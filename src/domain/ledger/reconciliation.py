"""What a payment provider says of our money beside what our books say: lines, breaks, and how a break ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Entry, transfer
from domain.shared.errors import IllegalTransition, NotFound, RuleBroken
from domain.shared.money import Money


class ReconciliationNotFound(NotFound):
    """There is no such reconciliation."""

    code = "reconciliation_not_found"


class BreakNotFound(NotFound):
    """There is no such break."""

    code = "break_not_found"


class NothingToWriteOff(RuleBroken):
    """The provider says as much as we do, or more: that is money to be found a place for, no loss."""

    code = "nothing_to_write_off"


class LineKind(StrEnum):
    """What a line of a provider's statement is about."""

    PAYMENT = "PAYMENT"
    """A customer's charge; compared with what we received."""
    REFUND = "REFUND"
    FEE = "FEE"
    PAYOUT = "PAYOUT"
    """Sent on to our bank."""
    OTHER = "OTHER"


class BreakKind(StrEnum):
    """How the two sides differ about one reference."""

    ONLY_OURS = "ONLY_OURS"
    ONLY_THEIRS = "ONLY_THEIRS"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"


class BreakStatus(StrEnum):
    """A break is open until it no longer is one, or somebody decides about the figures that it has."""

    OPEN = "OPEN"
    MATCHED = "MATCHED"
    """A later statement or receipt closed the gap by itself."""
    EXPLAINED = "EXPLAINED"
    """Somebody knows why, and nothing is to be booked."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """Booked as a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line of a provider's statement; money that came in is above zero."""

    provider_reference: str
    kind: LineKind
    amount: Money
    booked_on: date


@dataclass(frozen=True, slots=True)
class Balances:
    """What a provider says that it held for us when a day began and ended, where it says so."""

    opening: Money | None = None
    closing: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatement:
    """What one provider states of some days, wherever it was read: a file, or the provider's own interface."""

    provider: str
    lines: tuple[StatementLine, ...]
    balances: Mapping[tuple[str, date], Balances]
    """By currency and day."""

    @property
    def days(self) -> frozenset[tuple[str, date]]:
        """Every currency and day that it speaks of."""
        return frozenset((line.amount.currency.code, line.booked_on) for line in self.lines) | self.balances.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What both sides say of one reference, over all statements and receipts; None where a side knows nothing of it."""

    provider_reference: str
    line_kind: LineKind
    unit: str
    ours: int | None
    theirs: int | None
    day: date | None
    """When it was first told of, by either side; None where nobody tells of it any more."""

    @property
    def break_kind(self) -> BreakKind | None:
        """How the two differ, if they do."""
        if (self.ours or 0) == (self.theirs or 0):
            return None
        if self.theirs is None:
            return BreakKind.ONLY_OURS
        return BreakKind.ONLY_THEIRS if self.ours is None else BreakKind.AMOUNT_DIFFERS

    @property
    def is_told_of(self) -> bool:
        return self.ours is not None or self.theirs is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One comparison of a provider's statement with the books; `imported_by` is None for machines."""

    id: UUID
    provider: str
    since: date
    until: date
    lines: int
    matched: int
    breaks: int
    imported_by: UUID | None
    imported_at: datetime


@dataclass(eq=False, kw_only=True)
class ClearingBreak:
    """One reference that the two sides do not agree about."""

    id: UUID
    provider: str
    provider_reference: str
    line_kind: LineKind
    kind: BreakKind
    ours: Money
    theirs: Money
    status: BreakStatus = BreakStatus.OPEN
    reason: str = ""
    decided_by: UUID | None = None
    resolved_at: datetime | None = None
    journal_id: UUID | None = None

    written_off_minor: int = 0
    """All that was ever given up of it; our side is counted without."""

    def explain(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Leave it as it is, and say why. Raises IllegalTransition unless it is open."""
        self._decide(BreakStatus.EXPLAINED, reason=reason, by=by, at=at)

    def write_off(self, *, reason: str, by: UUID, at: datetime, journal_id: UUID) -> tuple[Entry, Entry]:
        """Give up what the provider does not have; the legs that book the loss.

        Raises IllegalTransition unless it is open, NothingToWriteOff where the provider has as much as we say.
        """
        self._refuse_unless_open(BreakStatus.WRITTEN_OFF)
        lost = self.ours - self.theirs
        if not lost.is_positive:
            raise NothingToWriteOff()
        self._decide(BreakStatus.WRITTEN_OFF, reason=reason, by=by, at=at)
        self.journal_id = journal_id
        self.written_off_minor += lost.minor
        unit = lost.currency.code
        # Short of a charge the provider kept something; without it there is no such money at all.
        cost = AccountKind.BAD_DEBTS if self.kind is BreakKind.ONLY_OURS else AccountKind.PROVIDER_FEES
        return transfer(accounts.platform(cost, unit), accounts.clearing(self.provider, unit), lost)

    def _decide(self, status: BreakStatus, *, reason: str, by: UUID, at: datetime) -> None:
        self._refuse_unless_open(status)
        self.status, self.reason, self.decided_by, self.resolved_at = status, reason, by, at

    def _refuse_unless_open(self, wanted: BreakStatus) -> None:
        if self.status is not BreakStatus.OPEN:
            raise IllegalTransition(current=self.status, wanted=wanted)
