"""The wallet and the points of the viewer."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, MoneyField, Schema
from api.pagination import InvalidCursor, PageQuery, read_cursor, split_page
from api.specification import page_of
from domain.ledger import accounts
from domain.ledger.accounts import AccountRef
from domain.ledger.points import EXPIRING_SOON
from domain.shared.money import EXPONENTS
from middlewares.auth_middleware import token_required

blueprint = Blueprint("rewards", __name__, description="Wallet and points")


class WalletQuery(Schema):
    currency = fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


class WalletEntriesQuery(PageQuery):
    currency = fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


class WalletShown(Schema):
    balance = MoneyField()
    available = MoneyField()
    held = MoneyField()


class MovementShown(Schema):
    sequence = fields.Integer()
    transaction_type = fields.String()
    reference_type = fields.String()
    reference_id = fields.UUID()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    occurred_at = fields.DateTime()


class EntryShown(MovementShown):
    amount = MoneyField()
    balance_before = MoneyField()
    balance_after = MoneyField()


class PointsEntryShown(MovementShown):
    amount = fields.Integer(attribute="amount_minor")
    balance_before = fields.Integer(attribute="balance_before_minor")
    balance_after = fields.Integer(attribute="balance_after_minor")


class PointsShown(Schema):
    balance = fields.Integer()
    expiring_soon = fields.Integer()


class LotShown(Schema):
    id = fields.UUID()
    points = fields.Integer()
    earned_at = fields.DateTime()
    expires_at = fields.DateTime()


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
        return _entries(EntryShown, accounts.wallet(viewer().user_id, query["currency"]), query)


@blueprint.route("/points")
class Points(MethodView):
    @token_required
    @blueprint.response(200, PointsShown)
    def get(self) -> Response:
        """One's own points, and how many of them expire within 30 days."""
        now, owner = use().clock.now(), viewer().user_id
        balance = use().queries.ledger.balance(accounts.points(owner).id)
        soon = use().queries.ledger.expiring_points(owner, now=now, until=now + EXPIRING_SOON)
        return answer(PointsShown, {"balance": balance, "expiring_soon": min(soon, balance)})


@blueprint.route("/points/entries")
class PointsEntries(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(PointsEntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every movement of one's own points, newest first."""
        return _entries(PointsEntryShown, accounts.points(viewer().user_id), query)


@blueprint.route("/points/lots")
class Lots(MethodView):
    @token_required
    @blueprint.response(200, page_of(LotShown))
    def get(self) -> Response:
        """One's own points as they were earned, soonest-expiring first."""
        return answer_page(LotShown, use().queries.ledger.lots(viewer().user_id, now=use().clock.now()), None)


def _entries(schema: type[Schema], account: AccountRef, query: dict[str, Any]) -> Response:
    rows = use().queries.ledger.entries(
        account.id, limit=query["limit"], before_sequence=_before_sequence(query["cursor"])
    )
    return answer_page(schema, *split_page(rows, query["limit"], lambda row: [row["sequence"]]))


def _before_sequence(cursor: str | None) -> int | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    if len(values) != 1 or type(values[0]) is not int or not 0 < values[0] < 2**62:
        raise InvalidCursor()
    return values[0]
