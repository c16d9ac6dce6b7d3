"""ledger_accounts, ledger_journals, ledger_entries, points_lots, cashback_records: written, never changed.

The application's role can only read the first three: the database function `ledger_post` writes them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from domain.ledger.cashback import CashbackStatus
from domain.ledger.journal import JournalType
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    reference,
    status,
    unit,
)

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    key(),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    reference("user_id", "users.id", nullable=True),
    Column("provider", Text, nullable=False, server_default=""),
    # A chained account has a running balance and a gap-free sequence; the others are only summed.
    Column("is_chained", Boolean, nullable=False),
    Column("allows_debt", Boolean, nullable=False),
    instant("created_at"),
    UniqueConstraint("user_id", "kind", "currency", "provider", postgresql_nulls_not_distinct=True),
    CheckConstraint("is_chained = (user_id IS NOT NULL)", name="chained_when_owned"),
)

ledger_journals = Table(
    "ledger_journals",
    metadata,
    key(),
    *status("journal_type", JournalType),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("reference_type", Text, nullable=False),
    Column("reference_id", Uuid, nullable=False),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    instant("occurred_at"),
    Index("ix_ledger_journals_reference_id", "reference_id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    # No foreign keys here: a trigger checks both, without share locks on the platform's few accounts.
    Column("journal_id", Uuid, primary_key=True),
    Column("line", SmallInteger, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("sequence", BigInteger),
    money("amount"),
    Column("currency", Text, nullable=False),
    money("balance_before", nullable=True),
    money("balance_after", nullable=True),
    Column("hash", LargeBinary, nullable=False),
    instant("occurred_at"),
    UniqueConstraint("account_id", "sequence"),
    CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    CheckConstraint("balance_after_minor = balance_before_minor + amount_minor", name="balance_adds_up"),
    CheckConstraint(
        "(sequence IS NULL) = (balance_after_minor IS NULL) AND (sequence IS NULL) = (balance_before_minor IS NULL)",
        name="chained_or_not",
    ),
)

points_lots = Table(
    "points_lots",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), nullable=False, unique=True),
    Column("points", BigInteger, nullable=False),
    instant("earned_at"),
    instant("expires_at"),
    CheckConstraint("points > 0", name="points_above_zero"),
    Index("ix_points_lots_user_id_expires_at", "user_id", "expires_at"),
)

cashback_records = Table(
    "cashback_records",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("booking_id", Uuid, ForeignKey("bookings.id"), nullable=False, unique=True),
    money("booking_amount"),
    Column("cashback_rate", PercentageNumber, nullable=False),
    money("cashback_amount"),
    unit(),
    *status("status", CashbackStatus),
    instant("eligible_at"),
    instant("created_at"),
    CheckConstraint("cashback_amount_minor > 0", name="amount_above_zero"),
    Index("ix_cashback_records_user_id_created_at_id", "user_id", "created_at", "id"),
)
