"""The package or the activity that a view means, as its reader sees it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer
from api.context import use
from api.etags import with_tag
from api.v1.catalogue.listing import sight_with, today
from api.v1.catalogue.price_schemas import PricedActivityShown, PricedPackageShown
from api.v1.catalogue.rows import whole_activity_row, whole_package_row
from application.catalogue.queries import Sight
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.packages import PackageNotFound


def sight_of_packages() -> Sight:
    """What the reader may see of packages."""
    return sight_with("packages.read")


def sight_of_activities() -> Sight:
    """What the reader may see of activities."""
    return sight_with("activities.read")


def shown_package(id_or_slug: str) -> dict[str, Any]:
    """The package as the reader sees it. Raises PackageNotFound."""
    sight = sight_of_packages()
    row = use().queries.catalogue.package(id_or_slug, today=today(), sight=sight)
    if row is None:
        raise PackageNotFound()
    return whole_package_row(row, sight)


def shown_activity(id_or_slug: str) -> dict[str, Any]:
    """The activity as the reader sees it. Raises ActivityNotFound."""
    sight = sight_of_activities()
    row = use().queries.activities.activity(id_or_slug, today=today(), sight=sight)
    if row is None:
        raise ActivityNotFound()
    return whole_activity_row(row, sight)


def package_id_of(id_or_slug: str) -> UUID:
    """Its id. Raises PackageNotFound where the reader does not see it."""
    package_id: UUID = shown_package(id_or_slug)["id"]
    return package_id


def activity_id_of(id_or_slug: str) -> UUID:
    """Its id. Raises ActivityNotFound where the reader does not see it."""
    activity_id: UUID = shown_activity(id_or_slug)["id"]
    return activity_id


def answer_package(id_or_slug: str | UUID) -> Response:
    """The package with its ETag. Raises PackageNotFound."""
    row = shown_package(str(id_or_slug))
    return with_tag(answer(PricedPackageShown, row), row["version"])


def answer_activity(id_or_slug: str | UUID) -> Response:
    """The activity with its ETag. Raises ActivityNotFound."""
    row = shown_activity(str(id_or_slug))
    return with_tag(answer(PricedActivityShown, row), row["version"])
