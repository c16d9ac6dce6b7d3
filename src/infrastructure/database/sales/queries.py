"""Bookings as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from application.queries import CHANGES, NEWEST, After, Row
from application.sales.policies import terms_shown
from application.sales.ports import BookingSearch, OnSale
from domain.catalogue.items import Item
from domain.sales.agreed import RewardTerms
from domain.sales.booking_errors import CustomerNotFound
from domain.sales.booking_states import BookingStatus
from domain.sales.instalments import Standing, standings
from domain.shared.clock import business_date
from domain.shared.money import Money
from infrastructure.database.ledger.points_queries import SqlPointsQueries
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.sales.on_sale import (
    BUYER_TERMS,
    OFFERED,
    offered_of,
    rewards_of,
    sale_values,
    terms_of,
)
from infrastructure.database.sales.rows import instalments_of, items_shown
from infrastructure.database.sales.searching import conditions_of
from infrastructure.database.transaction import Database

# As `Booking.amount_due` says.
_DUE = """
    CASE WHEN b.status IN ('CANCELLED', 'REFUNDED') THEN 0
         ELSE b.final_amount_minor + b.overpaid_amount_minor - b.paid_amount_minor END
    + CASE WHEN b.status = 'CONFIRMED' THEN
        coalesce((SELECT w.amount_minor - w.previous_amount_minor FROM booking_amendments w
                  WHERE w.booking_id = b.id AND w.status = 'PENDING'), 0) ELSE 0 END AS amount_due_minor
"""
_COLUMNS = f"""
    b.id, b.booking_number, b.user_id, b.agent_id, b.booking_source, b.booking_type, b.package_id, b.activity_id,
    b.departure_id, b.booking_details, b.status, b.payment_status, b.base_amount_minor, b.discount_amount_minor,
    b.voucher_discount_minor, b.tax_amount_minor, b.fee_amount_minor, b.final_amount_minor, b.points_redeemed,
    b.paid_amount_minor, b.currency,
    b.special_requests, b.start_date, b.end_date, b.time_zone, b.travelers_count, b.cancellation_reason,
    b.cancelled_at, b.no_show_at, b.no_show_at IS NOT NULL AS no_show, b.archived_at, b.created_at, b.updated_at,
    b.version,
    {_DUE},
    CASE WHEN h.status = 'ACTIVE' THEN h.expires_at END AS hold_expires_at
"""
# Everybody's without an owner; else theirs, and as an agent their customers'.
_SEEN = "(%(owner)s::uuid IS NULL OR b.user_id = %(owner)s OR b.agent_id = %(agent)s::uuid)"
_ONE = f"""
SELECT {_COLUMNS}, b.price_lines, b.customer_info, b.refunded_amount_minor, b.kept_amount_minor,
       b.cancellation_terms, b.time_zone,
       coalesce(b.starts_at, b.start_date::timestamp AT TIME ZONE b.time_zone) AS begins_at, b.replaces_booking_id,
       (SELECT r.id FROM bookings r WHERE r.replaces_booking_id = b.id) AS replaced_by_booking_id,
       (SELECT json_agg(json_build_object(
            'id', i.id, 'booking_type', i.booking_type, 'item_name_ar', i.item_name_ar, 'item_name_en', i.item_name_en,
            'quantity', i.quantity, 'unit_price_minor', i.unit_price_minor, 'price_minor', i.price_minor,
            'discount_minor', i.discount_minor, 'tax_minor', i.tax_minor, 'fee_minor', i.fee_minor,
            'total_price_minor', i.total_price_minor, 'currency', i.currency, 'details', i.item_details,
            'notes', i.notes) ORDER BY i.id)
        FROM booking_items i WHERE i.booking_id = b.id) AS items,
       (SELECT json_agg(p ORDER BY p.position) FROM booking_instalments p WHERE p.booking_id = b.id) AS instalments
FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.id = %(id)s AND {_SEEN}
"""
# One statement for each viewer, so that each has the plan of its own index.
_OWN = f"""
SELECT {_COLUMNS} FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.user_id = %(owner)s
"""
_CUSTOMERS = f"""
SELECT {_COLUMNS} FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.agent_id = %(agent)s AND b.user_id <> %(agent)s
"""
_ALL = f"""
SELECT {_COLUMNS} FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE true
"""
_NOT_ARCHIVED = " AND b.archived_at IS NULL"
_ORDERS = {
    NEWEST: Order("b.created_at", "b.id", descending=True),
    "created_at": Order("b.created_at", "b.id"),
    "start_date": Order("b.start_date", "b.id", "date"),
    "-start_date": Order("b.start_date", "b.id", "date", descending=True),
    "booking_number": Order("b.booking_number", "b.id", "text"),
    "-booking_number": Order("b.booking_number", "b.id", "text", descending=True),
    CHANGES: Order("b.updated_at", "b.id"),
}
_EXPORTED = f"""
SELECT b.id, b.booking_number, b.status, b.payment_status, b.booking_type, b.booking_source, b.created_at, b.start_date,
       b.end_date, b.travelers_count, b.customer_info, a.email AS agent_email, b.currency, b.base_amount_minor,
       b.discount_amount_minor, b.voucher_discount_minor, b.tax_amount_minor, b.fee_amount_minor, b.final_amount_minor,
       b.paid_amount_minor, b.refunded_amount_minor,
       {_DUE},
       (SELECT string_agg(i.item_name_ar, '، ' ORDER BY i.id) FROM booking_items i WHERE i.booking_id = b.id)
           AS items_ar,
       (SELECT string_agg(i.item_name_en, ', ' ORDER BY i.id) FROM booking_items i WHERE i.booking_id = b.id)
           AS items_en
FROM bookings b LEFT JOIN users a ON a.id = b.agent_id
WHERE {_SEEN}
"""


def _by_status(where: str) -> str:
    """Each status is named by itself: the best plan for a rare one is none for one that most bookings have."""
    counts = (
        f"SELECT {place} AS place, '{status}' AS status, (SELECT count(*) FROM ("
        f"SELECT 1 FROM bookings b WHERE b.status = '{status}'{where} LIMIT %(most)s) found) AS count"
        for place, status in enumerate(BookingStatus)
    )
    return f"SELECT status, count FROM ({' UNION ALL '.join(counts)}) counted ORDER BY place"


_SPAN = f"""
SELECT b.id, b.booking_number, b.status, b.start_date, b.end_date, b.time_zone, b.travelers_count, b.version,
       coalesce(b.starts_at, b.start_date::timestamp AT TIME ZONE b.time_zone) AS begins_at,
       (SELECT a.duration_hours FROM activities a WHERE a.id = b.activity_id) AS duration_hours,
       (SELECT string_agg(i.item_name_ar, '، ' ORDER BY i.id) FROM booking_items i WHERE i.booking_id = b.id)
           AS items_ar,
       (SELECT string_agg(i.item_name_en, ', ' ORDER BY i.id) FROM booking_items i WHERE i.booking_id = b.id)
           AS items_en, t.type_name_ar, t.type_name_en
FROM bookings b JOIN booking_types t ON t.type_code = b.booking_type
WHERE b.id = %(id)s AND {_SEEN}
"""
_TYPES = """
SELECT type_code, type_name_ar, type_name_en, icon_name, color_hex, display_order
FROM booking_types WHERE is_active ORDER BY display_order, type_code
"""
_HISTORY = """
SELECT from_status, to_status, changed_by_user_id, change_reason, changed_at
FROM booking_status_history WHERE booking_id = %s ORDER BY id
"""
_AMENDMENTS = """
SELECT id, status, previous_departure_id, departure_id, previous_start_date, start_date, previous_travelers_count,
       travelers_count, previous_amount_minor, amount_minor, amount_minor - previous_amount_minor AS difference_minor,
       fee_minor, refund_minor, points_restored, currency, requested_by_user_id, requested_at, expires_at, resolved_at,
       CASE WHEN status = 'PENDING' THEN amount_minor - previous_amount_minor ELSE 0 END AS amount_due_minor
