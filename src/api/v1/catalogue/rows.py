"""Rows of packages and activities as their schemas show them: addresses, texts that fall back, what not all see."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from api.fields import shown_money
from application.catalogue.queries import Row, Sight
from domain.catalogue.items import Item, ItemKind

META_LENGTH: Final = 160
"""Characters of a description that search engines show."""

_NOTHING_COUNTED: Final = {"views": 0, "bookings": 0, "ratings": 0, "average": None}
_FOR_ITS_OWNER: Final = ("approval", "approval_reason", "approval_decided_at", "review_requested_at")


def image_address(item: Item, image_id: UUID | str) -> str:
    """Where a picture is fetched; its thumbnail lies below."""
    return f"/api/v1/{item.kind.section}/{item.id}/images/{image_id}"


def item_row(kind: ItemKind, row: Row, sight: Sight) -> dict[str, Any]:
    """A package or an activity in a list."""
    featured = row["featured_image_id"]
    address = image_address(Item(kind, row["id"]), featured) if featured is not None else None
    shown = {**row, **_counts(row), "featured_image": address}
    return shown if is_own(row, sight) else {**shown, **dict.fromkeys(_FOR_ITS_OWNER)}


def whole_item_row(kind: ItemKind, row: Row, sight: Sight) -> dict[str, Any]:
    """One alone: with its pictures, for its owner what it earned, and a package with what search engines are told."""
    return {
        **item_row(kind, row, sight),
        **(_meta(row) if kind is ItemKind.PACKAGE else {}),
        "images": [image_row(image, Item(kind, row["id"])) for image in row["images"] or ()],
        "total_revenue": _revenue(row, sight),
    }


def _counts(row: Row) -> dict[str, Any]:
    counted = row["statistics"] or _NOTHING_COUNTED
    return {
        "views_count": counted["views"],
        "total_bookings": counted["bookings"],
        "rating_count": counted["ratings"],
        "average_rating": counted["average"],
    }


def _revenue(row: Row, sight: Sight) -> list[dict[str, str] | None]:
    revenues = (row["revenues"] or ()) if is_own(row, sight) else ()
    return [shown_money(one["revenue_minor"], one["currency"]) for one in revenues]


def image_row(image: Mapping[str, Any], item: Item) -> dict[str, Any]:
    """A picture with its addresses."""
    url = image_address(item, image["id"])
    return {**image, "url": url, "thumbnail_url": f"{url}/thumbnail"}


def is_own(row: Row, sight: Sight) -> bool:
    """Whether the reader runs this item: staff all of them, vendors their own."""
    return sight.everything or (sight.vendor_id is not None and row["vendor_id"] == sight.vendor_id)


def _meta(row: Row) -> dict[str, str]:
    texts: dict[str, str] = {}
    for language in ("ar", "en"):
        description = textwrap.shorten(row[f"description_{language}"], META_LENGTH, placeholder="…")
        texts[f"meta_title_{language}"] = row[f"meta_title_{language}"] or row[f"name_{language}"]
        texts[f"meta_description_{language}"] = row[f"meta_description_{language}"] or description
    return texts
