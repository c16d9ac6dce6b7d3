"""Proving the telephone number of one's own profile."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.v1.identity.schemas import UserShown
from api.v1.identity.users import profile_row
from api.views import MethodView
from application.identity.phones import confirm_phone, request_phone_code
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("phones", __name__, url_prefix="/users/me/phone", description="Telephone numbers")


class PhoneCodeRequest(Schema):
    code = Text(most=20, least=1, required=True)


class PhoneCodeAsked(Schema):
    status = fields.String()


@blueprint.route("/verification")
class PhoneVerification(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(202, PhoneCodeAsked)
    def post(self) -> Response:
        """Send a code of six digits to the profile's number; it is good for ten minutes.

        At most three an hour for each account and each number; `sms_unavailable` where nobody delivers messages.
        """
        request_phone_code(
            viewer().user_id,
            uow=use().new_uow(),
            digests=use().digests,
            sms=use().sms,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(PhoneCodeAsked, {"status": "SENDING"}, 202)


@blueprint.route("/verification/confirm")
class PhoneConfirmation(MethodView):
    @token_required
    @not_idempotent("a wrong try has to stay counted although the request is refused")
    @blueprint.arguments(PhoneCodeRequest)
    @blueprint.response(200, UserShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Prove the number with the newest code, within five tries."""
        confirm_phone(viewer().user_id, body["code"], uow=use().new_uow(), digests=use().digests, clock=use().clock)
        return answer(UserShown, profile_row(viewer().user_id))
