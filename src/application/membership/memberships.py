"""Subscribing to a membership plan."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.ports import UnitOfWork
from domain.membership.memberships import AlreadySubscribed, MembershipSubscription
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """A customer wants a plan; it becomes active when it is paid."""

    user_id: UUID
    plan_code: str


def subscribe(command: Subscribe, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Ask for a membership. Raises PlanNotFound, PlanNotForSale, or AlreadySubscribed."""
    now = clock.now()
    with uow:
        plan = uow.memberships.plan(command.plan_code)
        if uow.memberships.active_of(command.user_id) is not None:
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
