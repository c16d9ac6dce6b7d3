"""The demo's activities: the company's, a vendor's that was approved, and one that waits for review."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from domain.catalogue.activities import Activity, ActivityCategory, Difficulty
from domain.catalogue.departures import Departure
from domain.catalogue.packages import slug_of
from domain.shared.clock import business_date
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.seed_departures import Connection, add_departures, departure_dates

Described = Mapping[str, Any]

_ADDED: Final = (
    "id", "slug", "name_ar", "name_en", "description_ar", "description_en", "category", "difficulty_level",
    "price_minor", "currency", "tax_rate", "tax_inclusive", "duration_hours", "location", "min_participants",
    "max_participants", "is_featured", "display_order", "status", "approval", "approval_decided_by_user_id",
    "approval_decided_at", "review_requested_at", "vendor_id", "created_by_user_id", "created_at", "updated_at",
)  # fmt: skip
_ADD_ACTIVITY: Final = (
    f"INSERT INTO activities ({', '.join(_ADDED)}) VALUES ({', '.join(f'%({name})s' for name in _ADDED)})"
    " ON CONFLICT (slug) DO NOTHING"
)
_ON_SALE: Final = "SELECT slug, id FROM activities WHERE slug = ANY(%s) AND status = 'ACTIVE'"


@cache
def demo_activities() -> tuple[Described, ...]:
    """The activities as demo_activities.toml describes them."""
    path = Path(__file__).with_name("demo_activities.toml")
    return tuple(tomllib.loads(path.read_text("utf-8"))["activity"])


def demo_activity(described: Described, *, admin: UUID, vendor: UUID, at: datetime) -> Activity:
    """One of them, on sale or asked for. Raises UnsoundActivity or NotPublishable where its description is wrong."""
    least, most = described["participants"]
    is_vendors = described.get("vendor", False)
    activity = Activity.create(
        item_id=new_id(),
        slug=_slug(described),
        vendor_id=vendor if is_vendors else None,
        created_by=vendor if is_vendors else admin,
        at=at,
        **{name: described[name] for name in ("name_ar", "name_en", "description_ar", "description_en", "location")},
        category=ActivityCategory(described["category"]),
        difficulty_level=Difficulty(described["difficulty"]),
        price=Money.parse(described["price"], described["currency"]),
        tax_rate=Percentage.parse(described["tax_rate"]),
        duration_hours=described["duration_hours"],
        min_participants=least,
        max_participants=most,
        is_featured=described["featured"],
        display_order=described["order"],
    )
    if described.get("asks", False):
        activity.ask_for_sale(at=at)
    elif is_vendors:
        activity.publish_for_vendor(by=admin, at=at)
    else:
        activity.publish(at=at)
    return activity


def seed_activities(connection: Connection, *, admin: UUID, vendor: UUID, at: datetime) -> None:
    """Those that are missing, and the departures that have come into sight of those on sale."""
    made = [demo_activity(one, admin=admin, vendor=vendor, at=at) for one in demo_activities()]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_ACTIVITY, [_row(activity) for activity in made])
    described = {_slug(one): one for one in demo_activities()}
    on_sale = dict(connection.execute(_ON_SALE, (list(described),)).fetchall())
    departures = (
        departure
        for activity in made
        if activity.slug in on_sale
        for departure in _departures(described[activity.slug], activity, on_sale[activity.slug], at)
    )
    add_departures(connection, departures)


def _slug(described: Described) -> str:
    return slug_of(described["name_en"], kind="activity")


def _row(activity: Activity) -> dict[str, Any]:
    return {
        **vars(activity),
        "category": activity.category.value,
        "difficulty_level": activity.difficulty_level.value,
        "price_minor": activity.price.minor,
        "currency": activity.price.currency.code,
        "tax_rate": str(activity.tax_rate),
        "status": activity.status.value,
        "approval": activity.approval.value,
    }


def _departures(described: Described, activity: Activity, activity_id: UUID, at: datetime) -> Iterator[Departure]:
    for starts_on in departure_dates(described["offset"], today=business_date(at)):
        for hour in map(time.fromisoformat, described["hours"]):
            yield Departure.plan(
                departure_id=new_id(),
                activity_id=activity_id,
                starts_on=starts_on,
                ends_on=activity.last_day(starts_on, hour),
                start_time=hour,
                time_zone=activity.time_zone,
                capacity=described["seats"],
                at=at,
            )
