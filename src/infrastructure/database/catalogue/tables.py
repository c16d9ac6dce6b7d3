"""packages, activities, departures, and the words that search knows."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import composite
from sqlalchemy.schema import SchemaItem

from domain.catalogue.activities import Activity, ActivityCategory, Difficulty
from domain.catalogue.departures import DepartureStatus
from domain.catalogue.package_details import PackageCategory
from domain.catalogue.packages import Package
from domain.catalogue.publication import Approval, ItemStatus
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import EXPONENTS, Money
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    mappers,
    metadata,
    money,
    reference,
    status,
    unit,
    version,
)

PRICE_NOW = "coalesce({packages}.discounted_price_minor, {packages}.base_price_minor)"
"""What a traveller is sold a package at, in SQL, for the name that the statement gives to packages.

`Package.price_now` is its twin.
"""


def _with_exponent(exponent: int) -> str:
    return ", ".join(f"'{code}'" for code, decimals in sorted(EXPONENTS.items()) if decimals == exponent)


def _thousandths(price: str) -> str:
    """A price's number in any currency: minor units are hundredths in most, thousandths or wholes in some."""
    return (
        f"{price} * CASE WHEN currency IN ({_with_exponent(3)}) THEN 1"
        f" WHEN currency IN ({_with_exponent(0)}) THEN 1000 ELSE 10 END"
    )


# Featured ones first, then as their display order says.
_LISTING_PLACE = "display_order + CASE WHEN is_featured THEN 0 ELSE 1000000 END"


def _time_zone() -> Column[str]:
    """The IANA name of a place's zone; the release before names none."""
    return Column("time_zone", Text, nullable=False, server_default=BUSINESS_ZONE.key)


def _of_vendors() -> tuple[SchemaItem, ...]:
    """Whose it is, and what staff say of it where it is a vendor's."""
    return (
        *status("approval", Approval, default=Approval.NOT_NEEDED),
        Column("approval_reason", Text),
        reference("approval_decided_by_user_id", "users.id", nullable=True),
        instant("approval_decided_at", nullable=True),
        instant("review_requested_at", nullable=True),
        reference("vendor_id", "users.id", nullable=True),
        CheckConstraint("approval = 'NOT_NEEDED' OR vendor_id IS NOT NULL", name="approval_of_vendors"),
        CheckConstraint("approval_decided_by_user_id <> vendor_id", name="approved_by_another"),
        CheckConstraint(
            "(approval IN ('APPROVED', 'REJECTED')) = (approval_decided_at IS NOT NULL)", name="approval_dated"
        ),
        CheckConstraint("(approval = 'REJECTED') = (approval_reason IS NOT NULL)", name="rejected_for_a_reason"),
        CheckConstraint("approval <> 'REJECTED' OR status <> 'ACTIVE'", name="rejected_not_on_sale"),
    )


