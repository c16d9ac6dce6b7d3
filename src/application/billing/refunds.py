"""Asking for refunds, and what staff do with those that need them.

Each use case is one transaction and calls no provider: what a provider has to do is stored, and submitted afterwards
(`refund_submission`). Locks: what was paid, the payment, its refunds, the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refund_plans import RefundPlan, plan_refund, way_at
from application.billing.refund_submission import REMEMBERED_FOR
from application.ports import UnitOfWork
from domain.billing.payments import Disposition, PaymentNotFound, PaymentType
from domain.billing.refunds import (
    Destination,
    Origin,
    PaymentDisputed,
    Refund,
    RefundKeyReused,
    RefundPart,
    RefundPreviewStale,
    RefundStatus,
    Way,
    reference_of,
)
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, OwnRequest
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money

TO_WALLET = "refunded_to_wallet"
"""Why a part came to nothing that waited for an operator: its money went to the wallet instead."""

GIVEN_UP = "given_up"
"""Why a part came to nothing that a person says did not happen."""


class SuspenseRefunded(Conflict):
    """This money in suspense has been given back, or is on its way."""

    code = "suspense_refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefund:
    """Give back an amount of a payment, None for everything that is left.

    `agreed` is the fingerprint of the plan that was previewed (`refund_plans.agreed_plan`), where one was.
    """

    payment_id: UUID
    amount: Money | None
    reason: str
    destination: Destination
    actor_id: UUID | None
    idempotency_key: str
    agreed: str | None = None


def request_refund(command: RequestRefund, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> UUID:
    """Store the refund; what goes to a customer's own balances is there when this returns. The refund's id.

    The same key answers the same refund. Raises PaymentNotFound, RefundPreviewStale, RefundKeyReused, and what
    `plan_refund` raises; InsufficientBalance for a deposit that is spent.
    """
    with uow:
        back = GoingBack.locked(command.payment_id, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(back, command.actor_id)
        known = uow.refunds.by_key(command.idempotency_key)
        if known is not None:
            return _same(known, command).id
        plan = plan_refund(back, command.amount, command.destination, gateways)
        if command.agreed is not None and command.agreed != plan.fingerprint:
            raise RefundPreviewStale()
        refund = refund_within(command, plan, back)
        _audit(refund, "refunds.create", command.actor_id, {"reason": command.reason}, back)
        uow.commit()
    return refund.id


def refund_within(command: RequestRefund, plan: RefundPlan, back: GoingBack) -> Refund:
    """Store the refund that was planned inside the caller's transaction, under the locks that it was planned under.

    The audit log has it from the caller, whose decision it follows from.
    """
    refund = _new_refund(back, plan.amount, command)
    for position, planned in enumerate(plan.parts):
        tender = planned.share.tender
        part = _new_part(back, refund, planned.share.amount, planned.way, position=position)
        part.tender_id, part.attempt_id = tender.id, planned.attempt_id
        back.set_aside(refund, part)
        refund.parts.append(part)
    back.uow.refunds.add(refund)
    _begin(back, refund)
    return refund


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSuspense:
    """Give money in suspense back to its payer; never more than came."""

    receipt_id: UUID
    amount: Money
    reason: str
    actor_id: UUID
    idempotency_key: str


def refund_suspense(
    command: RefundSuspense, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> UUID:
    """Ask for it inside the caller's transaction, which has nothing of the payment's locked yet; the refund's id.

    The audit log has it from the caller, whose decision about the item it is.
    Raises PaymentNotFound for no such receipt, RefundKeyReused, SuspenseRefunded, PaymentDisputed, InvalidValue.
    """
    receipt = uow.refunds.receipt(command.receipt_id)
    if receipt is None or receipt.disposition is not Disposition.SUSPENSE:
        raise PaymentNotFound()
    back = GoingBack.locked_for_suspense(receipt.payment_id, uow=uow, clock=clock, new_id=new_id)
    known = uow.refunds.by_key(command.idempotency_key)
    if known is not None:
        return _same_suspense(known, command).id
    if command.amount.currency != receipt.amount.currency or not command.amount.is_positive:
        raise InvalidValue("an amount of what came in", pointer="/amount", code="out_of_range")
    if receipt.amount < command.amount:
        raise InvalidValue("more than came in", pointer="/amount", code="out_of_range")
    if uow.disputes.is_open(receipt.payment_id):
        raise PaymentDisputed()
    parts = [part for refund in uow.refunds.of_payment(receipt.payment_id) for part in refund.parts]
    if any(part.receipt_id == receipt.id and part.status is not RefundStatus.FAILED for part in parts):
        raise SuspenseRefunded()
    asked = RequestRefund(
        payment_id=receipt.payment_id,
        amount=command.amount,
        reason=command.reason,
        destination=Destination.ORIGINAL,
        actor_id=command.actor_id,
        idempotency_key=command.idempotency_key,
    )
    refund = _new_refund(back, command.amount, asked)
    part = _new_part(back, refund, command.amount, way_at(back.payment.provider, gateways), position=0)
    part.receipt_id, part.attempt_id = receipt.id, receipt.attempt_id
    refund.parts.append(part)
    uow.refunds.add(refund)
    back.set_aside(refund, part)
    _begin(back, refund)
    return refund.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRefund:
    """An operator gave the money back on the provider's dashboard."""

    refund_id: UUID
    part_id: UUID
    actor_id: UUID
    provider_reference: str
    refunded_on: date


