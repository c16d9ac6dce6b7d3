"""payout_statements."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, UniqueConstraint

from domain.payouts.payouts import PayoutStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status

# The PDF of a payout in a language: another is made when the payout stands elsewhere, nothing else of it changes.
payout_statements = Table(
    "payout_statements",
    metadata,
    key(),
    reference("payout_id", "payouts.id"),
    Column("language", Text, nullable=False),
    *status("status", PayoutStatus),
    reference("requested_by_user_id", "users.id"),
    instant("requested_at"),
    instant("made_at", nullable=True),
    Column("size_bytes", Integer),
    CheckConstraint("language IN ('ar', 'en', 'both')", name="language_known"),
    UniqueConstraint("payout_id", "language", "status", name="uq_payout_statements_content"),
    Index("ix_payout_statements_requested_at", "requested_at"),
    Index("ix_payout_statements_requested_by_user_id_requested_at", "requested_by_user_id", "requested_at"),
)