FROM booking_amendments WHERE booking_id = %s ORDER BY requested_at DESC, id DESC LIMIT 100
"""
_POLICIES = """
SELECT id, name_ar, name_en, tiers, supplier_hours_before, is_default, is_active, version, created_at, updated_at
FROM cancellation_policies WHERE (is_active OR NOT %(active_only)s) ORDER BY is_default DESC, created_at, id
"""
_POLICY = """
SELECT id, name_ar, name_en, tiers, supplier_hours_before, is_default, is_active, version, created_at, updated_at
FROM cancellation_policies WHERE id = %(id)s AND (is_active OR NOT %(active_only)s)
"""
_VISIBLE = f"SELECT 1 FROM bookings b WHERE b.id = %(id)s AND {_SEEN}"


def _listed(page: str, order: Order, *, owner: UUID | None, agent: UUID | None) -> str:
    """One statement for each viewer. An agent's is a page of their own and one of their customers', merged."""
    if owner is None:
        return _ALL + page
    if agent is None:
        return _OWN + page
    merged = f"({_OWN}{page}) UNION ALL ({_CUSTOMERS}{page})"
    return f"SELECT * FROM ({merged}) b ORDER BY {order.by} LIMIT %(limit)s"


class SqlSalesQueries:
    """Implements `application.queries.SalesQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spendable_points(self, user_id: UUID, *, at: datetime) -> int:
        available: int = SqlPointsQueries(self._database).summary(user_id, now=at, until=at)["available"]
        return available

    def booking(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None, today: date) -> Row | None:
        row = self._database.row(_ONE, {"id": booking_id, "owner": owner, "agent": agent})
        if row is None:
            return None
        terms = terms_of(row["cancellation_terms"])
        return {
            **row,
            "cancellation": terms_shown(terms, starts_at=row["begins_at"], time_zone=row["time_zone"]),
            "supplier_deadline": terms.supplier_deadline(starts_at=row["begins_at"], time_zone=row["time_zone"]),
            "items": items_shown(row),
            "standings": _standings(row, today),
        }

    def bookings(
        self,
        *,
        search: BookingSearch,
        owner: UUID | None,
        agent: UUID | None = None,
        limit: int,
        after: After | None,
        order: str = NEWEST,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        where, values = conditions_of(search)
        is_narrowed = bool(where)
        # A walk of changes tells that a booking was archived.
        where += "" if search.archived or updated_after is not None else _NOT_ARCHIVED
        page = where + order_sql(_ORDERS[order], after, updated_after)
        return self._database.rows(
            _listed(page, _ORDERS[order], owner=owner, agent=agent),
            {**values, "owner": owner, "agent": agent, **order_values(self._database, after, updated_after, limit)},
            # What is asked for may be every booking or one of them: a plan that is kept would suit one of the two.
            replan=is_narrowed,
        )

    def exported_bookings(
        self,
        *,
        search: BookingSearch,
        owner: UUID | None,
        agent: UUID | None = None,
        limit: int,
        after: After | None,
    ) -> Sequence[Row]:
        where, values = conditions_of(search)
        where += ("" if search.archived else _NOT_ARCHIVED) + order_sql(_ORDERS[NEWEST], after, None)
        values |= {"owner": owner, "agent": agent, **order_values(self._database, after, None, limit)}
        return self._database.rows(_EXPORTED + where, values, replan=True)

    def bookings_by_status(self, *, search: BookingSearch, most: int) -> Sequence[Row]:
        where, values = conditions_of(replace(search, status=()))
        where += "" if search.archived else _NOT_ARCHIVED
        return self._database.rows(_by_status(where), {**values, "most": most}, replan=True)

    def history(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Sequence[Row] | None:
        if self._database.row(_VISIBLE, {"id": booking_id, "owner": owner, "agent": agent}) is None:
            return None
        return self._database.rows(_HISTORY, (booking_id,))

    def amendments(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Sequence[Row] | None:
        if self._database.row(_VISIBLE, {"id": booking_id, "owner": owner, "agent": agent}) is None:
            return None
        return self._database.rows(_AMENDMENTS, (booking_id,))

    def policies(self, *, active_only: bool) -> Sequence[Row]:
        return self._database.rows(_POLICIES, {"active_only": active_only})

    def policy(self, policy_id: UUID, *, active_only: bool) -> Row | None:
        return self._database.row(_POLICY, {"id": policy_id, "active_only": active_only})

    def booking_span(self, booking_id: UUID, *, owner: UUID | None, agent: UUID | None = None) -> Row | None:
        return self._database.row(_SPAN, {"id": booking_id, "owner": owner, "agent": agent})

    def booking_types(self) -> Sequence[Row]:
        return self._database.rows(_TYPES)

    def on_sale(
        self, item: Item, *, departure_id: UUID | None, buyer_id: UUID, currency: str | None, at: datetime
    ) -> OnSale | None:
        values = sale_values(item.id, departure_id=departure_id, buyer_id=buyer_id, currency=currency, at=at)
        row = self._database.row(OFFERED[item.kind], values)
        if row is None:
            return None
        if not row["buyer_is_open"]:
            raise CustomerNotFound()
        return offered_of(row, item, currency)

    def rewards(self, buyer_id: UUID, *, at: datetime) -> RewardTerms:
        row = self._database.row(BUYER_TERMS, {"buyer_id": buyer_id, "today": business_date(at)})
        if row is None:
            raise CustomerNotFound()
        return rewards_of(row)


def _standings(row: Row, today: date) -> tuple[Standing, ...]:
    instalments, unit = instalments_of(row["instalments"], row["currency"]), row["currency"]
    is_over = row["status"] in (BookingStatus.CANCELLED, BookingStatus.REFUNDED)
    return standings(instalments, Money.of(row["paid_amount_minor"], unit), today=today, is_over=is_over)
