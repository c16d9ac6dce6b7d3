"""Statements of account: one's own, and anybody's for staff, as PDF or as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import json_answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.v1.billing.invoices import BeingMade
from api.v1.ledger.book_schemas import PeriodQuery
from api.v1.partners.deposits import refuse_others
from api.views import MethodView
from application.csv import CSV_TYPE, csv_line
from application.ledger.books_ports import Statements
from application.ledger.statements import LANGUAGES, PrepareStatement, figures_of, prepare_statement
from application.payouts.books import account_of
from domain.ledger import accounts
from domain.ledger.accounts import decimals_of
from domain.ledger.periods import asked_period, last_month
from domain.ledger.statements import MOST_A_DAY, MOST_A_DAY_FOR_STAFF, Cause, StatementFigures, with_balances
from domain.payouts.earnings import Payee
from domain.shared.clock import business_date
from domain.shared.money import EXPONENTS, format_minor
from domain.shared.payees import PayeeType
from middlewares.auth_middleware import permission_required, token_required
from middlewares.language import reading_language

blueprint = Blueprint("statements", __name__, description="Statements of account")

_PDF = {"type": "string", "format": "binary"}
_COLUMNS = (
    "date",
    "sequence",
    "description_ar",
    "description_en",
    "reference_type",
    "reference_id",
    "currency",
    "debit",
    "credit",
    "balance",
    "balance_side",
)
_CAUSES = {
    Cause.EARNED: ("إجمالي المستحق المكتسب", "Sum earned"),
    Cause.REVERSED: ("إجمالي المسترد بعد رد مبالغ", "Sum reversed by refunds"),
    Cause.ADJUSTED: ("إجمالي التسويات", "Sum adjusted"),
    Cause.PAID_OUT: ("إجمالي المدفوع", "Sum paid out"),
}
"""Below a payee's statement: the same movements once more, by cause."""
_WAIT = "It is being drawn; ask again after Retry-After"


class StatementQuery(PeriodQuery):
    """Which period (last month, where none is named), and how; a file of CSV has both languages."""

    format = fields.String(load_default="pdf", validate=validate.OneOf(("pdf", "csv")))
    lang = fields.String(load_default=None, validate=validate.OneOf(LANGUAGES))


class WalletStatementQuery(StatementQuery):
    """The same, and of which currency."""

    currency = fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


class PayeesStatementQuery(WalletStatementQuery):
    """The same, and in which trade."""

    payee_type = fields.String(required=True, validate=validate.OneOf(list(PayeeType)))


@blueprint.route("/wallet/statement")
class WalletStatement(MethodView):
    @token_required
    @blueprint.arguments(WalletStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any]) -> Response:
        """The statement of one's own wallet in a currency: opening balance, every movement, closing balance."""
        return _statement(accounts.wallet(viewer().user_id, query["currency"]).id, query)


@blueprint.route("/voucher-credit/statement")
class VoucherCreditStatement(MethodView):
    @token_required
    @blueprint.arguments(WalletStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any]) -> Response:
        """The statement of one's own voucher credit in a currency."""
        return _statement(accounts.voucher_credit(viewer().user_id, query["currency"]).id, query)


@blueprint.route("/points/statement")
class PointsStatement(MethodView):
    @token_required
    @blueprint.arguments(StatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any]) -> Response:
        """The statement of one's own points."""
        return _statement(accounts.points(viewer().user_id).id, query)


@blueprint.route("/payouts/statement")
class PayeesStatement(MethodView):
    @token_required
    @blueprint.arguments(PayeesStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any]) -> Response:
        """The statement of what one is owed as vendor or agent: earned, reversed, adjusted, paid out, and balances."""
        return _statement(_payable(viewer().user_id, query), query)


@blueprint.route("/partners/<uuid:partner_id>/deposit/statement")
class AgentDepositStatement(MethodView):
    @token_required
    @blueprint.arguments(WalletStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any], partner_id: UUID) -> Response:
        """The statement of one's own deposit account as an agent in a currency."""
        refuse_others(partner_id)
        return _statement(accounts.agent_deposit(viewer().user_id, query["currency"]).id, query)


