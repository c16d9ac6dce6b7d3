"""Looking for bookings: an index for each thing they are filtered and sorted by, and one for words.

Online: indexes are built concurrently, the new ones before those that they replace are dropped; the release before reads by
either.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_14"
down_revision = "20261129_09"

# Every word of it begins after a space, so that a search by the beginning of a word is one for text that is contained.
SEARCH_TEXT = """
CREATE FUNCTION booking_search_text(booking_number text, customer_info jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ' ' || fold_for_search(
        booking_number || ' ' || coalesce(customer_info ->> 'first_name', '') || ' '
        || coalesce(customer_info ->> 'last_name', '') || ' ' || coalesce(customer_info ->> 'email', '') || ' '
        || ltrim(coalesce(customer_info ->> 'phone', ''), '+'));
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
SEARCH_INDEX = "ix_bookings_search_text"
OLD = {
    "ix_bookings_departure_id": (["departure_id"], None),
    "ix_bookings_activity_id": (["activity_id"], "activity_id IS NOT NULL"),
    "ix_bookings_drafts": (["created_at", "id"], "status = 'DRAFT'"),
}


def upgrade() -> None:
    op.execute(SEARCH_TEXT)
    with op.get_context().autocommit_block():
        for name, (columns, condition) in NEW.items():
            _index(name, columns, condition)
        op.create_index(
            SEARCH_INDEX, "bookings", [sa.text("booking_search_text(booking_number, customer_info) gin_trgm_ops")],
            postgresql_using="gin", postgresql_concurrently=True, if_not_exists=True,
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
        for name in (SEARCH_INDEX, *NEW):
            op.drop_index(name, table_name="bookings", postgresql_concurrently=True, if_exists=True)
    op.execute("DROP FUNCTION IF EXISTS booking_search_text")
