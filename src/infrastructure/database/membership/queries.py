"""Plans and subscriptions as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_PLANS = """
SELECT id, tier_code, tier_name_ar, tier_name_en, tier_order, price_minor, currency, cashback_rate,
       points_multiplier, color_hex
FROM membership_plans WHERE is_active ORDER BY tier_order
"""
_SUBSCRIPTIONS = """
SELECT s.id, s.membership_number, s.user_id, s.price_minor, s.currency, s.status, s.start_date, s.expiry_date,
       s.created_at, l.tier_code, l.tier_name_ar, l.tier_name_en,
       CASE WHEN s.status = 'PENDING_PAYMENT' THEN s.price_minor ELSE 0 END AS amount_due_minor
FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
WHERE (%(owner)s::uuid IS NULL OR s.user_id = %(owner)s)
"""


class SqlMembershipQueries:
    """Implements `application.queries.MembershipQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plans(self) -> Sequence[Row]:
        return self._database.rows(_PLANS)

    def subscription(self, subscription_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_SUBSCRIPTIONS + " AND s.id = %(id)s", {"id": subscription_id, "owner": owner})

    def subscriptions(self, *, owner: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "s.created_at", "s.id")
        sql = f"{_SUBSCRIPTIONS} AND {condition} ORDER BY s.created_at DESC, s.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"owner": owner, **page_values(after, limit)})
