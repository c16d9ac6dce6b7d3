"""Pictures of packages: sent, described, arranged, deleted.

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
from application.catalogue.authors import Author, audit_item, look_again, own_package
from application.pictures import Picture, Pictures
from application.ports import NewUnitOfWork, UnitOfWork
from domain.catalogue.images import MOST_IMAGES, ImageNotFound, PackageImage, TooManyImages
from domain.catalogue.packages import Package
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
class OfPackage:
    """Who does something to a package's pictures; `vendors_are_reviewed` as for every change of a vendor's."""

    author: Author
    package_id: UUID
    vendors_are_reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SendImage(OfPackage):
    """A picture, as bytes that nobody has looked at yet."""

    content: bytes


def send_image(
    command: SendImage, *, desk: ImageDesk, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> PackageImage:
    """Clean a picture and put it behind the others; the first one stands for its package.

    The same picture sent again is the one that is there. Raises PackageNotFound, TooManyImages, or InvalidValue for
    what is no usable picture.
    """
    with new_uow() as uow:
        # Looked at before the work is done, and again at its end.
        own_package(command.package_id, command.author, uow)
    picture = desk.pictures.cleaned(command.content, pointer="/image")
    small = desk.pictures.thumbnail(picture)
    image = _image(command.package_id, picture, clock, new_id)
    with new_uow() as uow:
        own_package(command.package_id, command.author, uow)
        uow.package_images.begin(image)
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


def _keep(image: PackageImage, command: SendImage, uow: UnitOfWork, clock: Clock) -> PackageImage | None:
    """The picture among its package's, or its twin that is there; None where it took so long that it was given up.

    What is refused here is swept away later.
    """
    now = clock.now()
    with uow:
        package = own_package(command.package_id, command.author, uow)
        others = uow.package_images.of(package.id)
        twin = next((other for other in others if other.digest == image.digest), None)
        if twin is not None:
            uow.package_images.drop(image, at=now)
            uow.commit()
            return twin
        if len(others) >= MOST_IMAGES:
            raise TooManyImages(most=MOST_IMAGES)
        placed = replace(image, display_order=max((other.display_order for other in others), default=-1) + 1)
        if not uow.package_images.stored(placed, at=now):
            return None
        if not others:
            uow.package_images.feature(package.id, image.id, at=now)
        _tell(uow, command, package, changed({}, {"image": str(image.id)}), clock)
        uow.commit()
    return placed


def _image(package_id: UUID, picture: Picture, clock: Clock, new_id: NewId) -> PackageImage:
    return PackageImage(
        id=new_id(),
        package_id=package_id,
        storage_key=f"packages/{secrets.token_hex(16)}",
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
class DescribeImage(OfPackage):
    """What is None stays as it is; `is_featured` makes it the one that stands for its package, or no longer."""

    image_id: UUID
    caption_ar: str | None
    caption_en: str | None
    is_featured: bool | None


def describe_image(command: DescribeImage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say what is seen on a picture, and whether it stands for its package. Raises PackageNotFound, ImageNotFound."""
    now = clock.now()
    with uow:
        package = own_package(command.package_id, command.author, uow)
        image = uow.package_images.get(package.id, command.image_id)
        after = {
            "caption_ar": image.caption_ar if command.caption_ar is None else command.caption_ar,
            "caption_en": image.caption_en if command.caption_en is None else command.caption_en,
            "is_featured": image.is_featured if command.is_featured is None else command.is_featured,
        }
        changes = changed({name: getattr(image, name) for name in after}, after)
        if not changes["after"]:
            return
        uow.package_images.describe(
            image.id, caption_ar=str(after["caption_ar"]), caption_en=str(after["caption_en"]), at=now
        )
        if after["is_featured"] != image.is_featured:
            uow.package_images.feature(package.id, image.id if after["is_featured"] else None, at=now)
        _tell(uow, command, package, {**changes, "image": str(image.id)}, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangeImages(OfPackage):
    """Every picture of a package, in the order in which they are shown."""

    image_ids: tuple[UUID, ...]


def arrange_images(command: ArrangeImages, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say in which order pictures are shown. Raises PackageNotFound, or InvalidValue unless each is named once."""
    with uow:
        package = own_package(command.package_id, command.author, uow)
        before = [image.id for image in uow.package_images.of(package.id)]
        if sorted(before) != sorted(command.image_ids):
            raise InvalidValue("every picture of the package, once", pointer="/image_ids")
        uow.package_images.arrange(command.image_ids, at=clock.now())
        changes = changed({"images": _texts(before)}, {"images": _texts(command.image_ids)})
        if changes["after"]:
            _tell(uow, command, package, changes, clock)
        uow.commit()


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(one) for one in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteImage(OfPackage):
    image_id: UUID


def delete_image(command: DeleteImage, *, desk: ImageDesk, new_uow: NewUnitOfWork, clock: Clock) -> None:
    """Take a picture away; the next one stands for the package where it did. Raises PackageNotFound, ImageNotFound."""
    now = clock.now()
    with new_uow() as uow:
        package = own_package(command.package_id, command.author, uow)
        image = uow.package_images.get(package.id, command.image_id)
        uow.package_images.drop(image, at=now)
        left = uow.package_images.of(package.id)
        if image.is_featured and left:
            uow.package_images.feature(package.id, left[0].id, at=now)
        _tell(uow, command, package, {"before": {"image": str(image.id)}, "after": {}}, clock)
        uow.commit()
    _forget([image], storage=desk.storage, new_uow=new_uow)


def drop_left_behind(*, storage: ObjectStorage, new_uow: NewUnitOfWork, clock: Clock) -> int:
    """Delete the files of pictures that were dropped, or whose upload never ended, then their rows; how many."""
    dropped = 0
    while True:
        with new_uow() as uow:
            images = uow.package_images.left_behind(begun_before=clock.now() - LONGEST_UPLOAD, limit=BATCH)
            uow.commit()
        _forget(images, storage=storage, new_uow=new_uow)
        dropped += len(images)
        if len(images) < BATCH:
            return dropped


def _forget(images: Sequence[PackageImage], *, storage: ObjectStorage, new_uow: NewUnitOfWork) -> None:
    for image in images:
        storage.delete(image.thumbnail_key)
        storage.delete(image.storage_key)
    with new_uow() as uow:
        uow.package_images.forget([image.id for image in images])
        uow.commit()


def _tell(uow: UnitOfWork, command: OfPackage, package: Package, changes: Mapping[str, object], clock: Clock) -> None:
    """Into the audit log; a vendor's package is looked at again, as after every change that customers see."""
    look_again(package, command.author, vendors_are_reviewed=command.vendors_are_reviewed, at=clock.now())
    audit_item(uow, command.author, "packages.update", package, changes, clock)
