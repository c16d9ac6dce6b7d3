"""Pictures of packages and activities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.catalogue.items import Item
from domain.shared.errors import Conflict, NotFound

MOST_IMAGES: Final = 30
"""Of one item."""
CAPTION_LENGTH: Final = 300


class ImageNotFound(NotFound):
    """The item has no such picture."""

    code = "image_not_found"


class TooManyImages(Conflict):
    """An item has at most `most` pictures."""

    code = "too_many_images"


class ImageState(StrEnum):
    """Whether its file can be counted on; only STORED ones are seen."""

    UPLOADING = "UPLOADING"
    """The file may be there, or not yet."""
    STORED = "STORED"
    DROPPED = "DROPPED"
    """The file may still be there; it is to be deleted, then the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemImage:
    """A picture that we encoded ourselves, and where it lies; `digest` is the SHA-256 of its bytes."""

    id: UUID
    item: Item
    storage_key: str
    content_type: str
    size_bytes: int
    digest: bytes
    width: int
    height: int
    caption_ar: str
    caption_en: str
    display_order: int
    is_featured: bool
    created_at: datetime

    @property
    def thumbnail_key(self) -> str:
        """Where its small twin lies: written before it, deleted before it."""
        return thumbnail_key(self.storage_key)


def thumbnail_key(storage_key: str) -> str:
    """The key of the small twin of what lies under a key."""
    return f"{storage_key}-small"
