"""What cancelling a booking would do, worked out under the same locks as doing it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import orjson

from application import shown
from application.billing.payables import Rewards
from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refund_plans import PlannedPart, RefundPlan, plan_refund
from application.identity.ports import KeyedDigests
from application.payouts.earning import shared_items
from application.ports import UnitOfWork
from application.sales.booking_points import bonus_at_stake
from domain.billing.refunds import Destination, Way, newest_first, refundable
from domain.billing.tenders import TenderKind
from domain.payouts.earnings import shares_lost
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.sales.cancellation import AppliedTier, CancellationPreviewStale, Settlement, Split, split
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage

TOKEN_LIFETIME: Final = timedelta(minutes=15)
_PURPOSE: Final = "cancellation"


class Promotions(StrEnum):
    """What becomes of the voucher and the offers that a price counted on."""

    NONE = "NONE"
    """The price counted on none."""
    RETURNED = "RETURNED"
    """Everything comes back, so they can be used again."""
    KEPT = "KEPT"
    """A part is kept, and with it their benefit: they stay used (trap 31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationPlan:
    """All that cancelling would do. `points_taken` and `cashback_taken` are what was earned by what goes back.

    `payments_cancelled` are those that wait for money; `refunds` are one for each payment that something goes back of,
    newest first. Of a trip that is cancelled nobody but the company keeps anything: vendor and agent lose all that they
    would have earned.
    """

    booking_id: UUID
    agent_id: UUID | None
    applied: AppliedTier
    paid: Money
    refunded_before: Money
    settlement: Settlement
    seats_returned: int
    payments_cancelled: tuple[UUID, ...]
    refunds: tuple[RefundPlan, ...]
    rewards_taken: Rewards
    promotions: Promotions
    status_after: BookingStatus

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same."""
        settled, rewards = self.settlement, self.rewards_taken
        said = [
            str(self.booking_id), str(self.applied.refund), str(self.paid), str(self.refunded_before),
            str(settled.refund), str(settled.kept), settled.points_restored, self.seats_returned,
            [str(payment_id) for payment_id in self.payments_cancelled], rewards.points, str(rewards.cashback),
            str(rewards.partners.vendor), str(rewards.partners.agent),
            self.promotions, self.status_after,
            [[str(refund.payment_id), str(refund.amount), _said(refund.parts)] for refund in self.refunds],
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


def _said(parts: Sequence[PlannedPart]) -> list[list[object]]:
    return [[str(part.share.tender.id), str(part.share.amount), part.way, part.points] for part in parts]


def plan_cancellation(
    booking: Booking,
    applied: AppliedTier,
    paid: Sequence[GoingBack],
    *,
    kept_fees: Money,
    waiting: tuple[UUID, ...],
    gateways: Gateways,
    uow: UnitOfWork,
) -> CancellationPlan:
    """Plan it under lock; `paid` are the booking's payments that were settled. Raises PaymentDisputed.

    The terms' share is of what has not gone back, nor is on its way: what was refunded before was a lower price. Fees
    of amendments are kept beside that share.
    """
    unit = booking.final_amount.currency.code
    left = total((refundable(back.payment.tenders, unit) for back in paid), unit)
    parted = split(left, points=booking.price.points, share=applied.refund, kept_fees=kept_fees)
    refunds = planned_refunds(parted.refund, paid, gateways)
    status_after = _status_after(booking, refunds)
    settlement = _settlement(parted, [part for refund in refunds for part in refund.parts])
    rewards = rewards_taken(parted.refund, paid, uow)
    return CancellationPlan(
        booking_id=booking.id,
        agent_id=booking.agent_id,
        applied=applied,
        paid=booking.paid_amount,
        refunded_before=booking.refunded_amount,
        settlement=settlement,
        seats_returned=booking.seats_kept + (booking.amendment.seats_held if booking.amendment is not None else 0),
        payments_cancelled=waiting,
        refunds=refunds,
        rewards_taken=replace(
            rewards,
            points=rewards.points + _free_bonus_taken(booking, applied.refund, uow),
            partners=shares_lost(booking.expected_amount, Money.zero(unit), shared_items(booking)),
        ),
        promotions=_promotions(booking, parted, status_after),
        status_after=status_after,
    )


def planned_refunds(amount: Money, paid: Sequence[GoingBack], gateways: Gateways) -> tuple[RefundPlan, ...]:
    """An amount of what was paid goes back: of the newest payments, each as far as it goes.

    Within a payment its tenders share in proportion (guarantee M6)."""
    backs = {back.payment.id: back for back in paid}
    return tuple(
        plan_refund(backs[payment.id], part, Destination.ORIGINAL, gateways)
        for payment, part in newest_first(amount, [back.payment for back in paid])
    )


def _settlement(parted: Split, parts: Iterable[PlannedPart]) -> Settlement:
    sums = {kind: Money(0, parted.kept.currency) for kind in TenderKind}
    points = 0
    for part in parts:
        sums[part.share.tender.kind] += part.share.amount
        points += part.points or 0
    return Settlement(
        to_original=sums[TenderKind.GATEWAY],
        to_wallet=sums[TenderKind.WALLET],
        to_voucher_credit=sums[TenderKind.VOUCHER_CREDIT],
        in_points=sums[TenderKind.POINTS],
        kept=parted.kept,
        to_agent=sums[TenderKind.AGENT_CREDIT],
        points=points,
        points_restored=parted.points_restored,
    )


def rewards_taken(amount: Money, paid: Sequence[GoingBack], uow: UnitOfWork) -> Rewards:
    """What all refunds together take; each by itself would round differently."""
    if not amount.is_positive:
        return Rewards.none(amount.currency)
    return paid[0].payable.rewards_at_stake(amount, uow=uow)


def _free_bonus_taken(booking: Booking, back: Percentage, uow: UnitOfWork) -> int:
    """What is taken of the bonus of a trip that cost nothing: no refund of it does."""
    if booking.is_unpaid or not booking.is_free:
        return 0
    nothing = Money(0, booking.final_amount.currency)
    promised = booking.bonus_left(back)
    return bonus_at_stake(booking, promised=promised, paid=nothing, refunded=nothing, uow=uow)


def _promotions(booking: Booking, parted: Split, status_after: BookingStatus) -> Promotions:
    if not booking.uses_promotions:
        return Promotions.NONE
    is_nothing_kept = parted.returns_promotions or status_after is BookingStatus.REFUNDED
    return Promotions.RETURNED if is_nothing_kept else Promotions.KEPT


def _status_after(booking: Booking, refunds: Sequence[RefundPlan]) -> BookingStatus:
    """REFUNDED where all that was paid has gone back when cancelling is done: in our own books, that is at once."""
    at_once = total(
        (part.share.amount for refund in refunds for part in refund.parts if part.way is Way.OWN),
        booking.paid_amount.currency.code,
    )
    all_back = booking.paid_amount.is_positive and booking.refunded_amount + at_once == booking.paid_amount
    return BookingStatus.REFUNDED if all_back else BookingStatus.CANCELLED


def token_of(plan: CancellationPlan, *, digests: KeyedDigests, at: datetime) -> str:
    """What commits exactly this plan, until TOKEN_LIFETIME is over."""
    return shown.token_of(plan.fingerprint, purpose=_PURPOSE, until=at + TOKEN_LIFETIME, digests=digests)


def agreed_plan(token: str, *, digests: KeyedDigests, at: datetime) -> str:
    """The fingerprint of the plan that a token agrees to. Raises CancellationPreviewStale for any other text."""
    plan = shown.fingerprint_in(token, purpose=_PURPOSE, at=at, digests=digests)
    if plan is None:
        raise CancellationPreviewStale()
    return plan