@blueprint.route("/admin/payees/<uuid:user_id>/statement")
class SomebodysPayeesStatement(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(PayeesStatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """The same of anybody."""
        return _statement(_payable(user_id, query), query, most_a_day=MOST_A_DAY_FOR_STAFF)


def _payable(user_id: UUID, query: dict[str, Any]) -> UUID:
    return account_of(Payee(PayeeType(query["payee_type"]), user_id), query["currency"]).id


@blueprint.route("/admin/ledger/accounts/<uuid:account_id>/statement")
class AnyStatement(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(StatementQuery, location="query")
    @blueprint.response(200, _PDF, content_type="application/pdf")
    @blueprint.alt_response(202, schema=BeingMade, description=_WAIT)
    def get(self, query: dict[str, Any], account_id: UUID) -> Response:
        """The statement of somebody's account; accounts of the platform have none."""
        return _statement(account_id, query, most_a_day=MOST_A_DAY_FOR_STAFF)


def _statement(account_id: UUID, query: dict[str, Any], *, most_a_day: int = MOST_A_DAY) -> Response:
    today = business_date(use().clock.now())
    period = asked_period(query["since"], query["until"], otherwise=last_month(today))
    if query["format"] == "csv":
        return _as_csv(figures_of(account_id, period, statements=use().statements))
    command = PrepareStatement(
        account_id=account_id,
        period=period,
        language=query["lang"] or reading_language(),
        actor_id=viewer().user_id,
        most_a_day=most_a_day,
    )
    return _as_pdf(command)


def _as_pdf(command: PrepareStatement) -> Response:
    key = prepare_statement(
        command, statements=use().statements, uow=use().new_uow(), clock=use().clock, new_id=use().new_id
    )
    pdf = use().storage.get(key) if key is not None else None
    if pdf is None:
        return json_answer({"status": "being_made"}, 202, {"Retry-After": "2"})
    period = command.period
    return _file(pdf, "application/pdf", f"statement-{period.since}-{period.last_day}-{command.language}.pdf")


def _as_csv(figures: StatementFigures) -> Response:
    period = figures.period
    name = f"statement-{figures.kind.lower()}-{figures.unit}-{period.since}-{period.last_day}.csv"
    return _file(_lines(figures, use().statements), CSV_TYPE, name)


def _lines(figures: StatementFigures, statements: Statements) -> Iterator[str]:
    """Line by line while the entries are read, so that no length of history fills the memory."""
    decimals, period = decimals_of(figures.unit), figures.period

    def amounts(debit: int, credit: int, balance: int) -> list[str]:
        # No cell begins with a minus: a spreadsheet could take it for a formula.
        written = [format_minor(minor, decimals) for minor in (debit, credit, abs(balance))]
        return [*written, "DEBIT" if balance < 0 else "CREDIT"]

    yield csv_line(_COLUMNS)
    nothing = (figures.unit, *amounts(0, 0, figures.opening))
    yield csv_line((period.since, None, "الرصيد الافتتاحي", "Opening balance", None, None, *nothing))
    for entry, balance in with_balances(figures.opening, statements.entries(figures)):
        told = (entry.description_ar, entry.description_en, entry.reference_type, entry.reference_id)
        moved = (figures.unit, *amounts(entry.debit, entry.credit, balance))
        yield csv_line((business_date(entry.occurred_at), entry.sequence, *told, *moved))
    summed = (figures.unit, *amounts(figures.debits, figures.credits, figures.closing))
    yield csv_line((period.last_day, None, "الرصيد الختامي", "Closing balance", None, None, *summed))
    for cause, minor in statements.causes(figures).items():
        debit, credit, *_ = amounts(max(-minor, 0), max(minor, 0), 0)
        yield csv_line((period.last_day, None, *_CAUSES[cause], "SUM", None, figures.unit, debit, credit, None, None))


def _file(content: bytes | Iterator[str], content_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type=content_type, headers=headers)
