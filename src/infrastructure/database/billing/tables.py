"""payments, attempts, receipts, suspense_items, payment_webhook_logs, invoices, invoice_items, document_series."""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import composite, relationship

from domain.billing.invoices import InvoiceItemType, InvoiceStatus, InvoiceType
from domain.billing.late_money import Hindrance, LateChoice
from domain.billing.payments import (
    AttemptStatus,
    Disposition,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    SuspenseReason,
)
from domain.billing.suspense import Resolution, SuspenseStatus
from domain.billing.tenders import Tender, TenderKind, TenderStatus
from domain.shared.money import Money
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    mappers,
    metadata,
    money,
    reference,
    status,
    touched,
    unit,
)


class WebhookStatus(StrEnum):
    """The guide's states of a webhook row; FAILED ones speak of nothing that we know."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    DUPLICATE = "DUPLICATE"


payment_numbers = Sequence("payment_numbers", metadata=metadata)

payments = Table(
    "payments",
    metadata,
    key(),
    Column("payment_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    *status("payment_type", PaymentType),
    reference("booking_id", "bookings.id", nullable=True),
    reference("subscription_id", "membership_subscriptions.id", nullable=True),
    money("amount"),
    money("refund_amount"),
    unit(),
    *status("payment_method", PaymentMethod),
    Column("provider", Text),
    *status("status", PaymentStatus),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("success_url", Text),
    Column("cancel_url", Text),
    instant("paid_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("refund_amount_minor BETWEEN 0 AND amount_minor", name="refunds_within_amount"),
    Index("ix_payments_booking_id", "booking_id"),
    Index("ix_payments_subscription_id", "subscription_id"),
    Index("ix_payments_pending", "id", postgresql_where="status = 'PENDING'"),
    Index("ix_payments_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_payments_updated_at_id", "updated_at", "id"),
    Index("ix_payments_paid_at", "paid_at", postgresql_where="paid_at IS NOT NULL"),
)

payment_attempts = Table(
    "payment_attempts",
    metadata,
    key(),
    reference("payment_id", "payments.id"),
    Column("provider", Text, nullable=False),
    *status("status", AttemptStatus),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("provider_reference", Text),
    Column("provider_key", Text, nullable=False),
    Column("charge_reference", Text),
    Column("checkout_url", Text),
    Column("reference_number", Text),
    Column("qr_code", Text),
    Column("locale", Text, nullable=False, server_default="en"),
    instant("expires_at", nullable=True),
    Column("error_code", Text),
    Column("receipts_count", Integer, nullable=False),
    Column("read_again_at", DateTime(timezone=True), server_default=text("now()")),
    Column("reads", Integer, nullable=False, server_default="0"),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("provider", "provider_reference"),
    Index("ix_payment_attempts_payment_id", "payment_id"),
    Index("ix_payment_attempts_charge_reference", "provider", "charge_reference"),
    Index(
        "ix_payment_attempts_unfinished",
        "updated_at",
        postgresql_where="status IN ('CREATED', 'OPEN', 'UNKNOWN')",
    ),
    Index(
        "ix_payment_attempts_due",
        "provider",
        "read_again_at",
        postgresql_where="status IN ('CREATED', 'OPEN', 'UNKNOWN')",
    ),
    Index("ix_payment_attempts_paid_due", "provider", "read_again_at", postgresql_where="status = 'PAID'"),
)

payment_tenders = Table(
    "payment_tenders",
    metadata,
    key(),
    reference("payment_id", "payments.id"),
    Column("position", SmallInteger, nullable=False),
    *status("kind", TenderKind),
    Column("method", Text, nullable=False),
    money("amount"),
    Column("points", Integer),
    unit(),
    reference("owner_id", "users.id", nullable=True),
    reference("hold_id", "balance_holds.id", nullable=True),
    *status("status", TenderStatus),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    money("refunding"),
    money("refunded"),
    instant("updated_at"),
    UniqueConstraint("payment_id", "position"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("(kind = 'POINTS') = (points IS NOT NULL) AND coalesce(points, 1) > 0", name="points_of_points"),
    CheckConstraint("(status = 'CAPTURED') = (journal_id IS NOT NULL)", name="captured_by_a_journal"),
    CheckConstraint("(kind = 'AGENT_CREDIT') = (owner_id IS NOT NULL)", name="credit_of_an_agent"),
    # Second wall: no tender gives back more than it took (guarantee M8).
    CheckConstraint(
        "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor"
        " <= CASE WHEN status = 'CAPTURED' THEN amount_minor ELSE 0 END",
        name="refunds_within_capture",
    ),
    Index("ix_payment_tenders_owner_id", "owner_id", postgresql_where="owner_id IS NOT NULL"),
)

payment_receipts = Table(
    "payment_receipts",
    metadata,
    key(),
    reference("attempt_id", "payment_attempts.id"),
    Column("position", SmallInteger, nullable=False),
    money("amount"),
    unit(),
    *status("disposition", Disposition),
    *status("reason", SuspenseReason, nullable=True),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), nullable=False, unique=True),
    instant("received_at"),
    # Second wall: a charge that a provider reports is booked once.
    UniqueConstraint("attempt_id", "position"),
    CheckConstraint("(disposition = 'SUSPENSE') = (reason IS NOT NULL)", name="suspense_has_a_reason"),
    Index("ix_payment_receipts_received_at", "received_at", postgresql_using="brin"),
)

payment_webhook_logs = Table(
    "payment_webhook_logs",
    metadata,
    key(),
    Column("provider", Text, nullable=False),
    Column("webhook_event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    reference("payment_id", "payments.id", nullable=True),
    Column("provider_reference", Text, nullable=False),
    Column("provider_key", Text, nullable=False),
    Column("merchant_reference", Text, nullable=False),
    Column("reference_number", Text, nullable=False),
    Column("charge_reference", Text, nullable=False, server_default=""),
    Column("is_about_refund", Boolean, nullable=False, server_default="false"),
    Column("body", LargeBinary, nullable=False),
    Column("content_type", Text, nullable=False),
    *status("status", WebhookStatus),
    Column("error_message", Text),
    Column("ip_address", Text, nullable=False),
    instant("received_at"),
    instant("processed_at", nullable=True),
    instant("look_again_at", nullable=True),
    instant("dismissed_at", nullable=True),
    reference("dismissed_by_user_id", "users.id", nullable=True),
    Column("dismissed_reason", Text),
    UniqueConstraint("provider", "webhook_event_id"),
    Index("ix_payment_webhook_logs_received_at", "received_at", postgresql_where="status = 'RECEIVED'"),
    Index("ix_payment_webhook_logs_failed", "received_at", postgresql_where="status = 'FAILED'"),
    Index("ix_payment_webhook_logs_payment_id", "payment_id"),
)

suspense_items = Table(
    "suspense_items",
    metadata,
    Column("receipt_id", Uuid, ForeignKey("payment_receipts.id"), primary_key=True),
    reference("payment_id", "payments.id"),
    Column("provider", Text, nullable=False),
    money("amount"),
    unit(),
    *status("reason", SuspenseReason),
    *status("status", SuspenseStatus),
    *status("resolution", Resolution, nullable=True),
    instant("opened_at"),
    reference("decided_by_user_id", "users.id", nullable=True),
    Column("decision_reason", Text, nullable=False, server_default=""),
    instant("decided_at", nullable=True),
    reference("journal_id", "ledger_journals.id", nullable=True),
    Column("refund_id", Uuid),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint(
        "(status = 'RESOLVED') = (resolution IS NOT NULL) AND (status = 'RESOLVED') = (journal_id IS NOT NULL)",
        name="resolved_by_a_journal",
    ),
    CheckConstraint("(status = 'OPEN') = (decided_at IS NULL)", name="decided_by_somebody"),
    Index("ix_suspense_items_open", "opened_at", postgresql_where="status = 'OPEN'"),
    Index("ix_suspense_items_payment_id", "payment_id"),
)

# What customers choose about money that came after their bookings had expired; the money is their items' in suspense.
late_money = Table(
    "late_money",
    metadata,
    Column("receipt_id", Uuid, ForeignKey("suspense_items.receipt_id"), primary_key=True),
    reference("booking_id", "bookings.id"),
    *status("hindrance", Hindrance),
    instant("offered_at"),
    instant("choose_until"),
    *status("choice", LateChoice, nullable=True),
    instant("chosen_at", nullable=True),
    reference("chosen_by_user_id", "users.id", nullable=True),
    reference("rebooked_id", "bookings.id", nullable=True),
    CheckConstraint("(choice IS NULL) = (chosen_at IS NULL)", name="chosen_at_some_time"),
    CheckConstraint(
        "(choice IS NOT DISTINCT FROM 'DEPARTURE') = (rebooked_id IS NOT NULL)", name="rebooked_where_chosen"
    ),
    Index("ix_late_money_booking_id", "booking_id"),
    Index("ix_late_money_rebooked_id", "rebooked_id", postgresql_where="rebooked_id IS NOT NULL"),
    Index("ix_late_money_choose_until", "choose_until", postgresql_where="choice IS NULL"),
)

statement_fetches = Table(
    "statement_fetches",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    reference("reconciliation_id", "reconciliations.id", nullable=True),
    instant("fetched_at"),
)

document_series = Table(
    "document_series",
    metadata,
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last_number", Integer, nullable=False),
)

invoices = Table(
    "invoices",
    metadata,
    key(),
    Column("invoice_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    reference("booking_id", "bookings.id", nullable=True),
    reference("payment_id", "payments.id"),
    *status("invoice_type", InvoiceType),
    *status("status", InvoiceStatus),
    money("subtotal"),
    money("discount_amount"),
    Column("tax_rate", PercentageNumber, nullable=False),
    money("tax_amount"),
    money("total_amount"),
    unit(),
    Column("issue_date", Date, nullable=False),
    Column("paid_date", Date),
    instant("issued_at"),
    touched(),
    # Credit notes name the refund or the dispute that they were issued after; its parts may have one each.
    reference("refund_id", "refunds.id", nullable=True),
    reference("dispute_id", "disputes.id", nullable=True),
    # One of each other kind for a payment.
    Index(
        "uq_invoices_one_of_payment",
        "payment_id",
        "invoice_type",
        unique=True,
        postgresql_where="refund_id IS NULL AND dispute_id IS NULL",
    ),
    Index("ix_invoices_refund_id", "refund_id"),
    Index("ix_invoices_dispute_id", "dispute_id", postgresql_where="dispute_id IS NOT NULL"),
    CheckConstraint(
        "(invoice_type = 'CREDIT_NOTE') = (refund_id IS NOT NULL OR dispute_id IS NOT NULL)",
        name="credit_note_of_what_went_back",
    ),
    CheckConstraint("subtotal_minor - discount_amount_minor + tax_amount_minor = total_amount_minor", name="adds_up"),
    Index("ix_invoices_user_id_issued_at_id", "user_id", "issued_at", "id"),
    Index("ix_invoices_updated_at_id", "updated_at", "id"),
)

invoice_items = Table(
    "invoice_items",
    metadata,
    Column("invoice_id", Uuid, ForeignKey("invoices.id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    *status("item_type", InvoiceItemType),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    money("unit_price"),
    money("total_price"),
    unit(),
)

invoice_documents = Table(
    "invoice_documents",
    metadata,
    Column("invoice_id", Uuid, ForeignKey("invoices.id"), primary_key=True),
    Column("language", Text, primary_key=True),
    Column("storage_key", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    instant("made_at"),
)

mappers.map_imperatively(PaymentAttempt, payment_attempts)
mappers.map_imperatively(
    Tender,
    payment_tenders,
    properties={
        "_amount_minor": payment_tenders.c.amount_minor,
        "_refunding_minor": payment_tenders.c.refunding_minor,
        "_refunded_minor": payment_tenders.c.refunded_minor,
        "_currency": payment_tenders.c.currency,
        "amount": composite(Money, "_amount_minor", "_currency"),
        "refunding": composite(Money, "_refunding_minor", "_currency"),
        "refunded": composite(Money, "_refunded_minor", "_currency"),
    },
)
mappers.map_imperatively(
    Payment,
    payments,
    properties={
        "_amount_minor": payments.c.amount_minor,
        "_refund_amount_minor": payments.c.refund_amount_minor,
        "_currency": payments.c.currency,
        "amount": composite(Money, "_amount_minor", "_currency"),
        "refund_amount": composite(Money, "_refund_amount_minor", "_currency"),
        "attempts": relationship(PaymentAttempt, order_by=payment_attempts.c.id, lazy="selectin", cascade="all"),
        "tenders": relationship(Tender, order_by=payment_tenders.c.position, lazy="selectin", cascade="all"),
    },
)
