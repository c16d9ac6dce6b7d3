"""Looking for bookings: an index for each thing they are filtered and sorted by, and the words they are found by.

Online: indexes are built concurrently, the new ones before those that they replace are dropped; the release before reads by
either. Words are kept by a trigger, whichever release writes, and those of bookings of before are added after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_14"
down_revision = "20261129_13"

# Every word of it begins after a space, so that a search by the beginning of a word is one for text that is contained.
# A table of its own: an index of words on bookings would be written again with every step that a booking takes.
SEARCH_TEXT = """
CREATE FUNCTION booking_search_text(booking_number text, customer_info jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ' ' || fold_for_search(
        booking_number || ' ' || coalesce(customer_info ->> 'first_name', '') || ' '
        || coalesce(customer_info ->> 'last_name', '') || ' ' || coalesce(customer_info ->> 'email', '') || ' '
        || ltrim(coalesce(customer_info ->> 'phone', ''), '+'));
CREATE FUNCTION keep_booking_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO booking_words (booking_id, words)
    VALUES (new.id, booking_search_text(new.booking_number, new.customer_info))
    ON CONFLICT (booking_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_booking_words AFTER INSERT OR UPDATE OF booking_number, customer_info ON bookings
    FOR EACH ROW EXECUTE FUNCTION keep_booking_words();
"""
BOOKED_BEFORE = """
INSERT INTO booking_words (booking_id, words)
SELECT id, booking_search_text(booking_number, customer_info) FROM bookings
ON CONFLICT (booking_id) DO NOTHING
"""
NEW = {
    "ix_bookings_status_created_at_id": (["status", "created_at", "id"], None),
    "ix_bookings_payment_status_created_at_id": (
        ["payment_status", "created_at", "id"],
        "payment_status IN ('PARTIALLY_PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')",
    ),
    "ix_bookings_departure_id_created_at_id": (["departure_id", "created_at", "id"], None),
    "ix_bookings_package_id_created_at_id": (["package_id", "created_at", "id"], "package_id IS NOT NULL"),
    "ix_bookings_activity_id_created_at_id": (["activity_id", "created_at", "id"], "activity_id IS NOT NULL"),
    "ix_bookings_start_date_id": (["start_date", "id"], None),
    "ix_bookings_balance_due": (
        ["created_at", "id"],
        "status IN ('PENDING_PAYMENT', 'CONFIRMED', 'IN_PROGRESS') AND paid_amount_minor < final_amount_minor",
    ),
}
DEPARTURES = "ix_departures_starts_on_start_time_id"
OLD = {
    "ix_bookings_departure_id": (["departure_id"], None),
    "ix_bookings_activity_id": (["activity_id"], "activity_id IS NOT NULL"),
    "ix_bookings_drafts": (["created_at", "id"], "status = 'DRAFT'"),
}


def upgrade() -> None:
    op.create_table(
        "booking_words",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_words_booking_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_booking_words")),
    )
    op.create_index(
        "ix_booking_words_words", "booking_words", ["words"],
        postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"},
    )  # fmt: skip
    op.create_table(
        "departure_manifests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_departure_manifests_departure_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_user_id"], ["users.id"], name=op.f("fk_departure_manifests_requested_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure_manifests")),
        sa.UniqueConstraint("departure_id", "language", "content", name="uq_departure_manifests_content"),
    )
    for column in ("requested_at", "requested_by_user_id"):
        op.create_index(f"ix_departure_manifests_{column}", "departure_manifests", [column])
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_feeds_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feeds_token_hash")),
    )
    op.create_index("ix_calendar_feeds_user_id", "calendar_feeds", ["user_id"])
    op.execute(SEARCH_TEXT)
    with op.get_context().autocommit_block():
        op.execute(BOOKED_BEFORE)
        for name, (columns, condition) in NEW.items():
            _index(name, columns, condition)
        op.create_index(
            DEPARTURES, "departures", ["starts_on", "start_time", "id"],
            postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip
        for name in OLD:
            op.drop_index(name, table_name="bookings", postgresql_concurrently=True, if_exists=True)


def _index(name: str, columns: list[str], condition: str | None) -> None:
    op.create_index(
        name, "bookings", columns,
        postgresql_where=condition, postgresql_concurrently=True, if_not_exists=True,
    )  # fmt: skip


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (columns, condition) in OLD.items():
            _index(name, columns, condition)
        op.drop_index(DEPARTURES, table_name="departures", postgresql_concurrently=True, if_exists=True)
        for name in NEW:
            op.drop_index(name, table_name="bookings", postgresql_concurrently=True, if_exists=True)
    op.execute("DROP TRIGGER keep_booking_words ON bookings")
    op.drop_table("booking_words")
    op.drop_table("departure_manifests")
    op.drop_table("calendar_feeds")
    op.execute("DROP FUNCTION keep_booking_words")
    op.execute("DROP FUNCTION booking_search_text")
