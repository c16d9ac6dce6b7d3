"""The accountant's tables: totals of each day, statements of account, what providers state and where it differs."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from domain.ledger.reconciliation import BreakKind, BreakStatus, LineKind
from infrastructure.database.metadata import instant, key, metadata, money, reference, status

ledger_daily_totals = Table(
    "ledger_daily_totals",
    metadata,
    # Owned accounts of a kind together (no provider), a platform account by itself; days in Cairo.
    Column("kind", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    money("debits"),
    money("credits"),
    Column("entries", BigInteger, nullable=False),
    CheckConstraint("debits_minor >= 0 AND credits_minor >= 0", name="sides_not_below_zero"),
)

ledger_totals_through = Table(
    "ledger_totals_through",
    metadata,
    # One row: what was posted before this instant, by the database's clock, is in the totals.
    Column("id", SmallInteger, primary_key=True),
    Column("posted_before", DateTime(timezone=True), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

account_statements = Table(
    "account_statements",
    metadata,
    key(),
    reference("account_id", "ledger_accounts.id"),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("language", Text, nullable=False),
    # The account's newest entry before the end: where another is added, another document is made.
    Column("last_sequence", BigInteger, nullable=False),
    reference("requested_by_user_id", "users.id"),
    instant("requested_at"),
    instant("made_at", nullable=True),
    Column("size_bytes", Integer),
    UniqueConstraint("account_id", "since", "until", "language", "last_sequence", name="uq_account_statements_content"),
    Index("ix_account_statements_requested_at", "requested_at"),
    Index("ix_account_statements_requested_by_user_id_requested_at", "requested_by_user_id", "requested_at"),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    key(),
    Column("provider", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("breaks", Integer, nullable=False),
    reference("imported_by_user_id", "users.id", nullable=True),
    instant("imported_at"),
)

clearing_statements = Table(
    "clearing_statements",
    metadata,
    key(),
    reference("reconciliation_id", "reconciliations.id"),
    Column("provider", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("day", Date, nullable=False),
    money("opening", nullable=True),
    money("closing", nullable=True),
    UniqueConstraint("provider", "currency", "day"),
    Index("ix_clearing_statements_reconciliation_id", "reconciliation_id"),
)

clearing_statement_lines = Table(
    "clearing_statement_lines",
    metadata,
    Column("statement_id", Uuid, ForeignKey("clearing_statements.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    *status("kind", LineKind),
    money("amount"),
    Column("currency", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Index("ix_clearing_statement_lines_provider_reference", "provider", "provider_reference"),
)

clearing_breaks = Table(
    "clearing_breaks",
    metadata,
    key(),
    Column("provider", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    *status("line_kind", LineKind),
    Column("currency", Text, nullable=False),
    *status("kind", BreakKind),
    # What came in by our books and by theirs; nothing where that side knows nothing.
    money("ours"),
    money("theirs"),
    Column("day", Date, nullable=False),
    *status("status", BreakStatus),
    instant("found_at"),
    instant("resolved_at", nullable=True),
    reference("decided_by_user_id", "users.id", nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    # All that was ever given up of it, and the journal that last did; it may open again with other figures.
    Column("written_off_minor", BigInteger, nullable=False, server_default="0"),
    reference("journal_id", "ledger_journals.id", nullable=True),
    UniqueConstraint("provider", "provider_reference", "line_kind", "currency", name="uq_clearing_breaks_reference"),
    CheckConstraint("(resolved_at IS NULL) = (status = 'OPEN')", name="resolved_when_over"),
    CheckConstraint(
        "written_off_minor >= 0 AND (journal_id IS NOT NULL) = (written_off_minor > 0)"
        " AND (status <> 'WRITTEN_OFF' OR journal_id IS NOT NULL)",
        name="written_off_by_a_journal",
    ),
    Index("ix_clearing_breaks_status_found_at_id", "status", "found_at", "id"),
)
