"""package_images, ratings, item_statistics, item_revenues, view_batches."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from domain.catalogue.images import ImageState
from domain.catalogue.items import ItemKind
from domain.catalogue.ratings import RatingStatus
from infrastructure.database.metadata import instant, key, metadata, money, reference, status, unit

# Every file has a row before it is written, and until it is deleted. Of activities too: packages were first.
package_images = Table(
    "package_images",
    metadata,
    key(),
    reference("package_id", "packages.id", nullable=True),
    reference("activity_id", "activities.id", nullable=True),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("caption_ar", Text, nullable=False),
    Column("caption_en", Text, nullable=False),
    Column("display_order", Integer, nullable=False),
    Column("is_featured", Boolean, nullable=False),
    *status("state", ImageState),
    instant("created_at"),
    instant("changed_at"),
    CheckConstraint("state = 'STORED' OR NOT is_featured", name="featured_when_stored"),
    CheckConstraint("octet_length(digest) = 32", name="digest_whole"),
    CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name="of_one_item"),
    Index("ix_package_images_package_id_display_order_id", "package_id", "display_order", "id"),
    Index("uq_package_images_featured", "package_id", unique=True, postgresql_where="is_featured"),
    # The same picture sent twice is one.
    Index("uq_package_images_digest", "package_id", "digest", unique=True, postgresql_where="state = 'STORED'"),
    Index("ix_package_images_activity_id_display_order_id", "activity_id", "display_order", "id"),
    Index("uq_package_images_activity_featured", "activity_id", unique=True, postgresql_where="is_featured"),
    Index(
        "uq_package_images_activity_digest", "activity_id", "digest", unique=True, postgresql_where="state = 'STORED'"
    ),
    Index("ix_package_images_unsettled", "changed_at", postgresql_where="state <> 'STORED'"),
)

ratings = Table(
    "ratings",
    metadata,
    key(),
    reference("booking_id", "bookings.id", unique=True),
    reference("user_id", "users.id"),
    reference("package_id", "packages.id", nullable=True),
    reference("activity_id", "activities.id", nullable=True),
    Column("stars", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("comment", Text, nullable=False),
    *status("status", RatingStatus),
    Column("hidden_reason", Text),
    reference("moderated_by_user_id", "users.id", nullable=True),
    instant("moderated_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    CheckConstraint("stars BETWEEN 1 AND 5", name="stars_known"),
    CheckConstraint("(status = 'HIDDEN') = (hidden_reason IS NOT NULL)", name="hidden_for_a_reason"),
    CheckConstraint("moderated_by_user_id <> user_id", name="moderated_by_another"),
    CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name="of_one_item"),
    Index("ix_ratings_package_id_created_at_id", "package_id", "created_at", "id"),
    Index("ix_ratings_activity_id_created_at_id", "activity_id", "created_at", "id"),
    Index("ix_ratings_created_at_id", "created_at", "id"),
    Index("ix_ratings_user_id", "user_id"),
)

POPULARITY = "counts.bookings_count * 1000000000 + least(counts.views_count, 999999999)"
"""How popular an item is: by what was sold of it, then by who looked at it; for rows of item_statistics, in SQL."""

RATING_RANK = "coalesce(counts.average_rating * 100, 0)::bigint * 1000000000 + least(counts.rating_count, 999999999)"
"""The best average first, of those that are equal the one that more people gave; what nobody rated last."""

# Beside the items, not in them: counting changes neither their versions nor when they were changed.
# A trigger gives each item its row when it is made.
item_statistics = Table(
    "item_statistics",
    metadata,
    *status("item_kind", ItemKind),
    Column("item_id", Uuid, nullable=False),
    Column("views_count", BigInteger, nullable=False, server_default="0"),
    Column("bookings_count", BigInteger, nullable=False, server_default="0"),
    Column("rating_count", BigInteger, nullable=False, server_default="0"),
    Column("rating_sum", BigInteger, nullable=False, server_default="0"),
    Column(
        "average_rating",
        Numeric(3, 2),
        Computed("round(rating_sum::numeric / nullif(rating_count, 0), 2)", persisted=True),
    ),
    PrimaryKeyConstraint("item_kind", "item_id"),
    CheckConstraint("views_count >= 0 AND bookings_count >= 0 AND rating_count >= 0", name="counts_not_negative"),
    Index("ix_item_statistics_popularity", "item_kind", text(f"({POPULARITY.replace('counts.', '')})"), "item_id"),
    Index("ix_item_statistics_rating_rank", "item_kind", text(f"({RATING_RANK.replace('counts.', '')})"), "item_id"),
    CheckConstraint("rating_sum BETWEEN rating_count AND 5 * rating_count", name="stars_add_up"),
)

item_revenues = Table(
    "item_revenues",
    metadata,
    *status("item_kind", ItemKind),
    Column("item_id", Uuid, nullable=False),
    money("revenue"),
    unit(),
    PrimaryKeyConstraint("item_kind", "item_id", "currency"),
)

# Batches of views that are in the counts already: one that is handed over twice counts once.
view_batches = Table("view_batches", metadata, key(), instant("folded_at"))
