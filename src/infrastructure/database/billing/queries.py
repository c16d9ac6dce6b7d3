"""Payments and invoices as they are shown and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import Order, order_sql, order_values, page_after, page_values
from infrastructure.database.transaction import Database

_PAYMENTS = """
SELECT p.id, p.payment_number, p.user_id, p.payment_type, p.booking_id, p.subscription_id, p.amount_minor,
       p.refund_amount_minor, p.currency, p.payment_method, p.provider, p.status, p.paid_at, p.created_at,
       p.updated_at,
       a.status AS attempt_status, a.provider_reference, a.checkout_url, a.reference_number, a.qr_code,
       a.expires_at AS checkout_expires_at, a.error_code,
       (SELECT json_agg(json_build_object(
            'kind', t.kind, 'method', t.method, 'status', t.status, 'amount_minor', t.amount_minor,
            'points', t.points, 'refunding_minor', t.refunding_minor, 'refunded_minor', t.refunded_minor,
            'currency', t.currency) ORDER BY t.position)
        FROM payment_tenders t WHERE t.payment_id = p.id) AS tenders
FROM payments p LEFT JOIN LATERAL (
    SELECT * FROM payment_attempts t WHERE t.payment_id = p.id ORDER BY t.id DESC LIMIT 1) a ON true
"""
# One's own, and what one paid as an agent: of one payment a look at its tenders, of a list two indexes.
_ONE_PAYMENT = f"""{_PAYMENTS} WHERE p.id = %(id)s AND (
    %(owner)s::uuid IS NULL OR p.user_id = %(owner)s
    OR EXISTS (SELECT 1 FROM payment_tenders t WHERE t.payment_id = p.id AND t.owner_id = %(owner)s))
"""
_THEIR_PAYMENTS = f"""{_PAYMENTS} WHERE (
    %(owner)s::uuid IS NULL OR p.user_id = %(owner)s
    OR p.id = ANY (ARRAY(SELECT t.payment_id FROM payment_tenders t WHERE t.owner_id = %(owner)s)))
"""
_INVOICES = """
SELECT i.id, i.invoice_number, i.user_id, i.booking_id, i.payment_id, i.invoice_type, i.status, i.subtotal_minor,
       i.discount_amount_minor, i.tax_rate, i.tax_amount_minor, i.total_amount_minor, i.currency, i.issue_date,
       i.paid_date, i.issued_at, i.updated_at,
       EXISTS (SELECT 1 FROM invoice_documents d WHERE d.invoice_id = i.id) AS pdf_generated,
       (SELECT json_agg(json_build_object(
            'item_type', r.item_type, 'description_ar', r.description_ar, 'description_en', r.description_en,
            'quantity', r.quantity, 'unit_price_minor', r.unit_price_minor,
            'total_price_minor', r.total_price_minor, 'currency', r.currency) ORDER BY r.position)
        FROM invoice_items r WHERE r.invoice_id = i.id) AS items
FROM invoices i
WHERE (%(owner)s::uuid IS NULL OR i.user_id = %(owner)s)
"""
_REFUNDS = """
SELECT r.id, r.refund_number, r.payment_id, p.payment_number, r.user_id, r.amount_minor, r.currency, r.reason,
       r.destination, r.origin, r.requested_by_user_id, r.status, r.created_at, r.succeeded_at, r.updated_at,
       (SELECT json_agg(json_build_object(
            'id', n.id, 'type', coalesce(t.kind, 'SUSPENSE'), 'way', n.way, 'amount_minor', n.amount_minor,
            'currency', n.currency, 'points', n.points, 'status', n.status, 'provider', n.provider,
            'merchant_reference', n.merchant_reference, 'provider_refund_reference', n.provider_refund_reference,
            'error_code', n.error_code, 'is_replaced', n.replaced_by IS NOT NULL) ORDER BY n.position)
        FROM refund_parts n LEFT JOIN payment_tenders t ON t.id = n.tender_id WHERE n.refund_id = r.id) AS parts
FROM refunds r JOIN payments p ON p.id = r.payment_id
WHERE (%(owner)s::uuid IS NULL OR r.user_id = %(owner)s)
"""
_DISPUTES = """
SELECT d.id, d.payment_id, p.payment_number, p.booking_id, d.user_id, d.provider, d.provider_dispute_reference,
       d.amount_minor, d.currency, d.status, d.reason,
       d.taken_minor + d.taken_from_suspense_minor + d.taken_from_wallet_minor AS taken_minor,
       d.opened_at, d.decided_at
FROM disputes d JOIN payments p ON p.id = d.payment_id WHERE true
"""
_REFUND_FILTERS = {"status": " AND r.status = %(status)s", "payment_id": " AND r.payment_id = %(payment_id)s"}
_PAYMENTS_CHANGED, _PAYMENTS_NEWEST = Order("p.updated_at", "p.id"), Order("p.created_at", "p.id", descending=True)
_INVOICES_CHANGED, _INVOICES_NEWEST = Order("i.updated_at", "i.id"), Order("i.issued_at", "i.id", descending=True)
_PAYMENT_FILTERS = {
    "status": " AND p.status = %(status)s",
    "provider": " AND p.provider = %(provider)s",
    "reference_number": """ AND p.id IN (
        SELECT r.payment_id FROM payment_attempts r JOIN manual_checkouts c USING (merchant_reference)
        WHERE c.reference_number = %(reference_number)s)""",
}
_RETURNED = """
SELECT p.id, p.payment_number, p.amount_minor, p.currency, p.status, p.success_url, p.cancel_url,
       (SELECT t.status FROM payment_attempts t WHERE t.payment_id = p.id ORDER BY t.id DESC LIMIT 1) AS attempt_status
