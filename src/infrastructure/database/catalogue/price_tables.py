"""item_age_bands, item_seasons: each of one package or one activity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy import column as named
from sqlalchemy import text as written
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint

from domain.pricing.seasons import Adjustment
from infrastructure.database.metadata import (
    CurrencyCode,
    PercentageNumber,
    key,
    metadata,
    money,
    reference,
    status,
)


def _item() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    """What the row is of."""
    return (
        reference("package_id", "packages.id", nullable=True),
        reference("activity_id", "activities.id", nullable=True),
        CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name="of_one_item"),
    )


def _amount() -> tuple[Any, ...]:
    """A percentage, or money in the item's currency."""
    return (
        Column("percentage", PercentageNumber),
        money("price", nullable=True),
        Column("currency", CurrencyCode),
        CheckConstraint("(price_minor IS NULL) = (currency IS NULL)", name="price_in_a_currency"),
        CheckConstraint("percentage BETWEEN 0 AND 100", name="percentage_known"),
    )


def _apart(table: str, what: str, *ranges: tuple[Any, str]) -> Iterator[ExcludeConstraint]:
    """No two rows of one item in each other's way."""
    for item in ("package_id", "activity_id"):
        yield ExcludeConstraint((named(item), "="), *ranges, name=f"ex_{table}_{item}_{what}", using="gist")


item_age_bands = Table(
    "item_age_bands",
    metadata,
    key(),
    *_item(),
    Column("code", Text, nullable=False),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    # Inclusive ages on the first day of the trip.
    Column("min_age", SmallInteger, nullable=False),
    Column("max_age", SmallInteger),
    *_amount(),
    Column("takes_a_seat", Boolean, nullable=False),
    CheckConstraint("num_nonnulls(percentage, price_minor) = 1", name="one_price"),
    CheckConstraint("price_minor >= 0", name="price_not_negative"),
    CheckConstraint("min_age >= 0 AND max_age >= min_age", name="ages_in_order"),
    CheckConstraint("(max_age IS NULL) = (code = 'ADULT')", name="open_for_adults"),
    CheckConstraint(
        "code <> 'ADULT' OR (takes_a_seat AND percentage IS NOT NULL AND percentage = 100)",
        name="adults_pay_the_price",
    ),
    UniqueConstraint("package_id", "code"),
    UniqueConstraint("activity_id", "code"),
    *_apart("item_age_bands", "ages", (written("int4range(min_age, max_age + 1)"), "&&")),
)

item_seasons = Table(
    "item_seasons",
    metadata,
    key(),
    *_item(),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    # Both days inclusive; the day on which the trip starts decides.
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    # ISO 8601, Monday is 1; none are all of them.
    Column("weekdays", ARRAY(SmallInteger), nullable=False),
    *status("adjustment", Adjustment),
    *_amount(),
    Column("priority", SmallInteger, nullable=False),
    CheckConstraint("num_nonnulls(percentage, price_minor) = 1", name="one_amount"),
    CheckConstraint("(price_minor IS NOT NULL) = (adjustment = 'FIXED_PRICE')", name="amount_of_its_kind"),
    CheckConstraint("price_minor > 0", name="price_above_zero"),
    CheckConstraint("last_on >= first_on", name="days_in_order"),
    CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'", name="weekdays_known"),
    *_apart(
        "item_seasons",
        "days",
        (named("priority"), "="),
        (written("daterange(first_on, last_on, '[]')"), "&&"),
        (written("weekday_ranges(weekdays)"), "&&"),
    ),
    Index("ix_item_seasons_package_id", "package_id"),
    Index("ix_item_seasons_activity_id", "activity_id"),
)
