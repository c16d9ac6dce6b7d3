"""pool_series, pools, departure_pools, departure_patterns, departure_pattern_series, calendar_feeds."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from domain.catalogue.patterns import PatternStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status, version

pool_series = Table(
    "pool_series",
    metadata,
    key(),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    instant("created_at"),
    version(),
    CheckConstraint("capacity > 0", name="capacity_above_zero"),
)

pools = Table(
    "pools",
    metadata,
    key(),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    # The sum of what its departures have taken.
    Column("seats_taken", Integer, nullable=False, server_default="0"),
    reference("series_id", "pool_series.id", nullable=True),
    Column("on_date", Date),
    instant("created_at"),
    # Moves with what staff edit, not with the seats that are sold meanwhile.
    version(),
    CheckConstraint("seats_taken BETWEEN 0 AND capacity", name="never_oversold"),
    CheckConstraint("(series_id IS NULL) = (on_date IS NULL)", name="dated_in_a_series"),
    UniqueConstraint("series_id", "on_date"),
)

departure_pools = Table(
    "departure_pools",
    metadata,
    Column("departure_id", Uuid, ForeignKey("departures.id"), primary_key=True),
    Column("pool_id", Uuid, ForeignKey("pools.id"), primary_key=True),
    Index("ix_departure_pools_pool_id", "pool_id"),
)

departure_patterns = Table(
    "departure_patterns",
    metadata,
    key(),
    reference("package_id", "packages.id", nullable=True),
    reference("activity_id", "activities.id", nullable=True),
    Column("weekdays", ARRAY(SmallInteger), nullable=False),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date),
    Column("exceptions", ARRAY(Date), nullable=False),
    Column("start_time", Time, nullable=False),
    Column("capacity", Integer, nullable=False),
    *status("status", PatternStatus),
    reference("created_by_user_id", "users.id"),
    instant("created_at"),
    version(),
    CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name="of_one_item"),
    CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) > 0", name="weekdays_known"),
    CheckConstraint("last_on >= first_on", name="days_in_order"),
    CheckConstraint("capacity > 0", name="capacity_above_zero"),
    Index("ix_departure_patterns_package_id", "package_id"),
    Index("ix_departure_patterns_activity_id", "activity_id"),
)

departure_pattern_series = Table(
    "departure_pattern_series",
    metadata,
    Column("pattern_id", Uuid, ForeignKey("departure_patterns.id"), primary_key=True),
    Column("series_id", Uuid, ForeignKey("pool_series.id"), primary_key=True),
    Index("ix_departure_pattern_series_series_id", "series_id"),
)

calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    key(),
    reference("user_id", "users.id"),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    instant("created_at"),
    instant("revoked_at", nullable=True),
    Index("ix_calendar_feeds_user_id", "user_id"),
)
