"""How one is told: which ways by kind, and when it is quiet."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from api.answers import json_answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema, Text
from api.views import MethodView
from application.messaging.preferences import ChangePreferences, change_preferences
from domain.messaging.channels import KINDS, Channel, MessageKind
from domain.messaging.preferences import Preferences, QuietHours
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint(
    "notification_preferences", __name__, url_prefix="/users/me/notification-preferences", description="How one is told"
)


class QuietHoursRequest(Schema):
    """Times of day such as `22:00`, on the clocks of `time_zone`; over midnight where it ends before it begins."""

    begins = fields.Time(required=True, format="%H:%M", metadata={"examples": ["22:00"]})
    ends = fields.Time(required=True, format="%H:%M", metadata={"examples": ["08:00"]})


class PreferencesRequest(Schema):
    """What is left out stays; `quiet_hours` null ends them. `kinds` is such as `{"POINTS_EARNED": {"PUSH": false}}`."""

    kinds = fields.Dict(
        keys=fields.Enum(MessageKind, by_value=True),
        values=fields.Dict(keys=fields.Enum(Channel, by_value=True), values=fields.Boolean()),
    )
    quiet_hours = fields.Nested(QuietHoursRequest, allow_none=True)
    time_zone = Text(most=64, least=1)


class KindShown(Schema):
    """`channels` says which ways it goes out, `fixed` those that cannot be switched off. The app always shows it."""

    kind = fields.String(validate=validate.OneOf(list(MessageKind)))
    channels = fields.Dict(keys=fields.String(), values=fields.Boolean())
    fixed = fields.List(fields.String(validate=validate.OneOf(list(Channel))))


class QuietHoursShown(Schema):
    begins = fields.String()
    ends = fields.String()


class PreferencesShown(Schema):
    """Pushes and texts that come in quiet hours are sent when these are over."""

    kinds = fields.List(fields.Nested(KindShown))
    quiet_hours = fields.Nested(QuietHoursShown, allow_none=True)
    time_zone = fields.String()


@blueprint.route("")
class NotificationPreferences(MethodView):
    @token_required
    @blueprint.response(200, PreferencesShown)
    def get(self) -> Response:
        """One's own choices; where nothing was chosen, what is usual."""
        return _shown()

    @token_required
    @idempotent()
    @blueprint.arguments(PreferencesRequest)
    @blueprint.response(200, PreferencesShown)
    def patch(self, body: dict[str, Any]) -> Response:
        """Choose anew. Mails about money cannot be switched off (`channel_fixed`), nor can those about security."""
        hours = body.get("quiet_hours")
        command = ChangePreferences(
            user_id=viewer().user_id,
            choices=body.get("kinds", {}),
            sets_quiet="quiet_hours" in body,
            quiet=QuietHours(**hours) if hours else None,
            time_zone=body.get("time_zone"),
        )
        change_preferences(command, uow=use().new_uow(), clock=use().clock)
        return _shown()


def _shown() -> Response:
    preferences = use().queries.messaging.preferences(viewer().user_id)
    quiet = preferences.quiet
    return json_answer(
        {
            "kinds": [_kind(kind, preferences) for kind in MessageKind],
            "quiet_hours": {"begins": f"{quiet.begins:%H:%M}", "ends": f"{quiet.ends:%H:%M}"} if quiet else None,
            "time_zone": preferences.time_zone,
        }
    )


def _kind(kind: MessageKind, preferences: Preferences) -> dict[str, Any]:
    return {
        "kind": kind,
        "channels": {channel.value: preferences.wants(kind, channel) for channel in Channel},
        "fixed": sorted(KINDS[kind].fixed),
    }
