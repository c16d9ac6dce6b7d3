"""What needs a person: the queue, and the whole story of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.billing.attention import ActOn, read_body
from application.billing.attention_ports import REASONS, AttentionKind, AttentionSearch
from application.billing.refund_submission import REMEMBERED_FOR
from application.queries import Row
from domain.billing.refunds import RefundStatus
from domain.operations.kinds import amount_in
from domain.operations.settings import WRITE_OFF_LIMIT
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required

blueprint = Blueprint(
    "attention", __name__, url_prefix="/admin/payments/attention", description="Payments that need a person"
)

# In addresses each kind is named in the plural.
KINDS: Final[Mapping[str, AttentionKind]] = {
    "suspense": AttentionKind.SUSPENSE,
    "attempts": AttentionKind.ATTEMPT,
    "webhooks": AttentionKind.WEBHOOK,
    "payments": AttentionKind.PAYMENT,
    "refunds": AttentionKind.REFUND,
    "disputes": AttentionKind.DISPUTE,
}


class AttentionNotFound(NotFound):
    """No row of this kind has this id."""

    code = "attention_not_found"


class AttentionShown(Schema):
    """`detail` is a code, or what became of the money; `actions` are the last words of addresses to post to."""

    id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(list(AttentionKind)))
    reason = fields.String(validate=validate.OneOf(REASONS))
    status = fields.String()
    detail = fields.String(allow_none=True)
    payment_id = fields.UUID(allow_none=True)
    payment_number = fields.String(allow_none=True)
    booking_id = fields.UUID(allow_none=True)
    user_id = fields.UUID(allow_none=True)
    provider = fields.String()
    provider_reference = fields.String(allow_none=True)
    amount = MoneyField(allow_none=True)
    expected = MoneyField(unit="expected_currency", allow_none=True)
    noticed_at = fields.DateTime()
    age_seconds = fields.Integer()
    actions = fields.List(fields.String())


class StoryAttemptShown(Schema):
    id = fields.UUID()
    provider = fields.String()
    status = fields.String()
    merchant_reference = fields.String()
    provider_reference = fields.String(allow_none=True)
    charge_reference = fields.String(allow_none=True)
    reference_number = fields.String(allow_none=True)
    error_code = fields.String(allow_none=True)
    receipts_count = fields.Integer()
    reads = fields.Integer()
    read_again_at = fields.DateTime(allow_none=True)
    expires_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class StoryReceiptShown(Schema):
    id = fields.UUID()
    attempt_id = fields.UUID()
    amount = MoneyField()
    disposition = fields.String()
    reason = fields.String(allow_none=True)
    journal_id = fields.UUID()
    received_at = fields.DateTime()
    suspense_status = fields.String(allow_none=True)
    resolution = fields.String(allow_none=True)
    decided_by_user_id = fields.UUID(allow_none=True)
    decision_reason = fields.String(allow_none=True)
    decided_at = fields.DateTime(allow_none=True)


class StoryWebhookShown(Schema):
    """Without what it said: that is behind a permission of its own, under `…/webhooks/{id}/body`."""

    id = fields.UUID()
    event_type = fields.String()
    status = fields.String()
    error_message = fields.String(allow_none=True)
    provider = fields.String()
    provider_reference = fields.String()
    merchant_reference = fields.String()
    reference_number = fields.String()
    charge_reference = fields.String()
    is_about_refund = fields.Boolean()
    received_at = fields.DateTime()
    processed_at = fields.DateTime(allow_none=True)
    dismissed_at = fields.DateTime(allow_none=True)
    dismissed_by_user_id = fields.UUID(allow_none=True)
    dismissed_reason = fields.String(allow_none=True)


class StoryEntryShown(Schema):
    account_kind = fields.String()
    provider = fields.String()
    amount = MoneyField()


class StoryJournalShown(Schema):
    id = fields.UUID()
    journal_type = fields.String()
    reference_type = fields.String()
    reference_id = fields.UUID()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    occurred_at = fields.DateTime()
    entries = fields.List(fields.Nested(StoryEntryShown))


class AttentionStoryShown(AttentionShown):
    attempts = fields.List(fields.Nested(StoryAttemptShown))
    receipts = fields.List(fields.Nested(StoryReceiptShown))
    webhooks = fields.List(fields.Nested(StoryWebhookShown))
    journals = fields.List(fields.Nested(StoryJournalShown))


class WebhookBodyShown(Schema):
    """What arrived, byte for byte where it is UTF-8; other bytes are shown as U+FFFD. Empty once its time is over."""

    id = fields.UUID()
    content_type = fields.String()
    body = fields.String()


class AttentionQuery(PageQuery):
    """Which rows."""

    reason = fields.String(load_default=None, validate=validate.OneOf(REASONS))
    provider = Text(most=30, least=1, load_default=None)


class BodyQuery(Schema):
    """Why it is looked at."""

    reason = Text(least=3, most=500, required=True)


@blueprint.route("")
class Attention(MethodView):
    @permission_required("payments.attention")
    @blueprint.arguments(AttentionQuery, location="query")
    @blueprint.response(200, page_of(AttentionShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Everything about payments that waits for a person, newest first, and what can be done about it."""
        search = AttentionSearch(at=use().clock.now(), reason=query["reason"], provider=query["provider"])
        rows = use().queries.attention.waiting(search, limit=query["limit"], after=after_cursor(query["cursor"]))
        page, cursor = split_page(rows, query["limit"], by_time("noticed_at"))
        return answer_page(AttentionShown, [with_actions(row) for row in page], cursor)


