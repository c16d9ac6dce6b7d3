"""Rows of packages as their schemas show them: addresses of pictures, texts that fall back, what not all may see."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from api.fields import shown_money
from application.catalogue.queries import Row, Sight

META_LENGTH: Final = 160
"""Characters of a description that search engines show."""

_NOTHING_COUNTED: Final = {"views": 0, "bookings": 0, "ratings": 0, "average": None}
_FOR_ITS_OWNER: Final = ("approval", "approval_reason", "approval_decided_at", "review_requested_at")


def image_address(package_id: UUID, image_id: UUID | str) -> str:
    """Where a picture is fetched; its thumbnail lies below."""
    return f"/api/v1/packages/{package_id}/images/{image_id}"


def package_row(row: Row, sight: Sight) -> dict[str, Any]:
    """A package in a list."""
    counted, featured = row["statistics"] or _NOTHING_COUNTED, row["featured_image_id"]
    shown = {
        **row,
        "featured_image": image_address(row["id"], featured) if featured is not None else None,
        "views_count": counted["views"],
        "total_bookings": counted["bookings"],
        "rating_count": counted["ratings"],
        "average_rating": counted["average"],
    }
    return shown if is_own(row, sight) else {**shown, **dict.fromkeys(_FOR_ITS_OWNER)}


def whole_package_row(row: Row, sight: Sight) -> dict[str, Any]:
    """A package alone: with its pictures, what search engines are told, and for its owner what it earned."""
    revenues = (row["revenues"] or ()) if is_own(row, sight) else ()
    return {
        **package_row(row, sight),
        **_meta(row),
        "images": [image_row(image, row["id"]) for image in row["images"] or ()],
        "total_revenue": [shown_money(one["revenue_minor"], one["currency"]) for one in revenues],
    }


def image_row(image: Mapping[str, Any], package_id: UUID) -> dict[str, Any]:
    """A picture with its addresses."""
    url = image_address(package_id, image["id"])
    return {**image, "url": url, "thumbnail_url": f"{url}/thumbnail"}


def is_own(row: Row, sight: Sight) -> bool:
    """Whether the reader runs this package: staff all of them, vendors their own."""
    return sight.everything or (sight.vendor_id is not None and row["vendor_id"] == sight.vendor_id)


def _meta(row: Row) -> dict[str, str]:
    texts: dict[str, str] = {}
    for language in ("ar", "en"):
        description = textwrap.shorten(row[f"description_{language}"], META_LENGTH, placeholder="…")
        texts[f"meta_title_{language}"] = row[f"meta_title_{language}"] or row[f"name_{language}"]
        texts[f"meta_description_{language}"] = row[f"meta_description_{language}"] or description
    return texts
