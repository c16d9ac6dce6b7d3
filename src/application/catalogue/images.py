"""Pictures of packages and activities: sent, described, arranged, deleted.

A file has a row before it is written and until it is deleted, so that whatever a crash leaves is found by
`drop_left_behind`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from application.billing.ports import ObjectStorage
from application.catalogue.authors import Author, audit_item, look_again, own_item
from application.pictures import Picture, Pictures
from application.ports import NewUnitOfWork, UnitOfWork
from domain.catalogue.images import MOST_IMAGES, ImageNotFound, ItemImage, TooManyImages
from domain.catalogue.items import Item
from domain.catalogue.publication import CatalogueItem
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId

LONGEST_UPLOAD: Final = timedelta(hours=1)
"""After this an upload that did not end is given up."""
BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDesk:
    """What pictures are made and kept with."""

    pictures: Pictures
    storage: ObjectStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class OfItem:
    """Who does something to an item's pictures; `vendors_are_reviewed` as for every change of a vendor's."""

    author: Author
    item: Item
    vendors_are_reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SendImage(OfItem):
    """A picture, as bytes that nobody has looked at yet."""

    content: bytes


def send_image(
    command: SendImage, *, desk: ImageDesk, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> ItemImage:
    """Clean a picture and put it behind the others; the first one stands for its item.

    The same picture sent again is the one that is there. Raises as `own_item` does, TooManyImages, or
    InvalidValue for what is no usable picture.
    """
    with new_uow() as uow:
        # Looked at before the work is done, and again at its end.
        own_item(command.item, command.author, uow)
    picture = desk.pictures.cleaned(command.content, pointer="/image")
    small = desk.pictures.thumbnail(picture)
    image = _image(command.item, picture, clock, new_id)
    with new_uow() as uow:
        own_item(command.item, command.author, uow)
        uow.images.begin(image)
        uow.commit()
    desk.storage.put(image.thumbnail_key, small.content, small.content_type)
    desk.storage.put(image.storage_key, picture.content, picture.content_type)
    kept = _keep(image, command, new_uow(), clock)
    if kept is None or kept.id != image.id:
        # The sweep may have passed before the files were there.
        _forget([image], storage=desk.storage, new_uow=new_uow)
    if kept is None:
        raise ImageNotFound()
    return kept


def _keep(image: ItemImage, command: SendImage, uow: UnitOfWork, clock: Clock) -> ItemImage | None:
    """The picture among its item's, or its twin that is there; None where it took so long that it was given up.

    What is refused here is swept away later.
    """
    now = clock.now()
    with uow:
        held = own_item(command.item, command.author, uow)
        others = uow.images.of(command.item)
        twin = next((other for other in others if other.digest == image.digest), None)
        if twin is not None:
            uow.images.drop(image, at=now)
            uow.commit()
            return twin
        if len(others) >= MOST_IMAGES:
            raise TooManyImages(most=MOST_IMAGES)
        placed = replace(image, display_order=max((other.display_order for other in others), default=-1) + 1)
        if not uow.images.stored(placed, at=now):
            return None
        if not others:
            uow.images.feature(command.item, image.id, at=now)
        _tell(uow, command, held, changed({}, {"image": str(image.id)}), clock)
        uow.commit()
    return placed


def _image(item: Item, picture: Picture, clock: Clock, new_id: NewId) -> ItemImage:
    return ItemImage(
        id=new_id(),
        item=item,
        storage_key=f"{item.kind.section}/{secrets.token_hex(16)}",
        content_type=picture.content_type,
        size_bytes=len(picture.content),
        digest=hashlib.sha256(picture.content).digest(),
        width=picture.width,
        height=picture.height,
        caption_ar="",
        caption_en="",
        display_order=0,
        is_featured=False,
        created_at=clock.now(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeImage(OfItem):
    """What is None stays as it is; `is_featured` makes it the one that stands for its item, or no longer."""

    image_id: UUID
    caption_ar: str | None
    caption_en: str | None
    is_featured: bool | None


def describe_image(command: DescribeImage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say what is seen on a picture, and whether it stands for its item. Raises as `own_item` does, ImageNotFound."""
    now = clock.now()
    with uow:
        held = own_item(command.item, command.author, uow)
        image = uow.images.get(command.item, command.image_id)
        after = {
            "caption_ar": image.caption_ar if command.caption_ar is None else command.caption_ar,
            "caption_en": image.caption_en if command.caption_en is None else command.caption_en,
            "is_featured": image.is_featured if command.is_featured is None else command.is_featured,
        }
        changes = changed({name: getattr(image, name) for name in after}, after)
        if not changes["after"]:
            return
        uow.images.describe(image.id, caption_ar=str(after["caption_ar"]), caption_en=str(after["caption_en"]), at=now)
        if after["is_featured"] != image.is_featured:
            uow.images.feature(command.item, image.id if after["is_featured"] else None, at=now)
        _tell(uow, command, held, {**changes, "image": str(image.id)}, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangeImages(OfItem):
    """Every picture of an item, in the order in which they are shown."""

    image_ids: tuple[UUID, ...]


def arrange_images(command: ArrangeImages, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say in which order pictures are shown. Raises as `own_item` does, or InvalidValue unless each is named once."""
    with uow:
        held = own_item(command.item, command.author, uow)
        before = [image.id for image in uow.images.of(command.item)]
        if sorted(before) != sorted(command.image_ids):
            raise InvalidValue("every picture of the item, once", pointer="/image_ids")
        uow.images.arrange(command.image_ids, at=clock.now())
        changes = changed({"images": _texts(before)}, {"images": _texts(command.image_ids)})
        if changes["after"]:
            _tell(uow, command, held, changes, clock)
        uow.commit()


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(one) for one in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteImage(OfItem):
    image_id: UUID


def delete_image(command: DeleteImage, *, desk: ImageDesk, new_uow: NewUnitOfWork, clock: Clock) -> None:
    """Take a picture away; the next one stands for the item where it did. Raises as `own_item` does, ImageNotFound."""
    now = clock.now()
    with new_uow() as uow:
        held = own_item(command.item, command.author, uow)
        image = uow.images.get(command.item, command.image_id)
        uow.images.drop(image, at=now)
        left = uow.images.of(command.item)
        if image.is_featured and left:
            uow.images.feature(command.item, left[0].id, at=now)
        _tell(uow, command, held, {"before": {"image": str(image.id)}, "after": {}}, clock)
        uow.commit()
    _forget([image], storage=desk.storage, new_uow=new_uow)


def drop_left_behind(*, storage: ObjectStorage, new_uow: NewUnitOfWork, clock: Clock) -> int:
    """Delete the files of pictures that were dropped, or whose upload never ended, then their rows; how many."""
    dropped = 0
    while True:
        with new_uow() as uow:
            images = uow.images.left_behind(begun_before=clock.now() - LONGEST_UPLOAD, limit=BATCH)
            uow.commit()
        _forget(images, storage=storage, new_uow=new_uow)
        dropped += len(images)
        if len(images) < BATCH:
            return dropped


def _forget(images: Sequence[ItemImage], *, storage: ObjectStorage, new_uow: NewUnitOfWork) -> None:
    for image in images:
        storage.delete(image.thumbnail_key)
        storage.delete(image.storage_key)
    with new_uow() as uow:
        uow.images.forget([image.id for image in images])
        uow.commit()


def _tell(uow: UnitOfWork, command: OfItem, held: CatalogueItem, changes: Mapping[str, object], clock: Clock) -> None:
    """Into the audit log; a vendor's item is looked at again, as after every change that customers see."""
    look_again(held, command.author, vendors_are_reviewed=command.vendors_are_reviewed, at=clock.now())
    audit_item(uow, command.author, "update", held, changes, clock)
