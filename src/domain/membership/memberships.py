"""Membership plans, and subscriptions to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money

TERM = timedelta(days=365)


class PlanNotFound(NotFound):
    """No active plan has this code."""

    code = "plan_not_found"


class SubscriptionNotFound(NotFound):
    """There is no such subscription, or it is not the viewer's."""

    code = "subscription_not_found"


class PlanNotForSale(RuleBroken):
    """The plan costs nothing: everybody has it."""

    code = "plan_not_for_sale"


class AlreadySubscribed(Conflict):
    """The customer has a subscription that is active; renewal and upgrade are other doors."""

    code = "already_subscribed"


class SubscriptionStatus(StrEnum):
    """Where a subscription stands."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


NEXT = {
    SubscriptionStatus.PENDING_PAYMENT: {SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLED},
    SubscriptionStatus.ACTIVE: {SubscriptionStatus.EXPIRED, SubscriptionStatus.CANCELLED},
    # Renewed after its end, it begins anew.
    SubscriptionStatus.EXPIRED: {SubscriptionStatus.ACTIVE},
    # Only where the refund that cancelled it came back.
    SubscriptionStatus.CANCELLED: {SubscriptionStatus.ACTIVE, SubscriptionStatus.EXPIRED},
}


@dataclass(frozen=True, slots=True)
class MembershipPlan:
    """A tier: what it costs for a year, and what it gives. Rates are in hundredths (5 % is 500, ×1.50 is 150)."""

    id: UUID
    tier_code: str
    tier_name_ar: str
    tier_name_en: str
    tier_order: int
    price: Money
    cashback_rate: int
    points_multiplier: int
    color_hex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipActivated(DomainEvent):
    name: ClassVar[str] = "membership.activated"
    subscription_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRenewed(DomainEvent):
    name: ClassVar[str] = "membership.renewed"
    subscription_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipExpired(DomainEvent):
    """Its last day is over, and nobody has paid another year."""

    name: ClassVar[str] = "membership.expired"
    subscription_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipCancelled(DomainEvent):
    """All that was paid for it was refunded."""

    name: ClassVar[str] = "membership.cancelled"
    subscription_id: UUID
    user_id: UUID


@dataclass(eq=False, kw_only=True)
class MembershipSubscription(Aggregate):
    """One customer's year of one plan."""

    id: UUID
    membership_number: str
    user_id: UUID
    plan_id: UUID
    price: Money
    status: SubscriptionStatus
    created_at: datetime
    start_date: date | None = None
    expiry_date: date | None = None

    @classmethod
    def request(
        cls,
        *,
        subscription_id: UUID,
        membership_number: str,
        user_id: UUID,
        plan: MembershipPlan,
        at: datetime,
    ) -> MembershipSubscription:
        """A subscription that becomes active when it is paid. Raises PlanNotForSale for the free tier."""
        if not plan.price.is_positive:
            raise PlanNotForSale(plan=plan.tier_code)
        return cls(
            id=subscription_id,
            membership_number=membership_number,
            user_id=user_id,
            plan_id=plan.id,
            price=plan.price,
            status=SubscriptionStatus.PENDING_PAYMENT,
            created_at=at,
        )

    def activate(self, *, on: date, at: datetime) -> None:
        """Paid: the year begins today."""
        self._move_to(SubscriptionStatus.ACTIVE)
        self.start_date = on
        self.expiry_date = on + TERM
        self.record(MembershipActivated(at=at, subscription_id=self.id, user_id=self.user_id))

    def takes_payment(self, *, on: date) -> bool:
        """Whether it can be bought, or renewed: nobody is more than one year ahead."""
        if self.status is SubscriptionStatus.ACTIVE and self.expiry_date is not None:
            return self.expiry_date - on <= TERM
        return self.status in (SubscriptionStatus.PENDING_PAYMENT, SubscriptionStatus.EXPIRED)

    def renew(self, *, on: date, at: datetime) -> None:
        """Paid again: one more year, from the end of the one that runs, or from today."""
        if self.status is not SubscriptionStatus.ACTIVE:
            self._move_to(SubscriptionStatus.ACTIVE)
            self.start_date = on
        self.expiry_date = max(self.expiry_date or on, on) + TERM
        self.record(MembershipRenewed(at=at, subscription_id=self.id, user_id=self.user_id))

    def expire(self, *, on: date, at: datetime) -> bool:
        """End it where its last day is over; whether it was this that ended it."""
        if self.status is not SubscriptionStatus.ACTIVE or self.expiry_date is None or self.expiry_date >= on:
            return False
        self._end(at)
        return True

    def lose_year(self, *, is_only: bool, on: date, at: datetime) -> None:
        """What paid a year was refunded whole: it ends a year sooner, or with the only year that was paid at once."""
        if not is_only:
            self.expiry_date = (self.expiry_date or on) - TERM
            if self.status is SubscriptionStatus.ACTIVE and self.expiry_date <= on:
                self._end(at)
        elif self.status is SubscriptionStatus.ACTIVE:
            self._move_to(SubscriptionStatus.CANCELLED)
            self.record(MembershipCancelled(at=at, subscription_id=self.id, user_id=self.user_id))

    def regain_year(self, *, is_only: bool, has_another: bool, on: date, at: datetime) -> None:
        """That refund came back. Whoever has bought another membership meanwhile keeps that one.

        `is_only`: no other year of it is paid; what was cancelled kept the year that is paid again.
        """
        if not is_only and self.status is not SubscriptionStatus.CANCELLED:
            self.expiry_date = (self.expiry_date or on) + TERM
        runs = self.expiry_date is not None and self.expiry_date > on
        if runs and not has_another and self.status in (SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED):
            self._move_to(SubscriptionStatus.ACTIVE)
            self.record(MembershipActivated(at=at, subscription_id=self.id, user_id=self.user_id))

    def _end(self, at: datetime) -> None:
        self._move_to(SubscriptionStatus.EXPIRED)
        self.record(MembershipExpired(at=at, subscription_id=self.id, user_id=self.user_id))

    def _move_to(self, status: SubscriptionStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
