"""notifications."""

from sqlalchemy import Boolean, Column, Index, Table, Text, Uuid

from domain.messaging.notifications import LinkType, NotificationType
from infrastructure.database.metadata import instant, key, metadata, reference, status

notifications = Table(
    "notifications",
    metadata,
    key(),
    reference("user_id", "users.id"),
    *status("notification_type", NotificationType),
    Column("title_ar", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("message_ar", Text, nullable=False),
    Column("message_en", Text, nullable=False),
    *status("link_type", LinkType),
    Column("link_id", Uuid),
    Column("is_read", Boolean, nullable=False, server_default="false"),
    instant("read_at", nullable=True),
    instant("created_at"),
    Index("ix_notifications_user_id_created_at_id", "user_id", "created_at", "id"),
)
