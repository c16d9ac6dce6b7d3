"""Bookings as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from application.queries import CHANGES, NEWEST, After, Row
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.transaction import Database

_COLUMNS = """
    b.id, b.booking_number, b.user_id, b.agent_id, b.booking_source, b.booking_type, b.package_id, b.departure_id,
    b.status, b.payment_status, b.price_lines, b.base_amount_minor, b.discount_amount_minor,
    b.voucher_discount_minor, b.tax_amount_minor, b.final_amount_minor, b.paid_amount_minor, b.currency,
    b.special_requests, b.start_date, b.end_date, b.travelers_count, b.cancellation_reason, b.cancelled_at,
    b.created_at, b.updated_at,
    CASE WHEN b.status IN ('CANCELLED', 'REFUNDED') THEN 0 ELSE b.final_amount_minor - b.paid_amount_minor END
        AS amount_due_minor,
    CASE WHEN h.status = 'ACTIVE' THEN h.expires_at END AS hold_expires_at
"""
_ONE = f"""
SELECT {_COLUMNS},
       (SELECT json_agg(json_build_object(
            'id', i.id, 'item_name_ar', i.item_name_ar, 'item_name_en', i.item_name_en, 'quantity', i.quantity,
            'unit_price_minor', i.unit_price_minor, 'total_price_minor', i.total_price_minor,
            'currency', i.currency) ORDER BY i.id)
        FROM booking_items i WHERE i.booking_id = b.id) AS items
FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.id = %(id)s AND (%(owner)s::uuid IS NULL OR b.user_id = %(owner)s OR b.agent_id = %(owner)s)
"""
# One statement for each viewer, so that each has the plan of its own index.
_OWN = f"""
SELECT {_COLUMNS} FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.user_id = %(owner)s
"""
_ALL = f"""
SELECT {_COLUMNS} FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE true
"""
_FILTERS = {"status": "b.status = %(status)s", "departure_id": "b.departure_id = %(departure_id)s"}
_ORDERS = {
    NEWEST: Order("b.created_at", "b.id", descending=True),
    "created_at": Order("b.created_at", "b.id"),
    "start_date": Order("b.start_date", "b.id", "date"),
    "-start_date": Order("b.start_date", "b.id", "date", descending=True),
    CHANGES: Order("b.updated_at", "b.id"),
}

_HISTORY = """
SELECT from_status, to_status, changed_by_user_id, change_reason, changed_at
FROM booking_status_history WHERE booking_id = %s ORDER BY id
"""
_VISIBLE = """
SELECT 1 FROM bookings WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR user_id = %(owner)s OR agent_id = %(owner)s)
"""
_QUOTE_BASIS = f"""
SELECT p.name_ar, p.name_en, {PRICE_NOW.format(packages="p")} AS price_minor, p.currency, p.tax_rate, p.tax_inclusive,
       p.min_travelers, p.max_travelers, d.starts_on, d.ends_on, d.capacity - d.seats_taken AS seats_left,
       d.status AS departure_status, coalesce(m.tier_code, 'GUEST') AS tier_code,
       coalesce(m.cashback_rate, 0) AS cashback_rate, coalesce(m.points_multiplier, 1) AS points_multiplier
FROM packages p
LEFT JOIN departures d ON d.package_id = p.id AND d.id = %(departure_id)s
LEFT JOIN LATERAL (
    SELECT l.tier_code, l.cashback_rate, l.points_multiplier
    FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
    WHERE s.user_id = %(buyer_id)s AND s.status = 'ACTIVE' AND s.expiry_date >= %(today)s LIMIT 1) m ON true
WHERE p.id = %(package_id)s AND p.status = 'ACTIVE'
"""


class SqlSalesQueries:
    """Implements `application.queries.SalesQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def booking(self, booking_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_ONE, {"id": booking_id, "owner": owner})

    def bookings(
        self,
        *,
        owner: UUID | None,
        status: str | None,
        departure_id: UUID | None,
        limit: int,
        after: After | None,
        order: str = NEWEST,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        values: dict[str, Any] = {"owner": owner, "status": status, "departure_id": departure_id}
        where = "".join(f" AND {sql}" for name, sql in _FILTERS.items() if values[name] is not None)
        return self._database.rows(
            (_ALL if owner is None else _OWN) + where + order_sql(_ORDERS[order], after, updated_after),
            {**values, **order_values(self._database, after, updated_after, limit)},
        )

    def history(self, booking_id: UUID, *, owner: UUID | None) -> Sequence[Row] | None:
        if self._database.row(_VISIBLE, {"id": booking_id, "owner": owner}) is None:
            return None
        return self._database.rows(_HISTORY, (booking_id,))

    def quote_basis(self, *, package_id: UUID, departure_id: UUID | None, buyer_id: UUID, today: date) -> Row | None:
        return self._database.row(
            _QUOTE_BASIS,
            {"package_id": package_id, "departure_id": departure_id, "buyer_id": buyer_id, "today": today},
        )
