"""Cashback: what was promised and credited, why it is what it is, and what staff decide about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import scope_of, use, viewer
from api.fields import Localized, MoneyField, Percent, Schema, Text
from api.pagination import PageQuery, after_in, by_order, sort_field, split_page
from api.specification import page_of
from api.views import MethodView
from application.ledger.cashback import ApproveCashback, CancelCashback, approve_cashback, cancel_cashback
from application.queries import NEWEST, CashbackSearch, Row
from domain.ledger.accounts import CHART, AccountKind
from domain.ledger.cashback import CashbackNotFound, CashbackStatus, WaitsFor, waits_for
from domain.operations.settings import CASHBACK_AUTO_APPROVE
from domain.shared.money import Money
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("cashback", __name__, description="Cashback")


class CashbackQuery(PageQuery):
    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in CashbackStatus]))
    eligible = fields.Boolean(
        load_default=False, metadata={"description": "Only what could be credited now and is not yet."}
    )
    sort = sort_field("-created_at", "created_at")


class CashbackShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    booking_id = fields.UUID()
    booking_number = fields.String()
    booking_amount = MoneyField()
    cashback_rate = Percent()
    cashback_amount = MoneyField()
    clawed_back = MoneyField()
    status = fields.String()
    eligible_at = fields.DateTime()
    approved_at = fields.DateTime(allow_none=True)
    credited_at = fields.DateTime(allow_none=True)
    cancelled_at = fields.DateTime(allow_none=True)
    cancel_reason = fields.String(allow_none=True)
    created_at = fields.DateTime()


class CancelRequest(Schema):
    reason = Text(most=500, least=1, required=True, metadata={"description": "The customer reads it."})


class ExplainedBooking(Schema):
    id = fields.UUID()
    booking_number = fields.String()
    status = fields.String()
    start_date = fields.Date()
    end_date = fields.Date()
    paid_amount = MoneyField()


class ExplainedRule(Schema):
    rate = Percent()
    of = MoneyField()
    gives = MoneyField()
    rounding = fields.String(metadata={"examples": ["HALF_UP"]})
    sentence = Localized()


class ExplainedEntry(Schema):
    account = fields.String()
    account_name = Localized()
    amount = MoneyField()
    sequence = fields.Integer(allow_none=True)
    balance_before = MoneyField(allow_none=True)
    balance_after = MoneyField(allow_none=True)


class ExplainedJournal(Schema):
    id = fields.UUID()
    step = fields.String(metadata={"enum": ["PROMISE", "CLAWBACK", "CANCEL", "CREDIT"]})
    journal_type = fields.String()
    reverses_journal_id = fields.UUID(allow_none=True)
    description = Localized()
    occurred_at = fields.DateTime()
    entries = fields.List(fields.Nested(ExplainedEntry))


class CashbackExplained(Schema):
    cashback = fields.Nested(CashbackShown)
    booking = fields.Nested(ExplainedBooking)
    rule = fields.Nested(ExplainedRule)
    waits_for = fields.String(metadata={"enum": [reason.value for reason in WaitsFor]})
    journals = fields.List(fields.Nested(ExplainedJournal))


@blueprint.route("/cashback")
class Cashback(MethodView):
    @token_required
    @blueprint.arguments(CashbackQuery, location="query")
    @blueprint.response(200, page_of(CashbackShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own cashback, newest first; everybody's for staff."""
        order = query["sort"] or NEWEST
        rows = use().queries.cashback.records(
            CashbackSearch(status=query["status"], eligible_by=use().clock.now() if query["eligible"] else None),
            owner=scope_of("cashback.read"),
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            order=order,
        )
        return answer_page(CashbackShown, *split_page(rows, query["limit"], by_order(order)))


@blueprint.route("/cashback/<uuid:cashback_id>")
class OneCashback(MethodView):
    @token_required
    @blueprint.response(200, CashbackShown)
    def get(self, cashback_id: UUID) -> Response:
        """One record."""
        return answer(CashbackShown, _shown(cashback_id, owner=scope_of("cashback.read")))


@blueprint.route("/cashback/<uuid:cashback_id>/explain")
class Explanation(MethodView):
    @token_required
    @blueprint.response(200, CashbackExplained)
    def get(self, cashback_id: UUID) -> Response:
        """Why it is this much, where its money is, and what it waits for."""
        return answer(CashbackExplained, _explained(_shown(cashback_id, owner=scope_of("cashback.read"))))


@blueprint.route("/admin/cashback/<uuid:cashback_id>/approve")
class Approval(MethodView):
    @permission_required("cashback.approve")
    @idempotent(required=True)
    @blueprint.response(200, CashbackShown)
    def post(self, cashback_id: UUID) -> Response:
        """Let it be credited as soon as it is eligible; ahead of that it waits, approved."""
        command = ApproveCashback(cashback_id=cashback_id, actor_id=viewer().user_id)
        approve_cashback(command, uow=use().new_uow(), clock=use().clock)
        return answer(CashbackShown, _shown(cashback_id, owner=None))


@blueprint.route("/admin/cashback/<uuid:cashback_id>/cancel")
class Cancellation(MethodView):
    @permission_required("cashback.approve")
    @idempotent(required=True)
    @blueprint.arguments(CancelRequest)
    @blueprint.response(200, CashbackShown)
    def post(self, body: dict[str, Any], cashback_id: UUID) -> Response:
        """Take back what is promised and not credited yet."""
        command = CancelCashback(cashback_id=cashback_id, actor_id=viewer().user_id, reason=body["reason"])
        cancel_cashback(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(CashbackShown, _shown(cashback_id, owner=None))


def _shown(cashback_id: UUID, *, owner: UUID | None) -> Row:
    row = use().queries.cashback.record(cashback_id, owner=owner)
    if row is None:
        raise CashbackNotFound()
    return row


def _explained(row: Row) -> Row:
    waits = waits_for(
        CashbackStatus(row["status"]),
        row["eligible_at"],
        at=use().clock.now(),
        approves_itself=use().system_settings.value(CASHBACK_AUTO_APPROVE),
        is_disputed=row["is_disputed"],
    )
    return {
        "cashback": row,
        "booking": {**row, "id": row["booking_id"], "status": row["booking_status"]},
        "rule": _rule(row),
        "waits_for": waits,
        "journals": [_journal(journal) for journal in use().queries.cashback.journals(row["id"])],
    }


def _rule(row: Row) -> Row:
    paid = Money.of(row["booking_amount_minor"], row["currency"])
    gives = Money.of(row["cashback_amount_minor"], row["currency"])
    return {
        "rate": row["cashback_rate"],
        "of_minor": paid.minor,
        "gives_minor": gives.minor,
        "currency": row["currency"],
        "rounding": "HALF_UP",
        "sentence_ar": f"{row['cashback_rate']:.2f}٪ من {paid} بالتقريب إلى أقرب وحدة صغرى: {gives}",
        "sentence_en": f"{row['cashback_rate']:.2f} % of {paid}, rounded half up to the minor unit: {gives}",
    }


_STEPS = {"booking": "PROMISE", "clawback": "CLAWBACK", "cancel": "CANCEL", "credit": "CREDIT"}


def _journal(journal: Row) -> Row:
    entries = [
        {**entry, "account_name_ar": line.name_ar, "account_name_en": line.name_en}
        for entry in journal["entries"]
        for line in (CHART[AccountKind(entry["account"])],)
    ]
    return {**journal, "step": _STEPS[journal["step"]], "entries": entries}
