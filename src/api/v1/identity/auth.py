"""Registering, signing in and out."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import device, network_address, use, viewer
from api.v1.identity.schemas import (
    AcceptedShown,
    ChangePasswordRequest,
    ForgotPasswordRequest,
    LoginRequest,
    RefreshRequest,
    RegisterRequest,
    ResetPasswordRequest,
    SignedInShown,
    UserShown,
    VerifyEmailRequest,
)
from api.v1.identity.users import profile_row
from api.views import MethodView
from application.identity import accounts, passwords, signing_in
from application.identity.signing_in import SignedIn
from middlewares.auth_middleware import public, token_required
from middlewares.idempotency import idempotent, not_idempotent
from middlewares.rate_limit import limited

blueprint = Blueprint("auth", __name__, url_prefix="/auth", description="Registering, signing in and out")


@blueprint.route("/register")
class Register(MethodView):
    # Staged: hashing takes too long for a transaction.
    @public
    @idempotent(staged=True, sealed=True)
    @blueprint.arguments(RegisterRequest)
    @blueprint.response(201, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Open an account and sign it in; the address is proved by a mail that is sent.

        The answer is the same whether or not the address has an account; with that account's password it
        is signed in to.
        """
        signed_in = accounts.register_user(
            accounts.RegisterUser(**body, **device()),
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
    @not_idempotent("signing in again only opens another session, and its tokens are shown once")
    @blueprint.arguments(LoginRequest)
    @blueprint.response(200, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Sign in with e-mail and password, and a code where the account has a second factor.

        `second_factor_code` is of the authenticator app, or a recovery code; without one such an account is
        answered `second_factor_required`. After too many wrong passwords or codes, 429 until Retry-After.
        """
        signed_in = signing_in.log_in(
            signing_in.LogIn(**body, **device()),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            tokens=use().tokens,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(SignedInShown, signed_in_row(signed_in))


@blueprint.route("/refresh")
class Refresh(MethodView):
    @public
    @not_idempotent("the refresh token is itself spent once; its tokens are shown once")
    @blueprint.arguments(RefreshRequest)
    @blueprint.response(200, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Spend a refresh token for a new pair; one that is spent twice ends its session.

        Refresh in one place, and keep what comes back before it is used: a token that is sent again, by two
        windows at once or because the answer was lost, signs the device out.
        """
        signed_in = signing_in.refresh_session(
            signing_in.RefreshSession(**body, address=network_address()),
            uow=use().new_uow(),
            tokens=use().tokens,
            clock=use().clock,
        )
        return answer(SignedInShown, signed_in_row(signed_in))


@blueprint.route("/logout")
class Logout(MethodView):
    @public
    @not_idempotent("ending a session twice changes nothing")
    @blueprint.arguments(RefreshRequest)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> Response:
        """End the session of a refresh token."""
        signing_in.log_out(body["refresh_token"], uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/logout-all")
class LogoutEverywhere(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(204)
    def post(self) -> Response:
        """End every session of one's own, this one too."""
        signing_in.log_out_everywhere(viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/verify-email")
class VerifyEmail(MethodView):
    @public
    @idempotent()
    @blueprint.arguments(VerifyEmailRequest)
    @blueprint.response(200, UserShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Prove an address with the token that was mailed to it."""
        user_id = accounts.verify_email(body["token"], uow=use().new_uow(), clock=use().clock)
        return answer(UserShown, profile_row(user_id))


@blueprint.route("/change-password")
class ChangePassword(MethodView):
    @token_required
    @not_idempotent("the second of two finds that the current password is another one")
    @blueprint.arguments(ChangePasswordRequest)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> Response:
        """Change one's own password; every other session ends."""
        passwords.change_password(
            passwords.ChangePassword(
                **body, user_id=viewer().user_id, session_id=viewer().session_id, address=network_address()
            ),
            uow=use().new_uow(),
            passwords=use().passwords,
            clock=use().clock,
        )
        return Response(status=204)


@blueprint.route("/forgot-password")
class ForgotPassword(MethodView):
    @public
    @not_idempotent("asking twice sends a newer link, and only the newest works")
    @limited(per_minute=10)
    @blueprint.arguments(ForgotPasswordRequest)
    @blueprint.response(202, AcceptedShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Have a link mailed that sets a new password; the answer is the same whether or not there is an account."""
        passwords.forget_password(passwords.ForgetPassword(**body), uow=use().new_uow(), clock=use().clock)
        return answer(AcceptedShown, {"status": "accepted"}, 202)


@blueprint.route("/reset-password")
class ResetPassword(MethodView):
    @public
    @not_idempotent("the mailed token is itself spent once")
    @limited(per_minute=10)
    @blueprint.arguments(ResetPasswordRequest)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> Response:
        """Set a new password with the token that was mailed; every session ends."""
        passwords.reset_password(
            passwords.ResetPassword(**body, address=network_address()),
            uow=use().new_uow(),
            passwords=use().passwords,
            clock=use().clock,
        )
        return Response(status=204)


def signed_in_row(signed_in: SignedIn) -> dict[str, Any]:
    """Fresh tokens and their user as `SignedInShown` reads them."""
    return {
        "access_token": signed_in.access_token,
        "refresh_token": signed_in.refresh_token,
        "token_type": "Bearer",
        "expires_in": signed_in.expires_in,
        "user": profile_row(signed_in.user_id),
    }