@blueprint.route("/<any(suspense, attempts, webhooks, payments, refunds, disputes):kind>/<uuid:row_id>")
class OneAttention(MethodView):
    @permission_required("payments.attention")
    @blueprint.response(200, AttentionStoryShown)
    def get(self, kind: str, row_id: UUID) -> Response:
        """One row with all that is known: attempts, receipts, webhooks, journals; also after it was decided."""
        return answer(AttentionStoryShown, story_of(KINDS[kind], row_id))


@blueprint.route("/webhooks/<uuid:webhook_id>/body")
class WebhookBody(MethodView):
    @permission_required("webhooks.read")
    @blueprint.arguments(BodyQuery, location="query")
    @blueprint.response(200, WebhookBodyShown)
    def get(self, query: dict[str, Any], webhook_id: UUID) -> Response:
        """A webhook as it arrived; that it was looked at, and why, stays in the audit log."""
        command = ActOn(id=webhook_id, actor_id=viewer().user_id, reason=query["reason"])
        body = read_body(command, uow=use().new_uow(), clock=use().clock)
        shown = {
            "id": webhook_id,
            "content_type": body.content_type,
            "body": body.content.decode("utf-8", errors="replace"),
        }
        response = answer(WebhookBodyShown, shown)
        response.headers["Cache-Control"] = "no-store"
        return response


def story_of(kind: AttentionKind, row_id: UUID) -> Row:
    """A row with its story. Raises AttentionNotFound."""
    row = use().queries.attention.one(kind, row_id)
    if row is None:
        raise AttentionNotFound()
    webhook_id = row_id if kind is AttentionKind.WEBHOOK else None
    return {**with_actions(row), **use().queries.attention.story(row["payment_id"], webhook_id)}


def with_actions(row: Row) -> Row:
    """The row with its age, and the actions that it allows now."""
    age = use().clock.now() - row["noticed_at"]
    return {**row, "age_seconds": int(age.total_seconds()), "actions": _ACTIONS[AttentionKind(row["kind"])](row)}


def _of_suspense(row: Row) -> list[str]:
    if row["status"] != "OPEN":
        return []
    if row["reason"] == "SUSPENSE_MODE":
        return ["write-off"]
    limit = amount_in(use().system_settings.value(WRITE_OFF_LIMIT), row["currency"])
    is_little = limit is not None and row["amount_minor"] <= limit.minor
    return ["wallet", "apply", "refund", *(["write-off"] if is_little else [])]


def _of_attempt(row: Row) -> list[str]:
    if row["status"] not in ("CREATED", "UNKNOWN"):
        return []
    return [*(["check"] if row["provider_reference"] else []), "give-up"]


def _of_webhook(row: Row) -> list[str]:
    if row["status"] not in ("RECEIVED", "FAILED"):
        return []
    return ["dismiss"] if row["reason"] == "REFUND_UNVERIFIED" else ["retry", "assign", "dismiss"]


def _of_payment(row: Row) -> list[str]:
    return [] if row["detail"] else ["invoice"]


def _of_refund(row: Row) -> list[str]:
    """Their routes are the refund's own: `/admin/refunds/{id}/…`."""
    if row["status"] == RefundStatus.UNKNOWN:
        is_old = use().clock.now() > row["noticed_at"] + REMEMBERED_FOR
        return ["give-up"] if is_old else []
    allowed = {"AWAITING_OPERATOR": ["confirm", "to-wallet", "give-up"], "FAILED": ["resubmit", "to-wallet"]}
    return allowed.get(row["status"], [])


def _of_dispute(_row: Row) -> list[str]:
    """The bank decides; evidence is given to it on the provider's dashboard."""
    return []


_ACTIONS: Final = {
    AttentionKind.SUSPENSE: _of_suspense,
    AttentionKind.ATTEMPT: _of_attempt,
    AttentionKind.WEBHOOK: _of_webhook,
    AttentionKind.PAYMENT: _of_payment,
    AttentionKind.REFUND: _of_refund,
    AttentionKind.DISPUTE: _of_dispute,
}
