"""The second factor: setting it up, proving it, doing without it.

Answers here carry secrets, and refusals here are counted, which the transaction of a remembered answer would
undo: none is remembered under an idempotency key.
"""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.answers import answer
from api.blueprint import Blueprint
from api.context import network_address, use, viewer
from api.fields import Schema, Secret
from api.v1.identity.auth import blueprint as auth
from api.views import MethodView
from application.identity import second_factor as factors
from application.queries import Row
from domain.identity.second_factor import SecondFactorState
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent, not_idempotent

_WHY = "answers carry secrets, and wrong guesses have to stay counted"

blueprint = Blueprint("second_factor", __name__, description="One-time codes at sign-in")


class CurrentPasswordRequest(Schema):
    current_password = Secret(required=True)


class CodeRequest(Schema):
    code = Secret(required=True)


class ProvedRequest(CurrentPasswordRequest):
    code = Secret(required=True)


class SwitchOffRequest(CurrentPasswordRequest):
    code = Secret(load_default=None)


class SecondFactorShown(Schema):
    state = fields.String()
    confirmed_at = fields.DateTime(allow_none=True)
    recovery_codes_left = fields.Integer()


class NewSecondFactorShown(Schema):
    state = fields.String()
    secret = fields.String()
    otpauth_uri = fields.String()
    qr_code = fields.String()


class RecoveryCodesShown(Schema):
    recovery_codes = fields.List(fields.String())


class StepUpShown(Schema):
    access_token = fields.String()
    token_type = fields.String()
    expires_in = fields.Integer()


@blueprint.route("/users/me/second-factor")
class OwnSecondFactor(MethodView):
    @token_required
    @blueprint.response(200, SecondFactorShown)
    def get(self) -> Response:
        """Whether sign-in asks for a code (`OFF`, `PENDING`, `CONFIRMED`), and the recovery codes left."""
        return answer(SecondFactorShown, _shown(use().queries.identity.second_factor(viewer().user_id)))

    @token_required
    @not_idempotent(_WHY)
    @blueprint.arguments(CurrentPasswordRequest)
    @blueprint.response(201, NewSecondFactorShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a secret for an authenticator app; it counts once a code of it is confirmed.

        Secret, `otpauth:` address and QR code (an SVG as a data address) are shown this once. A secret that was
        never confirmed is replaced. Answers are never stored under an Idempotency-Key.
        """
        secret = factors.start_second_factor(
            viewer().user_id,
            body["current_password"],
            address=network_address(),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            clock=use().clock,
            new_id=use().new_id,
        )
        shown = {
            "state": SecondFactorState.PENDING.value,
            "secret": secret.text,
            "otpauth_uri": secret.uri,
            "qr_code": f"data:image/svg+xml;base64,{base64.b64encode(secret.qr_svg).decode()}",
        }
        return answer(NewSecondFactorShown, shown, 201, location="/api/v1/users/me/second-factor")

    @token_required
    @not_idempotent(_WHY)
    @blueprint.arguments(SwitchOffRequest)
    @blueprint.response(204)
    def delete(self, body: dict[str, Any]) -> Response:
        """Do without, with password and a code (of the app, or a recovery code); one not confirmed needs no code."""
        factors.switch_off_second_factor(
            viewer().user_id,
            body["current_password"],
            body["code"],
            address=network_address(),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            clock=use().clock,
        )
        return Response(status=204)


@blueprint.route("/users/me/second-factor/confirm")
class ConfirmedSecondFactor(MethodView):
    @token_required
    @not_idempotent(_WHY)
    @blueprint.arguments(CodeRequest)
    @blueprint.response(200, RecoveryCodesShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Switch it on with a first code of the app; ten recovery codes are shown this once.

        The session counts as having proved it from its next refresh. Answers are never stored under an
        Idempotency-Key.
        """
        recovery = factors.confirm_second_factor(
            factors.ConfirmSecondFactor(user_id=viewer().user_id, session_id=viewer().session_id, code=body["code"]),
            uow=use().new_uow(),
            codes=use().one_time_codes,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(RecoveryCodesShown, {"recovery_codes": recovery})


@blueprint.route("/users/me/second-factor/recovery-codes")
class RecoveryCodes(MethodView):
    @token_required
    @not_idempotent(_WHY)
    @blueprint.arguments(ProvedRequest)
    @blueprint.response(200, RecoveryCodesShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Ten new recovery codes, shown this once, in place of all earlier ones.

        Answers are never stored under an Idempotency-Key.
        """
        recovery = factors.renew_recovery_codes(
            viewer().user_id,
            body["current_password"],
            body["code"],
            address=network_address(),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(RecoveryCodesShown, {"recovery_codes": recovery})


# On the blueprint of signing in, whose routes are the ones with a limit by address.
@auth.route("/second-factor")
class StepUp(MethodView):
    @token_required
    @not_idempotent(_WHY)
    @auth.arguments(CodeRequest)
    @auth.response(200, StepUpShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Prove the second factor in a session that is signed in; an access token that says so.

        Later refreshes of the session keep it. Answers are never stored under an Idempotency-Key.
        """
        tokens = use().tokens
        token = factors.step_up(
            viewer(),
            body["code"],
            uow=use().new_uow(),
            codes=use().one_time_codes,
            tokens=tokens,
            clock=use().clock,
        )
        shown = {"access_token": token, "token_type": "Bearer", "expires_in": tokens.lifetime_seconds}
        return answer(StepUpShown, shown)


@blueprint.route("/admin/users/<uuid:user_id>/second-factor/reset")
class SecondFactorReset(MethodView):
    @permission_required("users.reset_second_factor")
    @idempotent()
    @blueprint.response(204)
    def post(self, user_id: UUID) -> Response:
        """Take the second factor from somebody who lost it; that person's sessions end, and a mail says so."""
        factors.reset_second_factor(user_id, by=viewer(), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


def _shown(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"state": SecondFactorState.OFF.value, "confirmed_at": None, "recovery_codes_left": 0}
    state = SecondFactorState.CONFIRMED if row["confirmed_at"] else SecondFactorState.PENDING
    return {**row, "state": state.value}
