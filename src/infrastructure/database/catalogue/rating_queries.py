"""Ratings as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from application.queries import After, Row
from domain.catalogue.items import Item
from infrastructure.database.catalogue.finding import ITEM_COLUMN
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

# Of who wrote it, others see a first name and an initial, of who was erased nothing.
_SHOWN: Final = """
SELECT r.id, r.booking_id, r.user_id, r.package_id, r.activity_id, r.stars, r.title, r.comment, r.status,
       r.hidden_reason, r.moderated_at, r.created_at, r.updated_at,
       CASE WHEN u.erased_at IS NULL THEN rtrim(u.first_name || ' ' || left(u.last_name, 1)) END AS author
FROM ratings r JOIN users u ON u.id = r.user_id
"""
_ORDER: Final = "ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s"


class SqlRatingQueries:
    """Implements `application.catalogue.rating_queries.RatingQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_item(self, item: Item, *, limit: int, after: After | None) -> Sequence[Row]:
        return self.all(status="VISIBLE", item=item, limit=limit, after=after)

    def of_booking(self, booking_id: UUID, *, owner: UUID | None) -> Row | None:
        sql = f"{_SHOWN} WHERE r.booking_id = %(id)s AND (%(owner)s::uuid IS NULL OR r.user_id = %(owner)s)"
        return self._database.row(sql, {"id": booking_id, "owner": owner})

    def all(self, *, status: str | None, item: Item | None, limit: int, after: After | None) -> Sequence[Row]:
        conditions = [page_after(after, "r.created_at", "r.id")]
        if status is not None:
            conditions.append("r.status = %(status)s")
        if item is not None:
            conditions.append(f"r.{ITEM_COLUMN[item.kind]} = %(item_id)s")
        values = {"status": status, "item_id": item.id if item is not None else None, **page_values(after, limit)}
        return self._database.rows(f"{_SHOWN} WHERE {' AND '.join(conditions)} {_ORDER}", values)

    def one(self, rating_id: UUID) -> Row | None:
        return self._database.row(f"{_SHOWN} WHERE r.id = %s", (rating_id,))
