"""Who reads or changes packages here, and the package that they mean."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, g

from api.answers import answer
from api.context import use, viewer
from api.etags import with_tag
from api.v1.catalogue.rows import whole_package_row
from api.v1.catalogue.schemas import PackageShown
from application.catalogue.packages import Author
from application.catalogue.queries import ON_SALE, Sight
from application.identity.ports import Viewer
from domain.catalogue.packages import PackageNotFound
from domain.operations.settings import VENDOR_APPROVAL_REQUIRED
from domain.shared.clock import business_date


def author() -> Author:
    """Who changes something."""
    return Author(viewer().user_id, viewer().is_staff)


def vendors_are_reviewed() -> bool:
    """Whether staff look at what vendors sell."""
    return use().system_settings.value(VENDOR_APPROVAL_REQUIRED)


def today() -> date:
    """The business's day."""
    return business_date(use().clock.now())


def sight() -> Sight:
    """What the reader may see; a reader without a token is a customer."""
    reader: Viewer | None = g.viewer
    if reader is None or not reader.may("packages.read"):
        return ON_SALE
    return Sight(everything=True) if reader.is_staff else Sight(vendor_id=reader.user_id)


def shown_package(id_or_slug: str) -> dict[str, Any]:
    """The package as the reader sees it. Raises PackageNotFound."""
    seen = sight()
    row = use().queries.catalogue.package(id_or_slug, today=today(), sight=seen)
    if row is None:
        raise PackageNotFound()
    return whole_package_row(row, seen)


def package_id_of(id_or_slug: str) -> UUID:
    """Its id. Raises PackageNotFound where the reader does not see it."""
    package_id: UUID = shown_package(id_or_slug)["id"]
    return package_id


def answer_package(id_or_slug: str | UUID) -> Response:
    """The package with its ETag."""
    row = shown_package(str(id_or_slug))
    return with_tag(answer(PackageShown, row), row["version"])
