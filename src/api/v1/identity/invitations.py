"""Inviting staff, agents and vendors, and accepting that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import device, use, viewer
from api.fields import Schema, Secret, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.identity.auth import blueprint as auth
from api.v1.identity.auth import signed_in_row
from api.v1.identity.schemas import LOCALES, SignedInShown
from api.views import MethodView
from application.identity import invitations
from application.queries import Row
from domain.identity.invitations import InvitationNotFound
from middlewares.auth_middleware import permission_required, public
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("invitations", __name__, url_prefix="/admin/invitations", description="Invitations")


class InvitationRequest(Schema):
    email = Text(most=254, least=3, required=True)
    roles = fields.List(Text(most=50, least=1), required=True, validate=validate.Length(1, 10))
    locale = fields.String(load_default="en", validate=validate.OneOf(LOCALES))


class InvitationQuery(PageQuery):
    """Which invitations."""

    state = fields.String(load_default=None, validate=validate.OneOf(["PENDING", "ACCEPTED", "WITHDRAWN", "EXPIRED"]))


class InvitationShown(Schema):
    id = fields.UUID()
    email = fields.String()
    roles = fields.List(fields.String())
    locale = fields.String()
    state = fields.String()
    invited_by = fields.UUID(allow_none=True)
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    accepted_at = fields.DateTime(allow_none=True)
    withdrawn_at = fields.DateTime(allow_none=True)


class AcceptRequest(Schema):
    token = Secret(required=True)
    password = Secret(required=True)
    first_name = Text(most=100, least=1, load_default=None)
    last_name = Text(most=100, least=1, load_default=None)
    phone = Text(most=30, least=1, load_default=None, allow_none=True)
    second_factor_code = Secret(load_default=None)


@blueprint.route("")
class Invitations(MethodView):
    @permission_required("users.invite")
    @blueprint.arguments(InvitationQuery, location="query")
    @blueprint.response(200, page_of(InvitationShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Invitations, newest first; `state` narrows them."""
        rows = use().queries.identity.invitations(
            now=use().clock.now(),
            state=query["state"],
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        shown, cursor = split_page(rows, query["limit"], by_time("created_at"))
        return answer_page(InvitationShown, shown, cursor)

    @permission_required("users.invite")
    @idempotent()
    @blueprint.arguments(InvitationRequest)
    @blueprint.response(201, InvitationShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Invite an address to these roles; a mail brings the link, good for seven days.

        An earlier invitation of the address that nobody accepted is withdrawn. Administrators are invited by
        super admins alone, and nobody invites to a role that permits more than they may do; that has to hold
        until it is accepted.
        """
        invitation_id = invitations.invite(
            invitations.Invite(
                email=body["email"],
                roles=tuple(body["roles"]),
                locale=body["locale"],
                invited_by=viewer().user_id,
                granter_roles=viewer().roles,
            ),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(InvitationShown, _row(invitation_id), 201)


@blueprint.route("/<uuid:invitation_id>")
class AnyInvitation(MethodView):
    @permission_required("users.invite")
    @idempotent()
    @blueprint.response(204)
    def delete(self, invitation_id: UUID) -> Response:
        """Withdraw an invitation that nobody accepted; its links stop working."""
        invitations.withdraw_invitation(invitation_id, by=viewer(), uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/<uuid:invitation_id>/resend")
class SentAgain(MethodView):
    @permission_required("users.invite")
    @idempotent()
    @blueprint.response(200, InvitationShown)
    def post(self, invitation_id: UUID) -> Response:
        """Send a new link, good for another seven days; earlier links stop working. You have invited from then on."""
        invitations.resend_invitation(invitation_id, by=viewer(), uow=use().new_uow(), clock=use().clock)
        return answer(InvitationShown, _row(invitation_id))


# On the blueprint of signing in, whose routes are the ones with a limit by address.
@auth.route("/invitations/accept")
class Acceptance(MethodView):
    @public
    @not_idempotent("the mailed token is itself spent once, and the answer's tokens are shown once")
    @auth.arguments(AcceptRequest)
    @auth.response(201, SignedInShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Accept an invitation and sign in.

        A new account needs names and a password to be; where the address has an account, `password` is that
        account's, `second_factor_code` as at sign-in, and the roles are added. Answers are never stored under
        an Idempotency-Key.
        """
        signed_in = invitations.accept_invitation(
            invitations.AcceptInvitation(**body, **device()),
            uow=use().new_uow(),
            passwords=use().passwords,
            codes=use().one_time_codes,
            tokens=use().tokens,
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(SignedInShown, signed_in_row(signed_in), 201, location="/api/v1/users/me")


def _row(invitation_id: UUID) -> Row:
    row = use().queries.identity.invitation(invitation_id, now=use().clock.now())
    if row is None:
        raise InvitationNotFound()
    return row
