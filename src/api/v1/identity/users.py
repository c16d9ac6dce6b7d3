"""Profiles: one's own, and all of them for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.identity.schemas import ProfileRequest, UserShown
from application.identity import accounts
from application.identity.administration import ChangeUser, CloseUser, SetRoles, change_user, close_user, set_roles
from application.queries import Row
from domain.identity.users import UserStatus
from domain.shared.clock import business_date
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("users", __name__, description="Profiles")


@blueprint.route("/users/me")
class OwnProfile(MethodView):
    @token_required
    @blueprint.response(200, UserShown)
    def get(self) -> Response:
        """One's own profile and membership."""
        return answer(UserShown, profile_row(viewer().user_id))

    @token_required
    @blueprint.arguments(ProfileRequest)
    @blueprint.response(200, UserShown)
    def patch(self, body: dict[str, Any]) -> Response:
        """Change one's own names, phone or language."""
        accounts.change_profile(accounts.ChangeProfile(user_id=viewer().user_id, **body), uow=use().new_uow())
        return answer(UserShown, profile_row(viewer().user_id))

    @token_required
    @blueprint.response(204)
    def delete(self) -> Response:
        """Close one's own account; bookings and payments stay on the books."""
        accounts.close_account(viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


class UserSearch(PageQuery):
    """Which users."""

    q = Text(most=100, load_default=None)
    role = Text(most=40, least=1, load_default=None)
    status = fields.Enum(UserStatus, load_default=None)
    verified = fields.Boolean(load_default=None)


@blueprint.route("/admin/users")
class AllUsers(MethodView):
    @permission_required("users.read")
    @blueprint.arguments(UserSearch, location="query")
    @blueprint.response(200, page_of(UserShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Users, newest first; `q` looks into addresses and names."""
        rows = use().queries.identity.find_users(
            today=business_date(use().clock.now()),
            q=query["q"],
            role=query["role"],
            status=query["status"].value if query["status"] is not None else None,
            verified=query["verified"],
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        shown, cursor = split_page(rows, query["limit"], by_time("created_at"))
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
    @blueprint.response(200, UserShown)
    def get(self, user_id: UUID) -> Response:
        """One user."""
        return answer(UserShown, profile_row(user_id))

    @permission_required("users.update")
    @idempotent()
    @blueprint.arguments(UserChanges)
    @blueprint.response(200, UserShown)
    def patch(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Change somebody's profile or status; whoever is disabled is signed out everywhere."""
        command = ChangeUser(actor_id=viewer().user_id, user_id=user_id, **body)
        change_user(command, uow=use().new_uow(), clock=use().clock)
        return answer(UserShown, profile_row(user_id))

    @permission_required("users.delete")
    @idempotent()
    @blueprint.response(204)
    def delete(self, user_id: UUID) -> Response:
        """Close somebody's account; bookings and payments stay on the books."""
        close_user(CloseUser(actor_id=viewer().user_id, user_id=user_id), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/admin/users/<uuid:user_id>/roles")
class RolesOfUser(MethodView):
    @permission_required("users.roles")
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
        )
        set_roles(command, uow=use().new_uow(), clock=use().clock)
        return answer(UserShown, profile_row(user_id))


def profile_row(user_id: UUID) -> Row:
    """A user's row as `UserShown` reads it. Raises NotFound."""
    row = use().queries.identity.profile(user_id, today=business_date(use().clock.now()))
    if row is None:
        raise NotFound()
    return _with_membership(row)


def _with_membership(row: Row) -> Row:
    return {**row, "email_verified": row["email_verified_at"] is not None, "membership": row}
