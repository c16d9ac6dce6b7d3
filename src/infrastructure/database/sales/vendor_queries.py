"""Bookings of vendors' own packages and activities, as their vendors see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from application.queries import NEWEST, After, Row
from application.sales.ports import BookingSearch
from infrastructure.database.pages import Order, order_sql, page_values
from infrastructure.database.payouts.expected import EXPECTED, PART
from infrastructure.database.sales.rows import items_shown
from infrastructure.database.sales.searching import conditions_of
from infrastructure.database.transaction import Database

# Of its customer nothing but the first name; of its items only the vendor's own.
_BOOKINGS: Final = f"""
SELECT b.id, b.booking_number, b.status, b.booking_type, b.package_id, b.activity_id, b.departure_id, b.start_date,
       b.end_date, b.time_zone, b.travelers_count, b.customer_info->>'first_name' AS customer_first_name,
       b.no_show_at IS NOT NULL AS no_show, b.currency, b.created_at, b.updated_at,
       (SELECT json_agg(json_build_object('id', i.id, 'item_name_ar', i.item_name_ar, 'item_name_en', i.item_name_en,
                                          'quantity', i.quantity) ORDER BY i.id)
        FROM booking_items i WHERE i.booking_id = b.id AND i.vendor_id = %(vendor)s) AS items,
       coalesce(CASE
           WHEN b.status IN ('CONFIRMED', 'IN_PROGRESS') THEN
               (SELECT sum({EXPECTED["VENDOR"]}) FROM booking_items i {PART}
                WHERE i.booking_id = b.id AND i.vendor_id = %(vendor)s)
           WHEN b.status = 'COMPLETED' THEN
               (SELECT sum(e.amount_minor - e.reversed_amount_minor) FROM earnings e
                WHERE e.booking_id = b.id AND e.payee_id = %(vendor)s AND e.payee_type = 'VENDOR')
       END, 0)::bigint AS your_share_minor
FROM bookings b
WHERE b.id IN (SELECT i.booking_id FROM booking_items i WHERE i.vendor_id = %(vendor)s)
"""
_NOT_ARCHIVED: Final = " AND b.archived_at IS NULL"
_ORDERS: Final = {
    NEWEST: Order("b.created_at", "b.id", descending=True),
    "created_at": Order("b.created_at", "b.id"),
    "start_date": Order("b.start_date", "b.id", "date"),
    "-start_date": Order("b.start_date", "b.id", "date", descending=True),
}


class SqlVendorQueries:
    """Implements `application.queries.VendorQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bookings(
        self, vendor_id: UUID, *, search: BookingSearch, limit: int, after: After | None, order: str = NEWEST
    ) -> Sequence[Row]:
        where, values = conditions_of(search)
        where += ("" if search.archived else _NOT_ARCHIVED) + order_sql(_ORDERS[order], after, None)
        values |= {"vendor": vendor_id, **page_values(after, limit)}
        rows = self._database.rows(_BOOKINGS + where, values, replan=True)
        return [{**row, "items": items_shown(row)} for row in rows]
