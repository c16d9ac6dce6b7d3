"""What people agree to be sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, json_answer, serializer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.v1.privacy.schemas import CHANNELS, ConsentRequest, ConsentShown, ConsentsShown
from api.views import MethodView
from application.privacy.consents import GiveConsent, give_consent
from application.queries import Row
from domain.privacy.consents import ConsentChannel, ConsentPurpose
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent
from middlewares.language import reading_language

blueprint = Blueprint("consents", __name__, description="What people agree to be sent")


@blueprint.route("/users/me/consents")
class OwnConsents(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, ConsentsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What one agreed to, channel by channel, and when one said so."""
        return _consents(viewer().user_id, query)


@blueprint.route("/users/me/consents/<string:channel>")
class OwnConsent(MethodView):
    @token_required
    @blueprint.arguments(ConsentRequest)
    @blueprint.response(200, ConsentShown)
    @idempotent()
    def put(self, body: dict[str, Any], channel: str) -> Response:
        """Agree to be written to on a channel (EMAIL, SMS, PUSH, WHATSAPP), or take that back."""
        if channel not in CHANNELS:
            raise NotFound()
        command = GiveConsent(user_id=viewer().user_id, channel=ConsentChannel(channel), granted=body["granted"])
        give_consent(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(ConsentShown, _states(viewer().user_id)[channel])


@blueprint.route("/admin/users/<uuid:user_id>/consents")
class AnyConsents(MethodView):
    @permission_required("privacy.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, ConsentsShown)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """What somebody agreed to."""
        return _consents(user_id, query)


def _consents(user_id: UUID, query: dict[str, Any]) -> Response:
    rows = use().queries.privacy.consent_history(user_id, limit=query["limit"], after=after_cursor(query["cursor"]))
    shown, cursor = split_page(rows, query["limit"], by_time("given_at"))
    show = serializer(ConsentShown, reading_language())
    states = [show(state) for state in _states(user_id).values()]
    said = [show(row) for row in shown]
    return json_answer({"channels": states, "items": said, "next_cursor": cursor})


def _states(user_id: UUID) -> dict[str, Row]:
    """Every channel's state; one that nothing was said of is not agreed to."""
    said = {row["channel"]: row for row in use().queries.privacy.consents(user_id)}
    return {channel: said.get(channel, _unsaid(channel)) for channel in CHANNELS}


def _unsaid(channel: str) -> Row:
    return {
        "channel": channel,
        "purpose": ConsentPurpose.MARKETING,
        "granted": False,
        "source": None,
        "wording": None,
        "given_at": None,
    }
