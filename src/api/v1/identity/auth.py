"""Registering, signing in and out."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use
from api.v1.identity.schemas import (
    LoginRequest,
    RefreshRequest,
    RegisterRequest,
    SignedInShown,
    UserShown,
    VerifyEmailRequest,
)
from api.v1.identity.users import profile_row
from application.identity import accounts
from application.identity.accounts import SignedIn
from middlewares.auth_middleware import public

blueprint = Blueprint("auth", __name__, url_prefix="/auth", description="Registering, signing in and out")


@blueprint.route("/register")
class Register(MethodView):
    @public
    @blueprint.arguments(RegisterRequest)
    @blueprint.response(201, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Open an account and sign it in; the address is proved by a mail that is sent."""
        signed_in = accounts.register_user(
            accounts.RegisterUser(**body, user_agent=user_agent()),
            uow=use().new_uow(),
            passwords=use().passwords,
            tokens=use().tokens,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(SignedInShown, signed_in_row(signed_in), 201, location="/api/v1/users/me")


@blueprint.route("/login")
class Login(MethodView):
    @public
    @blueprint.arguments(LoginRequest)
    @blueprint.response(200, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Sign in with e-mail and password, and a code where the account has a second factor.

        `second_factor_code` is of the authenticator app, or a recovery code; without one such an account is
        answered `second_factor_required`.
        """
        signed_in = accounts.log_in(
            accounts.LogIn(**body, user_agent=user_agent()),
            uow=use().new_uow(),
            passwords=use().passwords,
            tokens=use().tokens,
            codes=use().one_time_codes,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(SignedInShown, signed_in_row(signed_in))


@blueprint.route("/refresh")
class Refresh(MethodView):
    @public
    @blueprint.arguments(RefreshRequest)
    @blueprint.response(200, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Spend a refresh token for a new pair; one that is spent twice ends its session."""
        signed_in = accounts.refresh_session(
            body["refresh_token"], uow=use().new_uow(), tokens=use().tokens, clock=use().clock
        )
        return answer(SignedInShown, signed_in_row(signed_in))


@blueprint.route("/logout")
class Logout(MethodView):
    @public
    @blueprint.arguments(RefreshRequest)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> Response:
        """End the session of a refresh token."""
        accounts.log_out(body["refresh_token"], uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/verify-email")
class VerifyEmail(MethodView):
    @public
    @blueprint.arguments(VerifyEmailRequest)
    @blueprint.response(200, UserShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Prove an address with the token that was mailed to it."""
        user_id = accounts.verify_email(body["token"], uow=use().new_uow(), clock=use().clock)
        return answer(UserShown, profile_row(user_id))


def signed_in_row(signed_in: SignedIn) -> dict[str, Any]:
    """Fresh tokens and their user as `SignedInShown` reads them."""
    return {
        "access_token": signed_in.access_token,
        "refresh_token": signed_in.refresh_token,
        "token_type": "Bearer",
        "expires_in": signed_in.expires_in,
        "user": profile_row(signed_in.user_id),
    }


def user_agent() -> str:
    """What the client calls itself."""
    return request.headers.get("User-Agent", "")
