"""What a refund would do, worked out under the same locks as doing it: shown first, then agreed to by its token."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from application import shown
from application.billing.ports import Gateways, UnknownGateway
from application.billing.refund_effects import GoingBack
from application.identity.ports import KeyedDigests
from application.ports import UnitOfWork
from domain.billing.payments import PaymentStatus, PaymentType
from domain.billing.refunds import (
    Destination,
    PaymentDisputed,
    RefundPreviewStale,
    Share,
    Way,
    refundable,
    shares_of,
)
from domain.billing.tenders import TenderKind
from domain.ledger import accounts
from domain.ledger.reversals import reversing
from domain.payouts.earnings import SharesLost
from domain.shared.clock import Clock
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money, total

TOKEN_LIFETIME: Final = timedelta(minutes=15)
_PURPOSE: Final = "refund"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """What goes back to one tender, and how: `points` with a part of points, `attempt_id` of the charge it is of."""

    share: Share
    way: Way
    points: int | None = None
    attempt_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """All that a refund would do. `points_taken` and `cashback_taken` are what was earned by what goes back, `partners`
    what vendor and agent earned by it.
    """

    payment_id: UUID
    destination: Destination
    amount: Money
    left_afterwards: Money
    parts: tuple[PlannedPart, ...]
    points_taken: int
    cashback_taken: Money
    partners: SharesLost
    payment_status_after: PaymentStatus

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same."""
        said = [
            str(self.payment_id), self.destination, str(self.amount), str(self.left_afterwards), self.points_taken,
            str(self.cashback_taken), str(self.partners.vendor), str(self.partners.agent), self.payment_status_after,
            [[str(part.share.tender.id), str(part.share.amount), part.way, part.points] for part in self.parts],
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRefund:
    """What a refund would do; None is everything that is left."""

    payment_id: UUID
    amount: Money | None
    destination: Destination


def preview_refund(
    command: PreviewRefund, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> RefundPlan:
    """Work a refund out and do nothing. Raises what asking for it would raise."""
    with uow:
        back = GoingBack.locked(command.payment_id, uow=uow, clock=clock, new_id=new_id)
        return plan_refund(back, command.amount, command.destination, gateways)


def plan_refund(back: GoingBack, amount: Money | None, destination: Destination, gateways: Gateways) -> RefundPlan:
    """Plan a refund of a payment under lock.

    Raises IllegalTransition for one that is not paid, PaymentDisputed, RefundAboveCapture, InvalidValue.
    """
    payment = back.payment
    if payment.paid_at is None:
        raise IllegalTransition(current=payment.status, wanted=PaymentStatus.REFUNDED)
    if back.uow.disputes.is_open(payment.id):
        raise PaymentDisputed()
    if payment.payment_type is PaymentType.WALLET_DEPOSIT and destination is Destination.WALLET:
        raise InvalidValue("a deposit is in the wallet already", pointer="/destination", code="not_offered")
    code = payment.amount.currency.code
    shares = shares_of(amount, payment.tenders, code)
    whole = total((share.amount for share in shares), code)
    is_whole = payment.refund_amount + whole == payment.amount
    rewards = back.payable.rewards_at_stake(whole, uow=back.uow)
    return RefundPlan(
        payment_id=payment.id,
        destination=destination,
        amount=whole,
        left_afterwards=refundable(payment.tenders, code) - whole,
        parts=tuple(part for share in shares for part in _planned(back, share, destination, gateways)),
        points_taken=rewards.points,
        cashback_taken=rewards.cashback,
        partners=rewards.partners,
        payment_status_after=PaymentStatus.REFUNDED if is_whole else PaymentStatus.PARTIALLY_REFUNDED,
    )


def _planned(back: GoingBack, share: Share, destination: Destination, gateways: Gateways) -> list[PlannedPart]:
    tender = share.tender
    if tender.kind is TenderKind.POINTS and tender.journal_id is not None:
        posted = back.uow.reversals.get(tender.journal_id).journal
        own = accounts.points(back.payment.user_id)
        points = sum(entry.amount_minor for entry in reversing(posted, share.amount) if entry.account == own)
        return [PlannedPart(share, Way.OWN, points)]
    if tender.is_own or destination is Destination.WALLET:
        return [PlannedPart(share, Way.OWN)]
    return _by_charge(back, share, way_at(back.payment.provider, gateways))


def _by_charge(back: GoingBack, share: Share, way: Way) -> list[PlannedPart]:
    """One part for each charge, none larger than what is left of it; what no charge is known of, an operator finds."""
    left, parts = share.amount, []
    for attempt_id, room in back.charges_left(share.tender):
        amount = min(left, room)
        if amount.is_positive:
            parts.append(PlannedPart(Share(share.tender, amount), way, attempt_id=attempt_id))
            left -= amount
    if left.is_positive:
        parts.append(PlannedPart(Share(share.tender, left), Way.OPERATOR))
    return parts


def way_at(provider: str | None, gateways: Gateways) -> Way:
    """Whether a provider gives money back when it is asked, or a person has to; also for one no longer enabled."""
    try:
        can_refund = gateways.get(provider or "").capabilities.refunds
    except UnknownGateway:
        can_refund = False
    return Way.PROVIDER if can_refund else Way.OPERATOR


def token_of(plan: RefundPlan, *, digests: KeyedDigests, at: datetime) -> str:
    """What commits exactly this plan, until TOKEN_LIFETIME is over."""
    return shown.token_of(plan.fingerprint, purpose=_PURPOSE, until=at + TOKEN_LIFETIME, digests=digests)


def agreed_plan(token: str, *, digests: KeyedDigests, at: datetime) -> str:
    """The fingerprint of the plan that a token agrees to. Raises RefundPreviewStale for any other text."""
    plan = shown.fingerprint_in(token, purpose=_PURPOSE, at=at, digests=digests)
    if plan is None:
        raise RefundPreviewStale()
    return plan
