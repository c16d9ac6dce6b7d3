"""Items of one kind as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from application.catalogue.queries import Facets, Found, ItemSearch, Row, Sight
from application.queries import After
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.finding import (
    ITEM_COLUMN,
    ITEM_TABLE,
    key_column,
    moment,
    revenues_column,
    within,
)
from infrastructure.database.catalogue.item_search import SqlItemSearch
from infrastructure.database.catalogue.listings import Listing
from infrastructure.database.catalogue.prices import price_columns
from infrastructure.database.pages import Order, page_values
from infrastructure.database.transaction import Database

_IMAGES: Final = """
    (SELECT json_agg(json_build_object(
                'id', i.id, 'width', i.width, 'height', i.height, 'caption_ar', i.caption_ar,
                'caption_en', i.caption_en, 'display_order', i.display_order, 'is_featured', i.is_featured)
            ORDER BY i.display_order, i.id)
     FROM package_images i WHERE i.{column} = {item}.id AND i.state = 'STORED')
"""
_IMAGE: Final = """
SELECT i.id, i.storage_key, i.content_type, i.digest, {item}.status
FROM package_images i JOIN {table} {item} ON {item}.id = i.{column}
WHERE i.id = %(id)s AND i.state = 'STORED'
"""


def own_columns(kind: ItemKind, item: str) -> str:
    """What every item of a list is shown with, and nobody counts: its first picture, its approval, its policy."""
    return f"""
        {item}.approval, {item}.approval_reason, {item}.approval_decided_at, {item}.review_requested_at,
        {item}.cancellation_policy_id,
        (SELECT i.id FROM package_images i WHERE i.{ITEM_COLUMN[kind]} = {item}.id AND i.is_featured)
            AS featured_image_id,
        (SELECT json_build_object('policy_id', c.id, 'name_ar', c.name_ar, 'name_en', c.name_en, 'tiers', c.tiers)
         FROM cancellation_policies c
         WHERE c.id = coalesce({item}.cancellation_policy_id,
                               (SELECT f.id FROM cancellation_policies f WHERE f.is_default))) AS cancellation
    """


_Search = TypeVar("_Search", bound=ItemSearch)


class SqlItemQueries(Generic[_Search]):
    """Implements `application.catalogue.queries.ItemQueries`."""

    def __init__(self, database: Database, listing: Listing) -> None:
        self._database = database
        self._search = SqlItemSearch(database, listing)
        self._listing = listing
        self._reviewed = Order(f"{listing.alias}.review_requested_at", f"{listing.alias}.id")
        kind, item = listing.kind, listing.alias
        self._names = {"table": ITEM_TABLE[kind], "column": ITEM_COLUMN[kind], "item": item}
        self._from = f"FROM {ITEM_TABLE[kind]} {item}"
        self._alone = (
            f"{price_columns(kind, f'{item}.id')}, {_IMAGES.format(**self._names)} AS images,"
            f" {revenues_column(kind, f'{item}.id')} AS revenues"
        )

    def search(self, search: _Search, *, sight: Sight) -> Found:
        return self._search.search(search, sight=sight)

    def facets(self, search: _Search, *, sight: Sight) -> Facets:
        return self._search.facets(search, sight=sight)

    def one(self, id_or_slug: str, *, at: datetime, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        item = self._listing.alias
        sql = f"{self._listing.select}, {self._alone} {self._from} WHERE {item}.{column} = %(key)s"
        values = {"key": id_or_slug, "vendor_id": sight.vendor_id, **moment(at)}
        return self._database.row(f"{sql} AND {within(sight, item)}", values)

    def reviews(self, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        behind = f" AND {self._reviewed.behind}" if after is not None else ""
        waiting = f"WHERE {self._listing.alias}.approval = 'PENDING'{behind} ORDER BY {self._reviewed.by}"
        sql = f"{self._listing.select} {self._from} {waiting} LIMIT %(limit)s"
        return self._database.rows(sql, {**moment(at), **page_values(after, limit)})

    def image(self, id_or_slug: str, image_id: UUID, *, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        item = self._listing.alias
        sql = f"{_IMAGE.format(**self._names)} AND {item}.{column} = %(key)s AND {within(sight, item)}"
        return self._database.row(sql, {"id": image_id, "key": id_or_slug, "vendor_id": sight.vendor_id})
