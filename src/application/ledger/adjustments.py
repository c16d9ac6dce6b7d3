"""Adjustments of wallets, voucher credit and points by staff, with a second pair of eyes above a limit.

Locks are taken in one order: the adjustment, or the person where there is none yet, then what it moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.ledger.points import AdjustPoints, adjust_points
from application.operations.ports import SystemSettings
from application.payouts.books import PAYEE_TYPES
from application.ports import UnitOfWork
from domain.ledger.accounts import PAYEE_KINDS, POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.adjustments import ALONE_WITHIN, REFERENCE, Adjustment
from domain.ledger.journal import Journal
from domain.operations.settings import ADJUSTMENT_LIMIT, POINTS_ADJUSTMENT_LIMIT
from domain.payouts.payables import PayableEntry, PayableKind
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money


def limits_of(settings: SystemSettings) -> dict[str, int]:
    """What one person gives or takes alone, by unit; nothing in units that are not there."""
    amounts = (Money.parse(one["amount"], one["currency"]) for one in settings.value(ADJUSTMENT_LIMIT))
    in_money = {amount.currency.code: amount.minor for amount in amounts}
    return in_money | {POINTS_UNIT: settings.value(POINTS_ADJUSTMENT_LIMIT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust:
    """Give (above zero) or take an amount in minor units of a currency, or points where `unit` is PTS.

    `account` is the WALLET, VOUCHER_CREDIT or POINTS, or what is owed to a vendor or an agent.

    What lies within `limit_minor`, with what the same person did alone on the account in the last 24 hours, is done
    at once; `permission` is the one that it was asked under.
    """

    user_id: UUID
    account: AccountKind
    unit: str
    amount_minor: int
    reason: str
    limit_minor: int
    actor_id: UUID
    permission: str


def adjust(command: Adjust, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Post an adjustment, or leave it to a second person; its id.

    Raises OwnRequest for one's own account, NotFound, InsufficientBalance.
    """
    now = clock.now()
    with uow:
        # Locked before what was done alone is read: two at once must not both find the limit untouched.
        uow.users.get(command.user_id)
        adjustment = Adjustment.propose(
            adjustment_id=new_id(),
            number=document_number("ADJ", business_date(now).year, uow.adjustments.next_serial()),
            user_id=command.user_id,
            account_kind=command.account,
            unit=command.unit,
            amount_minor=command.amount_minor,
            limit_minor=command.limit_minor,
            reason=command.reason,
            by=command.actor_id,
            at=now,
            done_alone_minor=uow.adjustments.done_alone(
                AccountRef(command.account, command.unit, command.user_id),
                by=command.actor_id,
                gives=command.amount_minor > 0,
                since=now - ALONE_WITHIN,
            ),
        )
        if adjustment.needs_approval:
            adjustment.wait()
        else:
            adjustment.accept(at=now)
            adjustment.posted(_post(adjustment, uow=uow, clock=clock, new_id=new_id))
        uow.adjustments.add(adjustment)
        _audit(uow, adjustment, command.permission, before=None, actor=command.actor_id, clock=clock)
        uow.commit()
    return adjustment.id


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAdjustment:
    """What the second person says."""

    adjustment_id: UUID
    actor_id: UUID


def approve_adjustment(command: DecideAdjustment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Agree, and post it. Raises OwnRequest, IllegalTransition, InsufficientBalance."""
    with uow:
        adjustment = uow.adjustments.get(command.adjustment_id)
        before = adjustment.status
        adjustment.approve(by=command.actor_id, at=clock.now())
        adjustment.posted(_post(adjustment, uow=uow, clock=clock, new_id=new_id))
        uow.adjustments.save(adjustment)
        _audit(uow, adjustment, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def reject_adjustment(command: DecideAdjustment, *, uow: UnitOfWork, clock: Clock) -> None:
    """Do not agree; nothing moves. Raises OwnRequest or IllegalTransition."""
    with uow:
        adjustment = uow.adjustments.get(command.adjustment_id)
        before = adjustment.status
        adjustment.reject(by=command.actor_id, at=clock.now())
        uow.adjustments.save(adjustment)
        _audit(uow, adjustment, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def _post(adjustment: Adjustment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Move what is to be given or taken; the journal's id. Raises InsufficientBalance, here or at commit."""
    journal = adjustment.journal(journal_id=new_id(), at=clock.now())
    if adjustment.account_kind is not AccountKind.POINTS:
        uow.ledger.post([journal])
        if adjustment.account_kind in PAYEE_KINDS:
            uow.earnings.record([_payable_entry(adjustment, journal, new_id())])
        return journal.id
    # Points come and go with their lots.
    points = AdjustPoints(
        user_id=adjustment.user_id,
        points=adjustment.amount_minor,
        key=journal.idempotency_key,
        reference_type=journal.reference_type,
        reference_id=journal.reference_id,
        description_ar=journal.description_ar,
        description_en=journal.description_en,
    )
    return adjust_points(points, uow=uow, at=journal.occurred_at, new_id=new_id)


def _payable_entry(adjustment: Adjustment, journal: Journal, entry_id: UUID) -> PayableEntry:
    """The next payout takes it, whichever way it goes."""
    owed = AccountRef(adjustment.account_kind, adjustment.unit, adjustment.user_id)
    return PayableEntry(
        id=entry_id,
        payee_id=adjustment.user_id,
        payee_type=PAYEE_TYPES[adjustment.account_kind],
        kind=PayableKind.ADJUSTED,
        account_id=owed.id,
        journal_id=journal.id,
        booking_id=None,
        amount=Money.of(adjustment.amount_minor, adjustment.unit),
        released_at=journal.occurred_at,
        occurred_at=journal.occurred_at,
    )


def _audit(
    uow: UnitOfWork, adjustment: Adjustment, action: str, *, before: str | None, actor: UUID, clock: Clock
) -> None:
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type=REFERENCE,
        resource_id=adjustment.id,
        changes={
            "before": {"status": before},
            "after": {"status": adjustment.status},
            "user_id": adjustment.user_id,
            "account": adjustment.account_kind,
            "amount": adjustment.shown_amount,
            "reason": adjustment.reason,
        },
        at=clock.now(),
    )
