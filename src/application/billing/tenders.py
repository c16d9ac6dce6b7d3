"""The parts of a payment from a customer's own balances: set aside when it is opened, taken when it is settled.

Locks are taken in one order: payable, its payments, their holds, the payer, then all ledger accounts at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from application.billing.payables import Payable
from application.ledger import holds
from application.ledger.holds import SetAside
from application.ledger.locks import lock_owned
from application.ledger.posting_ports import Standing
from application.ledger.redemptions import PointsPayment, RedeemPoints, redeem_points
from application.ports import UnitOfWork
from domain.billing.payments import AttemptStatus, Payment, PaymentStatus
from domain.billing.tenders import Part, Tender, TenderKind, TenderStatus
from domain.ledger import accounts
from domain.ledger.accounts import AccountRef
from domain.ledger.holds import BalanceHold, HoldStatus
from domain.ledger.journal import Journal, transfer
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money

_ORDER: Final = tuple(TenderKind)


def plan_tenders(payment: Payment, split: Iterable[tuple[Part, str]], *, agent_id: UUID | None, new_id: NewId) -> None:
    """Make a new payment's tenders: its parts, each with its method; `agent_id` where an agent pays from its credit.

    Where one tender is the whole payment, it has the payment's id.
    """
    wanted = sorted(split, key=lambda it: _ORDER.index(it[0].kind))
    payment.tenders.extend(
        Tender(
            id=payment.id if len(wanted) == 1 else new_id(),
            payment_id=payment.id,
            position=position,
            kind=part.kind,
            method=method,
            amount=part.amount,
            points=part.points,
            owner_id=agent_id,
            refunding=Money(0, part.amount.currency),
            refunded=Money(0, part.amount.currency),
            updated_at=payment.created_at,
        )
        for position, (part, method) in enumerate(wanted)
    )


def hold_own_parts(payment: Payment, *, until: datetime, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Set the customer's own parts aside while a provider takes the rest, where they are not till then.

    Raises InsufficientBalance, here or at commit.
    """
    held = {tender.id: hold for tender, hold in _holds_of(payment, uow)}
    wanting = [tender for tender in payment.own_tenders if not _holds_until(held.get(tender.id), until)]
    if not wanting:
        return
    # All at once: a settlement of another payment locks the same accounts by id, not by their kinds' order.
    lock_owned({account_of(tender, payment.user_id) for tender in wanting}, uow=uow)
    for tender in wanting:
        before = held.get(tender.id)
        if before is not None and before.status is HoldStatus.ACTIVE:
            holds.release(before.id, uow=uow, clock=clock)
        command = SetAside(
            account=account_of(tender, payment.user_id),
            amount_minor=_minor(tender),
            reference_type="PAYMENT",
            reference_id=payment.id,
            expires_at=until,
        )
        tender.hold_id = holds.hold(command, uow=uow, clock=clock, new_id=new_id)


def _holds_until(held: BalanceHold | None, until: datetime) -> bool:
    if held is None or held.status is not HoldStatus.ACTIVE:
        return False
    return held.expires_at is None or held.expires_at >= until


def free_own_parts(payment: Payment, *, uow: UnitOfWork, clock: Clock) -> None:
    """Free what a payment, locked, had set aside, once its newest checkout came to nothing.

    Another checkout of it sets the same aside again; what is paid late all the same takes it if it is still there.
    """
    newest = payment.newest_attempt
    if payment.status is not PaymentStatus.PENDING or newest is None or newest.status is not AttemptStatus.FAILED:
        return
    held = _active_holds_of(payment, uow)
    if held:
        lock_owned({hold.account for hold in held}, uow=uow)
    for hold in held:
        holds.release(hold.id, uow=uow, clock=clock)


def cancel_payments(
    payments: Sequence[Payment], *, uow: UnitOfWork, clock: Clock, besides: Collection[AccountRef] = ()
) -> None:
    """Cancel payments, locked, inside the caller's transaction, and free what they had set aside.

    `besides` are accounts that the caller moves afterwards: all are locked at once, in one order.
    """
    held = [hold for payment in payments for hold in _active_holds_of(payment, uow)]
    wanted = {hold.account for hold in held} | set(besides)
    if wanted:
        lock_owned(wanted, uow=uow)
    for hold in held:
        holds.release(hold.id, uow=uow, clock=clock)
    for payment in payments:
        payment.cancel(at=clock.now())


@dataclass(frozen=True, slots=True)
class LockedParts:
    """The customer's own parts with their accounts and holds under lock, and whether all of it can be taken.

    `others` are the payments of the same thing that wait, locked with their holds.
    """

    payment: Payment
    holds: dict[UUID, BalanceHold]
    are_there: bool
    others: tuple[Payment, ...]


