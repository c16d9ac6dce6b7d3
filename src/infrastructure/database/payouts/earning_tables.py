"""earnings."""

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint

from domain.shared.payees import PayeeType
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    money_at_zero,
    reference,
    status,
    unit,
)

# Who earned what by which item of a booking; the books have the journals, this says what they were made of.
earnings = Table(
    "earnings",
    metadata,
    key(),
    reference("booking_id", "bookings.id"),
    reference("booking_item_id", "booking_items.id"),
    *status("payee_type", PayeeType),
    reference("payee_id", "users.id"),
    # As they were frozen in the item, and withheld when the trip was completed.
    Column("rate", PercentageNumber, nullable=False),
    Column("tax_rate", PercentageNumber, nullable=False),
    money("base"),
    # All that was ever posted, and all that was taken back of it; refunds change nothing else.
    money("amount"),
    money("tax"),
    money_at_zero("reversed_amount"),
    money_at_zero("reversed_tax"),
    unit(),
    reference("journal_id", "ledger_journals.id", nullable=True),
    instant("earned_at"),
    instant("released_at"),
    # A trip is shared once, whoever hears of it twice.
    UniqueConstraint("booking_item_id", "payee_type"),
    CheckConstraint("base_minor >= 0", name="base_not_negative"),
    CheckConstraint("reversed_amount_minor BETWEEN 0 AND amount_minor", name="reversed_of_amount"),
    CheckConstraint("reversed_tax_minor BETWEEN 0 AND tax_minor", name="reversed_of_tax"),
    CheckConstraint("tax_minor - reversed_tax_minor <= amount_minor - reversed_amount_minor", name="tax_out_of_amount"),
    Index("ix_earnings_booking_id", "booking_id"),
    Index("ix_earnings_payee_id_earned_at_id", "payee_id", "earned_at", "id"),
)
