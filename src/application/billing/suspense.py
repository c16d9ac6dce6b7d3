"""What staff do with money in suspense: each item once, with a reason, and never with money of their own.

Locks are taken in one order: what is to be paid, the payment, the items, then ledger accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from application.billing.payables import DepositPayable, Payable, lock_payable
from application.billing.payments import OpenPayment, pay_locked
from application.billing.settlement import settle_from_suspense
from application.billing.suspense_ports import GiveBack, SuspenseRefund
from application.billing.tenders import account_of
from application.ports import UnitOfWork
from domain.billing.payments import Payment, PaymentMethod, PaymentStatus, PaymentType
from domain.billing.suspense import (
    REFERENCE,
    Decision,
    Resolution,
    SuspenseCredited,
    SuspenseDoesNotFit,
    SuspenseItem,
    SuspenseStatus,
)
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.clock import Clock
from domain.shared.errors import OwnRequest
from domain.shared.identifiers import NewId
from domain.shared.money import Money, total

PERMISSION = "payments.resolve"
REFUND_PERMISSION = "refunds.create"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSuspense:
    """Which money, who decides, and why."""

    receipt_id: UUID
    actor_id: UUID
    reason: str


def put_into_wallet(command: DecideSuspense, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Give the money to the customer, in their wallet of its currency.

    Raises SuspenseNotFound, OwnRequest, IllegalTransition, and SuspenseDoesNotFit for test money.
    """
    with uow:
        deciding = _Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)
        item = deciding.real_money()[0]
        journal = deciding.to_wallet(item.amount, key=item.journal_key)
        deciding.tell_of_credit(item.amount)
        deciding.resolve(Resolution.WALLET, journal_id=journal)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """Write an item off; real money up to `limit` alone, None where nothing is little in its currency."""

    decision: DecideSuspense
    limit: Money | None


