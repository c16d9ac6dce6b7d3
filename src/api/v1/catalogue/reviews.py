"""Reviews: what vendors want to sell, and what staff say of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.catalogue.item_schemas import RejectRequest
from api.v1.catalogue.listing import author, today
from api.v1.catalogue.price_schemas import PricedPackageShown
from api.v1.catalogue.rows import package_row
from api.v1.catalogue.schemas import PackageSummary
from api.v1.catalogue.seen import answer_package
from application.catalogue.publication import MovePackage, RejectPackage, approve_package, reject_package
from application.catalogue.queries import Sight
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("reviews", __name__, url_prefix="/admin", description="What vendors want to sell")


@blueprint.route("/catalogue/reviews")
class Reviews(MethodView):
    @permission_required("packages.approve")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(PackageSummary))
    def get(self, query: dict[str, Any]) -> Response:
        """Vendors' packages that wait for a decision, the longest-waiting first; ACTIVE ones are on sale meanwhile."""
        rows = use().queries.catalogue.reviews(today=today(), limit=query["limit"], after=after_cursor(query["cursor"]))
        page, cursor = split_page(rows, query["limit"], by_time("review_requested_at"))
        return answer_page(PackageSummary, [package_row(row, Sight(everything=True)) for row in page], cursor)


@blueprint.route("/packages/<uuid:package_id>/approve")
class Approve(MethodView):
    @permission_required("packages.approve")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedPackageShown)
    def post(self, package_id: UUID) -> Response:
        """Agree: the package goes on sale, or stays there. `If-Match` approves what was seen, and nothing newer."""
        command = MovePackage(author=author(), package_id=package_id, expected_version=expected_version())
        approve_package(command, uow=use().new_uow(), clock=use().clock)
        return answer_package(package_id)


@blueprint.route("/packages/<uuid:package_id>/reject")
class Reject(MethodView):
    @permission_required("packages.approve")
    @idempotent()
    @tagged
    @blueprint.arguments(RejectRequest)
    @blueprint.response(200, PricedPackageShown)
    def post(self, body: dict[str, Any], package_id: UUID) -> Response:
        """Do not agree: the package is not put on sale, or taken off; its vendor reads why, and may ask again."""
        command = RejectPackage(
            author=author(), package_id=package_id, expected_version=expected_version(), reason=body["reason"]
        )
        reject_package(command, uow=use().new_uow(), clock=use().clock)
        return answer_package(package_id)
