"""Notifications as they are shown, and the facts that messages tell."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import After, Row
from domain.catalogue.items import Item
from domain.messaging.preferences import Preferences
from domain.shared.errors import NotFound
from infrastructure.database.catalogue.finding import ITEM_TABLE
from infrastructure.database.messaging.rows import PREFERENCES, preferences_of
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.payouts.statements import DESTINATION
from infrastructure.database.transaction import Database

_NOTIFICATIONS = """
SELECT id, notification_type, title_ar, title_en, message_ar, message_en, link_type, link_id, is_read, created_at
FROM notifications WHERE user_id = %(user_id)s
"""
_READER_FACTS = "SELECT id AS user_id, email, first_name, locale FROM users WHERE id = %s"
_BOOKING_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, b.booking_number, b.start_date, b.travelers_count,
       b.final_amount_minor, b.currency, b.status, i.item_name_ar AS name_ar, i.item_name_en AS name_en,
       c.cashback_amount_minor, CASE WHEN h.status = 'ACTIVE' THEN h.expires_at END AS hold_expires_at
FROM bookings b JOIN users u ON u.id = b.user_id
LEFT JOIN holds h ON h.booking_id = b.id
LEFT JOIN LATERAL (SELECT * FROM booking_items x WHERE x.booking_id = b.id ORDER BY x.id LIMIT 1) i ON true
LEFT JOIN cashback_records c ON c.booking_id = b.id
WHERE b.id = %s
"""
_PAYMENT_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, p.payment_number, p.payment_type, p.amount_minor, p.currency,
       p.booking_id, coalesce(b.booking_number, s.membership_number) AS payable_number,
       CASE WHEN b.status IN ('CONFIRMED', 'IN_PROGRESS')
            THEN b.final_amount_minor + b.overpaid_amount_minor - b.paid_amount_minor ELSE 0 END AS rest_minor
FROM payments p JOIN users u ON u.id = p.user_id LEFT JOIN bookings b ON b.id = p.booking_id
LEFT JOIN membership_subscriptions s ON s.id = p.subscription_id
WHERE p.id = %s
"""
_LATE_MONEY_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, b.booking_number, s.amount_minor, s.currency, l.hindrance,
       l.choose_until
FROM late_money l JOIN suspense_items s ON s.receipt_id = l.receipt_id JOIN bookings b ON b.id = l.booking_id
JOIN users u ON u.id = b.user_id
WHERE l.receipt_id = %s
"""
_REFUND_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, r.refund_number, r.status, r.amount_minor, r.currency,
       p.payment_number, p.booking_id,
       coalesce(sum(n.amount_minor) FILTER (WHERE n.status = 'SUCCEEDED' AND n.way <> 'OWN'), 0)::bigint
           AS to_original_minor,
       coalesce(sum(n.amount_minor) FILTER (WHERE n.status = 'SUCCEEDED' AND n.way = 'OWN' AND n.points IS NULL
                                            AND t.owner_id IS NULL), 0)::bigint AS to_wallet_minor,
       coalesce(sum(n.amount_minor) FILTER (WHERE n.status = 'SUCCEEDED' AND t.owner_id IS NOT NULL), 0)::bigint
           AS to_agent_minor,
       coalesce(sum(n.points) FILTER (WHERE n.status = 'SUCCEEDED'), 0)::bigint AS points,
       coalesce(sum(n.amount_minor) FILTER (WHERE n.status = 'FAILED'), 0)::bigint AS failed_minor,
       max(n.position) AS parts
FROM refunds r JOIN users u ON u.id = r.user_id JOIN payments p ON p.id = r.payment_id
JOIN refund_parts n ON n.refund_id = r.id AND n.replaced_by IS NULL LEFT JOIN payment_tenders t ON t.id = n.tender_id
WHERE r.id = %s GROUP BY r.id, u.id, p.id
"""
_CASHBACK_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, b.booking_number, c.status, c.cancel_reason, c.currency
FROM cashback_records c JOIN users u ON u.id = c.user_id JOIN bookings b ON b.id = c.booking_id
WHERE c.id = %s
"""
_WITHDRAWAL_FACTS = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, w.withdrawal_number, w.amount_minor, w.currency, w.reason,
       w.bank_reference
