"""Devices, preferences, deliveries by channel, and addresses that nobody can be reached at.

Online: new tables only.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261129_20"
down_revision = "20261129_19d"

HERE_ALONE = """
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
"""


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _create_devices()
    _create_preferences()
    _create_deliveries()
    op.create_table(
        "suppressed_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _instant("suppressed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressed_addresses")),
        sa.UniqueConstraint("address", name=op.f("uq_suppressed_addresses_address")),
    )
    op.create_index("ix_suppressed_addresses_suppressed_at_id", "suppressed_addresses", ["suppressed_at", "id"])
    for table in ("device_tokens", "notification_preferences"):
        op.execute(HERE_ALONE.format(table=table))


def _create_devices() -> None:
    op.create_table(
        "device_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        _instant("created_at"),
        _instant("last_seen_at"),
        sa.CheckConstraint("platform IN ('IOS', 'ANDROID', 'WEB')", name=op.f("ck_device_tokens_platform_known")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_device_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_tokens")),
        sa.UniqueConstraint("token", name=op.f("uq_device_tokens_token")),
    )
    op.create_index("ix_device_tokens_user_id_last_seen_at", "device_tokens", ["user_id", "last_seen_at"])


def _create_preferences() -> None:
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("preferences", JSONB(), server_default="{}", nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Africa/Cairo", nullable=False),
        _instant("updated_at"),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_notification_preferences_quiet_ends")
        ),
        sa.CheckConstraint("quiet_from <> quiet_until", name=op.f("ck_notification_preferences_quiet_lasts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notification_preferences_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_preferences")),
    )


def _create_deliveries() -> None:
    op.create_table(
        "notification_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        _instant("created_at"),
        _instant("due_at", nullable=True),
        _instant("finished_at", nullable=True),
        sa.CheckConstraint(
            "channel IN ('EMAIL', 'SMS', 'PUSH')", name=op.f("ck_notification_deliveries_channel_known")
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'HELD', 'SENT', 'REFUSED', 'SKIPPED')",
            name=op.f("ck_notification_deliveries_status_known"),
        ),
        sa.CheckConstraint(
            "(channel = 'PUSH') = (device_id IS NOT NULL)", name=op.f("ck_notification_deliveries_pushed_to_a_device")
        ),
        sa.CheckConstraint(
            "(status = 'HELD') = (due_at IS NOT NULL)", name=op.f("ck_notification_deliveries_held_until")
        ),
        sa.CheckConstraint(
            "(status IN ('PENDING', 'HELD')) = (finished_at IS NULL)", name=op.f("ck_notification_deliveries_ended")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["outbox_events.id"], name=op.f("fk_notification_deliveries_event_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notification_deliveries_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_deliveries")),
        sa.UniqueConstraint(
            "event_id",
            "user_id",
            "channel",
            "device_id",
            name=op.f("uq_notification_deliveries_event_id_user_id_channel_device_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_notification_deliveries_due_at", "notification_deliveries", ["due_at"], postgresql_where="status = 'HELD'"
    )
    op.create_index(
        "ix_notification_deliveries_user_id_created_at_id", "notification_deliveries", ["user_id", "created_at", "id"]
    )
    op.create_index("ix_notification_deliveries_finished_at", "notification_deliveries", ["finished_at"])


def downgrade() -> None:
    for table in ("suppressed_addresses", "notification_deliveries", "notification_preferences", "device_tokens"):
        op.drop_table(table)
