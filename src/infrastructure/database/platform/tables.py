"""outbox_events, processed_events, idempotency_keys, scheduled_runs, revisions, sandbox_checkouts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from infrastructure.database.metadata import instant, key, metadata

outbox_events = Table(
    "outbox_events",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("payload", JSONB, nullable=False),
    instant("occurred_at"),
    instant("published_at", nullable=True),
    instant("dead_at", nullable=True),
    Index("ix_outbox_events_unpublished", "id", postgresql_where="published_at IS NULL AND dead_at IS NULL"),
)

# One row per (event, handler): made by the relay, finished by the handler's own transaction.
processed_events = Table(
    "processed_events",
    metadata,
    Column("event_id", Uuid, ForeignKey("outbox_events.id"), primary_key=True),
    Column("handler", Text, primary_key=True),
    instant("enqueued_at"),
    instant("due_at"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    instant("processed_at", nullable=True),
    instant("dead_at", nullable=True),
    Column("reason", Text),
    Index("ix_processed_events_open", "due_at", postgresql_where="processed_at IS NULL AND dead_at IS NULL"),
    Index("ix_processed_events_dead", "dead_at", postgresql_where="dead_at IS NOT NULL AND processed_at IS NULL"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    # Empty while a request that calls a provider is on its way; such a claim ends with its lease.
    Column("status_code", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    instant("lease_until", nullable=True),
    instant("created_at"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

scheduled_runs = Table(
    "scheduled_runs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    instant("claimed_at"),
    instant("finished_at", nullable=True),
)

# Counted up by triggers, so that processes notice when what they hold a snapshot of has changed.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

# The sandbox provider's own books; only its gateway and its page read or write them.
sandbox_checkouts = Table(
    "sandbox_checkouts",
    metadata,
    key(),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("success_url", Text, nullable=False),
    Column("cancel_url", Text, nullable=False),
    Column("webhook_url", Text, nullable=False),
    instant("expires_at"),
    Column("outcome", Text),
    instant("decided_at", nullable=True),
    instant("created_at"),
    CheckConstraint(
        "outcome IN ('paid', 'declined', 'late', 'twice', 'short', 'never')",
        name="outcome_known",
    ),
)

sandbox_charges = Table(
    "sandbox_charges",
    metadata,
    key(),
    Column("checkout_id", Uuid, ForeignKey("sandbox_checkouts.id"), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    instant("charged_at"),
    UniqueConstraint("checkout_id", "position"),
)

# `told_at`: when the merchant was told of how it ended. Whether it fails is decided with it (docs/sandbox.md).
sandbox_refunds = Table(
    "sandbox_refunds",
    metadata,
    key(),
    Column("checkout_id", Uuid, ForeignKey("sandbox_checkouts.id"), nullable=False),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("fails", Boolean, nullable=False),
    instant("settles_at"),
    instant("told_at", nullable=True),
    instant("created_at"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    Index("ix_sandbox_refunds_checkout_id", "checkout_id"),
    Index("ix_sandbox_refunds_untold", "settles_at", postgresql_where="told_at IS NULL"),
)

sandbox_disputes = Table(
    "sandbox_disputes",
    metadata,
    Column("checkout_id", Uuid, ForeignKey("sandbox_checkouts.id"), primary_key=True),
    Column("state", Text, nullable=False),
    instant("opened_at"),
    instant("changed_at"),
    CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name="state_known"),
)

sandbox_transfers = Table(
    "sandbox_transfers",
    metadata,
    key(),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("destination", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    instant("created_at"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
)