def confirm_refund(command: ConfirmRefund, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Believe the operator, and keep the provider's reference: a reading that tells of it finds it by that.

    Raises RefundNotFound, IllegalTransition for a part that does not wait for anybody, InvalidValue for a day to come.
    """
    if command.refunded_on > business_date(clock.now()):
        raise InvalidValue("that day is still to come", pointer="/refunded_on", code="out_of_range")
    with uow:
        back, refund, part = _locked_part(command.refund_id, command.part_id, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(back, command.actor_id)
        if part.status is not RefundStatus.AWAITING_OPERATOR and not part.is_at_provider:
            raise IllegalTransition(current=part.status, wanted=RefundStatus.SUCCEEDED)
        part.provider_refund_reference = part.provider_refund_reference or command.provider_reference
        part.submitted_at = part.submitted_at or clock.now()
        back.succeed(refund, part)
        told = {"provider_reference": command.provider_reference, "refunded_on": command.refunded_on.isoformat()}
        _audit(refund, "refunds.confirm", command.actor_id, told, back)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPart:
    """What staff do with a part that came to nothing; the reason goes into the audit log."""

    refund_id: UUID
    part_id: UUID
    actor_id: UUID
    reason: str


def resubmit_refund(command: RetryPart, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> None:
    """Try the same amount again: another part, under a reference of its own, takes the failed one's place.

    The old reference stays with what the provider made of it. Raises RefundNotFound, IllegalTransition unless it
    FAILED, PaymentDisputed, RefundAboveCapture where it has been given back meanwhile.
    """
    with uow:
        back, refund, part = _locked_part(command.refund_id, command.part_id, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(back, command.actor_id)
        if uow.disputes.is_open(refund.payment_id):
            raise PaymentDisputed()
        way = way_at(part.provider, gateways) if part.attempt_id is not None else Way.OPERATOR
        successor = _successor(back, refund, part, way)
        refund.replace(part, successor, at=clock.now())
        back.set_aside(refund, successor)
        _begin(back, refund)
        _audit(refund, "refunds.resubmit", command.actor_id, {"reason": command.reason}, back)
        uow.commit()


def refund_to_wallet_instead(command: RetryPart, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Put the amount of a part that FAILED, or waits for an operator, into the customer's wallet.

    Raises RefundNotFound, IllegalTransition for any other part, PaymentDisputed, RefundAboveCapture, InvalidValue for a
    deposit.
    """
    with uow:
        back, refund, part = _locked_part(command.refund_id, command.part_id, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(back, command.actor_id)
        if uow.disputes.is_open(refund.payment_id):
            raise PaymentDisputed()
        is_deposit = part.tender_id is not None and back.payment.payment_type is PaymentType.WALLET_DEPOSIT
        if is_deposit:
            raise InvalidValue("a deposit is in the wallet already", pointer="/part_id", code="not_offered")
        if part.status is RefundStatus.AWAITING_OPERATOR:
            back.fail(refund, part, TO_WALLET)
        successor = _successor(back, refund, part, Way.OWN)
        refund.replace(part, successor, at=clock.now())
        back.set_aside(refund, successor)
        _begin(back, refund)
        _audit(refund, "refunds.to_wallet", command.actor_id, {"reason": command.reason}, back)
        uow.commit()


def give_up_refund(command: RetryPart, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Believe a person who saw at the provider that a part did not happen: it came to nothing, and may be tried anew.

    A reading that tells of it all the same is followed as ever. Raises RefundNotFound, OwnRequest, IllegalTransition
    for a part that the provider may still be asked about.
    """
    with uow:
        back, refund, part = _locked_part(command.refund_id, command.part_id, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(back, command.actor_id)
        if not _may_be_given_up(part, clock.now()):
            raise IllegalTransition(current=part.status, wanted=RefundStatus.FAILED)
        back.fail(refund, part, GIVEN_UP)
        _audit(refund, "refunds.give_up", command.actor_id, {"reason": command.reason}, back)
        uow.commit()


def _may_be_given_up(part: RefundPart, now: datetime) -> bool:
    """Whether it waits for a person, or can never be sent, or is in doubt longer than it is asked for again."""
    match part.status:
        case RefundStatus.AWAITING_OPERATOR:
            return True
        case RefundStatus.REQUESTED:
            return part.attempt_id is None and part.way is Way.PROVIDER
        case RefundStatus.UNKNOWN:
            return part.submitted_at is not None and now > part.submitted_at + REMEMBERED_FOR
        case _:
            return False


def _locked_part(
    refund_id: UUID, part_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> tuple[GoingBack, Refund, RefundPart]:
    """Lock in the one order: what was paid, the payment, the refund."""
    back = GoingBack.locked(uow.refunds.payment_of(refund_id), uow=uow, clock=clock, new_id=new_id)
    refund = uow.refunds.get(refund_id)
    return back, refund, refund.part(part_id)


def _refuse_own(back: GoingBack, actor_id: UUID | None) -> None:
    """Nobody gives money back to themselves. Raises OwnRequest."""
    if actor_id is not None and actor_id in (back.payment.user_id, back.payment.agent_id):
        raise OwnRequest()


def _same(known: Refund, command: RequestRefund) -> Refund:
    """The refund that this key asked for before, if it was the same."""
    if known.payment_id != command.payment_id or known.destination is not command.destination:
        raise RefundKeyReused()
    if command.amount not in (None, known.amount):
        raise RefundKeyReused()
    return known


def _same_suspense(known: Refund, command: RefundSuspense) -> Refund:
    """The refund of this money that the key asked for before, if it has not come to nothing."""
    for part in known.living_parts:
        of_it = (part.receipt_id, part.amount) == (command.receipt_id, command.amount)
        if of_it and part.status is not RefundStatus.FAILED:
            return known
    raise RefundKeyReused()


def _new_refund(back: GoingBack, amount: Money, command: RequestRefund) -> Refund:
    now = back.clock.now()
    return Refund(
        id=back.new_id(),
        refund_number=document_number("RF", business_date(now).year, back.uow.refunds.next_serial()),
        payment_id=back.payment.id,
        user_id=back.payment.user_id,
        amount=amount,
        reason=command.reason,
        destination=command.destination,
        origin=Origin.STAFF if command.actor_id is not None else Origin.SYSTEM,
        requested_by=command.actor_id,
        idempotency_key=command.idempotency_key,
        status=RefundStatus.REQUESTED,
        created_at=now,
        updated_at=now,
    )


def _new_part(back: GoingBack, refund: Refund, amount: Money, way: Way, *, position: int) -> RefundPart:
    part_id, now = back.new_id(), back.clock.now()
    return RefundPart(
        id=part_id,
        refund_id=refund.id,
        position=position,
        tender_id=None,
        receipt_id=None,
        attempt_id=None,
        way=way,
        amount=amount,
        status=RefundStatus.AWAITING_OPERATOR if way is Way.OPERATOR else RefundStatus.REQUESTED,
        merchant_reference=reference_of(part_id),
        provider=None if way is Way.OWN else back.payment.provider,
        next_try_at=now if way is Way.PROVIDER else None,
        updated_at=now,
    )


def _successor(back: GoingBack, refund: Refund, part: RefundPart, way: Way) -> RefundPart:
    """Another try at the same amount of the same money. Raises IllegalTransition unless the first FAILED."""
    is_ours = part.tender_id is not None or part.receipt_id is not None
    if part.status is not RefundStatus.FAILED or part.is_replaced or part.way is Way.OWN or not is_ours:
        raise IllegalTransition(current=part.status, wanted=RefundStatus.REQUESTED)
    made = _new_part(back, refund, part.amount, way, position=len(refund.parts))
    made.tender_id, made.receipt_id, made.attempt_id = part.tender_id, part.receipt_id, part.attempt_id
    return made


def _begin(back: GoingBack, refund: Refund) -> None:
    """Do at once what is in our own books, and tell of the refund."""
    refund.asked_for(at=back.clock.now())
    for part in refund.living_parts:
        if part.way is Way.OWN and part.status is RefundStatus.REQUESTED:
            back.succeed(refund, part)


def _audit(refund: Refund, action: str, actor: UUID | None, told: dict[str, str], back: GoingBack) -> None:
    at: datetime = back.clock.now()
    back.uow.audit.add(
        actor=actor,
        action=action,
        resource_type="REFUND",
        resource_id=refund.id,
        changes={
            "before": {},
            "after": {"status": refund.status, "amount": str(refund.amount), "payment_id": str(refund.payment_id)},
            **told,
        },
        at=at,
    )
