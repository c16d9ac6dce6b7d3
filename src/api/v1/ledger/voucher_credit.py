"""Voucher credit: what the company gave, that pays like the wallet and is never paid out; one's own."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.specification import page_of
from api.v1.ledger.entries import EntryShown
from api.v1.ledger.wallets import (
    EntriesQuery,
    ExplanationQuery,
    ExplanationShown,
    WalletQuery,
    WalletShown,
    entries_of,
    explanation_of,
)
from api.views import MethodView
from domain.ledger.accounts import AccountKind
from middlewares.auth_middleware import token_required

blueprint = Blueprint("voucher_credit", __name__, url_prefix="/voucher-credit", description="Voucher credit")

_CREDIT = AccountKind.VOUCHER_CREDIT


@blueprint.route("")
class VoucherCredit(MethodView):
    @token_required
    @blueprint.arguments(WalletQuery, location="query")
    @blueprint.response(200, WalletShown)
    def get(self, query: dict[str, Any]) -> Response:
        """One's own credit in a currency, and how much of it holds set aside."""
        return answer(WalletShown, use().queries.wallets.standing(viewer().user_id, query["currency"], _CREDIT))


@blueprint.route("/entries")
class VoucherCreditEntries(MethodView):
    @token_required
    @blueprint.arguments(EntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every movement of one's own credit, newest first."""
        return entries_of(viewer().user_id, query, _CREDIT)


@blueprint.route("/explain")
class VoucherCreditExplained(MethodView):
    @token_required
    @blueprint.arguments(ExplanationQuery, location="query")
    @blueprint.response(200, ExplanationShown)
    def get(self, query: dict[str, Any]) -> Response:
        """Why one's own credit is what it is: the chain behind the balance, and what is set aside."""
        return explanation_of(viewer().user_id, query, _CREDIT)
