"""Profiles: one's own, and all of them for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.identity.schemas import ProfileRequest, UserShown
from application.identity import accounts
from application.privacy import erasure
from application.queries import Row
from domain.shared.clock import business_date
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required, token_required

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
        """Close one's own account; what it bought stays on the books, the person is erased after the grace."""
        erasure.close_account(viewer().user_id, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return Response(status=204)


class UserSearch(PageQuery):
    """Which users."""

    q = Text(most=100, load_default=None)


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
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        shown, cursor = split_page(rows, query["limit"], by_time("created_at"))
        return answer_page(UserShown, [_with_membership(row) for row in shown], cursor)


@blueprint.route("/admin/users/<uuid:user_id>")
class AnyUser(MethodView):
    @permission_required("users.read")
    @blueprint.response(200, UserShown)
    def get(self, user_id: UUID) -> Response:
        """One user."""
        return answer(UserShown, profile_row(user_id))


def profile_row(user_id: UUID) -> Row:
    """A user's row as `UserShown` reads it. Raises NotFound."""
    row = use().queries.identity.profile(user_id, today=business_date(use().clock.now()))
    if row is None:
        raise NotFound()
    return _with_membership(row)


def _with_membership(row: Row) -> Row:
    return {**row, "email_verified": row["email_verified_at"] is not None, "membership": row}
