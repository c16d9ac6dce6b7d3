"""notifications, device_tokens, notification_preferences, notification_deliveries, suppressed_addresses."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.messaging.channels import Channel
from domain.messaging.deliveries import DeliveryStatus
from domain.messaging.devices import Platform
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

device_tokens = Table(
    "device_tokens",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("token", Text, nullable=False, unique=True),
    *status("platform", Platform),
    Column("locale", Text, nullable=False),
    instant("created_at"),
    instant("last_seen_at"),
    Index("ix_device_tokens_user_id_last_seen_at", "user_id", "last_seen_at"),
)

notification_preferences = Table(
    "notification_preferences",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id"), primary_key=True),
    Column("preferences", JSONB, nullable=False, server_default="{}"),
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    Column("time_zone", Text, nullable=False, server_default="Africa/Cairo"),
    instant("updated_at"),
    CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_ends"),
    CheckConstraint("quiet_from <> quiet_until", name="quiet_lasts"),
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    key(),
    reference("event_id", "outbox_events.id"),
    reference("user_id", "users.id"),
    *status("channel", Channel),
    # No reference: what was pushed to a device that is gone stays on record.
    Column("device_id", Uuid),
    *status("status", DeliveryStatus),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    instant("created_at"),
    instant("due_at", nullable=True),
    instant("finished_at", nullable=True),
    UniqueConstraint("event_id", "user_id", "channel", "device_id", postgresql_nulls_not_distinct=True),
    CheckConstraint("(channel = 'PUSH') = (device_id IS NOT NULL)", name="pushed_to_a_device"),
    CheckConstraint("(status = 'HELD') = (due_at IS NOT NULL)", name="held_until"),
    CheckConstraint("(status IN ('PENDING', 'HELD')) = (finished_at IS NULL)", name="ended"),
    Index("ix_notification_deliveries_due_at", "due_at", postgresql_where="status = 'HELD'"),
    Index("ix_notification_deliveries_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_notification_deliveries_finished_at", "finished_at"),
)

suppressed_addresses = Table(
    "suppressed_addresses",
    metadata,
    key(),
    Column("address", Text, nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    instant("suppressed_at"),
    Index("ix_suppressed_addresses_suppressed_at_id", "suppressed_at", "id"),
)
