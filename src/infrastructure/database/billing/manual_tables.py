"""Rows of money that people confirm: manual_checkouts, manual_receipts, payment_slips."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from domain.billing.manual import ManualReceiptStatus
from infrastructure.database.metadata import instant, key, metadata, money, reference, status, touched, unit

manual_references = Sequence("manual_references", metadata=metadata)

# The manual gateway's own books: what a customer was told to pay, and under which number.
manual_checkouts = Table(
    "manual_checkouts",
    metadata,
    key(),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("reference_number", Text, nullable=False, unique=True),
    money("amount"),
    unit(),
    instant("expires_at"),
    instant("created_at"),
)

manual_receipts = Table(
    "manual_receipts",
    metadata,
    key(),
    reference("checkout_id", "manual_checkouts.id"),
    reference("payment_id", "payments.id"),
    reference("payer_user_id", "users.id"),
    Column("reference", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    money("amount"),
    unit(),
    *status("status", ManualReceiptStatus),
    Column("needs_approval", Boolean, nullable=False),
    reference("made_by_user_id", "users.id"),
    Column("idempotency_key", Text, nullable=False, unique=True),
    instant("created_at"),
    reference("decided_by_user_id", "users.id", nullable=True),
    instant("decided_at", nullable=True),
    # Its place among the charges that the gateway reads.
    Column("position", SmallInteger),
    touched(),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("made_by_user_id <> payer_user_id", name="made_for_another"),
    # Four eyes, and neither pair is the payer's.
    CheckConstraint(
        "decided_by_user_id <> made_by_user_id AND decided_by_user_id <> payer_user_id", name="decided_by_another"
    ),
    CheckConstraint(
        "status <> 'APPROVED' OR NOT needs_approval OR decided_by_user_id IS NOT NULL", name="approved_by_somebody"
    ),
    CheckConstraint("(decided_at IS NULL) = (status = 'PENDING')", name="decided_when_no_longer_pending"),
    CheckConstraint("(position IS NOT NULL) = (status = 'APPROVED')", name="a_charge_when_approved"),
    UniqueConstraint("checkout_id", "position"),
    # Money comes once under a reference of the bank's; what was rejected may have been a slip of the pen.
    Index("uq_manual_receipts_reference", "reference", unique=True, postgresql_where="status <> 'REJECTED'"),
    Index("ix_manual_receipts_payment_id", "payment_id"),
    Index("ix_manual_receipts_status_created_at_id", "status", "created_at", "id"),
)

# Every file has a row before it is written, and until it is deleted; shown is the newest that is stored.
payment_slips = Table(
    "payment_slips",
    metadata,
    key(),
    reference("payment_id", "payments.id"),
    reference("user_id", "users.id"),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    instant("uploaded_at"),
    instant("stored_at", nullable=True),
    Index("ix_payment_slips_payment_id_id", "payment_id", "id"),
    Index("ix_payment_slips_user_id", "user_id"),
)
