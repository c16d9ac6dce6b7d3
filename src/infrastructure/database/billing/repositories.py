"""Payments, the webhook inbox, invoices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from application.billing.inbox import OpenAttempt, StoredWebhook
from application.billing.payment_ports import PaymentTarget
from application.billing.ports import WebhookNotice
from domain.billing.invoices import Credited, Documented, Invoice, InvoiceNotFound
from domain.billing.payments import Payment, PaymentNotFound, PaymentStatus, PaymentType, Receipt, WebhookReceived
from domain.billing.tenders import sole_tender
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.billing.tables import payments
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.transaction import Statements

_TARGET = "SELECT payment_type, coalesce(booking_id, subscription_id) AS payable_id FROM payments WHERE id = %s"
_ADD_RECEIPT = """
INSERT INTO payment_receipts (id, attempt_id, position, amount_minor, currency, disposition, reason,
                              journal_id, received_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_PAID_BEFORE = """
SELECT coalesce(sum(o.amount_minor), 0)::bigint AS paid FROM payments o JOIN payments p ON p.id = %s
WHERE (o.booking_id = p.booking_id OR o.subscription_id = p.subscription_id)
  AND (o.paid_at, o.id) < (p.paid_at, p.id)
"""
_ANOTHER_YEAR = """
SELECT 1 FROM payments o
WHERE o.subscription_id = %s AND o.id <> %s AND o.status IN ('PAID', 'PARTIALLY_REFUNDED') LIMIT 1
"""
# As `Payment.is_abandoned` says.
_ABANDONED = """
SELECT p.id FROM payments p
WHERE p.status = 'PENDING' AND (%(after)s::uuid IS NULL OR p.id > %(after)s)
  AND EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id
                  AND (a.status NOT IN ('OPEN', 'FAILED', 'EXPIRED')
                       OR greatest(a.expires_at, a.created_at) >= %(ended_before)s))
ORDER BY p.id LIMIT %(limit)s
"""


class SqlPayments:
    """Implements `application.billing.payment_ports.Payments`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Payment] = []

    def add(self, payment: Payment) -> None:
        self._statements.session.add(payment)
        self.seen.append(payment)

    def get(self, payment_id: UUID) -> Payment:
        query = (
            select(Payment)
            .where(payments.c.id == payment_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        payment = self._statements.session.scalars(query).one_or_none()
        if payment is None:
            raise PaymentNotFound()
        return self._seen(payment)

    def _seen(self, payment: Payment) -> Payment:
        if not payment.tenders:
            payment.tenders.append(sole_tender(payment))
        self.seen.append(payment)
        return payment

    def target_of(self, payment_id: UUID) -> PaymentTarget:
        row = self._statements.row(_TARGET, (payment_id,))
        if row is None:
            raise PaymentNotFound()
        return PaymentTarget(PaymentType(row["payment_type"]), row["payable_id"])

    def by_key(self, idempotency_key: str) -> Payment | None:
        query = select(Payment).where(payments.c.idempotency_key == idempotency_key).with_for_update()
        payment = self._statements.session.scalars(query).one_or_none()
        return self._seen(payment) if payment is not None else None

    def pending_of(self, payable_id: UUID) -> Sequence[Payment]:
        query = (
            select(Payment)
            .where(
                or_(payments.c.booking_id == payable_id, payments.c.subscription_id == payable_id),
                payments.c.status == PaymentStatus.PENDING,
            )
            .order_by(payments.c.id)
            .with_for_update()
        )
        return [self._seen(payment) for payment in self._statements.session.scalars(query)]

    def of_booking(self, booking_id: UUID) -> Sequence[Payment]:
        query = select(Payment).where(payments.c.booking_id == booking_id).order_by(payments.c.id).with_for_update()
        return [self._seen(payment) for payment in self._statements.session.scalars(query)]

    def abandoned(self, *, ended_before: datetime, after: UUID | None, limit: int) -> Sequence[UUID]:
        values = {"ended_before": ended_before, "after": after, "limit": limit}
        return [row["id"] for row in self._statements.rows(_ABANDONED, values)]

    def paid_before(self, payment: Payment) -> Money:
        row = self._statements.row(_PAID_BEFORE, (payment.id,))
        return Money(row["paid"] if row is not None else 0, payment.amount.currency)

    def pays_another_year(self, payment: Payment) -> bool:
        return self._statements.row(_ANOTHER_YEAR, (payment.subscription_id, payment.id)) is not None

    def add_receipt(self, receipt: Receipt) -> None:
        # The ledger function has posted the journal that this row points to; the ORM's rows come first.
        self._statements.flush()
        self._statements.execute(
            _ADD_RECEIPT,
            (receipt.id, receipt.attempt_id, receipt.position, receipt.amount.minor, receipt.amount.currency.code,
             receipt.disposition, receipt.reason, receipt.journal_id, receipt.received_at),
        )  # fmt: skip

    def next_serial(self) -> int:
        row = self._statements.row("SELECT nextval('payment_numbers') AS serial")
        return int(row["serial"]) if row else 0


# The event, and the outbox row that tells of it, in one statement that is its own transaction: one round trip.
# A known one that was looked into before, and whose payment is still open, is looked into again, once for all that
# repeat it; so is one of a refund: two refunds of the same sum may be told of in the same words.
_STORE = f"""
WITH stored AS (
    INSERT INTO payment_webhook_logs (id, provider, webhook_event_id, event_type, provider_reference, provider_key,
                                      merchant_reference, reference_number, charge_reference, is_about_refund, body,
                                      content_type, status, ip_address, received_at)
    VALUES (%(id)s, %(provider)s, %(event_key)s, %(event_type)s, %(provider_reference)s, %(provider_key)s,
            %(merchant_reference)s, %(reference_number)s, %(charge_reference)s, %(is_about_refund)s, %(body)s,
            %(content_type)s, 'RECEIVED', %(address)s, %(at)s)
    ON CONFLICT (provider, webhook_event_id) DO NOTHING
    RETURNING id),
reopened AS (
    UPDATE payment_webhook_logs w SET status = 'RECEIVED', processed_at = NULL, error_message = NULL
    WHERE w.provider = %(provider)s AND w.webhook_event_id = %(event_key)s AND w.status = 'PROCESSED'
      AND (w.is_about_refund
           OR NOT EXISTS (SELECT 1 FROM payments p WHERE p.id = w.payment_id AND p.status <> 'PENDING'))
    RETURNING id)
INSERT INTO outbox_events (id, name, version, payload, occurred_at)
SELECT %(event_id)s, '{WebhookReceived.name}', {WebhookReceived.version}, jsonb_build_object('webhook_id', id), %(at)s
FROM (SELECT id FROM stored UNION ALL SELECT id FROM reopened) AS kept
RETURNING id
"""
_WAITING = "SELECT * FROM payment_webhook_logs WHERE id = %s AND status = 'RECEIVED'"
_ATTEMPT_COLUMNS = """id AS attempt_id, payment_id, provider, merchant_reference,
    coalesce(provider_reference, '') AS provider_reference, provider_key,
    coalesce(charge_reference, '') AS charge_reference"""
# The provider's own reference decides; ours only where the answer to the create call was lost, and a cash
# code where a notice names nothing else.
_ATTEMPT_OF = f"""
SELECT {_ATTEMPT_COLUMNS} FROM payment_attempts
WHERE provider = %(provider)s
  AND ((%(provider_reference)s <> '' AND provider_reference = %(provider_reference)s)
    OR (%(charge_reference)s <> '' AND charge_reference = %(charge_reference)s)
    OR (%(merchant_reference)s <> '' AND merchant_reference = %(merchant_reference)s
        AND (provider_reference IS NULL OR %(provider_reference)s = ''))
    OR (%(provider_reference)s = '' AND %(merchant_reference)s = '' AND %(reference_number)s <> ''
        AND reference_number = %(reference_number)s))
ORDER BY provider_reference = %(provider_reference)s DESC NULLS LAST, created_at DESC LIMIT 1
"""
_FINISH = """
UPDATE payment_webhook_logs SET status = %s, payment_id = %s, error_message = %s, processed_at = %s
WHERE id = %s AND status = 'RECEIVED'
"""


class SqlInbox:
    """Implements `application.billing.inbox.WebhookInbox`."""

    def __init__(self, statements: Statements, new_id: NewId) -> None:
        self._statements = statements
        self._new_id = new_id

    def store(
        self,
        notice: WebhookNotice,
        *,
        webhook_id: UUID,
        provider: str,
        body: bytes,
        content_type: str,
        address: str,
        at: datetime,
    ) -> Callable[[], bool]:
        values = {
            "id": webhook_id,
            "event_id": self._new_id(),
            "provider": provider,
            "event_key": notice.event_key,
            "event_type": notice.event_type,
            "provider_reference": notice.provider_reference,
            "provider_key": notice.provider_key,
            "merchant_reference": notice.merchant_reference,
            "reference_number": notice.reference_number,
            "charge_reference": notice.charge_reference,
            "is_about_refund": notice.is_about_refund,
            "body": body,
            "content_type": content_type[:200],
            "address": address,
            "at": at,
        }
        told = self._statements.later(_STORE, values)
        return lambda: told.row() is not None

    def get(self, webhook_id: UUID) -> StoredWebhook | None:
        row = self._statements.row(_WAITING, (webhook_id,))
        if row is None:
            return None
        return StoredWebhook(
            id=row["id"],
            provider=row["provider"],
            provider_reference=row["provider_reference"],
            provider_key=row["provider_key"],
            merchant_reference=row["merchant_reference"],
            reference_number=row["reference_number"],
            received_at=row["received_at"],
            charge_reference=row["charge_reference"],
            is_about_refund=row["is_about_refund"],
        )

    def attempt_of(self, webhook: StoredWebhook) -> OpenAttempt | None:
        row = self._statements.row(
            _ATTEMPT_OF,
            {
                "provider": webhook.provider,
                "provider_reference": webhook.provider_reference,
                "merchant_reference": webhook.merchant_reference,
                "reference_number": webhook.reference_number,
                "charge_reference": webhook.charge_reference,
            },
        )
        return OpenAttempt(**row) if row is not None else None

    def finish(self, webhook_id: UUID, *, payment_id: UUID | None, error: str | None, at: datetime) -> None:
        status = "PROCESSED" if error is None else "FAILED"
        self._statements.execute(_FINISH, (status, payment_id, error, at, webhook_id))


_NEXT_NUMBER = """
INSERT INTO document_series (series, year, last_number) VALUES (%s, %s, 1)
ON CONFLICT (series, year) DO UPDATE SET last_number = document_series.last_number + 1
RETURNING last_number
"""
_ADD_INVOICE = """
INSERT INTO invoices (id, invoice_number, user_id, booking_id, payment_id, invoice_type, status, subtotal_minor,
                      discount_amount_minor, tax_rate, tax_amount_minor, total_amount_minor, currency, issue_date,
                      paid_date, issued_at, refund_id, dispute_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CREDITED = """
SELECT i.invoice_number, i.total_amount_minor, i.tax_amount_minor, i.tax_rate, i.currency,
       coalesce(sum(n.total_amount_minor), 0)::bigint AS credited_minor,
       coalesce(sum(n.tax_amount_minor), 0)::bigint AS credited_tax_minor
FROM invoices i LEFT JOIN invoices n ON n.payment_id = i.payment_id AND n.invoice_type = 'CREDIT_NOTE'
WHERE i.payment_id = %s AND i.invoice_type = 'STANDARD' GROUP BY i.id
"""
_CREDITED_BY = """
SELECT coalesce(refund_id, dispute_id) AS cause, sum(total_amount_minor)::bigint AS minor
FROM invoices WHERE payment_id = %s AND invoice_type = 'CREDIT_NOTE' GROUP BY 1
"""
_DOCUMENTED = """
SELECT coalesce(sum(total_amount_minor * sign), 0)::bigint AS total,
       coalesce(sum(tax_amount_minor * sign), 0)::bigint AS tax
FROM (SELECT total_amount_minor, tax_amount_minor, CASE invoice_type WHEN 'CREDIT_NOTE' THEN -1 ELSE 1 END AS sign
      FROM invoices WHERE booking_id = %s AND invoice_type IN ('STANDARD', 'CREDIT_NOTE')) documents
"""
_ADD_INVOICE_ITEM = """
INSERT INTO invoice_items (invoice_id, position, item_type, description_ar, description_en, quantity,
                           unit_price_minor, total_price_minor, currency)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class SqlInvoices:
    """Implements `application.billing.payment_ports.Invoices`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def next_number(self, series: str, year: int) -> int:
        row = self._statements.row(_NEXT_NUMBER, (series, year))
        return int(row["last_number"]) if row else 0

    def exists_for(self, payment_id: UUID) -> bool:
        sql = "SELECT 1 FROM invoices WHERE payment_id = %s AND refund_id IS NULL AND dispute_id IS NULL"
        return self._statements.row(sql, (payment_id,)) is not None

    def credited_by(self, payment_id: UUID) -> Mapping[UUID, int]:
        return {row["cause"]: row["minor"] for row in self._statements.rows(_CREDITED_BY, (payment_id,))}

    def credited_of(self, payment_id: UUID) -> Credited:
        row = self._statements.row(_CREDITED, (payment_id,))
        if row is None:
            raise InvoiceNotFound()
        unit = row["currency"]
        return Credited(
            invoice_number=row["invoice_number"],
            total=Money.of(row["total_amount_minor"], unit),
            tax=Money.of(row["tax_amount_minor"], unit),
            tax_rate=Percentage(int(row["tax_rate"].scaleb(2))),
            credited=Money.of(row["credited_minor"], unit),
            credited_tax=Money.of(row["credited_tax_minor"], unit),
        )

    def documented(self, booking_id: UUID, currency: str) -> Documented:
        (row,) = self._statements.rows(_DOCUMENTED, (booking_id,))
        return Documented(total=Money.of(row["total"], currency), tax=Money.of(row["tax"], currency))

    def add(self, invoice: Invoice) -> None:
        unit = invoice.total_amount.currency.code
        self._statements.execute(
            _ADD_INVOICE,
            (invoice.id, invoice.invoice_number, invoice.user_id, invoice.booking_id, invoice.payment_id,
             invoice.invoice_type, invoice.status, invoice.subtotal.minor, invoice.discount_amount.minor,
             decimal_of_hundredths(invoice.tax_rate.hundredths), invoice.tax_amount.minor,
             invoice.total_amount.minor, unit, invoice.issue_date, invoice.paid_date, invoice.issued_at,
             invoice.refund_id, invoice.dispute_id),
        )  # fmt: skip
        for position, item in enumerate(invoice.items, start=1):
            self._statements.execute(
                _ADD_INVOICE_ITEM,
                (invoice.id, position, item.item_type, item.description_ar, item.description_en, item.quantity,
                 item.unit_price.minor, item.total_price.minor, unit),
            )  # fmt: skip
