"""Payments that people confirm: cash, bank transfers, whatever else no machine tells us of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.clock import business_date
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, NotFound, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money

PROVIDER: Final = "MANUAL"
METHODS: Final = frozenset({"CASH", "BANK_TRANSFER", "OTHER"})
OLDEST: Final = timedelta(days=366)
"""How long ago money may have come that is confirmed only now."""

_NUMBERS: Final = 10**8
# Odd and not a multiple of five, so that no two serials below 10**8 meet; neighbours lie far apart.
_STEP: Final = 61_803_399
# A totally anti-symmetric quasigroup of order ten (H. M. Damm, 2004): finds every wrong digit and every swap of two.
_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


class ManualReceiptNotFound(NotFound):
    """There is no such receipt."""

    code = "manual_receipt_not_found"


class NotConfirmedByHand(Conflict):
    """This payment's provider tells of its money itself, or no way to pay was opened yet."""

    code = "not_confirmed_by_hand"


class AlreadyConfirmed(Conflict):
    """Money of this payment was confirmed before, or waits for a second person."""

    code = "already_confirmed"


class ReceiptReferenceUsed(Conflict):
    """Other money was confirmed under this reference of the bank's or the cash desk's."""

    code = "receipt_reference_used"


class ManualReceiptStatus(StrEnum):
    """Where a receipt stands."""

    PENDING = "PENDING"
    """A second person has to look at it; nothing is booked."""
    APPROVED = "APPROVED"
    """A fact: the gateway reads it as a charge."""
    REJECTED = "REJECTED"


NEXT = {
    ManualReceiptStatus.PENDING: {ManualReceiptStatus.APPROVED, ManualReceiptStatus.REJECTED},
    ManualReceiptStatus.APPROVED: set[ManualReceiptStatus](),
    ManualReceiptStatus.REJECTED: set[ManualReceiptStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualMoneyConfirmed(DomainEvent):
    """The payment's attempt is to be read again."""

    name: ClassVar[str] = "billing.manual_money_confirmed"
    receipt_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualCheckout:
    """What a customer was told to pay, and the number to pay it under."""

    id: UUID
    merchant_reference: str
    reference_number: str
    amount: Money
    expires_at: datetime


@dataclass(eq=False, kw_only=True)
class ManualReceipt(Aggregate):
    """Money that somebody of ours says came in; above a limit it counts when a second person says so, too."""

    id: UUID
    checkout_id: UUID
    payment_id: UUID
    payer_id: UUID
    reference: str
    """The bank's or the cash desk's, as `as_reference` writes it."""
    received_on: date
    amount: Money
    status: ManualReceiptStatus
    needs_approval: bool
    made_by: UUID
    idempotency_key: str
    created_at: datetime
    decided_by: UUID | None = None
    """The second person; None where one is enough."""
    decided_at: datetime | None = None
    position: int | None = None
    """Its place among the checkout's charges, once it is one."""

    @classmethod
    def propose(
        cls,
        *,
        receipt_id: UUID,
        checkout_id: UUID,
        payment_id: UUID,
        payer_id: UUID,
        reference: str,
        received_on: date,
        amount: Money,
        limit: Money | None,
        by: UUID,
        idempotency_key: str,
        at: datetime,
    ) -> ManualReceipt:
        """Money that is not booked yet; above `limit`, or where there is none, it needs a second person.

        Raises OwnRequest for one's own payment, InvalidValue for a day that has not come or is long past.
        """
        if by == payer_id:
            raise OwnRequest()
        if not amount.is_positive:
            raise InvalidValue("an amount above zero", pointer="/amount", code="out_of_range")
        today = business_date(at)
        if not today - OLDEST <= received_on <= today:
            raise InvalidValue("a day of the last twelve months", pointer="/received_on", code="out_of_range")
        return cls(
            id=receipt_id,
            checkout_id=checkout_id,
            payment_id=payment_id,
            payer_id=payer_id,
            reference=as_reference(reference),
            received_on=received_on,
            amount=amount,
            status=ManualReceiptStatus.PENDING,
            needs_approval=limit is None or amount > limit,
            made_by=by,
            idempotency_key=idempotency_key,
            created_at=at,
        )

    def accept(self, *, position: int, at: datetime) -> None:
        """It is small enough for one person."""
        if self.needs_approval:
            raise ValueError("a second person has to approve it")
        self._confirm(position, at)

    def approve(self, *, position: int, by: UUID, at: datetime) -> None:
        """The second person agrees. Raises OwnRequest or IllegalTransition."""
        self._refuse_own(by)
        self._confirm(position, at)
        self.decided_by = by

    def reject(self, *, by: UUID, at: datetime) -> None:
        """The second person does not; the reference is free again. Raises OwnRequest or IllegalTransition."""
        self._refuse_own(by)
        self._move_to(ManualReceiptStatus.REJECTED, at=at)
        self.decided_by = by

    def was_approved_by(self, somebody: UUID) -> bool:
        """Whether they were the second person."""
        return self.status is ManualReceiptStatus.APPROVED and self.decided_by == somebody

    def _confirm(self, position: int, at: datetime) -> None:
        self._move_to(ManualReceiptStatus.APPROVED, at=at)
        self.position = position
        self.record(ManualMoneyConfirmed(at=at, receipt_id=self.id))

    def _refuse_own(self, by: UUID) -> None:
        if by in (self.made_by, self.payer_id):
            raise OwnRequest()

    def _move_to(self, status: ManualReceiptStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.decided_at = at


def as_reference(text: str) -> str:
    """A bank's reference without what people write differently: blanks and small letters."""
    return "".join(text.split()).upper()


def reference_number(serial: int) -> str:
    """Eight digits that tell nothing of how many there are, and a check digit; nine in all.

    Two serials meet only 100 million apart; the database refuses the second.
    """
    digits = f"{serial * _STEP % _NUMBERS:08d}"
    return digits + _check_digit(digits)


def is_reference_number(text: str) -> bool:
    """Whether somebody wrote one down without a mistake."""
    return len(text) == 9 and text.isascii() and text.isdigit() and _check_digit(text) == "0"


def _check_digit(digits: str) -> str:
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)
