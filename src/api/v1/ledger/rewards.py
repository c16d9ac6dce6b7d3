"""The points and cashback of the viewer."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import fields

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import scope_of, use, viewer
from api.fields import MoneyField, Percent, Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.ledger.entries import MovementShown, before_sequence, by_sequence
from domain.ledger import accounts
from domain.ledger.points import EXPIRING_SOON
from middlewares.auth_middleware import token_required

blueprint = Blueprint("rewards", __name__, description="Points, cashback")


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


class CashbackShown(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    booking_id = fields.UUID()
    booking_number = fields.String()
    booking_amount = MoneyField()
    cashback_rate = Percent()
    cashback_amount = MoneyField()
    status = fields.String()
    eligible_at = fields.DateTime()
    created_at = fields.DateTime()


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
        account = accounts.points(viewer().user_id)
        rows = use().queries.ledger.entries(
            account.id, limit=query["limit"], before_sequence=before_sequence(query["cursor"])
        )
        return answer_page(PointsEntryShown, *split_page(rows, query["limit"], by_sequence))


@blueprint.route("/points/lots")
class Lots(MethodView):
    @token_required
    @blueprint.response(200, page_of(LotShown))
    def get(self) -> Response:
        """One's own points as they were earned, soonest-expiring first."""
        return answer_page(LotShown, use().queries.ledger.lots(viewer().user_id, now=use().clock.now()), None)


@blueprint.route("/cashback")
class Cashback(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(CashbackShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own cashback, newest first; everybody's for staff."""
        rows = use().queries.ledger.cashback(
            owner=scope_of("cashback.read"), limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(CashbackShown, *split_page(rows, query["limit"], by_time("created_at")))
