"""Packages: finding them, and for staff and vendors making them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response
from flask.views import MethodView

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged, with_tag
from api.pagination import order_of, split_page
from api.specification import page_of
from api.v1.catalogue.departure_schemas import DepartureQuery, DepartureRequest, DepartureShown
from api.v1.catalogue.listing import author, behind, departures_page, plan, sight_with, today
from api.v1.catalogue.price_schemas import PricedPackageShown
from api.v1.catalogue.schemas import PackageChanges, PackageQuery, PackageRequest, PackageShown
from application.catalogue.authors import ItemKey
from application.catalogue.packages import (
    ChangePackage,
    CreatePackage,
    PublishPackage,
    change_package,
    create_package,
    publish_package,
)
from application.catalogue.queries import ON_SALE, PackageSearch, Row
from domain.catalogue.packages import PackageCategory, PackageDetails, PackageNotFound
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("packages", __name__, url_prefix="/packages", description="Packages and their departures")


@blueprint.route("")
class Packages(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PackageQuery, location="query")
    @blueprint.response(200, page_of(PackageShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Find packages that are on sale; staff see all of them, vendors their own besides.

        `updated_after` is for staff and vendors: to customers, a package that is taken off sale is just not there.
        """
        search, sight = _search(query), sight_with("packages.read")
        if search.updated_after is not None and sight == ON_SALE:
            raise NotAllowed()
        rows = use().queries.catalogue.search(search, sight=sight)
        page, cursor = split_page(rows, query["limit"], lambda row: (search.sort, row["sort_key"], row["id"]))
        return answer_page(PackageShown, page, cursor)

    @permission_required("packages.create")
    @idempotent()
    @blueprint.arguments(PackageRequest)
    @blueprint.response(201, PricedPackageShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin a package; customers see it when it is published."""
        slug = body.pop("slug", None)
        package_id = create_package(
            CreatePackage(author=author(), slug=slug, details=cast(PackageDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(
            PricedPackageShown, shown_package(str(package_id)), 201, location=f"/api/v1/packages/{package_id}"
        )


@blueprint.route("/<string:id_or_slug>")
class OnePackage(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PricedPackageShown)
    def get(self, id_or_slug: str) -> Response:
        """One package, by its id or its slug."""
        return answer_package(id_or_slug)

    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(PackageChanges)
    @blueprint.response(200, PricedPackageShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at."""
        package_id: UUID = shown_package(id_or_slug)["id"]
        slug = body.pop("slug", None)
        change_package(
            ChangePackage(
                author=author(),
                package_id=package_id,
                slug=slug,
                details=cast(PackageDetails, body),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return answer_package(str(package_id))


@blueprint.route("/<string:id_or_slug>/publish")
class Publish(MethodView):
    @permission_required("packages.publish")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedPackageShown)
    def post(self, id_or_slug: str) -> Response:
        """Put a package on sale, once everything that customers must see is there in both languages."""
        package_id: UUID = shown_package(id_or_slug)["id"]
        command = PublishPackage(author=author(), package_id=package_id, expected_version=expected_version())
        publish_package(command, uow=use().new_uow(), clock=use().clock)
        return answer_package(str(package_id))


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """A package's departures from tomorrow on, soonest first, with the seats that are left."""
        item = ItemKey(package_id=shown_package(id_or_slug)["id"])
        return departures_page(item, query, sight=sight_with("packages.read"))

    @permission_required("packages.update")
    @idempotent()
    @blueprint.arguments(DepartureRequest)
    @blueprint.response(201, DepartureShown)
    def post(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Sell seats for a date; without `ends_on` the package's days say when it is over."""
        return plan(ItemKey(package_id=shown_package(id_or_slug)["id"]), body)


def answer_package(id_or_slug: str) -> Response:
    """One package as its reader may see it, with its tag. Raises PackageNotFound."""
    row = shown_package(id_or_slug)
    return with_tag(answer(PricedPackageShown, row), row["version"])


def shown_package(id_or_slug: str) -> Row:
    """One package as its reader may see it. Raises PackageNotFound."""
    row = use().queries.catalogue.package(id_or_slug, today=today(), sight=sight_with("packages.read"))
    if row is None:
        raise PackageNotFound()
    return row


def _search(query: dict[str, Any]) -> PackageSearch:
    sort, category = order_of(query, "featured"), query["category"]
    return PackageSearch(
        today=today(),
        q=query["q"],
        category=PackageCategory(category) if category is not None else None,
        destination=query["destination"],
        min_price=query["min_price"],
        max_price=query["max_price"],
        starts_from=query["starts_from"],
        starts_to=query["starts_to"],
        featured=query["featured"],
        sort=sort,
        updated_after=query["updated_after"],
        limit=query["limit"],
        after=behind(query["cursor"], sort),
    )
