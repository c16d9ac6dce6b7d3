"""Dead letters: events that a handler failed on too often, and their replay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.operations.dead_letters import ReplayDeadLetters, replay_dead_letters
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("dead_letters", __name__, url_prefix="/admin/dead-letters", description="Events given up")


class DeadDeliveryShown(Schema):
    handler = fields.String()
    attempts = fields.Integer()
    reason = fields.String(allow_none=True)
    dead_at = fields.String()


class DeadLetterShown(Schema):
    """`payload` has ids and plain values; `deliveries` are the handlers that gave it up, and why."""

    id = fields.UUID()
    name = fields.String()
    payload = fields.Dict()
    occurred_at = fields.DateTime()
    dead_at = fields.DateTime()
    deliveries = fields.List(fields.Nested(DeadDeliveryShown))


class DeadLettersQuery(PageQuery):
    """Which page, and of which handler."""

    handler = Text(most=100, load_default=None)


class ReplayRequest(Schema):
    """Without `handler` everything that was given up is replayed."""

    handler = Text(most=100, least=1, load_default=None)


class Replayed(Schema):
    replayed = fields.Integer()


@blueprint.route("")
class DeadLetters(MethodView):
    @permission_required("operations.queues")
    @blueprint.arguments(DeadLettersQuery, location="query")
    @blueprint.response(200, page_of(DeadLetterShown))
    def get(self, query: dict[str, Any]) -> Response:
        """What was given up, the latest first."""
        rows = use().queries.operations.dead_letters(
            query["handler"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(DeadLetterShown, *split_page(rows, query["limit"], by_time("dead_at")))


@blueprint.route("/replay")
class ReplayMany(MethodView):
    @permission_required("operations.queues")
    @idempotent()
    @blueprint.arguments(ReplayRequest)
    @blueprint.response(200, Replayed)
    def post(self, body: dict[str, Any]) -> Response:
        """Deliver again all that was given up, or all that one handler gave up."""
        return _replayed(ReplayDeadLetters(actor_id=viewer().user_id, handler=body["handler"]))


@blueprint.route("/<uuid:event_id>/replay")
class ReplayOne(MethodView):
    @permission_required("operations.queues")
    @idempotent()
    @blueprint.response(200, Replayed)
    def post(self, event_id: UUID) -> Response:
        """Deliver one event again to the handlers that gave it up."""
        return _replayed(ReplayDeadLetters(actor_id=viewer().user_id, event_id=event_id))


def _replayed(command: ReplayDeadLetters) -> Response:
    return answer(Replayed, {"replayed": replay_dead_letters(command, uow=use().new_uow(), clock=use().clock)})
