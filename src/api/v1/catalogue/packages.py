"""Packages: finding them, and for staff and vendors making them."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.catalogue.departure_schemas import DepartureQuery, DepartureRequest, DepartureShown
from api.v1.catalogue.listing import (
    author,
    departures_page,
    plan,
    vendors_are_reviewed,
)
from api.v1.catalogue.price_schemas import PricedPackageShown
from api.v1.catalogue.publishing import moving
from api.v1.catalogue.rows import item_row
from api.v1.catalogue.schemas import PackageChanges, PackageRequest, PackageSummary
from api.v1.catalogue.search_schemas import PackageFacetsShown, PackageFilterQuery, PackageQuery, PackagesFoundPage
from api.v1.catalogue.searching import answer_facets, answer_found, asked, paged
from api.v1.catalogue.seen import answer_item, item_named, shown_item, sight_of
from api.views import MethodView
from application.catalogue.items import ChangeItem, CreateItem, change_item, create_item
from application.catalogue.publication import archive_item
from application.catalogue.queries import ON_SALE, PackageSearch
from domain.catalogue.items import ItemKind
from domain.catalogue.package_details import PackageCategory
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

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
        sight = sight_of(ItemKind.PACKAGE)
        search = PackageSearch(**asked(query), **paged(query, sight), category=_category(query))
        found = use().queries.catalogue.search(search, sight=sight)
        return answer_found(PackageSummary, search, found, lambda row: item_row(ItemKind.PACKAGE, row, sight))

    @permission_required("packages.create")
    @idempotent()
    @blueprint.arguments(PackageRequest)
    @blueprint.response(201, PricedPackageShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin a package; customers see it when it is published."""
        slug = body.pop("slug", None)
        package_id = create_item(
            CreateItem(author=author(), kind=ItemKind.PACKAGE, slug=slug, details=body),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/packages/{package_id}"
        return answer(PricedPackageShown, shown_item(ItemKind.PACKAGE, package_id), 201, location=location)


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
        search = PackageSearch(**asked(query), category=_category(query))
        found = use().queries.catalogue.facets(search, sight=sight_of(ItemKind.PACKAGE))
        return answer_facets(PackageFacetsShown, found)


@blueprint.route("/<string:id_or_slug>")
class OnePackage(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PricedPackageShown)
    def get(self, id_or_slug: str) -> Response:
        """One package, by its id or its slug; that a customer looked is counted."""
        row = shown_item(ItemKind.PACKAGE, id_or_slug)
        if sight_of(ItemKind.PACKAGE) == ON_SALE:
            use().views.count(ItemKind.PACKAGE, row["id"])
        return with_tag(answer(PricedPackageShown, row), row["version"])

    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(PackageChanges)
    @blueprint.response(200, PricedPackageShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at.

        What a vendor changes of a package that was approved stays on sale, and is listed for review again.
        """
        item = item_named(ItemKind.PACKAGE, id_or_slug)
        slug = body.pop("slug", None)
        change_item(
            ChangeItem(
                author=author(),
                item=item,
                slug=slug,
                details=body,
                vendors_are_reviewed=vendors_are_reviewed(),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return answer_item(item)

    @permission_required("packages.delete")
    @idempotent()
    @tagged
    @blueprint.response(204)
    def delete(self, id_or_slug: str) -> Response:
        """Archive a package: it is neither found nor sold any more; bookings that were made go on."""
        archive_item(moving(ItemKind.PACKAGE, id_or_slug), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """A package's departures from the place's tomorrow on, soonest first, with the seats that are left."""
        return departures_page(item_named(ItemKind.PACKAGE, id_or_slug), query, sight=sight_of(ItemKind.PACKAGE))

    @permission_required("packages.update")
    @idempotent()
    @blueprint.arguments(DepartureRequest)
    @blueprint.response(201, DepartureShown)
    def post(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Sell seats for a date; without `ends_on` the package's days say when it is over."""
        return plan(item_named(ItemKind.PACKAGE, id_or_slug), body)


def _category(query: dict[str, Any]) -> PackageCategory | None:
    return PackageCategory(query["category"]) if query["category"] is not None else None
