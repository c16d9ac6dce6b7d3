"""What billing holds about a person; amounts, numbers and dates stay on the books (tax law keeps them)."""

from infrastructure.database.billing import manual_tables, refund_tables, tables
from infrastructure.database.holdings import Holding, because

_THEIRS = "payment_id IN (SELECT id FROM payments WHERE user_id = $person)"
_INVOICES = "invoice_id IN (SELECT id FROM invoices WHERE user_id = $person)"
_WEBHOOKS = """
payment_id IN (SELECT id FROM payments WHERE user_id = $person)
OR merchant_reference IN (SELECT a.merchant_reference FROM payment_attempts a JOIN payments p ON p.id = a.payment_id
                          WHERE p.user_id = $person)
OR (provider, provider_reference) IN (SELECT a.provider, a.provider_reference FROM payment_attempts a
                                      JOIN payments p ON p.id = a.payment_id WHERE p.user_id = $person)
"""
_NUMBERS = "numbers and references of ours and the provider's, by which money is found"

HOLDINGS = (
    Holding(
        table=tables.payments,
        belongs="user_id = $person",
        # The key and the addresses to return to are whatever the person's client wrote.
        erased={"idempotency_key": "'erased ' || id", "success_url": "NULL", "cancel_url": "NULL"},
        exported_as="payments",
        exported=("id", "payment_number", "payment_type", "booking_id", "subscription_id", "amount_minor",
                  "refund_amount_minor", "currency", "payment_method", "provider", "status", "paid_at", "created_at"),
        plain=because(_NUMBERS, "payment_number", "provider"),
    ),
    Holding(
        table=tables.payment_attempts,
        belongs=_THEIRS,
        # The provider's page may greet the person.
        erased={"checkout_url": "NULL", "qr_code": "NULL"},
        exported_as="payment_attempts",
        exported=("payment_id", "provider", "status", "provider_reference", "reference_number", "created_at"),
        plain=because(_NUMBERS, "provider", "merchant_reference", "provider_reference", "provider_key",
                      "charge_reference", "reference_number", "error_code", "locale"),
    ),
    Holding(
        table=tables.payment_tenders,
        belongs=_THEIRS,
        exported_as="payment_tenders",
        exported=("payment_id", "position", "kind", "method", "amount_minor", "points", "currency", "status",
                  "refunded_minor"),
        plain=because("one of our own words", "method"),
    ),
    Holding(
        table=tables.payment_tenders,
        belongs="owner_id = $person",
        exported_as="agent_credit_payments",
        exported=("payment_id", "kind", "amount_minor", "currency", "status", "refunded_minor", "updated_at"),
    ),
    Holding(
        table=tables.payment_receipts,
        belongs="attempt_id IN (SELECT a.id FROM payment_attempts a JOIN payments p ON p.id = a.payment_id"
                " WHERE p.user_id = $person)",
        exported_as="payment_receipts",
        exported=("attempt_id", "position", "amount_minor", "currency", "disposition", "received_at"),
    ),
    Holding(
        table=manual_tables.manual_checkouts,
        plain=because(_NUMBERS, "merchant_reference", "reference_number"),
    ),
    Holding(
        table=manual_tables.manual_receipts,
        belongs="payer_user_id = $person",
        exported_as="manual_receipts",
        exported=("id", "payment_id", "reference", "received_on", "amount_minor", "currency", "status", "created_at"),
        plain=because(_NUMBERS, "reference"),
    ),
    Holding(
        table=manual_tables.manual_receipts,
        belongs="made_by_user_id = $person",
        # Whatever the client of whoever confirmed it wrote.
        erased={"idempotency_key": "'erased ' || id"},
    ),
    Holding(table=manual_tables.payment_slips, belongs="user_id = $person", deleted=True, objects="storage_key"),
    Holding(
        table=tables.suspense_items,
        belongs=_THEIRS,
        erased={"decision_reason": "''"},
        exported_as="suspense_items",
        exported=("receipt_id", "payment_id", "amount_minor", "currency", "reason", "status", "resolution",
                  "opened_at", "decided_at"),
        plain=because(_NUMBERS, "provider") | because("one of our own words", "reason"),
    ),
    Holding(
        table=tables.late_money,
        belongs="booking_id IN (SELECT id FROM bookings WHERE user_id = $person)",
        exported_as="late_money",
        exported=("receipt_id", "booking_id", "hindrance", "offered_at", "choose_until", "choice", "chosen_at",
                  "rebooked_id"),
    ),
    Holding(table=tables.statement_fetches, plain=because(_NUMBERS, "provider")),
    Holding(
        table=tables.payment_webhook_logs,
        belongs=_WEBHOOKS,
        erased={"body": "''::bytea", "dismissed_reason": "NULL"},
        plain=because(_NUMBERS, "provider", "webhook_event_id", "event_type", "provider_reference", "provider_key",
                      "merchant_reference", "reference_number", "charge_reference", "content_type")
        | because("the provider's machine", "ip_address")
        | because("one of our own sentences", "error_message"),
    ),
    Holding(
        table=tables.invoices,
        belongs="user_id = $person",
        exported_as="invoices",
        exported=("id", "invoice_number", "booking_id", "payment_id", "invoice_type", "status", "subtotal_minor",
                  "discount_amount_minor", "tax_rate", "tax_amount_minor", "total_amount_minor", "currency",
                  "issue_date", "paid_date"),
        plain=because("gapless by law", "invoice_number"),
    ),
    Holding(
        table=tables.invoice_items,
        belongs=_INVOICES,
        exported_as="invoice_items",
        exported=("invoice_id", "position", "item_type", "description_ar", "description_en", "quantity",
                  "unit_price_minor", "total_price_minor", "currency"),
        plain=because("names of goods, as they stand in the catalogue", "description_ar", "description_en"),
    ),
    Holding(
        table=refund_tables.refunds,
        belongs="user_id = $person",
        # What staff wrote about the person; the key is whatever a client made up.
        erased={"reason": "''", "idempotency_key": "'erased ' || id"},
        exported_as="refunds",
        exported=("id", "refund_number", "payment_id", "amount_minor", "currency", "reason", "destination", "status",
                  "created_at", "succeeded_at"),
        plain=because(_NUMBERS, "refund_number"),
    ),
    Holding(
        table=refund_tables.refund_parts,
        belongs="refund_id IN (SELECT id FROM refunds WHERE user_id = $person)",
        exported_as="refund_parts",
        exported=("refund_id", "position", "way", "amount_minor", "currency", "points", "status", "provider",
                  "provider_refund_reference", "submitted_at"),
        plain=because(_NUMBERS, "merchant_reference", "provider", "provider_refund_reference", "error_code"),
    ),
    Holding(
        table=refund_tables.disputes,
        belongs="user_id = $person",
        exported_as="disputes",
        exported=("id", "payment_id", "provider", "provider_dispute_reference", "amount_minor", "currency", "status",
                  "reason", "opened_at", "decided_at"),
        plain=because(_NUMBERS, "provider", "provider_dispute_reference")
        | because("the provider's word for a kind of dispute", "reason"),
    ),
    # The drawings name the person; they are drawn anew without.
    Holding(table=tables.invoice_documents, belongs=_INVOICES, deleted=True, objects="storage_key"),
    Holding(table=tables.document_series, plain=because("names of series", "series")),
)  # fmt: skip
