"""refunds, refund_parts, disputes."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import composite, relationship

from domain.billing.disputes import Dispute, DisputeStatus
from domain.billing.refunds import Destination, Origin, Refund, RefundPart, RefundStatus, Told, Way
from domain.shared.money import Money
from infrastructure.database.metadata import (
    instant,
    key,
    mappers,
    metadata,
    money,
    money_at_zero,
    reference,
    status,
    touched,
    unit,
)

refund_numbers = Sequence("refund_numbers", metadata=metadata)

refunds = Table(
    "refunds",
    metadata,
    key(),
    Column("refund_number", Text, nullable=False, unique=True),
    reference("payment_id", "payments.id"),
    reference("user_id", "users.id"),
    money("amount"),
    unit(),
    Column("reason", Text, nullable=False),
    *status("destination", Destination),
    *status("origin", Origin),
    reference("requested_by_user_id", "users.id", nullable=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    *status("status", RefundStatus),
    instant("created_at"),
    instant("succeeded_at", nullable=True),
    touched(),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    Index("ix_refunds_payment_id", "payment_id"),
    Index("ix_refunds_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_refunds_created_at_id", "created_at", "id"),
)

refund_parts = Table(
    "refund_parts",
    metadata,
    key(),
    reference("refund_id", "refunds.id"),
    Column("position", SmallInteger, nullable=False),
    reference("tender_id", "payment_tenders.id", nullable=True),
    reference("receipt_id", "payment_receipts.id", nullable=True),
    reference("attempt_id", "payment_attempts.id", nullable=True),
    *status("way", Way),
    money("amount"),
    unit(),
    Column("points", Integer),
    *status("status", RefundStatus),
    Column("merchant_reference", Text, nullable=False, unique=True),
    Column("provider", Text),
    Column("provider_refund_reference", Text),
    *status("told", Told, nullable=True),
    Column("error_code", Text),
    Column("tries", Integer, nullable=False),
    instant("next_try_at", nullable=True),
    instant("submitted_at", nullable=True),
    instant("updated_at"),
    reference("hold_id", "balance_holds.id", nullable=True),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    Column("return_journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    # Written before the part that it names.
    Column("replaced_by", Uuid, ForeignKey("refund_parts.id", deferrable=True, initially="DEFERRED")),
    UniqueConstraint("refund_id", "position"),
    # A refund of a provider's is booked once, whoever asked for it.
    UniqueConstraint("provider", "provider_refund_reference"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("tender_id IS NULL OR receipt_id IS NULL", name="of_one_thing"),
    CheckConstraint("(way = 'OWN') = (provider IS NULL)", name="provider_but_for_own"),
    CheckConstraint("status <> 'SUCCEEDED' OR journal_id IS NOT NULL", name="done_by_a_journal"),
    CheckConstraint(
        "(return_journal_id IS NOT NULL) = (journal_id IS NOT NULL AND status = 'FAILED')", name="returned_by_a_journal"
    ),
    # Money in suspense goes back once.
    Index("uq_refund_parts_receipt_id", "receipt_id", unique=True, postgresql_where="status <> 'FAILED'"),
    # What went back beyond everything that is known here.
    Index(
        "ix_refund_parts_beyond",
        "refund_id",
        postgresql_where="status = 'SUCCEEDED' AND way <> 'OWN' AND tender_id IS NULL AND receipt_id IS NULL",
    ),
    Index(
        "ix_refund_parts_due",
        "next_try_at",
        postgresql_where="status IN ('REQUESTED', 'SUBMITTED', 'UNKNOWN') AND next_try_at IS NOT NULL",
    ),
)

disputes = Table(
    "disputes",
    metadata,
    key(),
    reference("payment_id", "payments.id"),
    reference("user_id", "users.id"),
    reference("attempt_id", "payment_attempts.id"),
    Column("provider", Text, nullable=False),
    Column("provider_dispute_reference", Text, nullable=False),
    money("amount"),
    unit(),
    *status("status", DisputeStatus),
    Column("reason", Text, nullable=False),
    money("taken"),
    money("taken_from_suspense"),
    money_at_zero("taken_from_wallet"),
    Column("postings", Integer, nullable=False),
    reference("hold_id", "balance_holds.id", nullable=True),
    instant("opened_at"),
    instant("decided_at", nullable=True),
    touched(),
    UniqueConstraint("provider", "provider_dispute_reference"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint(
        "taken_minor >= 0 AND taken_from_suspense_minor >= 0 AND taken_from_wallet_minor >= 0"
        " AND taken_minor + taken_from_suspense_minor + taken_from_wallet_minor"
        " <= CASE WHEN status = 'LOST' THEN amount_minor ELSE 0 END",
        name="takes_what_is_lost",
    ),
    Index("ix_disputes_payment_id", "payment_id"),
    Index("ix_disputes_opened_at_id", "opened_at", "id"),
)

mappers.map_imperatively(
    RefundPart,
    refund_parts,
    properties={
        "_amount_minor": refund_parts.c.amount_minor,
        "_currency": refund_parts.c.currency,
        "amount": composite(Money, "_amount_minor", "_currency"),
    },
)
mappers.map_imperatively(
    Refund,
    refunds,
    exclude_properties=["updated_at"],
    properties={
        "requested_by": refunds.c.requested_by_user_id,
        "_amount_minor": refunds.c.amount_minor,
        "_currency": refunds.c.currency,
        "amount": composite(Money, "_amount_minor", "_currency"),
        "parts": relationship(RefundPart, order_by=refund_parts.c.position, lazy="selectin", cascade="all"),
    },
)
mappers.map_imperatively(
    Dispute,
    disputes,
    exclude_properties=["updated_at"],
    properties={
        "_amount_minor": disputes.c.amount_minor,
        "_taken_minor": disputes.c.taken_minor,
        "_taken_from_suspense_minor": disputes.c.taken_from_suspense_minor,
        "_taken_from_wallet_minor": disputes.c.taken_from_wallet_minor,
        "_currency": disputes.c.currency,
        "amount": composite(Money, "_amount_minor", "_currency"),
        "taken": composite(Money, "_taken_minor", "_currency"),
        "taken_from_suspense": composite(Money, "_taken_from_suspense_minor", "_currency"),
        "taken_from_wallet": composite(Money, "_taken_from_wallet_minor", "_currency"),
    },
)
