"""Memberships as use cases find and keep them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol
from uuid import UUID

from domain.membership.memberships import MembershipPlan, MembershipSubscription


class Memberships(Protocol):
    """Plans and subscriptions."""

    def plan(self, tier_code: str) -> MembershipPlan:
        """An active plan. Raises PlanNotFound."""
        ...

    def add(self, subscription: MembershipSubscription) -> None: ...

    def get(self, subscription_id: UUID) -> MembershipSubscription:
        """The subscription, locked. Raises NotFound."""
        ...

    def plan_of(self, subscription: MembershipSubscription) -> MembershipPlan:
        """The plan as it is sold now, on sale or not."""
        ...

    def active_of(self, user_id: UUID) -> UUID | None:
        """The customer's ACTIVE subscription, whether its time is over or not."""
        ...

    def lapsed(self, *, on: date, limit: int) -> Sequence[UUID]:
        """Subscriptions that are ACTIVE though their last day was before this one, oldest first; not locked."""
        ...

    def flush(self) -> None:
        """Write what changed now: one that has ended makes room for another of the same customer."""
        ...

    def next_serial(self) -> int: ...
