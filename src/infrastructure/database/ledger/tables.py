"""The ledger's rows: the chart of accounts, accounts, journals, entries, holds, points' lots, cashback.

The application's role can only read accounts, journals, entries and heads: the views `ledger_transfers` and
`ledger_postings` write them. Entries lie in a partition for each year; a journal's id begins with its time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from domain.ledger.accounts import Nature, Standing
from domain.ledger.cashback import CashbackStatus
from domain.ledger.holds import HoldStatus
from domain.ledger.journal import JournalType
from infrastructure.database.metadata import (
    EnumText,
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    reference,
    status,
    unit,
)

ledger_account_kinds = Table(
    "ledger_account_kinds",
    metadata,
    Column("kind", Text, primary_key=True),
    *status("nature", Nature),
    Column("is_owned", Boolean, nullable=False),
    *status("standing", Standing, nullable=True),
    CheckConstraint("is_owned = (standing IS NOT NULL)", name="owned_stand"),
)

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    key(),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    reference("user_id", "users.id", nullable=True),
    Column("provider", Text, nullable=False, server_default=""),
    # A chained account has a running balance and a gap-free sequence; the others are only summed. Both columns
    # are what the account's kind says, whoever inserts.
    Column("is_chained", Boolean, nullable=False),
    Column("allows_debt", Boolean, nullable=False),
    instant("created_at"),
    UniqueConstraint("user_id", "kind", "currency", "provider", postgresql_nulls_not_distinct=True),
    CheckConstraint("is_chained = (user_id IS NOT NULL)", name="chained_when_owned"),
    Index("ix_ledger_accounts_created_at_id", "created_at", "id"),
)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    # Where an account's newest entry is, and what continuing its chain needs: also the account's lock. What is shown
    # of an account is asked of its entries and holds; verification compares.
    Column("account_id", Uuid, ForeignKey("ledger_accounts.id"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("journal_id", Uuid),
    Column("line", SmallInteger),
    # Without values only until `ledger_complete_head` has seen it.
    Column("kind", Text),
    Column("currency", Text),
    money("balance", nullable=True),
    Column("hash", LargeBinary),
    Column("held_minor", BigInteger),
    postgresql_with={"fillfactor": 60},
)

ledger_journals = Table(
    "ledger_journals",
    metadata,
    key(),
    # What it may be is asked by posting, and of entries by hand.
    Column("journal_type", EnumText(JournalType), nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("reference_type", Text, nullable=False),
    Column("reference_id", Uuid, nullable=False),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    instant("occurred_at"),
    Column("reverses_journal_id", Uuid),
    # By the database's clock: a day's seal covers what was posted before an instant that is settled.
    Column("posted_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_ledger_journals_reference_id", "reference_id"),
    # Either column is found by it.
    Index("ix_ledger_journals_instants", "posted_at", "occurred_at", postgresql_using="brin"),
    Index(
        "ix_ledger_journals_reverses_journal_id",
        "reverses_journal_id",
        postgresql_where=text("reverses_journal_id IS NOT NULL"),
    ),
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
    # Account and sequence are unique within each partition, and across them by the heads. What else must hold of a
    # row the guard of entries by hand says, not CHECKs that every posting would pay for.
    postgresql_partition_by="RANGE (journal_id)",
)

ledger_seals = Table(
    "ledger_seals",
    metadata,
    # One for each day in Cairo, gap-free; written by the database function `ledger_seal` alone.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("business_day", Date, nullable=False, unique=True),
    instant("sealed_until"),
    Column("journals", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    # All ids of the day's journals, one XOR the other: with one too few or too many, it tells which.
    Column("journals_xor", Uuid, nullable=False),
    Column("previous_root", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    instant("sealed_at"),
    CheckConstraint("number > 0", name="counted_from_one"),
    CheckConstraint("length(root) = 32 AND length(previous_root) = 32", name="sha256"),
)

balance_holds = Table(
    "balance_holds",
    metadata,
    key(),
    reference("account_id", "ledger_accounts.id"),
    money("amount"),
    Column("captured_minor", BigInteger, nullable=False, server_default="0"),
    Column("currency", Text, nullable=False),
    *status("status", HoldStatus),
    Column("reference_type", Text, nullable=False),
    Column("reference_id", Uuid, nullable=False),
    # Checked at commit: what is held has to be free before its capture is posted.
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id", deferrable=True, initially="DEFERRED")),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("resolved_at", nullable=True),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint(
        "captured_minor BETWEEN 0 AND amount_minor AND (captured_minor > 0) = (status = 'CAPTURED')"
        " AND (journal_id IS NOT NULL) = (status = 'CAPTURED')",
        name="captured_in_part_or_whole",
    ),
    CheckConstraint("(resolved_at IS NULL) = (status = 'ACTIVE')", name="resolved_when_over"),
    Index("ix_balance_holds_active", "account_id", postgresql_where=text("status = 'ACTIVE'")),
    Index("ix_balance_holds_expires_at", "expires_at", postgresql_where=text("status = 'ACTIVE'")),
    Index("ix_balance_holds_reference_id", "reference_id"),
)

points_lots = Table(
    "points_lots",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), nullable=False, unique=True),
    Column("points", BigInteger, nullable=False),
    # What its entries left of it; a trigger counts.
    Column("remaining", BigInteger),
    instant("earned_at"),
    instant("expires_at"),
    instant("grace_until", nullable=True),
    CheckConstraint("points > 0", name="points_above_zero"),
    CheckConstraint("remaining IS NOT NULL AND remaining BETWEEN 0 AND points", name="remaining_of_points"),
    Index("ix_points_lots_user_id_expires_at", "user_id", "expires_at"),
    Index(
        "ix_points_lots_open",
        "user_id",
        text("greatest(expires_at, grace_until)"),
        postgresql_where=text("remaining > 0"),
    ),
)

points_lot_entries = Table(
    "points_lot_entries",
    metadata,
    # Below zero: taken from the lot by this journal; above: given back by a reversal of the one that took.
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), primary_key=True),
    Column("lot_id", Uuid, ForeignKey("points_lots.id"), primary_key=True),
    Column("points", BigInteger, nullable=False),
    instant("grace_until", nullable=True),
    CheckConstraint("points <> 0", name="points_not_zero"),
    CheckConstraint("grace_until IS NULL OR points > 0", name="grace_for_what_is_given_back"),
    Index("ix_points_lot_entries_lot_id", "lot_id"),
)

points_reminders = Table(
    "points_reminders",
    metadata,
    # That a lot's owner was told of one of its ends, once for each stage; a grace makes another end.
    Column("lot_id", Uuid, ForeignKey("points_lots.id"), primary_key=True),
    Column("ends_at", DateTime(timezone=True), primary_key=True),
    Column("days_before", Integer, primary_key=True),
    instant("noted_at"),
    CheckConstraint("days_before > 0", name="days_above_zero"),
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
    # How much of the amount refunds have taken back.
    Column("clawed_back_minor", BigInteger, nullable=False, server_default="0"),
    # A trigger fills it where a release does not name it.
    reference("promise_journal_id", "ledger_journals.id", nullable=True),
    instant("approved_at", nullable=True),
    reference("approved_by_user_id", "users.id", nullable=True),
    instant("credited_at", nullable=True),
    reference("credit_journal_id", "ledger_journals.id", nullable=True),
    instant("cancelled_at", nullable=True),
    Column("cancel_reason", Text),
    CheckConstraint("cashback_amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("promise_journal_id IS NOT NULL", name="promised_by_a_journal"),
    CheckConstraint(
        "clawed_back_minor BETWEEN 0 AND cashback_amount_minor"
        " AND (clawed_back_minor < cashback_amount_minor OR status NOT IN ('PENDING', 'APPROVED'))",
        name="clawed_back_of_amount",
    ),
    CheckConstraint(
        "CASE status WHEN 'PENDING' THEN approved_at IS NULL WHEN 'CANCELLED' THEN true"
        " ELSE approved_at IS NOT NULL END AND (approved_at IS NOT NULL OR approved_by_user_id IS NULL)",
        name="approved_first",
    ),
    CheckConstraint(
        "(status = 'CREDITED') = (credited_at IS NOT NULL) AND (status = 'CREDITED') = (credit_journal_id IS NOT NULL)"
        " AND (credited_at IS NULL OR credited_at >= eligible_at)",
        name="credited_when_eligible",
    ),
    CheckConstraint(
        "(status = 'CANCELLED') = (cancelled_at IS NOT NULL) AND (status = 'CANCELLED') = (cancel_reason IS NOT NULL)",
        name="cancelled_for_a_reason",
    ),
    Index("ix_cashback_records_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_cashback_records_created_at_id", "created_at", "id"),
    Index(
        "ix_cashback_records_eligible_at",
        "eligible_at",
        "id",
        postgresql_where=text("status IN ('PENDING', 'APPROVED')"),
    ),
)
