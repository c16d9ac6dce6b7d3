"""The package or the activity that a view means, as its reader sees it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer
from api.context import use
from api.etags import with_tag
from api.v1.catalogue.listing import sight_with
from api.v1.catalogue.price_schemas import PricedActivityShown, PricedPackageShown
from api.v1.catalogue.rights import RIGHTS
from api.v1.catalogue.rows import whole_item_row
from application.catalogue.queries import ItemQueries, Sight
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.packages import PackageNotFound

ALONE: Final = {ItemKind.PACKAGE: PricedPackageShown, ItemKind.ACTIVITY: PricedActivityShown}
"""How one of a kind is shown."""


def sight_of(kind: ItemKind) -> Sight:
    """What the reader may see of a kind."""
    return sight_with(RIGHTS[kind].read)


def queries_of(kind: ItemKind) -> ItemQueries[Any]:
    """What finds things of a kind."""
    return use().queries.catalogue if kind is ItemKind.PACKAGE else use().queries.activities


def shown_item(kind: ItemKind, id_or_slug: str | UUID) -> dict[str, Any]:
    """The item as the reader sees it. Raises PackageNotFound or ActivityNotFound."""
    sight = sight_of(kind)
    row = queries_of(kind).one(str(id_or_slug), at=use().clock.now(), sight=sight)
    if row is None:
        raise PackageNotFound() if kind is ItemKind.PACKAGE else ActivityNotFound()
    return whole_item_row(kind, row, sight)


def item_named(kind: ItemKind, id_or_slug: str | UUID) -> Item:
    """The item. Raises PackageNotFound or ActivityNotFound where the reader does not see it."""
    return Item(kind, shown_item(kind, id_or_slug)["id"])


def answer_item(item: Item) -> Response:
    """The item with its ETag. Raises PackageNotFound or ActivityNotFound."""
    row = shown_item(item.kind, item.id)
    return with_tag(answer(ALONE[item.kind], row), row["version"])
