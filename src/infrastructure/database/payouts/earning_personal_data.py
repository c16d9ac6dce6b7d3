"""What is held of what a person earned, by booking: by id, and kept like the books."""

from infrastructure.database.holdings import Holding
from infrastructure.database.payouts import earning_tables

HOLDINGS = (
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
