"""Plans and subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from application.queries import Row
from domain.membership.memberships import (
    MembershipPlan,
    MembershipSubscription,
    PlanNotFound,
    SubscriptionNotFound,
)
from domain.shared.money import Money
from infrastructure.database.membership.tables import membership_subscriptions
from infrastructure.database.transaction import Statements

_PLAN = "SELECT * FROM membership_plans WHERE tier_code = %s AND is_active"
_PLAN_OF = "SELECT * FROM membership_plans WHERE id = %s"
_LAPSED = """
SELECT id FROM membership_subscriptions WHERE status = 'ACTIVE' AND expiry_date < %s ORDER BY expiry_date, id LIMIT %s
"""
_ACTIVE_OF = "SELECT id FROM membership_subscriptions WHERE user_id = %s AND status = 'ACTIVE'"


class SqlMemberships:
    """Implements `application.membership.ports.Memberships`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[MembershipSubscription] = []

    def plan(self, tier_code: str) -> MembershipPlan:
        return _plan_from(self._statements.row(_PLAN, (tier_code,)))

    def plan_of(self, subscription: MembershipSubscription) -> MembershipPlan:
        return _plan_from(self._statements.row(_PLAN_OF, (subscription.plan_id,)))

    def add(self, subscription: MembershipSubscription) -> None:
        self._statements.session.add(subscription)
        self.seen.append(subscription)

    def get(self, subscription_id: UUID) -> MembershipSubscription:
        query = (
            select(MembershipSubscription)
            .where(membership_subscriptions.c.id == subscription_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        subscription = self._statements.session.scalars(query).one_or_none()
        if subscription is None:
            raise SubscriptionNotFound()
        self.seen.append(subscription)
        return subscription

    def active_of(self, user_id: UUID) -> UUID | None:
        row = self._statements.row(_ACTIVE_OF, (user_id,))
        return row["id"] if row is not None else None

    def lapsed(self, *, on: date, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_LAPSED, (on, limit))]

    def flush(self) -> None:
        self._statements.flush()

    def next_serial(self) -> int:
        row = self._statements.row("SELECT nextval('membership_numbers') AS serial")
        return int(row["serial"]) if row else 0


def _plan_from(row: Row | None) -> MembershipPlan:
    if row is None:
        raise PlanNotFound()
    return MembershipPlan(
        id=row["id"],
        tier_code=row["tier_code"],
        tier_name_ar=row["tier_name_ar"],
        tier_name_en=row["tier_name_en"],
        tier_order=row["tier_order"],
        price=Money.of(row["price_minor"], row["currency"]),
        cashback_rate=int(row["cashback_rate"] * 100),
        points_multiplier=int(row["points_multiplier"] * 100),
        color_hex=row["color_hex"],
    )
