"""Rows of what is asked of wallets: withdrawals, adjustments by staff, rates, transfers between currencies."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from domain.ledger.adjustments import AdjustmentStatus
from domain.ledger.withdrawals import WithdrawalStatus
from infrastructure.database.metadata import (
    CurrencyCode,
    instant,
    key,
    metadata,
    money,
    reference,
    status,
    touched,
    unit,
)

withdrawals = Table(
    "withdrawals",
    metadata,
    key(),
    Column("withdrawal_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    money("amount"),
    unit(),
    # Where the money goes; forgotten with the person, never before the withdrawal is over.
    Column("destination_encrypted", LargeBinary),
    *status("status", WithdrawalStatus),
    Column("hold_id", Uuid, ForeignKey("balance_holds.id"), nullable=False, unique=True),
    reference("journal_id", "ledger_journals.id", nullable=True),
    reference("return_journal_id", "ledger_journals.id", nullable=True),
    Column("bank_reference", Text),
    Column("reason", Text),
    instant("created_at"),
    reference("decided_by_user_id", "users.id", nullable=True),
    instant("decided_at", nullable=True),
    reference("closed_by_user_id", "users.id", nullable=True),
    instant("closed_at", nullable=True),
    touched(),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    CheckConstraint(
        "(decided_at IS NULL) = (status = 'REQUESTED') AND (decided_by_user_id IS NULL) = (decided_at IS NULL)",
        name="decided_when_no_longer_requested",
    ),
    CheckConstraint("status IN ('REQUESTED', 'CANCELLED') OR decided_by_user_id <> user_id", name="decided_by_another"),
    CheckConstraint(
        "(closed_at IS NOT NULL) = (status IN ('PAID', 'RETURNED'))"
        " AND (closed_by_user_id IS NULL) = (closed_at IS NULL)",
        name="closed_when_over",
    ),
    CheckConstraint(
        "(journal_id IS NOT NULL) = (status IN ('APPROVED', 'PAID', 'RETURNED'))"
        " AND (return_journal_id IS NOT NULL) = (status = 'RETURNED')",
        name="posted_when_approved",
    ),
    CheckConstraint(
        "(status <> 'PAID' OR bank_reference IS NOT NULL)"
        " AND (bank_reference IS NULL OR status IN ('PAID', 'RETURNED'))",
        name="paid_with_reference",
    ),
    CheckConstraint("status NOT IN ('REJECTED', 'RETURNED') OR reason IS NOT NULL", name="refused_with_reason"),
    CheckConstraint(
        "status NOT IN ('REQUESTED', 'APPROVED') OR destination_encrypted IS NOT NULL", name="destination_while_open"
    ),
    Index("ix_withdrawals_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_withdrawals_status_created_at_id", "status", "created_at", "id"),
)

adjustments = Table(
    "adjustments",
    metadata,
    key(),
    Column("adjustment_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    Column("account_kind", Text, nullable=False, server_default="WALLET"),
    # Above zero given, below taken; `currency` is PTS for points.
    money("amount"),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    *status("status", AdjustmentStatus),
    Column("needs_approval", Boolean, nullable=False),
    reference("made_by_user_id", "users.id"),
    instant("created_at"),
    reference("decided_by_user_id", "users.id", nullable=True),
    instant("decided_at", nullable=True),
    reference("journal_id", "ledger_journals.id", nullable=True),
    touched(),
    CheckConstraint(
        "account_kind IN ('WALLET', 'VOUCHER_CREDIT', 'POINTS', 'VENDOR_PAYABLE', 'AGENT_PAYABLE')",
        name="account_kind_known",
    ),
    CheckConstraint(
        "(account_kind <> 'POINTS' OR currency = 'PTS')"
        " AND (account_kind IN ('WALLET', 'POINTS') OR currency <> 'PTS')",
        name="account_kind_of_unit",
    ),
    CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    CheckConstraint("made_by_user_id <> user_id", name="made_for_another"),
    # Four eyes, and neither pair is the customer's.
    CheckConstraint(
        "decided_by_user_id <> made_by_user_id AND decided_by_user_id <> user_id", name="decided_by_another"
    ),
    CheckConstraint(
        "status <> 'APPROVED' OR NOT needs_approval OR decided_by_user_id IS NOT NULL", name="approved_by_somebody"
    ),
    CheckConstraint("(decided_at IS NULL) = (status = 'PENDING')", name="decided_when_no_longer_pending"),
    CheckConstraint("(journal_id IS NOT NULL) = (status = 'APPROVED')", name="posted_when_approved"),
    Index("ix_adjustments_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_adjustments_status_created_at_id", "status", "created_at", "id"),
)

exchange_rates = Table(
    "exchange_rates",
    metadata,
    key(),
    Column("from_currency", CurrencyCode, nullable=False),
    Column("to_currency", CurrencyCode, nullable=False),
    # Whole units of the one for one whole unit of the other.
    Column("rate", Numeric(21, 12), nullable=False),
    instant("valid_from"),
    reference("created_by_user_id", "users.id"),
    instant("created_at"),
    CheckConstraint("rate > 0", name="rate_above_zero"),
    CheckConstraint("from_currency <> to_currency", name="two_currencies"),
    Index("ix_exchange_rates_newest", "from_currency", "to_currency", text("valid_from DESC"), text("id DESC")),
)

wallet_transfers = Table(
    "wallet_transfers",
    metadata,
    key(),
    Column("transfer_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    money("amount"),
    unit(),
    money("received"),
    Column("received_currency", CurrencyCode, nullable=False),
    reference("rate_id", "exchange_rates.id"),
    Column("journal_id", Uuid, ForeignKey("ledger_journals.id"), nullable=False, unique=True),
    instant("created_at"),
    CheckConstraint("amount_minor > 0 AND received_minor > 0", name="amounts_above_zero"),
    CheckConstraint("currency <> received_currency", name="two_currencies"),
    Index("ix_wallet_transfers_user_id_created_at_id", "user_id", "created_at", "id"),
)
