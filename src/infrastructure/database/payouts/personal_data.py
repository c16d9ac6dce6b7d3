"""What is held of a person's earnings: by id, and kept like the books."""

from infrastructure.database.holdings import Holding
from infrastructure.database.payouts import earning_tables, tables

HOLDINGS = (
    Holding(
        table=tables.payable_entries,
        belongs="payee_id = $person",
        exported_as="payable_entries",
        exported=("id", "payee_type", "kind", "booking_id", "amount_minor", "currency", "released_at", "occurred_at"),
    ),
    Holding(
        table=earning_tables.earnings,
        belongs="payee_id = $person",
        exported_as="earnings",
        exported=(
            "booking_id",
            "payee_type",
            "rate",
            "tax_rate",
            "base_minor",
            "amount_minor",
            "tax_minor",
            "reversed_amount_minor",
            "reversed_tax_minor",
            "currency",
            "earned_at",
            "released_at",
        ),
    ),
)
