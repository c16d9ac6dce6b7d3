"""The one use case that settles payments; webhook, return page, staff, reconciler and wallet all end here.

Locks are taken in one order: what is paid, then the payment, then ledger accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.ports import Reading, ReadingStatus
from application.ports import UnitOfWork
from domain.billing.payments import Disposition, Payment, PaymentAttempt, Receipt
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAttempt:
    """What the provider's own answer says became of an attempt."""

    payment_id: UUID
    attempt_id: UUID
    reading: Reading
    expects_live: bool
    """Whether this installation takes real money; a reading of the other kind confirms nothing."""


def settle_attempt(command: SettleAttempt, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Book every charge of the reading that is not booked yet: settle the payment, or keep it in suspense.

    Safe in any order and number: charges are counted per attempt under the payment's lock.
    """
    reading = command.reading
    with uow:
        target = uow.payments.target_of(command.payment_id)
        payable = lock_payable(target.payment_type, target.payable_id, uow=uow)
        payment = uow.payments.get(command.payment_id)
        settling = _Settling(payment, payable or DepositPayable(payment), uow, clock, new_id)
        attempt = payment.attempt(command.attempt_id)
        if attempt.provider_reference is None and reading.provider_reference:
            attempt.provider_reference = reading.provider_reference
            attempt.provider_key = reading.provider_key
        for charge in reading.paid[attempt.receipts_count :]:
            settling.book(charge, attempt, live_as_expected=reading.live == command.expects_live)
        if not reading.paid and reading.status is ReadingStatus.FAILED:
            attempt.give_up(at=clock.now())
        if not reading.paid and reading.status is ReadingStatus.OPEN:
            attempt.still_open(at=clock.now())
        uow.commit()


def settle_from_wallet(payment: Payment, payable: Payable, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Pay a new payment from the customer's wallet, inside the caller's transaction."""
    source = accounts.wallet(payment.user_id, payment.amount.currency.code)
    _Settling(payment, payable, uow, clock, new_id).settle(source, key=f"payment:{payment.id}")


@dataclass(frozen=True, slots=True)
class _Settling:
    """One payment and what it pays, both locked."""

    payment: Payment
    payable: Payable
    uow: UnitOfWork
    clock: Clock
    new_id: NewId

    def book(self, charge: Money, attempt: PaymentAttempt, *, live_as_expected: bool) -> None:
        """Book one charge that the provider reports, as what it was meant for or as suspense."""
        reason = self.payment.doubt(
            charge, payable_accepts=self.payable.accepts_money, live_as_expected=live_as_expected
        )
        source = accounts.clearing(attempt.provider, charge.currency.code)
        key = f"receipt:{attempt.id}:{attempt.receipts_count}"
        journal = self.settle(source, key=key) if reason is None else self._suspend(charge, source, key=key)
        receipt = Receipt(
            id=self.new_id(),
            attempt_id=attempt.id,
            position=attempt.receipts_count,
            amount=charge,
            disposition=Disposition.SETTLED if reason is None else Disposition.SUSPENSE,
            reason=reason,
            journal_id=journal.id,
            received_at=journal.occurred_at,
        )
        attempt.received(at=journal.occurred_at)
        self.uow.payments.add_receipt(receipt)
        if reason is not None:
            self.payment.suspend(receipt, reason)

    def settle(self, source: AccountRef, *, key: str) -> Journal:
        """Move the money from where it came to what it pays, and do what being paid means."""
        now = self.clock.now()
        journal = Journal(
            id=self.new_id(),
            journal_type=self.payable.journal_type,
            idempotency_key=key,
            reference_type=self.payable.reference_type,
            reference_id=self.payable.reference_id,
            description_ar=self.payable.label_ar,
            description_en=self.payable.label_en,
            occurred_at=now,
            entries=transfer(source, self.payable.account, self.payment.amount),
        )
        self.uow.ledger.post([journal])
        self.payable.fulfil(uow=self.uow, at=now, new_id=self.new_id)
        self.payment.settle(at=now)
        self._cancel_others(now)
        return journal

    def _cancel_others(self, now: datetime) -> None:
        """Other payments of the same booking are not wanted any more; the booking's lock keeps new ones out."""
        if self.payment.booking_id is None:
            return
        for other in self.uow.payments.pending_of(self.payment.booking_id):
            if other.id != self.payment.id:
                other.cancel(at=now)

    def _suspend(self, charge: Money, source: AccountRef, *, key: str) -> Journal:
        """Keep money that confirms nothing where a person will find it (guarantee P6)."""
        journal = Journal(
            id=self.new_id(),
            journal_type=JournalType.SUSPENSE,
            idempotency_key=key,
            reference_type="PAYMENT",
            reference_id=self.payment.id,
            description_ar=f"مبلغ معلق على الدفعة {self.payment.payment_number}",
            description_en=f"Money in suspense on payment {self.payment.payment_number}",
            occurred_at=self.clock.now(),
            entries=transfer(source, accounts.platform(AccountKind.SUSPENSE, charge.currency.code), charge),
        )
        self.uow.ledger.post([journal])
        return journal