FROM withdrawals w JOIN users u ON u.id = w.user_id
WHERE w.id = %s
"""
_ITEM_FACTS = """
SELECT o.vendor_id AS user_id, o.name_ar, o.name_en, o.approval_reason FROM {table} o
WHERE o.id = %s AND o.vendor_id IS NOT NULL
"""
_PAYOUT_FACTS = f"""
SELECT u.id AS user_id, u.email, u.first_name, u.locale, p.payout_number, p.amount_minor, p.currency,
       {DESTINATION} AS destination
FROM payouts p JOIN users u ON u.id = p.payee_id
WHERE p.id = %s
"""
_ADJUSTMENT_FACTS = """
SELECT d.user_id, d.adjustment_number, d.account_kind, d.amount_minor, d.currency FROM adjustments d WHERE d.id = %s
"""
_MEMBERSHIP_FACTS = """
SELECT u.id AS user_id, u.locale, s.membership_number, s.status, s.expiry_date, p.tier_name_ar AS tier_ar,
       p.tier_name_en AS tier_en
FROM membership_subscriptions s JOIN users u ON u.id = s.user_id JOIN membership_plans p ON p.id = s.plan_id
WHERE s.id = %s
"""
_VOUCHER_FACTS = """
SELECT code AS voucher_code, status = 'ACTIVE' AS is_usable,
       ((valid_until - interval '1 microsecond') AT TIME ZONE 'Africa/Cairo')::date AS last_day
FROM vouchers WHERE id = %s
"""
_DEVICES = "SELECT id, platform, locale, created_at, last_seen_at FROM device_tokens WHERE user_id = %(user_id)s"
_SUPPRESSIONS = """
SELECT id, address, reason, suppressed_at FROM suppressed_addresses
WHERE (%(address)s::text IS NULL OR address = %(address)s)
"""


class SqlMessagingQueries:
    """Implements `application.queries.MessagingQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notifications(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "created_at", "id")
        sql = f"{_NOTIFICATIONS} AND {condition} ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"user_id": user_id, **page_values(after, limit)})

    def reader_facts(self, user_id: UUID) -> Row:
        return self._facts(_READER_FACTS, user_id)

    def booking_facts(self, booking_id: UUID) -> Row:
        return self._facts(_BOOKING_FACTS, booking_id)

    def payment_facts(self, payment_id: UUID) -> Row:
        return self._facts(_PAYMENT_FACTS, payment_id)

    def late_money_facts(self, receipt_id: UUID) -> Row:
        return self._facts(_LATE_MONEY_FACTS, receipt_id)

    def refund_facts(self, refund_id: UUID) -> Row:
        return self._facts(_REFUND_FACTS, refund_id)

    def cashback_facts(self, cashback_id: UUID) -> Row:
        return self._facts(_CASHBACK_FACTS, cashback_id)

    def withdrawal_facts(self, withdrawal_id: UUID) -> Row:
        return self._facts(_WITHDRAWAL_FACTS, withdrawal_id)

    def item_facts(self, item: Item) -> Row:
        return self._facts(_ITEM_FACTS.format(table=ITEM_TABLE[item.kind]), item.id)

    def payout_facts(self, payout_id: UUID) -> Row:
        return self._facts(_PAYOUT_FACTS, payout_id)

    def membership_facts(self, subscription_id: UUID) -> Row:
        return self._facts(_MEMBERSHIP_FACTS, subscription_id)

    def voucher_facts(self, voucher_id: UUID) -> Row:
        return self._facts(_VOUCHER_FACTS, voucher_id)

    def preferences(self, user_id: UUID) -> Preferences:
        return preferences_of(self._database.row(PREFERENCES, (user_id,)))

    def devices(self, user_id: UUID) -> Sequence[Row]:
        return self._database.rows(f"{_DEVICES} ORDER BY last_seen_at DESC, id", {"user_id": user_id})

    def device(self, device_id: UUID, *, user_id: UUID) -> Row | None:
        return self._database.row(f"{_DEVICES} AND id = %(id)s", {"user_id": user_id, "id": device_id})

    def suppressions(self, address: str | None, *, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "suppressed_at", "id")
        sql = f"{_SUPPRESSIONS} AND {condition} ORDER BY suppressed_at DESC, id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"address": address, **page_values(after, limit)})

    def adjustment_facts(self, adjustment_id: UUID) -> Row:
        return self._facts(_ADJUSTMENT_FACTS, adjustment_id)

    def _facts(self, sql: str, thing: UUID) -> Row:
        row = self._database.row(sql, (thing,))
        if row is None:
            raise NotFound()
        return row
