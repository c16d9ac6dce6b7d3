"""System settings: the public ones for everybody, all of them for staff to see and change."""

from __future__ import annotations

from typing import Any

from flask import Response, after_this_request, request
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.fields import Localized, Schema
from api.specification import page_of
from api.views import MethodView
from application.operations.settings import ChangeSetting, ResetSetting, change_setting, reset_setting
from application.queries import Row
from domain.operations.kinds import SettingType
from domain.operations.settings import SETTINGS, Setting, SettingCategory, setting_of
from middlewares.auth_middleware import permission_required, public
from middlewares.idempotency import idempotent

blueprint = Blueprint("settings", __name__, description="System settings")


class PublicSettingShown(Schema):
    key = fields.String()
    value = fields.Raw()
    setting_type = fields.String(validate=validate.OneOf(list(SettingType)))
    category = fields.String(validate=validate.OneOf(list(SettingCategory)))
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()


class SettingShown(PublicSettingShown):
    default = fields.Raw()
    is_default = fields.Boolean()
    is_public = fields.Boolean()
    super_admins_only = fields.Boolean(metadata={"description": "Whether nobody else changes it."})
    accepts = fields.String()
    version = fields.Integer()
    updated_by_user_id = fields.UUID(allow_none=True)
    updated_at = fields.DateTime(allow_none=True)


class SettingSearch(Schema):
    """Which settings."""

    category = fields.String(load_default=None, validate=validate.OneOf(list(SettingCategory)))


class SettingRequest(Schema):
    value = fields.Raw(required=True, metadata={"description": "As the setting's `accepts` says."})


@blueprint.route("/settings")
class PublicSettings(MethodView):
    @public
    @blueprint.response(200, page_of(PublicSettingShown))
    def get(self) -> Response:
        """What everybody may know of the settings; may be kept for a minute, and asked for with If-None-Match."""
        rows = [
            {**_facts(known), "value": use().system_settings.value(known)}
            for known in SETTINGS.values()
            if known.is_public
        ]
        shown = answer_page(PublicSettingShown, rows, None)
        shown.headers["Cache-Control"] = "public, max-age=60"
        shown.vary.add("Accept-Language")
        shown.add_etag()
        shown.make_conditional(request)
        return shown


@blueprint.route("/admin/settings")
class AllSettings(MethodView):
    @permission_required("settings.read")
    @blueprint.arguments(SettingSearch, location="query")
    @blueprint.response(200, page_of(SettingShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every setting with its value, its default and what it accepts."""
        stored, category = use().queries.operations.settings(), query["category"]
        rows = [
            _row(known, stored.get(key)) for key, known in SETTINGS.items() if category in (None, known.category.value)
        ]
        return answer_page(SettingShown, rows, None)


@blueprint.route("/admin/settings/<string:key>")
class OneSetting(MethodView):
    @permission_required("settings.read")
    @tagged
    @blueprint.response(200, SettingShown)
    def get(self, key: str) -> Response:
        """One setting; its ETag is its version."""
        return _shown(key)

    @permission_required("settings.update")
    @tagged
    @idempotent()
    @blueprint.arguments(SettingRequest)
    @blueprint.response(200, SettingShown)
    def put(self, body: dict[str, Any], key: str) -> Response:
        """Choose its value; with If-Match only if it is still that version.

        What one person may do without a second one (`super_admins_only`) is changed by super admins alone.
        """
        after_this_request(_forget)
        command = ChangeSetting(
            key=key,
            value=body["value"],
            actor_id=viewer().user_id,
            actor_roles=viewer().roles,
            expected_version=expected_version(),
        )
        change_setting(command, uow=use().new_uow(), values=use().system_settings, clock=use().clock)
        return _shown(key)

    @permission_required("settings.update")
    @tagged
    @idempotent()
    @blueprint.response(200, SettingShown)
    def delete(self, key: str) -> Response:
        """Let its default hold again; with If-Match only if it is still that version, and by whoever may choose it."""
        after_this_request(_forget)
        command = ResetSetting(
            key=key, actor_id=viewer().user_id, actor_roles=viewer().roles, expected_version=expected_version()
        )
        reset_setting(command, uow=use().new_uow(), values=use().system_settings, clock=use().clock)
        return _shown(key)


def _forget(response: Response) -> Response:
    """Once the request's transaction is over: what was read before is looked up again."""
    use().system_settings.forget()
    return response


def _shown(key: str) -> Response:
    row = _row(setting_of(key), use().queries.operations.settings().get(key))
    return with_tag(answer(SettingShown, row), row["version"])


def _row(known: Setting[Any], stored: Row | None) -> Row:
    default = use().system_settings.default(known)
    chosen = stored["setting_value"] if stored is not None else None
    return {
        **_facts(known),
        "value": known.effective(chosen, default),
        "default": default,
        "is_default": chosen is None,
        "is_public": known.is_public,
        "super_admins_only": known.super_admins_only,
        "accepts": known.kind.accepts,
        "version": stored["version"] if stored is not None else 0,
        "updated_by_user_id": stored["updated_by_user_id"] if stored is not None else None,
        "updated_at": stored["updated_at"] if stored is not None else None,
    }


def _facts(known: Setting[Any]) -> dict[str, Any]:
    return {
        "key": known.key,
        "setting_type": known.kind.setting_type.value,
        "category": known.category.value,
        "description_ar": known.description_ar,
        "description_en": known.description_en,
    }
