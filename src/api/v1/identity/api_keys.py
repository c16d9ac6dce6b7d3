"""API keys: one's own, and everybody's for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.identity.api_keys import (
    CreateApiKey,
    NewKey,
    RevokeApiKey,
    create_api_key,
    replace_api_key,
    revoke_api_key,
)
from application.queries import Row
from domain.identity.api_keys import LONGEST, ApiKeyNotFound
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent
from security.permissions import CATALOGUE, OWN_SCOPES, grantable_scopes

blueprint = Blueprint("api_keys", __name__, description="API keys for partners' systems")

SCOPES = sorted({*OWN_SCOPES, *(code for code, permission in CATALOGUE.items() if permission.is_for_keys)})
DEFAULT_DAYS = 90


class ApiKeyRequest(Schema):
    name = Text(most=80, least=1, required=True)
    scopes = fields.List(
        fields.String(validate=validate.OneOf(SCOPES, error="There is no such scope.")),
        required=True,
        validate=validate.Length(1, len(SCOPES)),
    )
    expires_in_days = fields.Integer(load_default=DEFAULT_DAYS, strict=True, validate=validate.Range(1, LONGEST.days))


class ApiKeyShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    owner_email = fields.String()
    name = fields.String()
    public_id = fields.String()
    scopes = fields.List(fields.String())
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    revoked_at = fields.DateTime(allow_none=True)
    last_used_at = fields.DateTime(allow_none=True)
    last_used_address = fields.String(allow_none=True)


class NewApiKeyShown(ApiKeyShown):
    key = fields.String()


@blueprint.route("/api-keys")
class OwnKeys(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(ApiKeyShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own keys, newest first; never the keys themselves."""
        return _page(query, owner=viewer().user_id)

    @permission_required("api_keys.create")
    @idempotent(sealed=True)
    @blueprint.arguments(ApiKeyRequest)
    @blueprint.response(201, NewApiKeyShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a key that acts for you within its scopes; `key` is shown this once."""
        made = create_api_key(
            CreateApiKey(
                owner_id=viewer().user_id,
                name=body["name"],
                scopes=frozenset(body["scopes"]),
                grantable=grantable_scopes(viewer().permissions),
                valid_for=timedelta(days=body["expires_in_days"]),
            ),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return _new(made, 201)


@blueprint.route("/api-keys/<uuid:key_id>")
class OwnKey(MethodView):
    @token_required
    @blueprint.response(200, ApiKeyShown)
    def get(self, key_id: UUID) -> Response:
        """One of one's own keys."""
        return answer(ApiKeyShown, _shown(key_id))

    @token_required
    @idempotent()
    @blueprint.response(204)
    def delete(self, key_id: UUID) -> Response:
        """Revoke one of one's own keys, at once and for ever."""
        return _revoke(key_id, owner=viewer().user_id)


@blueprint.route("/api-keys/<uuid:key_id>/rotate")
class Rotate(MethodView):
    @permission_required("api_keys.create")
    @idempotent(sealed=True)
    @blueprint.response(200, NewApiKeyShown)
    def post(self, key_id: UUID) -> Response:
        """Give a key another secret; the one before opens nothing from now on, and `key` is shown this once."""
        made = replace_api_key(key_id, owner_id=viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return _new(made, 200)


@blueprint.route("/admin/api-keys")
class AllKeys(MethodView):
    @permission_required("api_keys.manage")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(ApiKeyShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Everybody's keys, newest first."""
        return _page(query, owner=None)


@blueprint.route("/admin/api-keys/<uuid:key_id>")
class AnyKey(MethodView):
    @permission_required("api_keys.manage")
    @idempotent()
    @blueprint.response(204)
    def delete(self, key_id: UUID) -> Response:
        """Revoke anybody's key."""
        return _revoke(key_id, owner=None)


def _page(query: dict[str, Any], *, owner: UUID | None) -> Response:
    rows = use().queries.access.api_keys(owner=owner, limit=query["limit"], after=after_cursor(query["cursor"]))
    return answer_page(ApiKeyShown, *split_page(rows, query["limit"], by_time("created_at")))


def _revoke(key_id: UUID, *, owner: UUID | None) -> Response:
    command = RevokeApiKey(actor_id=viewer().user_id, owner_id=owner, key_id=key_id)
    revoke_api_key(command, uow=use().new_uow(), clock=use().clock)
    return Response(status=204)


def _new(made: NewKey, status: int) -> Response:
    row = {**_shown(made.id), "key": made.key}
    response = answer(NewApiKeyShown, row, status, location=f"/api/v1/api-keys/{made.id}")
    response.headers["Cache-Control"] = "no-store"
    return response


def _shown(key_id: UUID) -> Row:
    row = use().queries.access.api_key(key_id, owner=viewer().user_id)
    if row is None:
        raise ApiKeyNotFound()
    return row
