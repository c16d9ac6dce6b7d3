"""The statement of one payout, as PDF or as CSV: one's own, and anybody's for staff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import json_answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema
from api.v1.billing.invoices import BeingMade
from api.views import MethodView
from application.csv import CSV_TYPE
from application.ledger.statements import LANGUAGES
from application.payouts.statements import PreparePayoutStatement, csv_of, prepare_payout_statement
from domain.ledger.statements import MOST_A_DAY, MOST_A_DAY_FOR_STAFF
from domain.payouts.statements import PayoutFigures
from middlewares.auth_middleware import permission_required, token_required
from middlewares.language import reading_language

blueprint = Blueprint("payout_statements", __name__, description="What vendors and agents earn")

_PDF = {"type": "string", "format": "binary"}
_WAIT = "It is being drawn; ask again after Retry-After"


class PayoutStatementQuery(Schema):
    """How it is shown; a file of CSV has both languages."""

    format = fields.String(load_default="pdf", validate=validate.OneOf(("pdf", "csv")))
    lang = fields.String(load_default=None, validate=validate.OneOf(LANGUAGES))


@blueprint.route("/payouts/<uuid:payout_id>/statement")
class PayoutStatement(MethodView):
    @token_required
    @blueprint.arguments(PayoutStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any], payout_id: UUID) -> Response:
        """What one's own payout consists of, once its batch is approved: every entry, what was clawed back, what is
        carried to a later one.
        """
        figures = use().payout_statements.figures(payout_id, payee_id=viewer().user_id)
        return _statement(figures, query, most_a_day=MOST_A_DAY)


@blueprint.route("/admin/payouts/<uuid:payout_id>/statement")
class SomebodysPayoutStatement(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(PayoutStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any], payout_id: UUID) -> Response:
        """The same of anybody's payout."""
        return _statement(use().payout_statements.figures(payout_id), query, most_a_day=MOST_A_DAY_FOR_STAFF)


def _statement(figures: PayoutFigures, query: dict[str, Any], *, most_a_day: int) -> Response:
    if query["format"] == "csv":
        return _file(csv_of(figures, use().payout_statements), CSV_TYPE, f"payout-{figures.payout_number}.csv")
    command = PreparePayoutStatement(
        figures=figures,
        language=query["lang"] or reading_language(),
        actor_id=viewer().user_id,
        most_a_day=most_a_day,
    )
    return _as_pdf(command)


def _as_pdf(command: PreparePayoutStatement) -> Response:
    key = prepare_payout_statement(
        command, statements=use().payout_statements, uow=use().new_uow(), clock=use().clock, new_id=use().new_id
    )
    pdf = use().storage.get(key) if key is not None else None
    if pdf is None:
        return json_answer({"status": "being_made"}, 202, {"Retry-After": "2"})
    return _file(pdf, "application/pdf", f"payout-{command.figures.payout_number}-{command.language}.pdf")


def _file(content: bytes | Iterator[str], content_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type=content_type, headers=headers)