packages = Table(
    "packages",
    metadata,
    key(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    *status("category", PackageCategory),
    money("base_price"),
    money("discounted_price", nullable=True),
    unit(),
    Column("tax_rate", PercentageNumber, nullable=False),
    Column("tax_inclusive", Boolean, nullable=False),
    Column("duration_days", Integer, nullable=False),
    Column("duration_nights", Integer, nullable=False),
    Column("min_travelers", Integer, nullable=False),
    Column("max_travelers", Integer, nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    Column("inclusions_ar", ARRAY(Text), nullable=False),
    Column("inclusions_en", ARRAY(Text), nullable=False),
    Column("exclusions_ar", ARRAY(Text), nullable=False),
    Column("exclusions_en", ARRAY(Text), nullable=False),
    Column("itinerary", JSONB, nullable=False),
    Column("is_customizable", Boolean, nullable=False, server_default="false"),
    Column("is_featured", Boolean, nullable=False),
    Column("display_order", Integer, nullable=False),
    *status("status", ItemStatus),
    Column("availability_start", Date),
    Column("availability_end", Date),
    _time_zone(),
    reference("cancellation_policy_id", "cancellation_policies.id", nullable=True),
    *(
        Column(f"meta_{name}_{language}", Text, nullable=False, server_default="")
        for name in ("title", "description")
        for language in ("ar", "en")
    ),
    *_of_vendors(),
    reference("created_by_user_id", "users.id"),
    instant("created_at"),
    instant("updated_at"),
    version(),
    # What search looks in: both languages, one spelling for what people type alike.
    Column(
        "search_text",
        Text,
        Computed(
            "fold_for_search(name_ar || ' ' || name_en || ' ' || description_ar || ' ' || description_en"
            " || ' ' || words_of(destinations))",
            persisted=True,
        ),
    ),
    # Kept by the trigger `fold_package`, with the two below: both names, and each destination, in that spelling.
    Column("name_text", Text, nullable=False, server_default=""),
    Column("destination_keys", ARRAY(Text), nullable=False, server_default="{}"),
    # Category, currency and destinations in one array: one index finds what has several of them.
    Column("labels", ARRAY(Text), nullable=False, server_default="{}"),
    Column("listing_place", Integer, Computed(_LISTING_PLACE, persisted=True)),
    Column(
        "price_thousandths",
        BigInteger,
        Computed(_thousandths(PRICE_NOW.replace("{packages}.", "")), persisted=True),
    ),
    CheckConstraint("base_price_minor >= 0", name="base_price_not_negative"),
    CheckConstraint(
        "discounted_price_minor > 0 AND discounted_price_minor < base_price_minor", name="discounted_below_base"
    ),
    CheckConstraint("display_order BETWEEN 0 AND 10000", name="display_order_known"),
    CheckConstraint("min_travelers BETWEEN 1 AND max_travelers", name="travelers_in_order"),
    Index(
        "ix_packages_search_text", "search_text", postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"}
    ),
    Index("ix_packages_name_text", "name_text", postgresql_using="gin", postgresql_ops={"name_text": "gin_trgm_ops"}),
    Index("ix_packages_labels", "labels", postgresql_using="gin"),
    # One for each order that a list has: a page costs as much in a large catalogue as in a small one.
    Index("ix_packages_listing_place_id", "listing_place", "id"),
    Index("ix_packages_price_thousandths_id", "price_thousandths", "id"),
    Index("ix_packages_created_at_id", "created_at", "id"),
    Index("ix_packages_duration_days_id", "duration_days", "id"),
    Index("ix_packages_name_ar", text('(left(fold_for_search(name_ar), 40)) COLLATE "C"'), "id"),
    Index("ix_packages_name_en", text('(left(fold_for_search(name_en), 40)) COLLATE "C"'), "id"),
    Index("ix_packages_vendor_id", "vendor_id"),
    Index(
        "ix_packages_cancellation_policy_id",
        "cancellation_policy_id",
        postgresql_where="cancellation_policy_id IS NOT NULL",
    ),
    Index("ix_packages_updated_at_id", "updated_at", "id"),
    Index("ix_packages_waiting", "review_requested_at", "id", postgresql_where="approval = 'PENDING'"),
)

activities = Table(
    "activities",
    metadata,
    key(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("description_ar", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    *status("category", ActivityCategory),
    *status("difficulty_level", Difficulty),
    money("price"),
    unit(),
    Column("tax_rate", PercentageNumber, nullable=False),
    Column("tax_inclusive", Boolean, nullable=False),
    Column("duration_hours", Integer, nullable=False),
    Column("location", Text, nullable=False),
    Column("min_participants", Integer, nullable=False),
    Column("max_participants", Integer, nullable=False),
    # Nobody's any more; the release before reads it.
    Column("featured_image", Text),
    Column("is_featured", Boolean, nullable=False),
    Column("display_order", Integer, nullable=False),
    *status("status", ItemStatus),
    Column("availability_start", Date),
    Column("availability_end", Date),
    _time_zone(),
    reference("cancellation_policy_id", "cancellation_policies.id", nullable=True),
    *_of_vendors(),
    reference("created_by_user_id", "users.id"),
    instant("created_at"),
    instant("updated_at"),
    version(),
    Column(
        "search_text",
        Text,
        Computed(
            "fold_for_search(name_ar || ' ' || name_en || ' ' || description_ar || ' ' || description_en"
            " || ' ' || location)",
            persisted=True,
        ),
    ),
    # Kept by the trigger `fold_activity`: both names, the location, and what `labels` of a package are.
    Column("name_text", Text, nullable=False, server_default=""),
    Column("location_key", Text, nullable=False, server_default=""),
    Column("labels", ARRAY(Text), nullable=False, server_default="{}"),
    Column("listing_place", Integer, Computed(_LISTING_PLACE, persisted=True)),
    Column("price_thousandths", BigInteger, Computed(_thousandths("price_minor"), persisted=True)),
    CheckConstraint("price_minor >= 0", name="price_not_negative"),
    CheckConstraint("duration_hours > 0", name="duration_above_zero"),
    CheckConstraint("display_order BETWEEN 0 AND 10000", name="display_order_known"),
    CheckConstraint("min_participants BETWEEN 1 AND max_participants", name="participants_in_order"),
    Index(
        "ix_activities_search_text",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    ),
    Index(
        "ix_activities_name_text",
        "name_text",
        postgresql_using="gin",
        postgresql_ops={"name_text": "gin_trgm_ops"},
    ),
    Index("ix_activities_labels", "labels", postgresql_using="gin"),
    Index("ix_activities_duration_hours_id", "duration_hours", "id"),
    Index("ix_activities_name_ar", text('(left(fold_for_search(name_ar), 40)) COLLATE "C"'), "id"),
    Index("ix_activities_name_en", text('(left(fold_for_search(name_en), 40)) COLLATE "C"'), "id"),
    Index("ix_activities_listing_place_id", "listing_place", "id"),
    Index("ix_activities_price_thousandths_id", "price_thousandths", "id"),
    Index("ix_activities_created_at_id", "created_at", "id"),
    Index("ix_activities_vendor_id", "vendor_id"),
    Index(
        "ix_activities_cancellation_policy_id",
        "cancellation_policy_id",
        postgresql_where="cancellation_policy_id IS NOT NULL",
    ),
    Index("ix_activities_updated_at_id", "updated_at", "id"),
    Index("ix_activities_waiting", "review_requested_at", "id", postgresql_where="approval = 'PENDING'"),
)

departures = Table(
    "departures",
    metadata,
    key(),
    reference("package_id", "packages.id", nullable=True),
    reference("activity_id", "activities.id", nullable=True),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    # What the clocks of the place show, in the zone of the day it was planned.
    Column("start_time", Time, nullable=False, server_default="00:00"),
    _time_zone(),
    Column("capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    *status("status", DepartureStatus),
    instant("created_at"),
    # Moves with what staff edit, not with the seats that are sold meanwhile.
    version(),
    # Kept by a trigger: a sale of a departure without pools looks for none.
    Column("has_pools", Boolean, nullable=False, server_default="false"),
    # The pattern that planned it, and for which day: that stays when it is moved by hand.
    reference("pattern_id", "departure_patterns.id", nullable=True),
    Column("planned_for", Date),
    UniqueConstraint("package_id", "starts_on", "id"),
    CheckConstraint("seats_taken BETWEEN 0 AND capacity", name="never_oversold"),
    CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
    CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name="of_one_item"),
    Index("ix_departures_activity_id_starts_on", "activity_id", "starts_on"),
    Index("ix_departures_starts_on_start_time_id", "starts_on", "start_time", "id"),
    CheckConstraint("(pattern_id IS NULL) = (planned_for IS NULL)", name="planned_for_a_day"),
    # A pattern plans one departure for a day, and never again.
    Index("uq_departures_pattern_id_planned_for", "pattern_id", "planned_for", unique=True),
    # Without seats_taken: an index that spoke of it would be written with every booking.
    Index("ix_departures_open", "starts_on", "package_id", postgresql_where=text("status = 'OPEN'")),
    Index(
        "ix_departures_open_activities",
        "starts_on",
        "activity_id",
        postgresql_where=text("status = 'OPEN' AND activity_id IS NOT NULL"),
    ),
)

# Folded words of all that is searched in, kept by the trigger `learn_words`; it only grows. `deletions` holds each
# word and what is left of it without any one letter (domain.catalogue.spelling.deletions).
search_words = Table(
    "search_words",
    metadata,
    Column("word", Text(collation="C"), primary_key=True),
    Column("deletions", ARRAY(Text), nullable=False),
    Index("ix_search_words_deletions", "deletions", postgresql_using="gin"),
)

mappers.map_imperatively(
    Package,
    packages,
    properties={
        "_base_price_minor": packages.c.base_price_minor,
        "_currency": packages.c.currency,
        "base_price": composite(Money, "_base_price_minor", "_currency"),
    },
    exclude_properties=["search_text", "name_text", "destination_keys", "labels", "listing_place", "price_thousandths"],
)

mappers.map_imperatively(
    Activity,
    activities,
    properties={
        "_price_minor": activities.c.price_minor,
        "_currency": activities.c.currency,
        "price": composite(Money, "_price_minor", "_currency"),
    },
    exclude_properties=[
        "search_text", "name_text", "location_key", "labels", "listing_place", "price_thousandths", "featured_image",
    ],
)  # fmt: skip
