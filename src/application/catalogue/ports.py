"""What the catalogue keeps beside its items: their pictures, what customers say, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalogue.images import ItemImage
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.ratings import Rating


class ItemImages(Protocol):
    """Pictures as rows: each file has one before it is written and until it is deleted.

    Whoever changes pictures of an item holds the item's lock.
    """

    def of(self, item: Item) -> Sequence[ItemImage]:
        """The stored ones, in their order."""
        ...

    def get(self, item: Item, image_id: UUID) -> ItemImage:
        """A stored one. Raises ImageNotFound."""
        ...

    def begin(self, image: ItemImage) -> None:
        """Its files are about to be written."""
        ...

    def stored(self, image: ItemImage, *, at: datetime) -> bool:
        """Its files are there; False where its row is not any more, because they took too long."""
        ...

    def describe(self, image_id: UUID, *, caption_ar: str, caption_en: str, at: datetime) -> None: ...

    def feature(self, item: Item, image_id: UUID | None, *, at: datetime) -> None:
        """The one that stands for its item; the others do not any more."""
        ...

    def arrange(self, image_ids: Sequence[UUID], *, at: datetime) -> None:
        """Their order is this one."""
        ...

    def drop(self, image: ItemImage, *, at: datetime) -> None:
        """Nobody sees it any more; its file is to be deleted."""
        ...

    def forget(self, image_ids: Sequence[UUID]) -> None:
        """Their files are deleted."""
        ...

    def left_behind(self, *, begun_before: datetime, limit: int) -> Sequence[ItemImage]:
        """Those that were dropped, and those whose upload began before an instant and never ended: claimed, dropped."""
        ...


class Ratings(Protocol):
    """Ratings, one for each trip."""

    def of_booking(self, booking_id: UUID) -> Rating | None:
        """The trip's rating, locked; its booking is locked."""
        ...

    def get(self, rating_id: UUID) -> Rating:
        """The rating, locked. Raises RatingNotFound."""
        ...

    def add(self, rating: Rating) -> None:
        """Raises AlreadyRated, here or at commit."""
        ...

    def save(self, rating: Rating) -> None: ...


class ViewCounter(Protocol):
    """Counts views where it costs next to nothing. It may lose some, and never fails the reader."""

    def count(self, kind: ItemKind, item_id: UUID) -> None:
        """Somebody looked at a thing."""
        ...

    def batches(self) -> Mapping[UUID, Mapping[tuple[ItemKind, UUID], int]]:
        """All that was counted and not dropped, in batches that do not change any more; {} while it is away."""
        ...

    def drop(self, batch_id: UUID) -> None:
        """A batch is in the books."""
        ...


class ItemStatistics(Protocol):
    """What is counted of each thing, for everybody to see."""

    def fold_views(self, batch_id: UUID, views: Mapping[tuple[ItemKind, UUID], int], *, at: datetime) -> bool:
        """Add a batch once, whoever hands it over and how often; whether it was added now."""
        ...

    def refresh(self) -> int:
        """Count bookings, revenue and ratings anew from their rows; how many things changed."""
        ...
