"""Subscribing to a membership plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports import NewUnitOfWork, UnitOfWork
from domain.membership.memberships import AlreadySubscribed, MembershipSubscription, SubscriptionStatus
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId, document_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """A customer wants a plan; it becomes active when it is paid."""

    user_id: UUID
    plan_code: str


def subscribe(command: Subscribe, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Ask for a membership. Raises PlanNotFound, PlanNotForSale, or AlreadySubscribed while another one runs."""
    now = clock.now()
    with uow:
        plan = uow.memberships.plan(command.plan_code)
        if has_running(command.user_id, uow=uow, at=now):
            raise AlreadySubscribed()
        subscription = MembershipSubscription.request(
            subscription_id=new_id(),
            membership_number=document_number("MB", business_date(now).year, uow.memberships.next_serial()),
            user_id=command.user_id,
            plan=plan,
            at=now,
        )
        uow.memberships.add(subscription)
        uow.commit()
    return subscription.id


def has_running(user_id: UUID, *, uow: UnitOfWork, at: datetime, besides: UUID | None = None) -> bool:
    """Whether the customer has a membership that runs, `besides` one that is locked already.

    One whose time is over is ended first, under its lock.
    """
    active_id = uow.memberships.active_of(user_id)
    if active_id is None or active_id == besides:
        return False
    subscription = uow.memberships.get(active_id)
    if subscription.expire(on=business_date(at), at=at):
        uow.memberships.flush()
    return subscription.status is SubscriptionStatus.ACTIVE


def expire_lapsed(*, new_uow: NewUnitOfWork, clock: Clock, limit: int = 200) -> int:
    """End memberships whose last day is over, each in a transaction of its own; how many were ended."""
    with new_uow() as uow:
        lapsed = uow.memberships.lapsed(on=business_date(clock.now()), limit=limit)
    return sum(_expire_or_leave(subscription_id, uow=new_uow(), clock=clock) for subscription_id in lapsed)


def _expire_or_leave(subscription_id: UUID, *, uow: UnitOfWork, clock: Clock) -> bool:
    """One that somebody holds for longer than a lock is waited for is left to the next run."""
    now = clock.now()
    try:
        with uow:
            is_over = uow.memberships.get(subscription_id).expire(on=business_date(now), at=now)
            uow.commit()
    except Conflict:
        return False
    return is_over
