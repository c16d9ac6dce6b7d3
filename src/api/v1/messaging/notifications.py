"""What the app tells its reader."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from middlewares.auth_middleware import token_required

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications", description="Notifications in the app")


class NotificationShown(Schema):
    id = fields.UUID()
    notification_type = fields.String()
    title = Localized()
    title_ar = fields.String()
    title_en = fields.String()
    message = Localized()
    message_ar = fields.String()
    message_en = fields.String()
    link_type = fields.String()
    link_id = fields.UUID(allow_none=True)
    is_read = fields.Boolean()
    created_at = fields.DateTime()


@blueprint.route("")
class Notifications(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(NotificationShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own notifications, newest first."""
        rows = use().queries.messaging.notifications(
            viewer().user_id, limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(NotificationShown, *split_page(rows, query["limit"], by_time("created_at")))
