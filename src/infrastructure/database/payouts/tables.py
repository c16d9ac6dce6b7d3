"""payable_entries."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint, Uuid

from domain.payouts.payables import PayableKind
from domain.shared.payees import PayeeType
from infrastructure.database.metadata import instant, key, metadata, money, reference, status, unit

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
)
