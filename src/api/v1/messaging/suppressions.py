"""Addresses that mail is held back from, because a mail server said that nobody is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.messaging.suppressions import LiftSuppression, lift_suppression
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("suppressions", __name__, url_prefix="/admin/suppressed-addresses", description="Dead addresses")


class SuppressionShown(Schema):
    id = fields.UUID()
    address = fields.String()
    reason = fields.String()
    suppressed_at = fields.DateTime()


class SuppressionsQuery(PageQuery):
    """Which page, or which address."""

    address = Text(most=254, load_default=None)


@blueprint.route("")
class Suppressions(MethodView):
    @permission_required("notifications.manage")
    @blueprint.arguments(SuppressionsQuery, location="query")
    @blueprint.response(200, page_of(SuppressionShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Addresses that no mail goes to, the latest first."""
        rows = use().queries.messaging.suppressions(
            query["address"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(SuppressionShown, *split_page(rows, query["limit"], by_time("suppressed_at")))


@blueprint.route("/<uuid:suppression_id>")
class Suppression(MethodView):
    @permission_required("notifications.manage")
    @idempotent()
    @blueprint.response(204)
    def delete(self, suppression_id: UUID) -> Response:
        """Let mail go to an address again, because somebody is there after all."""
        lift_suppression(LiftSuppression(viewer().user_id, suppression_id), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)
