"""Devices that one's own pushes go to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.specification import page_of
from api.v1.identity.schemas import LOCALES
from api.views import MethodView
from application.messaging.devices import RegisterDevice, register_device, remove_device
from domain.messaging.devices import Platform
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent
from middlewares.language import reading_language

blueprint = Blueprint("devices", __name__, url_prefix="/users/me/devices", description="Devices for pushes")


class DeviceRequest(Schema):
    """`token` is FCM's registration token; `locale` is the language that the app shows, else the request's."""

    token = Text(
        most=1000, least=20, required=True, identifier=True, metadata={"examples": ["fcm-registration-token-of-an-app"]}
    )
    platform = fields.Enum(Platform, by_value=True, required=True)
    locale = fields.String(load_default=None, validate=validate.OneOf(LOCALES))


class DeviceShown(Schema):
    id = fields.UUID()
    platform = fields.String(validate=validate.OneOf(list(Platform)))
    locale = fields.String()
    created_at = fields.DateTime()
    last_seen_at = fields.DateTime()


@blueprint.route("")
class Devices(MethodView):
    @token_required
    @blueprint.response(200, page_of(DeviceShown))
    def get(self) -> Response:
        """One's own devices, the last seen first; at most ten."""
        return answer_page(DeviceShown, use().queries.messaging.devices(viewer().user_id), None)

    @token_required
    @idempotent()
    @blueprint.arguments(DeviceRequest)
    @blueprint.response(201, DeviceShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Have pushes sent to a device, at every start of the app; a token is whoever registered it last's."""
        command = RegisterDevice(
            user_id=viewer().user_id,
            token=body["token"],
            platform=body["platform"],
            locale=body["locale"] or reading_language(),
        )
        device_id = register_device(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        row = use().queries.messaging.device(device_id, user_id=viewer().user_id)
        return answer(DeviceShown, row or {}, 201)


@blueprint.route("/<uuid:device_id>")
class Device(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(204)
    def delete(self, device_id: UUID) -> Response:
        """Send no more pushes to a device; call it when somebody signs out."""
        remove_device(device_id, user_id=viewer().user_id, uow=use().new_uow())
        return Response(status=204)
