"""Profiles: one's own, and all of them for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import erasure_grace, use, viewer
from api.etags import expected_version, tagged, with_tag
from api.fields import Schema, Text
from api.pagination import (
    ChangesQuery,
    PageQuery,
    after_cursor,
    after_in,
    by_order,
    by_time,
    order_of,
    sort_field,
    split_page,
)
from api.specification import page_of
from api.v1.identity.schemas import AcceptedShown, ProfileRequest, SessionShown, UserShown
from api.views import MethodView
from application.identity import accounts, signing_in
from application.identity.administration import ChangeUser, CloseUser, SetRoles, change_user, close_user, set_roles
from application.privacy import erasure
from application.queries import Row
from domain.identity.devices import device_label
from domain.identity.users import UserStatus
from domain.shared.clock import business_date
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("users", __name__, description="Profiles")


@blueprint.route("/users/me")
class OwnProfile(MethodView):
    @token_required
    @tagged
    @blueprint.response(200, UserShown)
    def get(self) -> Response:
        """One's own profile and membership."""
        return _profile(viewer().user_id)

    @token_required
    @idempotent()
    @tagged
    @blueprint.arguments(ProfileRequest)
    @blueprint.response(200, UserShown)
    def patch(self, body: dict[str, Any]) -> Response:
        """Change one's own names, phone or language."""
        user_id = viewer().user_id
        command = accounts.ChangeProfile(user_id=user_id, expected_version=expected_version(), **body)
        accounts.change_profile(command, uow=use().new_uow())
        return _profile(user_id)

    @token_required
    @idempotent()
    @tagged
    @blueprint.response(204)
    def delete(self) -> Response:
        """Close one's own account; what it bought stays on the books, the person is erased after the grace."""
        command = erasure.CloseAccount(
            user_id=viewer().user_id, grace=erasure_grace(), expected_version=expected_version()
        )
        erasure.close_account(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return Response(status=204)


@blueprint.route("/users/me/email/verification")
class EmailVerification(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(202, AcceptedShown)
    def post(self) -> Response:
        """Have another link mailed that proves one's address; at most three an hour."""
        accounts.request_verification(viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return answer(AcceptedShown, {"status": "accepted"}, 202)


@blueprint.route("/users/me/sessions")
class OwnSessions(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(SessionShown))
    def get(self, query: dict[str, Any]) -> Response:
        """The devices that are signed in, the newest first; last use is the last refresh."""
        rows = use().queries.identity.sessions(
            viewer().user_id, at=use().clock.now(), limit=query["limit"], after=after_cursor(query["cursor"])
        )
        shown, cursor = split_page(rows, query["limit"], by_time("created_at"))
        return answer_page(SessionShown, [_session_row(row) for row in shown], cursor)


@blueprint.route("/users/me/sessions/<uuid:session_id>")
class OwnSession(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(204)
    def delete(self, session_id: UUID) -> Response:
        """Sign a device out."""
        signing_in.end_session(session_id, user_id=viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


class UserSearch(ChangesQuery):
    """Which users, and in which order."""

    q = Text(most=100, load_default=None)
    sort = sort_field("-created_at", "created_at", "email", "-email")
    role = Text(most=40, least=1, load_default=None)
    status = fields.Enum(UserStatus, load_default=None)
    verified = fields.Boolean(load_default=None)


@blueprint.route("/admin/users")
class AllUsers(MethodView):
    @permission_required("users.read")
    @blueprint.arguments(UserSearch, location="query")
    @blueprint.response(200, page_of(UserShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Users, newest first; `q` looks into addresses and names. `updated_after` shows closed accounts, too."""
        order = order_of(query)
        rows = use().queries.identity.find_users(
            today=business_date(use().clock.now()),
            q=query["q"],
            role=query["role"],
            status=query["status"].value if query["status"] is not None else None,
            verified=query["verified"],
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            order=order,
            updated_after=query["updated_after"],
        )
        shown, cursor = split_page(rows, query["limit"], by_order(order))
        return answer_page(UserShown, [_with_membership(row) for row in shown], cursor)


class UserChanges(ProfileRequest):
    """`reason` is required to disable somebody, and kept in the audit log."""

    status = fields.Enum(UserStatus, load_default=None)
    reason = Text(most=500, least=1, load_default=None)


class UserRoles(Schema):
    roles = fields.List(Text(most=40, least=1), required=True, validate=validate.Length(1, 20))


@blueprint.route("/admin/users/<uuid:user_id>")
class AnyUser(MethodView):
    @permission_required("users.read")
    @tagged
    @blueprint.response(200, UserShown)
    def get(self, user_id: UUID) -> Response:
        """One user."""
        return _profile(user_id)

    @permission_required("users.update")
    @tagged
    @idempotent()
    @blueprint.arguments(UserChanges)
    @blueprint.response(200, UserShown)
    def patch(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Change somebody's profile or status; whoever is disabled is signed out everywhere."""
        command = ChangeUser(actor_id=viewer().user_id, user_id=user_id, expected_version=expected_version(), **body)
        change_user(command, uow=use().new_uow(), clock=use().clock)
        return _profile(user_id)

    @permission_required("users.delete")
    @tagged
    @idempotent()
    @blueprint.response(204)
    def delete(self, user_id: UUID) -> Response:
        """Close somebody's account; bookings and payments stay on the books."""
        command = CloseUser(actor_id=viewer().user_id, user_id=user_id, expected_version=expected_version())
        close_user(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/admin/users/<uuid:user_id>/roles")
class RolesOfUser(MethodView):
    @permission_required("users.roles")
    @tagged
    @idempotent()
    @blueprint.arguments(UserRoles)
    @blueprint.response(200, UserShown)
    def put(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Give somebody exactly these roles; their tokens change nothing any more until they are refreshed."""
        command = SetRoles(
            actor_id=viewer().user_id,
            actor_permissions=viewer().permissions,
            user_id=user_id,
            roles=frozenset(body["roles"]),
            expected_version=expected_version(),
        )
        set_roles(command, uow=use().new_uow(), clock=use().clock)
        return _profile(user_id)


def _profile(user_id: UUID) -> Response:
    row = profile_row(user_id)
    return with_tag(answer(UserShown, row), row["version"])


def profile_row(user_id: UUID) -> Row:
    """A user's row as `UserShown` reads it. Raises NotFound."""
    row = use().queries.identity.profile(user_id, today=business_date(use().clock.now()))
    if row is None:
        raise NotFound()
    return _with_membership(row)


def _session_row(row: Row) -> Row:
    return {**row, "device": device_label(row["user_agent"]), "current": row["id"] == viewer().session_id}


def _with_membership(row: Row) -> Row:
    return {
        **row,
        "email_verified": row["email_verified_at"] is not None,
        "phone_verified": row["phone_verified_at"] is not None,
        "membership": row,
    }
