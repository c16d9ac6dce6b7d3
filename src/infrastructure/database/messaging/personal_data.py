"""What messaging holds about a person."""

from infrastructure.database.holdings import Holding
from infrastructure.database.messaging import tables

HOLDINGS = (
    Holding(
        table=tables.notifications,
        belongs="user_id = $person",
        deleted=True,
        exported_as="notifications",
        exported=("id", "notification_type", "title_ar", "title_en", "message_ar", "message_en", "link_type",
                  "link_id", "is_read", "read_at", "created_at"),
    ),
)  # fmt: skip