def write_off(command: WriteOff, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Book test money back against the provider's account, and what rounding left as an adjustment.

    Raises SuspenseNotFound, OwnRequest, IllegalTransition, WriteOffTooLarge.
    """
    with uow:
        deciding = _Deciding.locked(command.decision, uow=uow, clock=clock, new_id=new_id)
        item = deciding.items[0]
        item.ensure_open()
        item.ensure_written_off(_same_unit(command.limit, item))
        journal = deciding.post_write_off(item)
        deciding.resolve(Resolution.WRITTEN_OFF, journal_id=journal)
        uow.commit()


def _same_unit(limit: Money | None, item: SuspenseItem) -> Money | None:
    return limit if limit is not None and limit.currency == item.amount.currency else None


def refund_to_payer(
    command: DecideSuspense, *, idempotency_key: str, uow: UnitOfWork, clock: Clock, new_id: NewId, give_back: GiveBack
) -> UUID:
    """Send all of the money back to whoever paid it; the refund's id.

    `give_back` is the last step, inside this transaction. Raises SuspenseNotFound, OwnRequest, IllegalTransition.
    """
    with uow:
        target = uow.payments.target_of(uow.suspense.payment_of(command.receipt_id))
        # Before the payment, as everybody: the refund looks at what was paid, too.
        lock_payable(target.payment_type, target.payable_id, uow=uow, at=clock.now())
        deciding = _Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)
        item = deciding.items[0]
        item.ensure_open(SuspenseStatus.REFUNDING)
        refund_id = give_back(
            SuspenseRefund(
                receipt_id=item.receipt_id,
                amount=item.amount,
                reason=command.reason,
                actor_id=command.actor_id,
                idempotency_key=idempotency_key,
            )
        )
        item.refund(deciding.decision, refund_id=refund_id)
        deciding.keep(action=REFUND_PERMISSION)
        uow.commit()
    return refund_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySuspense:
    """Pay with money in suspense, `together_with` more items of the payment; `payable` is another thing of theirs."""

    decision: DecideSuspense
    together_with: frozenset[UUID] = frozenset()
    payable: tuple[PaymentType, UUID] | None = None


def apply_suspense(command: ApplySuspense, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Pay what the money was meant for, or another thing of the customer's that takes just this much; the payment paid.

    An open payment is settled by it, and what is over goes into the wallet. Where the payment is over (its time was,
    or something else paid), a new one is made from the wallet, which the money goes through.
    Raises SuspenseNotFound, OwnRequest, IllegalTransition, SuspenseDoesNotFit, NotFound, NothingToPay.
    """
    now, decided = clock.now(), command.decision
    with uow:
        target = uow.payments.target_of(uow.suspense.payment_of(decided.receipt_id))
        own = (target.payment_type, target.payable_id)
        payment_type, payable_id = command.payable or own
        payable = lock_payable(payment_type, payable_id, uow=uow, at=now)
        deciding = _Deciding.locked(decided, others=command.together_with, uow=uow, clock=clock, new_id=new_id)
        if command.payable is None and deciding.payment.status is PaymentStatus.PENDING:
            paid = deciding.settle_own(payable or DepositPayable(deciding.payment))
        elif payable is None:
            # A deposit is nothing but its payment; what came late for it goes into the wallet by that name.
            raise SuspenseDoesNotFit()
        else:
            paid = deciding.pay_from_wallet(payable, payable_id, takes_all=command.payable is not None)
        uow.commit()
    return paid


@dataclass(frozen=True, slots=True)
class _Deciding:
    """Items of one payment under lock, and the decision about them."""

    payment: Payment
    items: Sequence[SuspenseItem]
    decision: Decision
    uow: UnitOfWork
    clock: Clock
    new_id: NewId
    before: dict[UUID, dict[str, object]] = field(default_factory=dict)

    @classmethod
    def locked(
        cls,
        command: DecideSuspense,
        *,
        others: frozenset[UUID] = frozenset(),
        uow: UnitOfWork,
        clock: Clock,
        new_id: NewId,
    ) -> _Deciding:
        """Lock the payment, then its items. Raises SuspenseNotFound for another payment's, OwnRequest."""
        payment = uow.payments.get(uow.suspense.payment_of(command.receipt_id))
        if payment.user_id == command.actor_id:
            raise OwnRequest()
        wanted = {command.receipt_id, *others}
        by_id = {receipt_id: uow.suspense.get(receipt_id) for receipt_id in sorted(wanted)}
        if any(item.payment_id != payment.id for item in by_id.values()):
            raise SuspenseDoesNotFit()
        first = by_id.pop(command.receipt_id)
        decision = Decision(by=command.actor_id, reason=command.reason, at=clock.now())
        items = (first, *by_id.values())
        before = {item.receipt_id: _state(item) for item in items}
        return cls(payment, items, decision, uow, clock, new_id, before)

    def real_money(self) -> Sequence[SuspenseItem]:
        """The items, all open. Raises IllegalTransition, SuspenseDoesNotFit for test money or two currencies."""
        for item in self.items:
            item.ensure_open()
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
        key = self.items[0].journal_key
        journal = self.to_wallet(money, key=key)
        paid = pay_locked(
            OpenPayment(
                user_id=owner,
                payment_type=_asked_as(payable),
                payable_id=payable_id,
                method=PaymentMethod.WALLET,
                provider=None,
                amount=min(money, due),
                success_url=None,
                cancel_url=None,
                idempotency_key=key,
                locale="en",
                public_url="",
            ),
            payable,
            uow=self.uow,
            clock=self.clock,
            new_id=self.new_id,
        )
        if money > due:
            self.tell_of_credit(money - due)
        self.resolve(Resolution.APPLIED, journal_id=journal)
        return paid.id

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
        for item in self.items:
            item.resolve(resolution, self.decision, journal_id=journal_id)
        self.keep()

    def keep(self, *, action: str = PERMISSION) -> None:
        """Write the items, and who decided what."""
        for item in self.items:
            self.uow.suspense.save(item)
            self.uow.audit.add(
                actor=self.decision.by,
                action=action,
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
        self.uow.ledger.lock(wanted)

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


def _state(item: SuspenseItem) -> dict[str, object]:
    at: datetime | None = item.decided_at
    return {
        "status": item.status,
        "resolution": item.resolution,
        "decided_at": at.isoformat() if at is not None else None,
        "refund_id": item.refund_id,
    }
