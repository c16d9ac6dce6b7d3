"""Pieces of SQL that finding packages, activities and departures have in common."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from application.catalogue.queries import Sight
from domain.catalogue.items import ItemKind
from domain.shared.clock import business_date

ITEM_TABLE: Final = {ItemKind.PACKAGE: "packages", ItemKind.ACTIVITY: "activities"}
ITEM_COLUMN: Final = {ItemKind.PACKAGE: "package_id", ItemKind.ACTIVITY: "activity_id"}
"""What names an item of a kind in rows that are of one or the other."""


def seats_left(departure: str) -> str:
    """How many seats of a departure can be sold; it is named as in the statement."""
    return f"""
        least({departure}.capacity - {departure}.seats_taken, CASE WHEN {departure}.has_pools THEN (
            SELECT min(o.capacity - o.seats_taken) FROM departure_pools s JOIN pools o ON o.id = s.pool_id
            WHERE s.departure_id = {departure}.id) END)
    """


SEATS_LEFT: Final = seats_left("d")


def sold_still(departure: str) -> str:
    """The condition that a departure's first day has not begun at its place; it asks for `moment`.

    A place's day is Cairo's, the one before or the one after: an index finds what may be sold, and only the zones of
    what is near are looked at.
    """
    return f"{departure}.starts_on >= %(today)s::date AND {not_begun(departure)}"


def not_begun(departure: str) -> str:
    """`sold_still` of what is known to begin today or later."""
    return f"""({departure}.starts_on > %(today)s::date + 1
        OR {departure}.starts_on > (%(now)s::timestamptz AT TIME ZONE {departure}.time_zone)::date)"""


def moment(at: datetime) -> dict[str, Any]:
    """An instant, and the day in Cairo, as `sold_still` asks for them."""
    return {"now": at, "today": business_date(at)}


BOOKABLE: Final = f"""
    d.status = 'OPEN' AND {sold_still("d")} AND d.seats_taken < d.capacity
    AND (NOT d.has_pools OR {SEATS_LEFT} > 0)
"""
"""Whether a departure `d` is on sale and has seats."""

_KEY = re.compile(r"[\w-]{1,200}")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def key_column(id_or_slug: str) -> str | None:
    """By which column something is asked for; None for what is neither an id nor a slug."""
    if not _KEY.fullmatch(id_or_slug):
        return None
    return "id" if _ID.fullmatch(id_or_slug) else "slug"


def within(sight: Sight, row: str) -> str:
    """The condition that a reader may see an item."""
    if sight.everything:
        return "true"
    shown = on_sale(f"{row}.status", f"{row}.vendor_id")
    if sight.vendor_id is not None:
        return f"({shown} OR {row}.vendor_id = %(vendor_id)s)"
    return shown


def on_sale(status: str, vendor: str) -> str:
    """The condition that an item of this status and vendor is on sale: nothing of a vendor that staff suspended is."""
    # Asked once for a statement, whatever is looked through: few are suspended.
    return f"""({status} = 'ACTIVE' AND ({vendor} IS NULL OR {vendor} <> ALL (ARRAY(
        SELECT f.user_id FROM partner_profiles f WHERE f.payee_type = 'VENDOR' AND f.status = 'SUSPENDED'))))"""


def counts_column(kind: ItemKind, item: str) -> str:
    """What is counted of an item, as JSON; NULL where nothing was counted yet. `item` is its id in the statement."""
    return f"""
        (SELECT json_build_object('views', s.views_count, 'bookings', s.bookings_count, 'ratings', s.rating_count,
                                  'average', s.average_rating::text)
         FROM item_statistics s WHERE s.item_kind = '{kind}' AND s.item_id = {item})
    """


def revenues_column(kind: ItemKind, item: str) -> str:
    """What an item earned, by currency, as JSON; NULL where that is nothing."""
    return f"""
        (SELECT json_agg(json_build_object('revenue_minor', v.revenue_minor, 'currency', v.currency)
                         ORDER BY v.currency)
         FROM item_revenues v WHERE v.item_kind = '{kind}' AND v.item_id = {item})
    """


def containing(text: str) -> str:
    """A LIKE pattern for text that contains this, taken literally."""
    return f"%{literally(text)}%"


def literally(text: str) -> str:
    """Text in a LIKE pattern that stands for nothing but itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)
