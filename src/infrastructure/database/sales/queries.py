"""Bookings as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from application.pricing.ports import Item
from application.queries import CHANGES, NEWEST, After, Row
from application.sales.ports import OnSale
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.sales.on_sale import OFFERED, offered_of, sale_values
from infrastructure.database.transaction import Database

_COLUMNS = """
    b.id, b.booking_number, b.user_id, b.agent_id, b.booking_source, b.booking_type, b.package_id, b.activity_id,
    b.departure_id, b.booking_details, b.status, b.payment_status, b.price_lines, b.base_amount_minor,
    b.discount_amount_minor, b.voucher_discount_minor, b.tax_amount_minor, b.fee_amount_minor, b.final_amount_minor,
    b.points_redeemed, b.paid_amount_minor, b.currency,
    b.special_requests, b.start_date, b.end_date, b.travelers_count, b.cancellation_reason, b.cancelled_at,
    b.created_at, b.updated_at,
    CASE WHEN b.status IN ('CANCELLED', 'REFUNDED') THEN 0 ELSE b.final_amount_minor - b.paid_amount_minor END
        AS amount_due_minor,
    CASE WHEN h.status = 'ACTIVE' THEN h.expires_at END AS hold_expires_at
"""
_ONE = f"""
SELECT {_COLUMNS}, b.replaces_booking_id,
       (SELECT r.id FROM bookings r WHERE r.replaces_booking_id = b.id) AS replaced_by_booking_id,
       (SELECT json_agg(json_build_object(
            'id', i.id, 'booking_type', i.booking_type, 'item_name_ar', i.item_name_ar, 'item_name_en', i.item_name_en,
            'quantity', i.quantity, 'unit_price_minor', i.unit_price_minor, 'price_minor', i.price_minor,
            'discount_minor', i.discount_minor, 'tax_minor', i.tax_minor, 'fee_minor', i.fee_minor,
            'total_price_minor', i.total_price_minor, 'currency', i.currency, 'details', i.item_details,
            'notes', i.notes) ORDER BY i.id)
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

    def on_sale(
        self, item: Item, *, departure_id: UUID | None, buyer_id: UUID, currency: str | None, at: datetime
    ) -> OnSale | None:
        values = sale_values(item.id, departure_id=departure_id, buyer_id=buyer_id, currency=currency, at=at)
        row = self._database.row(OFFERED[item.kind], values)
        return offered_of(row, item, currency) if row is not None else None
