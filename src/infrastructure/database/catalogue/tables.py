"""packages, departures."""

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
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import composite

from domain.catalogue.departures import DepartureStatus
from domain.catalogue.package_details import PackageCategory
from domain.catalogue.packages import HOME_ZONE, Approval, Package, PackageStatus
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


PRICE_NOW = "coalesce({packages}.discounted_price_minor, {packages}.base_price_minor)"
"""What a traveller is sold a package at, in SQL, for the name that the statement gives to packages.

`Package.price_now` is its twin.
"""

_PRICE_THOUSANDTHS = f"""coalesce(discounted_price_minor, base_price_minor) * CASE
 WHEN currency IN ({_with_exponent(3)}) THEN 1
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
    *status("status", PackageStatus),
    Column("availability_start", Date),
    Column("availability_end", Date),
    Column("time_zone", Text, nullable=False, server_default=HOME_ZONE),
    *(
        Column(f"meta_{name}_{language}", Text, nullable=False, server_default="")
        for name in ("title", "description")
        for language in ("ar", "en")
    ),
    *status("approval", Approval, default=Approval.NOT_NEEDED),
    Column("approval_reason", Text),
    reference("approval_decided_by_user_id", "users.id", nullable=True),
    instant("approval_decided_at", nullable=True),
    instant("review_requested_at", nullable=True),
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
    # Featured ones first, then as their display order says.
    Column(
        "listing_place",
        Integer,
        Computed("display_order + CASE WHEN is_featured THEN 0 ELSE 1000000 END", persisted=True),
    ),
    # The price's number in any currency: minor units are hundredths in most, thousandths or wholes in some.
    Column("price_thousandths", BigInteger, Computed(_PRICE_THOUSANDTHS, persisted=True)),
    CheckConstraint("base_price_minor >= 0", name="base_price_not_negative"),
    CheckConstraint(
        "discounted_price_minor > 0 AND discounted_price_minor < base_price_minor", name="discounted_below_base"
    ),
    CheckConstraint("approval = 'NOT_NEEDED' OR vendor_id IS NOT NULL", name="approval_of_vendors"),
    CheckConstraint("approval_decided_by_user_id <> vendor_id", name="approved_by_another"),
    CheckConstraint(
        "(approval IN ('APPROVED', 'REJECTED')) = (approval_decided_at IS NOT NULL)", name="approval_dated"
    ),
    CheckConstraint("(approval = 'REJECTED') = (approval_reason IS NOT NULL)", name="rejected_for_a_reason"),
    CheckConstraint("approval <> 'REJECTED' OR status <> 'ACTIVE'", name="rejected_not_on_sale"),
    CheckConstraint("display_order BETWEEN 0 AND 10000", name="display_order_known"),
    CheckConstraint("min_travelers BETWEEN 1 AND max_travelers", name="travelers_in_order"),
    Index(
        "ix_packages_search_text", "search_text", postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"}
    ),
    # One for each order that a list has: a page costs as much in a large catalogue as in a small one.
    Index("ix_packages_listing_place_id", "listing_place", "id"),
    Index("ix_packages_price_thousandths_id", "price_thousandths", "id"),
    Index("ix_packages_created_at_id", "created_at", "id"),
    Index("ix_packages_vendor_id", "vendor_id"),
    Index("ix_packages_updated_at_id", "updated_at", "id"),
    Index("ix_packages_waiting", "review_requested_at", "id", postgresql_where="approval = 'PENDING'"),
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
)

mappers.map_imperatively(
    Package,
    packages,
    properties={
        "_base_price_minor": packages.c.base_price_minor,
        "_currency": packages.c.currency,
        "base_price": composite(Money, "_base_price_minor", "_currency"),
    },
    exclude_properties=["search_text", "listing_place", "price_thousandths"],
)
