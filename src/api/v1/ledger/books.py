"""The books as staff read them: chart, trial balance, accounts, journals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use
from api.pagination import InvalidCursor, PageQuery, after_cursor, by_time, read_cursor, split_page
from api.specification import page_of
from api.v1.ledger.book_schemas import (
    AccountEntryShown,
    AccountShown,
    AccountsQuery,
    ChartLineShown,
    JournalShown,
    JournalsQuery,
    JournalSummaryShown,
    TrialBalanceQuery,
    TrialBalanceShown,
)
from api.views import MethodView
from application.csv import CSV_TYPE, csv_line
from application.ledger.books_queries import AccountSearch, JournalSearch
from application.queries import Row
from domain.ledger.accounts import CHART, ChartLine, decimals_of
from domain.ledger.journal import JournalNotFound
from domain.ledger.periods import asked_period, this_month
from domain.ledger.statements import AccountNotFound
from domain.ledger.trial_balance import AccountTotals, TrialBalance, UnitProof
from domain.shared.clock import business_date
from domain.shared.money import format_minor
from middlewares.auth_middleware import permission_required

blueprint = Blueprint("books", __name__, url_prefix="/admin/ledger", description="The books")

_NEWEST_SEQUENCE: Final = 2**62


@blueprint.route("/chart")
class Chart(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, page_of(ChartLineShown))
    def get(self) -> Response:
        """Every kind of account there is, in the order of the chart."""
        return answer_page(ChartLineShown, [_chart_row(line) for line in CHART.values()], None)


@blueprint.route("/trial-balance")
class TrialBalanceOfPeriod(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(TrialBalanceQuery, location="query")
    @blueprint.response(200, TrialBalanceShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What every account began with, what moved and what it ended with, and proof that the books balance.

        With `format=csv` as a file in which each balance stands on its side.
        """
        today = business_date(use().clock.now())
        period = asked_period(query["since"], query["until"], otherwise=this_month(today))
        balance = use().ledger_totals.trial_balance(period)
        if query["format"] == "csv":
            headers = {"Content-Disposition": f'attachment; filename="trial-balance-{period.since}-{period.until}.csv"'}
            return Response(_trial_balance_file(balance), content_type=CSV_TYPE, headers=headers)
        return answer(TrialBalanceShown, _balance_row(balance))


@blueprint.route("/accounts")
class Accounts(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(AccountsQuery, location="query")
    @blueprint.response(200, page_of(AccountShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Accounts with what they hold, newest first."""
        search = AccountSearch(kind=query["kind"], currency=query["currency"], owner=query["owner"])
        rows = use().queries.books.accounts(search, limit=query["limit"], after=after_cursor(query["cursor"]))
        return answer_page(AccountShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/accounts/<uuid:account_id>")
class OneAccount(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, AccountShown)
    def get(self, account_id: UUID) -> Response:
        """One account, what it holds and how much of that is held."""
        return answer(AccountShown, _account(account_id))


@blueprint.route("/accounts/<uuid:account_id>/entries")
class AccountEntries(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(AccountEntryShown))
    def get(self, query: dict[str, Any], account_id: UUID) -> Response:
        """Every movement of an account, newest first: an owned one's by sequence, a platform one's by journal."""
        limit, books = query["limit"], use().queries.books
        if _account(account_id)["user_id"] is not None:
            rows = books.owned_entries(account_id, limit=limit, before=_sequence_in(query["cursor"]))
            return answer_page(AccountEntryShown, *split_page(rows, limit, lambda row: [row["sequence"]]))
        rows = books.platform_entries(account_id, limit=limit, before=_entry_in(query["cursor"]))
        return answer_page(AccountEntryShown, *split_page(rows, limit, lambda row: [row["journal_id"], row["line"]]))


@blueprint.route("/journals")
class Journals(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(JournalsQuery, location="query")
    @blueprint.response(200, page_of(JournalSummaryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Journals, newest first."""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        search = JournalSearch(journal_type=query.pop("type"), **query)
        rows = use().queries.books.journals(search, limit=limit, before=_journal_in(cursor))
        return answer_page(JournalSummaryShown, *split_page(rows, limit, lambda row: [row["id"]]))


@blueprint.route("/journals/<uuid:journal_id>")
class OneJournal(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, JournalShown)
    def get(self, journal_id: UUID) -> Response:
        """One journal with its entries, what it reverses and what reversed it."""
        row = use().queries.books.journal(journal_id)
        if row is None:
            raise JournalNotFound()
        return answer(JournalShown, row)


def _trial_balance_file(balance: TrialBalance) -> Iterator[str]:
    """The lines of the CSV: each balance on its side, as accountants read it; a total below each unit."""
    yield csv_line(("currency", "kind", "provider", "nature", "name_ar", "name_en", "opening_debit", "opening_credit",
                    "debits", "credits", "closing_debit", "closing_credit"))  # fmt: skip
    for proof in balance.proofs:
        of_unit = [line for line in balance.lines if line.unit == proof.unit]
        for line in of_unit:
            chart = line.chart_line
            named = (line.unit, line.kind, line.provider, chart.nature, chart.name_ar, chart.name_en)
            yield csv_line((*named, *_sides((line,), line.unit)))
        yield csv_line((proof.unit, "TOTAL", "", "", "", "", *_sides(of_unit, proof.unit)))


def _sides(lines: Sequence[AccountTotals], unit: str) -> Iterator[str]:
    for sums in (
        sum(max(-line.opening, 0) for line in lines),
        sum(max(line.opening, 0) for line in lines),
        sum(line.debits for line in lines),
        sum(line.credits for line in lines),
        sum(max(-line.closing, 0) for line in lines),
        sum(max(line.closing, 0) for line in lines),
    ):
        yield format_minor(sums, decimals_of(unit))


def _chart_row(line: ChartLine) -> Row:
    return {**asdict(line), "is_owned": line.is_owned}


def _balance_row(balance: TrialBalance) -> Row:
    return {
        "since": balance.period.since,
        "until": balance.period.until,
        "is_balanced": balance.is_balanced,
        "lines": [{**asdict(line.chart_line), **_amounts(line), "provider": line.provider} for line in balance.lines],
        "proofs": [{**_amounts(proof), "is_balanced": proof.is_balanced} for proof in balance.proofs],
    }


def _amounts(sums: AccountTotals | UnitProof) -> dict[str, Any]:
    names = ("opening", "debits", "credits", "closing")
    return {"currency": sums.unit, **{f"{name}_minor": getattr(sums, name) for name in names}}


def _account(account_id: UUID) -> Row:
    row = use().queries.books.account(account_id)
    if row is None:
        raise AccountNotFound()
    return row


def _sequence_in(cursor: str | None) -> int | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    if len(values) != 1 or type(values[0]) is not int or not 0 < values[0] < _NEWEST_SEQUENCE:
        raise InvalidCursor()
    return values[0]


def _entry_in(cursor: str | None) -> tuple[UUID, int] | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    if len(values) != 2 or type(values[1]) is not int or not 0 < values[1] < 2**15:
        raise InvalidCursor()
    return _id(values[0]), values[1]


def _journal_in(cursor: str | None) -> UUID | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    if len(values) != 1:
        raise InvalidCursor()
    return _id(values[0])


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error
