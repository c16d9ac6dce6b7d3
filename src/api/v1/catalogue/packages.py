"""Packages: finding them, and for staff and vendors making them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, cast
from uuid import UUID

from flask import Response, g
from flask.views import MethodView

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import InvalidCursor, instant, order_of, plain_text, read_cursor, split_page
from api.specification import page_of
from api.v1.catalogue.schemas import (
    DepartureQuery,
    DepartureRequest,
    DepartureShown,
    PackageChanges,
    PackageFacetsShown,
    PackageFilterQuery,
    PackageQuery,
    PackageRequest,
    PackagesFoundPage,
    PackageShown,
)
from application.catalogue.packages import (
    Author,
    ChangePackage,
    CreatePackage,
    PlanDeparture,
    PublishPackage,
    change_package,
    create_package,
    plan_departure,
    publish_package,
)
from application.catalogue.queries import CHANGES, ON_SALE, Behind, Correction, PackageSearch, Row, Sight
from application.identity.ports import Viewer
from domain.catalogue.packages import PackageCategory, PackageDetails, PackageNotFound
from domain.shared.clock import business_date
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent
from middlewares.language import reading_language

blueprint = Blueprint("packages", __name__, url_prefix="/packages", description="Packages and their departures")


@blueprint.route("")
class Packages(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PackageQuery, location="query")
    @blueprint.response(200, PackagesFoundPage)
    def get(self, query: dict[str, Any]) -> Response:
        """Find packages that are on sale; staff see all of them, vendors their own besides.

        `corrected` names the words of `q` that nothing holds, and what was searched for in their place.
        `updated_after` is for staff and vendors: to customers, a package that is taken off sale is just not there.
        """
        search, sight = _search(query), _sight()
        if search.updated_after is not None and sight == ON_SALE:
            raise NotAllowed()
        found = use().queries.catalogue.search(search, sight=sight)
        page, cursor = split_page(found.rows, query["limit"], lambda row: (search.sort, row["sort_key"], row["id"]))
        return answer_page(PackageShown, page, cursor, corrected=_shown_corrections(found.corrections))

    @permission_required("packages.create")
    @idempotent()
    @blueprint.arguments(PackageRequest)
    @blueprint.response(201, PackageShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin a package; customers see it when it is published."""
        slug = body.pop("slug", None)
        package_id = create_package(
            CreatePackage(author=_author(), slug=slug, details=cast(PackageDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(PackageShown, _shown(str(package_id)), 201, location=f"/api/v1/packages/{package_id}")


@blueprint.route("/facets")
class PackageFacets(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PackageFilterQuery, location="query")
    @blueprint.response(200, PackageFacetsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What a search can be narrowed to, and how many packages are left then; it takes the filters of the list.

        Each facet is counted under all filters but its own. At most 2,000 packages are, the first in the order
        `featured`; where there are more, `is_exact` is false and `total` says 2,000.
        """
        counted = use().queries.catalogue.facets(PackageSearch(**_asked(query)), sight=_sight())
        row = {**asdict(counted), "corrected": _shown_corrections(counted.corrections)}
        return answer(PackageFacetsShown, row)


@blueprint.route("/<string:id_or_slug>")
class OnePackage(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PackageShown)
    def get(self, id_or_slug: str) -> Response:
        """One package, by its id or its slug."""
        return _answer(id_or_slug)

    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(PackageChanges)
    @blueprint.response(200, PackageShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at."""
        package_id: UUID = _shown(id_or_slug)["id"]
        slug = body.pop("slug", None)
        change_package(
            ChangePackage(
                author=_author(),
                package_id=package_id,
                slug=slug,
                details=cast(PackageDetails, body),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return _answer(str(package_id))


@blueprint.route("/<string:id_or_slug>/publish")
class Publish(MethodView):
    @permission_required("packages.publish")
    @idempotent()
    @tagged
    @blueprint.response(200, PackageShown)
    def post(self, id_or_slug: str) -> Response:
        """Put a package on sale, once everything that customers must see is there in both languages."""
        package_id: UUID = _shown(id_or_slug)["id"]
        command = PublishPackage(author=_author(), package_id=package_id, expected_version=expected_version())
        publish_package(command, uow=use().new_uow(), clock=use().clock)
        return _answer(str(package_id))


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """A package's departures from tomorrow on, soonest first, with the seats that are left."""
        sight = _sight()
        rows = use().queries.catalogue.departures(
            _shown(id_or_slug)["id"],
            today=_today(),
            sight=sight,
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
            PlanDeparture(author=_author(), package_id=_shown(id_or_slug)["id"], **body),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        row = {**vars(departure), "seats_left": departure.seats_left}
        location = f"/api/v1/packages/{departure.package_id}/departures"
        return answer(DepartureShown, row, 201, location=location)


def _answer(id_or_slug: str) -> Response:
    row = _shown(id_or_slug)
    return with_tag(answer(PackageShown, row), row["version"])


def _author() -> Author:
    return Author(viewer().user_id, viewer().is_staff)


def _today() -> date:
    return business_date(use().clock.now())


def _sight() -> Sight:
    """What the reader may see; a reader without a token is a customer."""
    reader: Viewer | None = g.viewer
    if reader is None or not reader.may("packages.read"):
        return ON_SALE
    return Sight(everything=True) if reader.is_staff else Sight(vendor_id=reader.user_id)


def _shown(id_or_slug: str) -> Row:
    row = use().queries.catalogue.package(id_or_slug, today=_today(), sight=_sight())
    if row is None:
        raise PackageNotFound()
    return row


def _search(query: dict[str, Any]) -> PackageSearch:
    asked = _asked(query)
    sort = order_of(query, "relevance" if asked["q"] else "featured")
    order = f"name_{reading_language()}" if sort == "name" else sort
    return PackageSearch(
        **asked,
        sort=order,
        updated_after=query["updated_after"],
        limit=query["limit"],
        after=_behind(query["cursor"], order, _KEYS.get(order, _number)),
    )


def _asked(query: dict[str, Any]) -> dict[str, Any]:
    """What narrows a search; its order and page apart."""
    category = query["category"]
    asked = {name: query[name] for name in _FILTERS}
    return {**asked, "today": _today(), "category": PackageCategory(category) if category is not None else None}


_FILTERS = (
    "q", "destination", "currency", "min_price", "max_price", "duration_min", "duration_max", "travelers",
    "starts_from", "starts_to", "featured",
)  # fmt: skip


def _shown_corrections(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    return [{"typed": one.typed, "searched": one.words} for one in corrections]


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


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "newest": instant,
    CHANGES: instant,
    "departure": date.fromisoformat,
    "name_ar": plain_text,
    "name_en": plain_text,
}
