"""payable_entries, payout_batches, payouts, payout_entries, payouts_left_out."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from domain.partners.partners import PayoutMethod
from domain.payouts.batches import BatchOrigin, BatchPayees, BatchPeriod, BatchStatus, LeftOut
from domain.payouts.payables import PayableKind
from domain.payouts.payouts import PayoutStatus
from domain.shared.payees import PayeeType
from infrastructure.database.metadata import (
    instant,
    key,
    metadata,
    money,
    reference,
    status,
    touched,
    unit,
    version,
)

# One for each entry of a payable account but payouts themselves; never changed.
payable_entries = Table(
    "payable_entries",
    metadata,
    key(),
    reference("payee_id", "users.id"),
    *status("payee_type", PayeeType),
    *status("kind", PayableKind),
    Column("account_id", Uuid, ForeignKey("ledger_accounts.id"), nullable=False),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), nullable=False),
    reference("booking_id", "bookings.id", nullable=True),
    money("amount"),
    unit(),
    # From when it is paid out; what is reversed before that is released with what it reverses.
    instant("released_at"),
    instant("occurred_at"),
    UniqueConstraint("journal_id", "account_id"),
    CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    Index("ix_payable_entries_payee_id_occurred_at_id", "payee_id", "occurred_at", "id"),
    Index("ix_payable_entries_booking_id", "booking_id"),
    # What was released to somebody is summed up from the index alone.
    Index(
        "ix_payable_entries_account_id_released_at", "account_id", "released_at", postgresql_include=["amount_minor"]
    ),
)

payout_batches = Table(
    "payout_batches",
    metadata,
    key(),
    Column("batch_number", Text, nullable=False, unique=True),
    *status("period", BatchPeriod),
    *status("payee_type", BatchPayees),
    *status("origin", BatchOrigin),
    # The day that the schedule made it for, or the day that staff did.
    Column("period_start", Date, nullable=False),
    instant("cut_off"),
    *status("status", BatchStatus),
    # None: the schedule.
    reference("created_by_user_id", "users.id", nullable=True),
    reference("approved_by_user_id", "users.id", nullable=True),
    # Who pays, as the settings said at the approval: a bank file is the same however often it is read.
    Column("debtor_name", Text),
    Column("debtor_iban", Text),
    Column("debtor_bic", Text),
    instant("created_at"),
    instant("approved_at", nullable=True),
    instant("processing_at", nullable=True),
    instant("completed_at", nullable=True),
    instant("cancelled_at", nullable=True),
    touched(),
    version(),
    CheckConstraint("approved_by_user_id <> created_by_user_id", name="approved_by_another"),
    CheckConstraint("(created_by_user_id IS NULL) = (origin = 'SCHEDULE')", name="made_by_somebody"),
    CheckConstraint(
        "(approved_at IS NOT NULL) = (status IN ('APPROVED', 'PROCESSING', 'COMPLETED'))"
        " AND (approved_by_user_id IS NOT NULL) = (approved_at IS NOT NULL)"
        " AND (debtor_name IS NOT NULL) = (approved_at IS NOT NULL)",
        name="approved_by_somebody",
    ),
    CheckConstraint(
        "(processing_at IS NOT NULL) = (status IN ('PROCESSING', 'COMPLETED'))"
        " AND (completed_at IS NOT NULL) = (status = 'COMPLETED')"
        " AND (cancelled_at IS NOT NULL) = (status = 'CANCELLED')",
        name="instants_of_status",
    ),
    Index(
        "uq_payout_batches_scheduled",
        "period",
        "period_start",
        "payee_type",
        unique=True,
        postgresql_where=text("origin = 'SCHEDULE'"),
    ),
    Index("ix_payout_batches_created_at_id", "created_at", "id"),
    Index("ix_payout_batches_open", "status", postgresql_where=text("status IN ('APPROVED', 'PROCESSING')")),
)

payouts = Table(
    "payouts",
    metadata,
    key(),
    Column("payout_number", Text, nullable=False, unique=True),
    reference("batch_id", "payout_batches.id"),
    reference("payee_id", "users.id"),
    *status("payee_type", PayeeType),
    reference("profile_id", "partner_profiles.id"),
    Column("account_id", Uuid, ForeignKey("ledger_accounts.id"), nullable=False),
    *status("method", PayoutMethod),
    # Where it goes, as it was when the batch was made. JSON, as in partner_bank_accounts.
    Column("destination_encrypted", LargeBinary),
    Column("destination_masked", Text, nullable=False, server_default=""),
    Column("stripe_account", Text),
    money("amount"),
    unit(),
    *status("status", PayoutStatus),
    # Out of the payable account; on to the bank, the provider or the wallet; or back.
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    Column("paid_journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    Column("return_journal_id", Uuid, ForeignKey("ledger_journals.id"), unique=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # When the driver looks at it again; while it is being sent, until when it is nobody else's.
    instant("next_try_at", nullable=True),
    Column("provider_reference", Text, unique=True),
    Column("bank_reference", Text),
    Column("failure_code", Text),
    Column("reason", Text),
    # Who decided by hand.
    reference("decided_by_user_id", "users.id", nullable=True),
    instant("created_at"),
    instant("sent_at", nullable=True),
    instant("closed_at", nullable=True),
    touched(),
    version(),
    UniqueConstraint("batch_id", "payee_id", "payee_type", "currency"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint("status IN ('PENDING', 'CANCELLED') OR journal_id IS NOT NULL", name="out_of_the_account"),
    CheckConstraint("(paid_journal_id IS NOT NULL) = (status IN ('PAID', 'RETURNED'))", name="paid_by_a_journal"),
    CheckConstraint(
        "(return_journal_id IS NOT NULL) = (journal_id IS NOT NULL AND status IN ('FAILED', 'CANCELLED', 'RETURNED'))",
        name="returned_by_a_journal",
    ),
    CheckConstraint(
        "(closed_at IS NOT NULL) = (status IN ('PAID', 'FAILED', 'CANCELLED', 'RETURNED'))", name="closed_when_over"
    ),
    CheckConstraint("status NOT IN ('SENT', 'UNKNOWN') OR sent_at IS NOT NULL", name="sent_at_an_instant"),
    CheckConstraint(
        "status NOT IN ('FAILED', 'CANCELLED', 'RETURNED') OR failure_code IS NOT NULL", name="refused_with_reason"
    ),
    CheckConstraint("(method = 'STRIPE') = (stripe_account IS NOT NULL)", name="stripe_needs_account"),
    CheckConstraint(
        "method <> 'BANK_TRANSFER' OR closed_at IS NOT NULL OR destination_encrypted IS NOT NULL",
        name="destination_while_open",
    ),
    Index("ix_payouts_batch_id_status", "batch_id", "status"),
    Index("ix_payouts_payee_id_created_at_id", "payee_id", "created_at", "id"),
    Index("ix_payouts_created_at_id", "created_at", "id"),
    Index("ix_payouts_due", "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
)

# One for each entry that a payout takes, made with it; taken away only with one that was cancelled in its draft.
payout_entries = Table(
    "payout_entries",
    metadata,
    # No foreign keys here: a trigger checks both, and the sums, once for all links of a batch, a million of them.
    Column("payable_entry_id", Uuid, primary_key=True),
    Column("payout_id", Uuid, nullable=False),
    Index("ix_payout_entries_payout_id", "payout_id"),
)

# Who had something up to the cut-off and is not paid; never changed.
payouts_left_out = Table(
    "payouts_left_out",
    metadata,
    reference("batch_id", "payout_batches.id"),
    reference("payee_id", "users.id"),
    *status("payee_type", PayeeType),
    unit(),
    money("amount"),
    *status("reason", LeftOut),
    PrimaryKeyConstraint("batch_id", "payee_id", "payee_type", "currency"),
)