def lock_parts(payment: Payment, payable: Payable, *, uow: UnitOfWork, at: datetime) -> LockedParts:
    """Lock what settling moves or frees, in one order, and see whether the customer's own parts are still there.

    A hold that ran out does not matter while the balance still holds as much.
    """
    others = _others_of(payment, uow)
    held = {tender.id: hold for tender, hold in _holds_of(payment, uow)}
    wanted = {hold.account for other in others for hold in _active_holds_of(other, uow)}
    wanted |= {account_of(tender, payment.user_id) for tender in payment.own_tenders}
    standing: Mapping[AccountRef, Standing] = {}
    if wanted:
        paid_into = {payable.account} if payable.account.owner is not None else set()
        standing = lock_owned(wanted | paid_into | set(payable.moves), uow=uow)
    are_there = all(
        _is_there(tender, held.get(tender.id), payment, standing, uow=uow, at=at) for tender in payment.own_tenders
    )
    return LockedParts(payment, held, are_there, others)


def _others_of(payment: Payment, uow: UnitOfWork) -> tuple[Payment, ...]:
    payable_id = payment.booking_id or payment.subscription_id
    if payable_id is None:
        return ()
    return tuple(other for other in uow.payments.pending_of(payable_id) if other.id != payment.id)


def _is_there(
    tender: Tender,
    held: BalanceHold | None,
    payment: Payment,
    standing: Mapping[AccountRef, Standing],
    *,
    uow: UnitOfWork,
    at: datetime,
) -> bool:
    if tender.status is not TenderStatus.PLANNED:
        return False
    if held is not None and held.status is HoldStatus.ACTIVE:
        return True
    credit = uow.partners.credit_limit(tender.owner_id, tender.amount.currency).minor if tender.owner_id else 0
    if standing[account_of(tender, payment.user_id)].available_minor + credit < _minor(tender):
        return False
    if tender.kind is not TenderKind.POINTS:
        return True
    living = uow.points.open_lots(payment.user_id, ending_after=at)
    return sum(lot.remaining for lot in living) >= _minor(tender)


def take_own_part(
    tender: Tender, locked: LockedParts, payable: Payable, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> None:
    """Move one own part to what it pays. Raises InsufficientBalance, which nothing raises after `are_there`."""
    payment, now = locked.payment, clock.now()
    held = locked.holds.get(tender.id)
    hold_id = held.id if held is not None and held.status is HoldStatus.ACTIVE else None
    if tender.kind is TenderKind.POINTS:
        redeemed = RedeemPoints(
            user_id=payment.user_id,
            key=f"payment:{tender.id}",
            reference_type=payable.reference_type,
            reference_id=payable.reference_id,
            description_ar=payable.label_ar,
            description_en=payable.label_en,
            points=_minor(tender),
            pays=PointsPayment(worth=tender.amount, to=payable.account),
            hold_id=hold_id,
        )
        journal_id = redeem_points(redeemed, uow=uow, at=now, new_id=new_id)
    else:
        source = account_of(tender, payment.user_id)
        journal = paying(payable, source, tender.amount, key=f"payment:{tender.id}", journal_id=new_id(), at=now)
        if hold_id is not None:
            holds.capture(hold_id, journal, uow=uow, clock=clock)
        else:
            uow.ledger.post([journal])
        journal_id = journal.id
    tender.capture(journal_id=journal_id, at=now)


def paying(payable: Payable, source: AccountRef, amount: Money, *, key: str, journal_id: UUID, at: datetime) -> Journal:
    """The journal that moves money from where it came to what it pays."""
    return Journal(
        id=journal_id,
        journal_type=payable.journal_type,
        idempotency_key=key,
        reference_type=payable.reference_type,
        reference_id=payable.reference_id,
        description_ar=payable.label_ar,
        description_en=payable.label_en,
        occurred_at=at,
        entries=transfer(source, payable.account, amount),
    )


def account_of(tender: Tender, user_id: UUID) -> AccountRef:
    """The customer's account that an own part comes from, or the agent's that its credit does."""
    if tender.kind is TenderKind.POINTS:
        return accounts.points(user_id)
    unit = tender.amount.currency.code
    if tender.owner_id is not None:
        return accounts.agent_deposit(tender.owner_id, unit)
    if tender.kind is TenderKind.VOUCHER_CREDIT:
        return accounts.voucher_credit(user_id, unit)
    return accounts.wallet(user_id, unit)


def agents_own(payments: Iterable[Payment]) -> frozenset[AccountRef]:
    """The deposit accounts that payments came from, which refunds of them go back to."""
    return frozenset(
        accounts.agent_deposit(tender.owner_id, tender.amount.currency.code)
        for payment in payments
        for tender in payment.tenders
        if tender.owner_id is not None
    )


def lock_holds(payments: Iterable[Payment], *, uow: UnitOfWork) -> None:
    """Lock what payments that wait have set aside, ahead of the accounts that it is set aside on."""
    for payment in payments:
        _active_holds_of(payment, uow)


def _minor(tender: Tender) -> int:
    """How much leaves the account, in its own unit."""
    return tender.points or 0 if tender.kind is TenderKind.POINTS else tender.amount.minor


def _active_holds_of(payment: Payment, uow: UnitOfWork) -> list[BalanceHold]:
    return [hold for _, hold in _holds_of(payment, uow) if hold.status is HoldStatus.ACTIVE]


def _holds_of(payment: Payment, uow: UnitOfWork) -> Iterator[tuple[Tender, BalanceHold]]:
    for tender in payment.tenders:
        if tender.hold_id is not None and tender.status is TenderStatus.PLANNED:
            yield tender, uow.ledger.get_hold(tender.hold_id)
