"""Shapes of consents, exports and erasures."""

from marshmallow import fields, validate

from api.fields import Schema, Secret, Text
from domain.privacy.consents import ConsentChannel
from domain.privacy.erasure import Blocker
from domain.privacy.exports import ExportStatus

CHANNELS = [channel.value for channel in ConsentChannel]


class ConsentRequest(Schema):
    granted = fields.Boolean(required=True, truthy={True}, falsy={False})


class ConsentShown(Schema):
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    purpose = fields.String()
    granted = fields.Boolean()
    source = fields.String(allow_none=True)
    wording = fields.String(allow_none=True)
    given_at = fields.DateTime(allow_none=True)


class ConsentsShown(Schema):
    """The state of every channel, and every word that was said, newest first."""

    channels = fields.List(fields.Nested(ConsentShown))
    items = fields.List(fields.Nested(ConsentShown))
    next_cursor = fields.String(allow_none=True)


class ExportShown(Schema):
    id = fields.UUID()
    status = fields.String(validate=validate.OneOf([status.value for status in ExportStatus]))
    requested_at = fields.DateTime()
    ready_at = fields.DateTime(allow_none=True)
    expires_at = fields.DateTime(allow_none=True)
    size_bytes = fields.Integer(allow_none=True)


class DownloadQuery(Schema):
    format = fields.String(load_default="archive", validate=validate.OneOf(["json", "archive"]))


class ErasureRequest(Schema):
    current_password = Secret(required=True)


class ErasureOrderRequest(Schema):
    reason = Text(most=500, least=3, required=True)
    immediately = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ErasureShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    requested_at = fields.DateTime()
    due_at = fields.DateTime()
    blocked_by = fields.List(fields.String(validate=validate.OneOf([blocker.value for blocker in Blocker])))
