"""Withdrawals: money that a customer asks back, set aside, decided by staff, paid by the bank or returned by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, InvalidValue, NotAllowed, NotFound, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money


class WithdrawalNotFound(NotFound):
    """There is no such withdrawal, or it is not the viewer's."""

    code = "withdrawal_not_found"


class EmailNotVerified(NotAllowed):
    """Only somebody who is reached at a proved address takes money out."""

    code = "email_not_verified"


class WithdrawalTooSmall(InvalidValue):
    """The amount is below what is paid out."""

    code = "withdrawal_too_small"

    def __init__(self, least: Money) -> None:
        super().__init__(f"at least {least}", pointer="/amount", code="withdrawal_too_small")


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands."""

    REQUESTED = "REQUESTED"
    """The amount is set aside."""
    APPROVED = "APPROVED"
    """The amount has left the wallet, and is on its way to the bank."""
    PAID = "PAID"
    RETURNED = "RETURNED"
    """The bank sent it back; it is in the wallet again."""
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    """Its owner thought again before anybody decided."""


NEXT = {
    WithdrawalStatus.REQUESTED: {WithdrawalStatus.APPROVED, WithdrawalStatus.REJECTED, WithdrawalStatus.CANCELLED},
    WithdrawalStatus.APPROVED: {WithdrawalStatus.PAID, WithdrawalStatus.RETURNED},
    # A bank may send back what it had carried out.
    WithdrawalStatus.PAID: {WithdrawalStatus.RETURNED},
    WithdrawalStatus.RETURNED: set[WithdrawalStatus](),
    WithdrawalStatus.REJECTED: set[WithdrawalStatus](),
    WithdrawalStatus.CANCELLED: set[WithdrawalStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequested(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_requested"
    withdrawal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalApproved(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_approved"
    withdrawal_id: UUID
    journal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRejected(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_rejected"
    withdrawal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalCancelled(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_cancelled"
    withdrawal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalPaid(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_paid"
    withdrawal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalReturned(DomainEvent):
    name: ClassVar[str] = "ledger.withdrawal_returned"
    withdrawal_id: UUID
    journal_id: UUID


@dataclass(eq=False, kw_only=True)
class Withdrawal(Aggregate):
    """One amount on its way from a wallet to its owner's bank.

    `hold_id` sets the amount aside until it is decided; `journal_id` moved it out of the wallet.
    """

    id: UUID
    withdrawal_number: str
    user_id: UUID
    amount: Money
    destination: str = field(repr=False)
    status: WithdrawalStatus
    hold_id: UUID
    created_at: datetime
    journal_id: UUID | None = None
    return_journal_id: UUID | None = None
    bank_reference: str | None = None
    reason: str | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    closed_by: UUID | None = None
    closed_at: datetime | None = None

    @classmethod
    def request(
        cls,
        *,
        withdrawal_id: UUID,
        number: str,
        user_id: UUID,
        amount: Money,
        destination: str,
        hold_id: UUID,
        at: datetime,
    ) -> Withdrawal:
        """Ask for money back that `hold_id` has set aside."""
        made = cls(
            id=withdrawal_id,
            withdrawal_number=number,
            user_id=user_id,
            amount=amount,
            destination=destination,
            status=WithdrawalStatus.REQUESTED,
            hold_id=hold_id,
            created_at=at,
        )
        made.record(WithdrawalRequested(at=at, withdrawal_id=made.id))
        return made

    def approve(self, *, journal_id: UUID, by: UUID, at: datetime) -> None:
        """Let it go out. Raises OwnRequest or IllegalTransition."""
        self._decide(WithdrawalStatus.APPROVED, by=by, at=at)
        self.journal_id = journal_id
        self.record(WithdrawalApproved(at=at, withdrawal_id=self.id, journal_id=journal_id))

    def reject(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Refuse it, and say why. Raises OwnRequest or IllegalTransition."""
        self._decide(WithdrawalStatus.REJECTED, by=by, at=at)
        self.reason = reason
        self.record(WithdrawalRejected(at=at, withdrawal_id=self.id))

    def cancel(self, *, at: datetime) -> None:
        """Its owner takes it back. Raises IllegalTransition once it is decided."""
        self._move_to(WithdrawalStatus.CANCELLED)
        self.decided_by, self.decided_at = self.user_id, at
        self.record(WithdrawalCancelled(at=at, withdrawal_id=self.id))

    def pay(self, *, bank_reference: str, by: UUID, at: datetime) -> None:
        """The bank carried it out. Raises IllegalTransition."""
        self._close(WithdrawalStatus.PAID, by=by, at=at)
        self.bank_reference = bank_reference
        self.record(WithdrawalPaid(at=at, withdrawal_id=self.id))

    def send_back(self, *, reason: str, journal_id: UUID, by: UUID, at: datetime) -> None:
        """The bank sent it back. Raises IllegalTransition."""
        self._close(WithdrawalStatus.RETURNED, by=by, at=at)
        self.reason, self.return_journal_id = reason, journal_id
        self.record(WithdrawalReturned(at=at, withdrawal_id=self.id, journal_id=journal_id))

    def _decide(self, status: WithdrawalStatus, *, by: UUID, at: datetime) -> None:
        if by == self.user_id:
            raise OwnRequest()
        self._move_to(status)
        self.decided_by, self.decided_at = by, at

    def _close(self, status: WithdrawalStatus, *, by: UUID, at: datetime) -> None:
        if by == self.user_id:
            raise OwnRequest()
        self._move_to(status)
        self.closed_by, self.closed_at = by, at

    def _move_to(self, status: WithdrawalStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status


def refuse_below(least: Money | None, amount: Money) -> None:
    """Hold an amount to the smallest that is paid out, None where any is. Raises WithdrawalTooSmall or InvalidValue."""
    if not amount.is_positive:
        raise InvalidValue("a withdrawal has an amount above zero", pointer="/amount", code="out_of_range")
    if least is not None and amount < least:
        raise WithdrawalTooSmall(least)


def masked(destination: str) -> str:
    """As much of a bank account as its owner needs to know it again: the last four characters."""
    return f"•••• {destination[-4:]}"
