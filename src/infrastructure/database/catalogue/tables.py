"""packages, departures, and the words that search knows."""

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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import composite

from domain.catalogue.departures import DepartureStatus
from domain.catalogue.packages import Package, PackageCategory, PackageStatus
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


def _with_exponent(exponent: int) -> str:
    return ", ".join(f"'{code}'" for code, decimals in sorted(EXPONENTS.items()) if decimals == exponent)


_PRICE_THOUSANDTHS = f"""base_price_minor * CASE WHEN currency IN ({_with_exponent(3)}) THEN 1
 WHEN currency IN ({_with_exponent(0)}) THEN 1000 ELSE 10 END""".replace("\n", "")

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
    Column("is_featured", Boolean, nullable=False),
    Column("display_order", Integer, nullable=False),
    *status("status", PackageStatus),
    Column("availability_start", Date),
    Column("availability_end", Date),
    reference("vendor_id", "users.id", nullable=True),
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
    # Featured ones first, then as their display order says.
    Column(
        "listing_place",
        Integer,
        Computed("display_order + CASE WHEN is_featured THEN 0 ELSE 1000000 END", persisted=True),
    ),
    # The price's number in any currency: minor units are hundredths in most, thousandths or wholes in some.
    Column("price_thousandths", BigInteger, Computed(_PRICE_THOUSANDTHS, persisted=True)),
    CheckConstraint("base_price_minor >= 0", name="base_price_not_negative"),
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
    Index("ix_packages_updated_at_id", "updated_at", "id"),
)

departures = Table(
    "departures",
    metadata,
    key(),
    reference("package_id", "packages.id"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    *status("status", DepartureStatus),
    instant("created_at"),
    UniqueConstraint("package_id", "starts_on", "id"),
    CheckConstraint("seats_taken BETWEEN 0 AND capacity", name="never_oversold"),
    CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
    # Without seats_taken: an index that spoke of it would be written with every booking.
    Index("ix_departures_open", "starts_on", "package_id", postgresql_where=text("status = 'OPEN'")),
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
