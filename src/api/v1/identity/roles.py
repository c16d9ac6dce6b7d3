"""Roles and permissions, for administrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.fields import Localized, Schema, Text
from api.specification import page_of
from api.views import MethodView
from application.identity.roles import (
    Administrator,
    CreateRole,
    PermitRole,
    RemoveRole,
    RenameRole,
    create_role,
    permit_role,
    remove_role,
    rename_role,
)
from application.queries import Row
from domain.identity.roles import RoleNotFound
from middlewares.auth_middleware import admin_required, permission_required
from middlewares.idempotency import idempotent
from security.permissions import CATALOGUE

blueprint = Blueprint("roles", __name__, url_prefix="/admin", description="Roles and permissions")

_Permissions = fields.List(
    fields.String(validate=validate.OneOf(list(CATALOGUE), error="There is no such permission.")),
    required=True,
    validate=validate.Length(max=len(CATALOGUE)),
)


class PermissionShown(Schema):
    code = fields.String()
    module = fields.String()
    action = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    moves_money = fields.Boolean()
    is_built = fields.Boolean()


class RoleRequest(Schema):
    name = fields.String(
        required=True, validate=validate.Regexp(r"[A-Z][A-Z0-9_]{2,39}\Z"), metadata={"examples": ["TEAM_LEAD"]}
    )
    display_name_ar = Text(most=80, least=1, required=True)
    display_name_en = Text(most=80, least=1, required=True)
    permissions = fields.List(
        fields.String(validate=validate.OneOf(list(CATALOGUE), error="There is no such permission.")),
        load_default=list,
        validate=validate.Length(max=len(CATALOGUE)),
    )


class RoleNames(Schema):
    display_name_ar = Text(most=80, least=1, load_default=None)
    display_name_en = Text(most=80, least=1, load_default=None)


class RolePermissions(Schema):
    permissions = _Permissions


class RoleShown(Schema):
    id = fields.UUID()
    name = fields.String(attribute="role_name")
    display_name = Localized()
    display_name_ar = fields.String()
    display_name_en = fields.String()
    surface = fields.String()
    is_system = fields.Boolean(attribute="is_system_role")
    permissions = fields.List(fields.String())
    holders = fields.Integer()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


@blueprint.route("/permissions")
class Permissions(MethodView):
    @admin_required
    @blueprint.response(200, page_of(PermissionShown))
    def get(self) -> Response:
        """The whole catalogue of permissions; `is_built` is whether anything asks for it yet."""
        return answer_page(PermissionShown, [_permission_row(code) for code in CATALOGUE], None)


@blueprint.route("/roles")
class Roles(MethodView):
    @permission_required("roles.read")
    @blueprint.response(200, page_of(RoleShown))
    def get(self) -> Response:
        """Every role with its permissions: the system's own first, then by name."""
        return answer_page(RoleShown, use().queries.access.roles(), None)

    @permission_required("roles.manage")
    @idempotent()
    @blueprint.arguments(RoleRequest)
    @blueprint.response(201, RoleShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a role for staff; it permits nothing that you may not do yourself."""
        permissions = frozenset(body.pop("permissions"))
        role_id = create_role(
            CreateRole(by=_administrator(), permissions=permissions, **body),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return _shown(role_id, 201, location=f"/api/v1/admin/roles/{role_id}")


@blueprint.route("/roles/<uuid:role_id>")
class OneRole(MethodView):
    @permission_required("roles.read")
    @tagged
    @blueprint.response(200, RoleShown)
    def get(self, role_id: UUID) -> Response:
        """One role."""
        return _shown(role_id)

    @permission_required("roles.manage")
    @tagged
    @idempotent()
    @blueprint.arguments(RoleNames)
    @blueprint.response(200, RoleShown)
    def patch(self, body: dict[str, Any], role_id: UUID) -> Response:
        """Show a role of the company's own under other names."""
        command = RenameRole(by=_administrator(), role_id=role_id, expected_version=expected_version(), **body)
        rename_role(command, uow=use().new_uow(), clock=use().clock)
        return _shown(role_id)

    @permission_required("roles.manage")
    @tagged
    @idempotent()
    @blueprint.response(204)
    def delete(self, role_id: UUID) -> Response:
        """Delete a role of the company's own that nobody has."""
        command = RemoveRole(by=_administrator(), role_id=role_id, expected_version=expected_version())
        remove_role(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/roles/<uuid:role_id>/permissions")
class PermissionsOfRole(MethodView):
    @permission_required("roles.manage")
    @tagged
    @idempotent()
    @blueprint.arguments(RolePermissions)
    @blueprint.response(200, RoleShown)
    def put(self, body: dict[str, Any], role_id: UUID) -> Response:
        """Give a role exactly these permissions; every process heeds it within a second."""
        command = PermitRole(
            by=_administrator(),
            role_id=role_id,
            permissions=frozenset(body["permissions"]),
            expected_version=expected_version(),
        )
        permit_role(command, uow=use().new_uow(), clock=use().clock)
        return _shown(role_id)


def _administrator() -> Administrator:
    return Administrator(id=viewer().user_id, roles=viewer().roles, permissions=viewer().permissions)


def _shown(role_id: UUID, status: int = 200, *, location: str = "") -> Response:
    row = use().queries.access.role(role_id)
    if row is None:
        raise RoleNotFound()
    return with_tag(answer(RoleShown, row, status, location=location), row["version"])


def _permission_row(code: str) -> Row:
    permission = CATALOGUE[code]
    names = ("code", "module", "action", "description_ar", "description_en", "moves_money", "is_built")
    return {name: getattr(permission, name) for name in names}
