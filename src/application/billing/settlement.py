"""The one use case that settles payments; webhook, return page, staff, reconciler and wallet all end here.

Locks are taken in one order: what is paid, its payments, their refunds and holds, then ledger accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.ports import Reading, ReadingStatus
from application.billing.refund_effects import GoingBack
from application.billing.refund_readings import follow_provider
from application.billing.tenders import (
    LockedParts,
    cancel_payments,
    free_own_parts,
    lock_parts,
    paying,
    take_own_part,
)
from application.ports import UnitOfWork
from domain.billing.payments import (
    Disposition,
    Payment,
    PaymentAttempt,
    PaymentStatus,
    Receipt,
    SuspenseReason,
)
from domain.billing.suspense import SuspenseDoesNotFit, SuspenseItem
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import AgentCreditExceeded, InsufficientBalance, Journal, JournalType, transfer
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
    """Book every charge of the reading that is not booked yet: settle the payment, or keep it in suspense; then
    follow what it says of refunds and disputes.

    Safe in any order and number: charges are counted per attempt under the payment's lock, and of the rest only news
    counts (`refund_readings`).
    """
    reading, now = command.reading, clock.now()
    with uow:
        target = uow.payments.target_of(command.payment_id)
        payable = lock_payable(target.payment_type, target.payable_id, uow=uow, at=now)
        if payable is not None and reading.tells_of_money_back:
            payable.lock_taken(uow=uow)
        payment = uow.payments.get(command.payment_id)
        settling = _Settling(payment, payable or DepositPayable(payment), uow, clock, new_id)
        attempt = payment.attempt(command.attempt_id)
        attempt.learn(
            provider_reference=reading.provider_reference,
            provider_key=reading.provider_key,
            charge_reference=reading.charge_reference,
        )
        for charge in reading.paid[attempt.receipts_count :]:
            settling.book(charge, attempt, live_as_expected=reading.live == command.expects_live)
        if not reading.paid and reading.status is ReadingStatus.FAILED:
            attempt.give_up(at=now)
        if not reading.paid and reading.status is ReadingStatus.OPEN:
            attempt.still_open(at=now)
        if not reading.paid and reading.status is ReadingStatus.NOT_FOUND:
            attempt.missing(at=now)
        free_own_parts(payment, uow=uow, clock=clock)
        if reading.live == command.expects_live:
            follow_provider(GoingBack(payment, settling.payable, uow, clock, new_id), attempt, reading)
        uow.commit()


def settle_from_own_balances(
    payment: Payment, payable: Payable, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> None:
    """Pay a new payment from the customer's own balances alone, inside the caller's transaction.

    Raises InsufficientBalance.
    """
    _Settling(payment, payable, uow, clock, new_id).settle_from_own_balances()


def settle_from_suspense(
    payment: Payment, payable: Payable, *, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> UUID:
    """Pay an open payment with money in suspense, inside the caller's transaction; the journal's id.

    Raises SuspenseDoesNotFit where the payment, or what it pays, does not take the money now.
    """
    return _Settling(payment, payable, uow, clock, new_id).settle_from_suspense(key)


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
        locked = lock_parts(self.payment, self.payable, uow=self.uow, at=self.clock.now())
        reason = self.payment.doubt(
            charge,
            payable_accepts=self.payable.accepts(self.payment.amount),
            own_parts_there=locked.are_there,
            live_as_expected=live_as_expected,
        )
        journal = self._journal(charge, attempt, reason)
        self.uow.ledger.post([journal])
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
            item = SuspenseItem.of(receipt, reason, payment_id=self.payment.id, provider=attempt.provider)
            self.uow.suspense.add(item)
            return
        tender = self.payment.gateway_tender
        if tender is not None:
            tender.capture(journal_id=journal.id, at=journal.occurred_at)
        self._settle(locked)

    def settle_from_own_balances(self) -> None:
        locked = lock_parts(self.payment, self.payable, uow=self.uow, at=self.clock.now())
        if not locked.are_there:
            raise InsufficientBalance() if self.payment.agent_id is None else AgentCreditExceeded()
        self._settle(locked)

    def settle_from_suspense(self, key: str) -> UUID:
        asked, now = self.payment.asked_of_provider, self.clock.now()
        locked = lock_parts(self.payment, self.payable, uow=self.uow, at=now)
        is_wanted = self.payment.status is PaymentStatus.PENDING and self.payable.accepts(self.payment.amount)
        tender = self.payment.gateway_tender
        if tender is None or not is_wanted or not locked.are_there:
            raise SuspenseDoesNotFit()
        source = accounts.platform(AccountKind.SUSPENSE, asked.currency.code)
        journal = paying(self.payable, source, asked, key=key, journal_id=self.new_id(), at=now)
        self.uow.ledger.post([journal])
        tender.capture(journal_id=journal.id, at=now)
        self._settle(locked)
        return journal.id

    def _settle(self, locked: LockedParts) -> None:
        """Take the customer's own parts, and do what being paid means."""
        now = self.clock.now()
        for tender in self.payment.own_tenders:
            take_own_part(tender, locked, self.payable, uow=self.uow, clock=self.clock, new_id=self.new_id)
        self.payable.fulfil(self.payment, uow=self.uow, at=now, new_id=self.new_id)
        self.payment.settle(at=now)
        # What is more than is left to pay; the lock of what is paid keeps new ones out.
        others = [other for other in locked.others if not self.payable.accepts(other.amount)]
        cancel_payments(others, uow=self.uow, clock=self.clock)

    def _journal(self, charge: Money, attempt: PaymentAttempt, reason: SuspenseReason | None) -> Journal:
        """A charge on its way from the provider: to what it pays, or to where a person will find it (guarantee P6)."""
        source = accounts.clearing(attempt.provider, charge.currency.code)
        key, now = f"receipt:{attempt.id}:{attempt.receipts_count}", self.clock.now()
        if reason is None:
            return paying(self.payable, source, charge, key=key, journal_id=self.new_id(), at=now)
        return Journal(
            id=self.new_id(),
            journal_type=JournalType.SUSPENSE,
            idempotency_key=key,
            reference_type="PAYMENT",
            reference_id=self.payment.id,
            description_ar=f"مبلغ معلق على الدفعة {self.payment.payment_number}",
            description_en=f"Money in suspense on payment {self.payment.payment_number}",
            occurred_at=now,
            entries=transfer(source, accounts.platform(AccountKind.SUSPENSE, charge.currency.code), charge),
        )
