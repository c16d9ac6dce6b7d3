"""What is held of a person's earnings: by id, and kept like the books."""

from infrastructure.database.holdings import Holding
from infrastructure.database.payouts import tables

HOLDINGS = (
    Holding(
        table=tables.payable_entries,
        belongs="payee_id = $person",
        exported_as="payable_entries",
        exported=("id", "payee_type", "kind", "booking_id", "amount_minor", "currency", "released_at", "occurred_at"),
    ),
)
