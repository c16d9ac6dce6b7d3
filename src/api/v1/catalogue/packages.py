"""Packages: finding them, and for staff and vendors making them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

from flask import Response
from flask.views import MethodView

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import InvalidCursor, instant, order_of, read_cursor, split_page
from api.specification import page_of
from api.v1.catalogue.rows import package_row
from api.v1.catalogue.schemas import (
    DepartureQuery,
    DepartureRequest,
    DepartureShown,
    PackageChanges,
    PackageQuery,
    PackageRequest,
    PackageShown,
    PackageSummary,
)
from api.v1.catalogue.seen import (
    answer_package,
    author,
    package_id_of,
    shown_package,
    sight,
    today,
    vendors_are_reviewed,
)
from application.catalogue.packages import (
    ChangePackage,
    CreatePackage,
    PlanDeparture,
    change_package,
    create_package,
    plan_departure,
)
from application.catalogue.publication import (
    MovePackage,
    PublishPackage,
    archive_package,
    deactivate_package,
    publish_package,
)
from application.catalogue.queries import CHANGES, ON_SALE, Behind, PackageSearch
from domain.catalogue.package_details import PackageCategory, PackageDetails
from domain.catalogue.statistics import ItemKind
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("packages", __name__, url_prefix="/packages", description="Packages and their departures")


@blueprint.route("")
class Packages(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PackageQuery, location="query")
    @blueprint.response(200, page_of(PackageSummary))
    def get(self, query: dict[str, Any]) -> Response:
        """Find packages that are on sale; staff see all of them, vendors their own besides.

        `updated_after` is for staff and vendors: to customers, a package that is taken off sale is just not there.
        """
        search, seen = _search(query), sight()
        if search.updated_after is not None and seen == ON_SALE:
            raise NotAllowed()
        rows = use().queries.catalogue.search(search, sight=seen)
        page, cursor = split_page(rows, query["limit"], lambda row: (search.sort, row["sort_key"], row["id"]))
        return answer_page(PackageSummary, [package_row(row, seen) for row in page], cursor)

    @permission_required("packages.create")
    @idempotent()
    @blueprint.arguments(PackageRequest)
    @blueprint.response(201, PackageShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin a package; customers see it when it is published."""
        slug = body.pop("slug", None)
        package_id = create_package(
            CreatePackage(author=author(), slug=slug, details=cast(PackageDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(PackageShown, shown_package(str(package_id)), 201, location=f"/api/v1/packages/{package_id}")


@blueprint.route("/<string:id_or_slug>")
class OnePackage(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PackageShown)
    def get(self, id_or_slug: str) -> Response:
        """One package, by its id or its slug; that a customer looked is counted."""
        row = shown_package(id_or_slug)
        if sight() == ON_SALE:
            use().views.count(ItemKind.PACKAGE, row["id"])
        return with_tag(answer(PackageShown, row), row["version"])

    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(PackageChanges)
    @blueprint.response(200, PackageShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at.

        What a vendor changes of a package that was approved stays on sale, and is listed for review again.
        """
        package_id = package_id_of(id_or_slug)
        slug = body.pop("slug", None)
        change_package(
            ChangePackage(
                author=author(),
                package_id=package_id,
                slug=slug,
                details=cast(PackageDetails, body),
                vendors_are_reviewed=vendors_are_reviewed(),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return answer_package(package_id)

    @permission_required("packages.delete")
    @idempotent()
    @tagged
    @blueprint.response(204)
    def delete(self, id_or_slug: str) -> Response:
        """Archive a package: it is neither found nor sold any more; bookings that were made go on."""
        archive_package(_moving(id_or_slug), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/<string:id_or_slug>/publish")
class Publish(MethodView):
    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.response(200, PackageShown)
    def post(self, id_or_slug: str) -> Response:
        """Put a package on sale, or on sale again, once all that customers must see is there in both languages.

        A vendor asks for it: `approval` is PENDING until staff decide. Staff need the permission `packages.publish`
        besides, and `packages.approve` for a vendor's package, which that approves.
        """
        command = PublishPackage(
            author=author(),
            package_id=package_id_of(id_or_slug),
            expected_version=expected_version(),
            may_publish=viewer().may("packages.publish"),
            may_approve=viewer().may("packages.approve"),
            vendors_are_reviewed=vendors_are_reviewed(),
        )
        publish_package(command, uow=use().new_uow(), clock=use().clock)
        return answer_package(command.package_id)


@blueprint.route("/<string:id_or_slug>/deactivate")
class Deactivate(MethodView):
    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.response(200, PackageShown)
    def post(self, id_or_slug: str) -> Response:
        """Take a package off sale for a while; bookings that were made go on, and publishing brings it back."""
        command = _moving(id_or_slug)
        deactivate_package(command, uow=use().new_uow(), clock=use().clock)
        return answer_package(command.package_id)


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """A package's departures from tomorrow on, soonest first, with the seats that are left."""
        rows = use().queries.catalogue.departures(
            package_id_of(id_or_slug),
            today=today(),
            sight=sight(),
            limit=query["limit"],
            after=_behind(query["cursor"], "departures", date.fromisoformat),
        )
        page, cursor = split_page(rows, query["limit"], lambda row: ("departures", row["starts_on"], row["id"]))
        return answer_page(DepartureShown, page, cursor)

    @permission_required("packages.update")
    @idempotent()
    @blueprint.arguments(DepartureRequest)
    @blueprint.response(201, DepartureShown)
    def post(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Sell seats for a date; without `ends_on` the package's days say when it is over."""
        departure = plan_departure(
            PlanDeparture(author=author(), package_id=package_id_of(id_or_slug), **body),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        row = {**vars(departure), "seats_left": departure.seats_left}
        location = f"/api/v1/packages/{departure.package_id}/departures"
        return answer(DepartureShown, row, 201, location=location)


def _moving(id_or_slug: str) -> MovePackage:
    return MovePackage(author=author(), package_id=package_id_of(id_or_slug), expected_version=expected_version())


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
        after=_behind(query["cursor"], sort, _KEYS.get(sort, _number)),
    )


def _behind(cursor: str | None, order: str, read_key: Callable[[Any], Any]) -> Behind | None:
    """Where a page begins. Raises InvalidCursor for anything but a cursor of this very order."""
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        made_for, key, row_id = values
        if made_for != order:
            raise InvalidCursor()
        return Behind(read_key(key), UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def _number(key: Any) -> int:
    if type(key) is not int or not 0 <= key < 2**63:
        raise InvalidCursor()
    return key


_KEYS: Mapping[str, Callable[[Any], Any]] = {"newest": instant, CHANGES: instant}
