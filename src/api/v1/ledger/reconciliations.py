"""Reconciling clearing accounts: providers' statements, what they found, and what is decided about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.ledger.clearing_files import read_statement
from application.ledger.reconciliation import DecideBreak, RecordStatement, decide_break, record_statement
from application.queries import Row
from domain.ledger.reconciliation import BreakKind, BreakNotFound, BreakStatus, LineKind, ReconciliationNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint(
    "reconciliations", __name__, url_prefix="/admin/ledger/reconciliations", description="Providers' statements"
)

_LARGEST_STATEMENT = 1_000_000
_EXAMPLE = "booked_on,provider_reference,kind,amount,currency\r\n2026-11-23,1083415,PAYMENT,1499.00,EGP\r\n"


class StatementRequest(Schema):
    """A provider's statement as CSV: columns `booked_on`, `provider_reference`, `kind`, `amount`, `currency`.

    `kind` is PAYMENT, REFUND, FEE, PAYOUT or OTHER; OPENING and CLOSING tell what the provider held that day.
    """

    provider = Text(least=1, most=40, identifier=True, required=True)
    statement = Text(
        least=1,
        most=_LARGEST_STATEMENT,
        multiline=True,
        identifier=True,
        required=True,
        metadata={"examples": [_EXAMPLE]},
    )


class ReconciliationSummaryShown(Schema):
    id = fields.UUID()
    provider = fields.String()
    since = fields.Date()
    until = fields.Date()
    lines = fields.Integer()
    matched = fields.Integer()
    breaks = fields.Integer()
    imported_by_user_id = fields.UUID(allow_none=True)
    imported_at = fields.DateTime()


class ClearingDayShown(Schema):
    currency = fields.String()
    day = fields.Date()
    our_movement = MoneyField()
    their_movement = MoneyField()
    our_closing = MoneyField()
    their_opening = MoneyField(allow_none=True)
    their_closing = MoneyField(allow_none=True)


class ReconciliationShown(ReconciliationSummaryShown):
    days = fields.List(fields.Nested(ClearingDayShown))


class BreakShown(Schema):
    id = fields.UUID()
    provider = fields.String()
    provider_reference = fields.String()
    line_kind = fields.String(validate=validate.OneOf(list(LineKind)))
    kind = fields.String(validate=validate.OneOf(list(BreakKind)))
    ours = MoneyField()
    theirs = MoneyField()
    difference = MoneyField()
    day = fields.Date()
    status = fields.String(validate=validate.OneOf(list(BreakStatus)))
    found_at = fields.DateTime()
    resolved_at = fields.DateTime(allow_none=True)
    age_days = fields.Integer()
    decided_by_user_id = fields.UUID(allow_none=True)
    reason = fields.String()
    written_off = MoneyField()
    journal_id = fields.UUID(allow_none=True)


class ReconciliationsQuery(PageQuery):
    """Of which provider."""

    provider = Text(most=40, load_default=None)


class BreaksQuery(ReconciliationsQuery):
    """Of which provider, in which state."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(BreakStatus)))


class DecisionRequest(Schema):
    """What is decided about a break, and why."""

    status = fields.String(
        required=True, validate=validate.OneOf((BreakStatus.EXPLAINED.value, BreakStatus.WRITTEN_OFF.value))
    )
    reason = Text(least=3, most=500, required=True)


@blueprint.route("")
class Reconciliations(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(ReconciliationsQuery, location="query")
    @blueprint.response(200, page_of(ReconciliationSummaryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every comparison of a provider's statement with the books, newest first."""
        rows = use().queries.reconciliations.reconciliations(
            provider=query["provider"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(ReconciliationSummaryShown, *split_page(rows, query["limit"], by_time("imported_at")))

    @permission_required("ledger.reconcile")
    @blueprint.arguments(StatementRequest)
    @blueprint.response(201, ReconciliationShown)
    @idempotent()
    def post(self, body: dict[str, Any]) -> Response:
        """Compare a provider's statement with what the books say was received; it replaces earlier ones of its days."""
        provider = use().gateways.get(body["provider"]).name
        command = RecordStatement(statement=read_statement(provider, body["statement"]), actor_id=viewer().user_id)
        done = record_statement(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        location = f"/api/v1/admin/ledger/reconciliations/{done.id}"
        return answer(ReconciliationShown, _reconciliation(done.id), 201, location=location)


@blueprint.route("/<uuid:reconciliation_id>")
class OneReconciliation(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, ReconciliationShown)
    def get(self, reconciliation_id: UUID) -> Response:
        """One comparison, with what both sides say of each day that it is the last word about."""
        return answer(ReconciliationShown, _reconciliation(reconciliation_id))


@blueprint.route("/breaks")
class Breaks(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(BreaksQuery, location="query")
    @blueprint.response(200, page_of(BreakShown))
    def get(self, query: dict[str, Any]) -> Response:
        """What the two sides do not agree about, newest first."""
        rows = use().queries.reconciliations.breaks(
            status=query["status"],
            provider=query["provider"],
            now=use().clock.now(),
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        return answer_page(BreakShown, *split_page(rows, query["limit"], by_time("found_at")))


@blueprint.route("/breaks/<uuid:break_id>")
class OneBreak(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, BreakShown)
    def get(self, break_id: UUID) -> Response:
        """One reference that the two sides do not agree about."""
        return answer(BreakShown, _break(break_id))


@blueprint.route("/breaks/<uuid:break_id>/decision")
class Decision(MethodView):
    @permission_required("ledger.reconcile")
    @blueprint.arguments(DecisionRequest)
    @blueprint.response(200, BreakShown)
    @idempotent(required=True)
    def post(self, body: dict[str, Any], break_id: UUID) -> Response:
        """Explain a break, or write off what the provider does not have, which books the loss."""
        command = DecideBreak(
            break_id=break_id,
            status=BreakStatus(body["status"]),
            reason=body["reason"],
            actor_id=viewer().user_id,
        )
        decide_break(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(BreakShown, _break(break_id))


def _reconciliation(reconciliation_id: UUID) -> Row:
    row = use().queries.reconciliations.reconciliation(reconciliation_id)
    if row is None:
        raise ReconciliationNotFound()
    return row


def _break(break_id: UUID) -> Row:
    row = use().queries.reconciliations.one_break(break_id, now=use().clock.now())
    if row is None:
        raise BreakNotFound()
    return row
