"""What is done with money in suspense: each item once, with a reason; by staff, never with money of their own.

Locks are taken in one order: what is to be paid, the payment, the items, then ledger accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.billing.deciding import REFUND_PERMISSION, DecideSuspense, Deciding
from application.billing.payables import DepositPayable, lock_payable
from application.billing.suspense_ports import GiveBack, SuspenseRefund
from application.ports import UnitOfWork
from domain.billing.payments import PaymentStatus, PaymentType
from domain.billing.suspense import Resolution, SuspenseDoesNotFit, SuspenseItem, SuspenseStatus
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


def put_into_wallet(command: DecideSuspense, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Give the money to the customer, in their wallet of its currency.

    Raises SuspenseNotFound, OwnRequest, IllegalTransition, PaymentDisputed, and SuspenseDoesNotFit for test money.
    """
    with uow:
        deciding = Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)
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
        deciding = Deciding.locked(command.decision, uow=uow, clock=clock, new_id=new_id)
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
    if command.actor_id is None:
        raise ValueError("somebody asks for a refund")
    with uow:
        target = uow.payments.target_of(uow.suspense.payment_of(command.receipt_id))
        # Before the payment, as everybody: the refund looks at what was paid, too.
        lock_payable(target.payment_type, target.payable_id, uow=uow, at=clock.now())
        deciding = Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)
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
    Raises SuspenseNotFound, OwnRequest, IllegalTransition, PaymentDisputed, SuspenseDoesNotFit, NotFound, NothingToPay.
    """
    now, decided = clock.now(), command.decision
    with uow:
        target = uow.payments.target_of(uow.suspense.payment_of(decided.receipt_id))
        own = (target.payment_type, target.payable_id)
        payment_type, payable_id = command.payable or own
        payable = lock_payable(payment_type, payable_id, uow=uow, at=now)
        deciding = Deciding.locked(decided, others=command.together_with, uow=uow, clock=clock, new_id=new_id)
        if command.payable is None and deciding.payment.status is PaymentStatus.PENDING:
            paid = deciding.settle_own(payable or DepositPayable(deciding.payment))
        elif payable is None:
            # A deposit is nothing but its payment; what came late for it goes into the wallet by that name.
            raise SuspenseDoesNotFit()
        else:
            paid = deciding.pay_from_wallet(payable, payable_id, takes_all=command.payable is not None)
        uow.commit()
    return paid
