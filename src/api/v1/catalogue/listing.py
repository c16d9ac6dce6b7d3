"""What the views of packages, activities and departures have in common: who reads, who writes, departures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from api.answers import answer, answer_page
from api.context import reader_may, use, viewer
from api.pagination import InvalidCursor, read_cursor, split_page
from api.v1.catalogue.departure_schemas import DepartureShown
from application.catalogue.authors import Author
from application.catalogue.departure_queries import LastDeparture
from application.catalogue.departures import PlanDeparture, plan_departure
from application.catalogue.queries import ON_SALE, Row, Sight
from domain.catalogue.items import Item
from domain.operations.settings import VENDOR_APPROVAL_REQUIRED
from domain.shared.clock import starts_at


def author() -> Author:
    """Who works on the catalogue."""
    return Author(viewer().user_id, viewer().is_staff)


def vendors_are_reviewed() -> bool:
    """Whether staff look at what vendors sell."""
    return use().system_settings.value(VENDOR_APPROVAL_REQUIRED)


def sight_with(permission: str) -> Sight:
    """What the reader may see; a reader without a token is a customer."""
    if not reader_may(permission):
        return ON_SALE
    return Sight(everything=True) if viewer().is_staff else Sight(vendor_id=viewer().user_id)


def departures_page(item: Item, query: Mapping[str, Any], *, sight: Sight) -> Response:
    """An item's departures from tomorrow on, as days are counted at its place."""
    rows = use().queries.departures.departures(
        item, at=use().clock.now(), sight=sight, limit=query["limit"], after=_last_departure(query["cursor"])
    )
    page, cursor = split_page(
        rows, query["limit"], lambda row: ("departures", row["starts_on"], row["start_time"].isoformat(), row["id"])
    )
    return answer_page(DepartureShown, [departure_row(row) for row in page], cursor)


def _last_departure(cursor: str | None) -> LastDeparture | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        made_for, starts_on, start_time, row_id = values
        if made_for != "departures":
            raise InvalidCursor()
        at = time.fromisoformat(start_time)
        if at.tzinfo is not None:
            raise InvalidCursor()
        return LastDeparture(date.fromisoformat(starts_on), at, UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def plan(item: Item, body: Mapping[str, Any]) -> Response:
    """Plan a departure, and show it."""
    departure = plan_departure(
        PlanDeparture(author=author(), item=item, **body),
        uow=use().new_uow(),
        clock=use().clock,
        new_id=use().new_id,
    )
    row = {**vars(departure), "seats_left": departure.seats_left, "pattern_id": None}
    return answer(DepartureShown, departure_row(row), 201, location=f"/api/v1/departures/{departure.id}")


def departure_row(row: Row) -> Row:
    """A departure with its hour as people write it, and the instant at which it begins."""
    begins_at = starts_at(row["starts_on"], row["start_time"], ZoneInfo(row["time_zone"]))
    return {**row, "start_time": row["start_time"].strftime("%H:%M"), "starts_at": begins_at}
