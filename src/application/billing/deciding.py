"""Deciding about money in suspense: items of one payment under lock, what moves them, and who decided.

Locks are taken in one order: what is to be paid, the payment, the items, then ledger accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from application.billing.payables import Payable
from application.billing.payments import OpenPayment, pay_locked
from application.billing.settlement import settle_from_suspense
from application.billing.splits import WantedPart
from application.billing.tenders import account_of
from application.ledger.locks import lock_owned
from application.ports import UnitOfWork
from domain.billing.payments import Payment, PaymentMethod, PaymentType
from domain.billing.refunds import PaymentDisputed
from domain.billing.suspense import (
    REFERENCE,
    Decision,
    Resolution,
    SuspenseCredited,
    SuspenseDoesNotFit,
    SuspenseItem,
)
from domain.billing.tenders import TenderKind
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.clock import Clock
from domain.shared.errors import OwnRequest
from domain.shared.identifiers import NewId
from domain.shared.money import Money, total

PERMISSION: Final = "payments.resolve"
REFUND_PERMISSION: Final = "refunds.create"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSuspense:
    """Which money, who decides, and why; None as actor is the system itself.

    `is_owners` says that it is the customer's own choice, which is theirs where staff left it to them.
    """

    receipt_id: UUID
    actor_id: UUID | None
    reason: str
    is_owners: bool = False
    action: str | None = None
    """What the audit log calls it; None is the permission that staff need for it."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """Items of one payment under lock, and the decision about them."""

    payment: Payment
    items: Sequence[SuspenseItem]
    decision: Decision
    uow: UnitOfWork
    clock: Clock
    new_id: NewId
    before: dict[UUID, dict[str, object]] = field(default_factory=dict)
    action: str | None = None

    @classmethod
    def locked(
        cls,
        command: DecideSuspense,
        *,
        others: frozenset[UUID] = frozenset(),
        uow: UnitOfWork,
        clock: Clock,
        new_id: NewId,
    ) -> Deciding:
        """Lock the payment, then its items. Raises SuspenseNotFound for another payment's, OwnRequest."""
        payment = uow.payments.get(uow.suspense.payment_of(command.receipt_id))
        if (payment.user_id == command.actor_id) is not command.is_owners:
            raise OwnRequest()
        wanted = {command.receipt_id, *others}
        by_id = {receipt_id: uow.suspense.get(receipt_id) for receipt_id in sorted(wanted)}
        if any(item.payment_id != payment.id for item in by_id.values()):
            raise SuspenseDoesNotFit()
        first = by_id.pop(command.receipt_id)
        decision = Decision(by=command.actor_id, reason=command.reason, at=clock.now())
        items = (first, *by_id.values())
        before = {item.receipt_id: _state(item) for item in items}
        return cls(payment, items, decision, uow, clock, new_id, before, command.action)

    def real_money(self) -> Sequence[SuspenseItem]:
        """The items, all open and undisputed.

        Raises IllegalTransition, PaymentDisputed, SuspenseDoesNotFit for test money or two currencies.
        """
        for item in self.items:
            item.ensure_open()
        if self.uow.disputes.is_open(self.payment.id):
            raise PaymentDisputed()
        if any(item.is_test_money for item in self.items):
            raise SuspenseDoesNotFit()
        if len({item.amount.currency for item in self.items}) > 1:
            raise SuspenseDoesNotFit()
        return self.items

    def settle_own(self, payable: Payable) -> UUID:
        """Settle the payment that the money came for; what is over goes into the wallet."""
        money, asked = self._sum(), self.payment.asked_of_provider
        if money.currency != asked.currency or money < asked:
            raise SuspenseDoesNotFit()
        self._lock_accounts(payable, money.currency.code)
        key = self.items[0].journal_key
        journal = settle_from_suspense(
            self.payment, payable, key=key, uow=self.uow, clock=self.clock, new_id=self.new_id
        )
        if money > asked:
            self.to_wallet(money - asked, key=f"{key}:over")
            self.tell_of_credit(money - asked)
        self.resolve(Resolution.APPLIED, journal_id=journal)
        return self.payment.id

    def pay_from_wallet(self, payable: Payable, payable_id: UUID | None, *, takes_all: bool) -> UUID:
        """Put the money into the wallet, and pay from there as much as is due of it; all of it where that is asked."""
        money, owner = self._sum(), self.payment.user_id
        due = payable.amount_due(owner=owner, at=self.decision.at)
        if money.currency != due.currency or money < payable.smallest_payment(due) or (takes_all and money > due):
            raise SuspenseDoesNotFit()
        self._lock_accounts(payable, money.currency.code)
        journal = self.to_wallet(money, key=self.items[0].journal_key)
        paid = self.pay(payable, payable_id, min(money, due))
        if money > due:
            self.tell_of_credit(money - due)
        self.resolve(Resolution.APPLIED, journal_id=journal)
        return paid.id

    def pay_as_agreed(self, payable: Payable, payable_id: UUID) -> None:
        """Pay with the money, through the wallet, what its payment was to pay, in the same parts of the customer's own.

        Raises SuspenseDoesNotFit where points are worth something else by now, InsufficientBalance, NothingToPay.
        """
        money, agreed = self._sum(), self.payment
        if money != agreed.asked_of_provider:
            raise SuspenseDoesNotFit()
        self._lock_accounts(payable, money.currency.code)
        journal = self.to_wallet(money, key=self.items[0].journal_key)
        parts = tuple(
            WantedPart(kind=tender.kind, points=tender.points)
            if tender.kind is TenderKind.POINTS
            else WantedPart(kind=tender.kind, amount=tender.amount)
            for tender in agreed.own_tenders
            if tender.kind is not TenderKind.WALLET
        )
        paid = self.pay(payable, payable_id, agreed.amount, parts)
        if _points_part(paid) != _points_part(agreed):
            raise SuspenseDoesNotFit()
        self.resolve(Resolution.APPLIED, journal_id=journal)

    def pay(
        self, payable: Payable, payable_id: UUID | None, amount: Money, parts: tuple[WantedPart, ...] = ()
    ) -> Payment:
        """Pay with what went into the wallet, and parts of the customer's own besides; accounts are locked."""
        command = OpenPayment(
            user_id=self.payment.user_id,
            payment_type=_asked_as(payable),
            payable_id=payable_id,
            method=PaymentMethod.WALLET,
            provider=None,
            amount=amount,
            parts=parts,
            success_url=None,
            cancel_url=None,
            idempotency_key=self.items[0].journal_key,
            locale="en",
            public_url="",
        )
        return pay_locked(command, payable, uow=self.uow, clock=self.clock, new_id=self.new_id)

    def tell_of_credit(self, amount: Money) -> None:
        """The customer is to hear of what stays in their wallet."""
        self.uow.publish(
            SuspenseCredited(
                at=self.decision.at,
                payment_id=self.payment.id,
                amount_minor=amount.minor,
                currency=amount.currency.code,
            )
        )

    def to_wallet(self, amount: Money, *, key: str) -> UUID:
        """Post the journal from suspense into the customer's wallet; its id."""
        journal = self._journal(
            JournalType.DEPOSIT,
            accounts.wallet(self.payment.user_id, amount.currency.code),
            amount,
            key=key,
            words=("مبلغ معلق أضيف إلى المحفظة من الدفعة", "Money in suspense put into the wallet, payment"),
        )
        self.uow.ledger.post([journal])
        return journal.id

    def post_write_off(self, item: SuspenseItem) -> UUID:
        """Post the journal that writes an item off; its id."""
        unit = item.amount.currency.code
        # Test money was never at the provider; what rounding left is a gain of the company's.
        target = (
            accounts.clearing(item.provider, unit)
            if item.is_test_money
            else accounts.platform(AccountKind.ADJUSTMENTS, unit)
        )
        words = ("شطب مبلغ معلق من الدفعة", "Money in suspense written off, payment")
        journal = self._journal(JournalType.WRITE_OFF, target, item.amount, key=item.journal_key, words=words)
        self.uow.ledger.post([journal])
        return journal.id

    def resolve(self, resolution: Resolution, *, journal_id: UUID) -> None:
        """The items left suspense by this journal."""
        for item in self.items:
            item.resolve(resolution, self.decision, journal_id=journal_id)
        self.keep()

    def keep(self, *, action: str = PERMISSION) -> None:
        """Write the items, and who decided what."""
        for item in self.items:
            self.uow.suspense.save(item)
            self.uow.audit.add(
                actor=self.decision.by,
                action=self.action or action,
                resource_type=REFERENCE,
                resource_id=item.receipt_id,
                changes={
                    "before": self.before[item.receipt_id],
                    "after": _state(item),
                    "payment_id": item.payment_id,
                    "amount": str(item.amount),
                    "reason": self.decision.reason,
                },
                at=self.decision.at,
            )

    def _sum(self) -> Money:
        items = self.real_money()
        return total((item.amount for item in items), items[0].amount.currency.code)

    def _lock_accounts(self, payable: Payable, unit: str) -> None:
        """All owned accounts that may move, at once and in one order: the wallet is not locked behind the points."""
        wanted: set[AccountRef] = {accounts.wallet(self.payment.user_id, unit), *payable.moves}
        wanted |= {account_of(tender, self.payment.user_id) for tender in self.payment.own_tenders}
        lock_owned(wanted, uow=self.uow)

    def _journal(
        self, journal_type: JournalType, target: AccountRef, amount: Money, *, key: str, words: tuple[str, str]
    ) -> Journal:
        source = accounts.platform(AccountKind.SUSPENSE, amount.currency.code)
        number = self.payment.payment_number
        return Journal(
            id=self.new_id(),
            journal_type=journal_type,
            idempotency_key=key,
            reference_type="PAYMENT",
            reference_id=self.payment.id,
            description_ar=f"{words[0]} {number}",
            description_en=f"{words[1]} {number}",
            occurred_at=self.decision.at,
            entries=transfer(source, target, amount),
        )


def _asked_as(payable: Payable) -> PaymentType:
    """How a customer asks to pay it; a renewal is recognised by the membership's state."""
    is_renewal = payable.payment_type is PaymentType.MEMBERSHIP_RENEWAL
    return PaymentType.MEMBERSHIP_PURCHASE if is_renewal else payable.payment_type


def _points_part(payment: Payment) -> list[Money]:
    return [tender.amount for tender in payment.tenders if tender.kind is TenderKind.POINTS]


def _state(item: SuspenseItem) -> dict[str, object]:
    at: datetime | None = item.decided_at
    return {
        "status": item.status,
        "resolution": item.resolution,
        "decided_at": at.isoformat() if at is not None else None,
        "refund_id": item.refund_id,
    }
