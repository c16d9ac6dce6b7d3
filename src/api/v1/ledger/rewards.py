"""The wallet of the viewer."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import fields, validate

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema
from api.pagination import PageQuery
from api.specification import page_of
from api.v1.ledger.movements import MovementShown, movements_page
from domain.ledger import accounts
from domain.shared.money import EXPONENTS
from middlewares.auth_middleware import token_required

blueprint = Blueprint("rewards", __name__, description="Wallet")


class WalletQuery(Schema):
    currency = fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


class WalletEntriesQuery(PageQuery):
    currency = fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


class WalletShown(Schema):
    balance = MoneyField()
    available = MoneyField()
    held = MoneyField()


class EntryShown(MovementShown):
    amount = MoneyField()
    balance_before = MoneyField()
    balance_after = MoneyField()


@blueprint.route("/wallet")
class Wallet(MethodView):
    @token_required
    @blueprint.arguments(WalletQuery, location="query")
    @blueprint.response(200, WalletShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What one's own wallet holds in a currency."""
        unit = query["currency"]
        balance = use().queries.ledger.balance(accounts.wallet(viewer().user_id, unit).id)
        row = {"balance_minor": balance, "available_minor": balance, "held_minor": 0, "currency": unit}
        return answer(WalletShown, row)


@blueprint.route("/wallet/entries")
class WalletEntries(MethodView):
    @token_required
    @blueprint.arguments(WalletEntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every movement of one's own wallet, newest first."""
        return movements_page(EntryShown, accounts.wallet(viewer().user_id, query["currency"]), query)
