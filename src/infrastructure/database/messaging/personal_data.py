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
    Holding(
        table=tables.device_tokens,
        belongs="user_id = $person",
        deleted=True,
        exported_as="devices",
        exported=("id", "platform", "locale", "created_at", "last_seen_at"),
    ),
    Holding(
        table=tables.notification_preferences,
        belongs="user_id = $person",
        deleted=True,
        exported_as="notification_preferences",
        exported=("preferences", "quiet_from", "quiet_until", "time_zone", "updated_at"),
    ),
    Holding(
        table=tables.notification_deliveries,
        belongs="user_id = $person",
        deleted=True,
        exported_as="notification_deliveries",
        exported=("channel", "status", "created_at", "finished_at"),
    ),
    Holding(table=tables.suppressed_addresses, belongs="address = $email", deleted=True),
)  # fmt: skip