FROM payments p WHERE p.id = %s
"""
_DOCUMENT = """
SELECT i.*, concat_ws(' ', u.first_name, u.last_name) AS customer_name, u.email AS customer_email,
       b.booking_number, p.payment_number, p.payment_method,
       (SELECT json_agg(r ORDER BY r.position) FROM invoice_items r WHERE r.invoice_id = i.id) AS items
FROM invoices i JOIN users u ON u.id = i.user_id JOIN payments p ON p.id = i.payment_id
LEFT JOIN bookings b ON b.id = i.booking_id
WHERE i.id = %s
"""
_REMEMBER = """
WITH named AS (
    SELECT i.id FROM invoices i JOIN users u ON u.id = i.user_id
    WHERE i.id = %(invoice_id)s AND (u.erased_at IS NULL OR u.email = %(drawn_for)s)
    FOR KEY SHARE OF u),
kept AS (
    INSERT INTO invoice_documents (invoice_id, language, storage_key, size_bytes, sha256, made_at)
    SELECT id, %(language)s, %(storage_key)s, %(size)s, %(sha256)s, %(at)s FROM named
    ON CONFLICT (invoice_id, language) DO NOTHING)
SELECT 1 FROM named
"""
_UNDRAWN = """
SELECT id FROM invoices i WHERE user_id = %s
AND NOT EXISTS (SELECT 1 FROM invoice_documents d WHERE d.invoice_id = i.id) ORDER BY id
"""


class SqlBillingQueries:
    """Implements `application.queries.BillingQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def payment(self, payment_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_ONE_PAYMENT, {"id": payment_id, "owner": owner})

    def payments(
        self,
        *,
        owner: UUID | None,
        limit: int,
        after: After | None,
        status: str | None = None,
        provider: str | None = None,
        reference_number: str | None = None,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        order = _PAYMENTS_CHANGED if updated_after is not None else _PAYMENTS_NEWEST
        values = {"owner": owner, "status": status, "provider": provider, "reference_number": reference_number}
        where = "".join(sql for name, sql in _PAYMENT_FILTERS.items() if values[name] is not None)
        return self._database.rows(
            f"{_THEIR_PAYMENTS}{where}{order_sql(order, after, updated_after)}",
            {**values, **order_values(self._database, after, updated_after, limit)},
        )

    def invoice(self, invoice_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_INVOICES + " AND i.id = %(id)s", {"id": invoice_id, "owner": owner})

    def invoices(
        self,
        *,
        owner: UUID | None,
        booking_id: UUID | None,
        limit: int,
        after: After | None,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        order = _INVOICES_CHANGED if updated_after is not None else _INVOICES_NEWEST
        of_booking = " AND (%(booking_id)s::uuid IS NULL OR i.booking_id = %(booking_id)s)"
        return self._database.rows(
            f"{_INVOICES}{of_booking}{order_sql(order, after, updated_after)}",
            {
                "owner": owner,
                "booking_id": booking_id,
                **order_values(self._database, after, updated_after, limit),
            },
        )

    def refund(self, refund_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_REFUNDS + " AND r.id = %(id)s", {"id": refund_id, "owner": owner})

    def refunds(
        self,
        *,
        owner: UUID | None,
        limit: int,
        after: After | None,
        status: str | None = None,
        payment_id: UUID | None = None,
    ) -> Sequence[Row]:
        values = {"owner": owner, "status": status, "payment_id": payment_id}
        where = "".join(sql for name, sql in _REFUND_FILTERS.items() if values[name] is not None)
        sql = f"{_REFUNDS}{where} AND {page_after(after, 'r.created_at', 'r.id')}"
        return self._database.rows(
            f"{sql} ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s", {**values, **page_values(after, limit)}
        )

    def disputes(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        where = " AND d.status = %(status)s" if status is not None else ""
        sql = f"{_DISPUTES}{where} AND {page_after(after, 'd.opened_at', 'd.id')}"
        return self._database.rows(
            f"{sql} ORDER BY d.opened_at DESC, d.id DESC LIMIT %(limit)s",
            {"status": status, **page_values(after, limit)},
        )

    def returned(self, payment_id: UUID) -> Row | None:
        return self._database.row(_RETURNED, (payment_id,))


class SqlInvoiceDocuments:
    """Implements `application.billing.invoices.InvoiceDocuments`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def to_draw(self, invoice_id: UUID) -> Row | None:
        return self._database.row(_DOCUMENT, (invoice_id,))

    def storage_key(self, invoice_id: UUID, language: str) -> str | None:
        row = self._database.row(
            "SELECT storage_key FROM invoice_documents WHERE invoice_id = %s AND language = %s", (invoice_id, language)
        )
        return row["storage_key"] if row is not None else None

    def undrawn_of(self, user_id: UUID) -> Sequence[UUID]:
        return [row["id"] for row in self._database.rows(_UNDRAWN, (user_id,))]

    def remember(
        self,
        invoice_id: UUID,
        *,
        language: str,
        storage_key: str,
        size: int,
        sha256: bytes,
        at: datetime,
        drawn_for: str,
    ) -> bool:
        values = {
            "invoice_id": invoice_id, "language": language, "storage_key": storage_key, "size": size,
            "sha256": sha256, "at": at, "drawn_for": drawn_for,
        }  # fmt: skip
        with self._database.transaction() as transaction:
            named = transaction.row(_REMEMBER, values)
            transaction.commit()
        return named is not None
