"""Exchange rates, and transfers between one's own wallets at one of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Instant, MoneyField, Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.ledger.transfers import SetRate, TransferBetweenWallets, set_rate, transfer_between_wallets
from domain.ledger.transfers import TransferNotFound
from domain.pricing.exchange import RateNotFound, read_rate
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS, currency
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("exchange", __name__, description="Exchange rates and transfers between currencies")


def currency_field(**options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(sorted(EXPONENTS)), **options)


class RatesQuery(Schema):
    """Which pairs."""

    from_currency = currency_field(load_default=None)
    to_currency = currency_field(load_default=None)


class RateRequest(Schema):
    from_currency = currency_field(required=True)
    to_currency = currency_field(required=True)
    rate = fields.String(
        required=True,
        validate=validate.Length(1, 30),
        metadata={
            "description": "Whole units of the one currency for one of the other, exact, at most 12 decimals.",
            "examples": ["0.0204"],
        },
    )
    valid_from = Instant(load_default=None, allow_none=True)


class RateShown(Schema):
    id = fields.UUID()
    from_currency = fields.String()
    to_currency = fields.String()
    rate = fields.String()
    valid_from = fields.DateTime()


class TransferRequest(Schema):
    from_currency = currency_field(required=True)
    to_currency = currency_field(required=True)
    amount = MoneyField(required=True)
    rate_id = fields.UUID(required=True, metadata={"description": "The rate that the customer saw."})


class TransferShown(Schema):
    id = fields.UUID()
    transfer_number = fields.String()
    sent = MoneyField(attribute="amount")
    received = MoneyField(unit="received_currency")
    rate_id = fields.UUID()
    rate = fields.String()
    created_at = fields.DateTime()


@blueprint.route("/exchange-rates")
class Rates(MethodView):
    @token_required
    @blueprint.arguments(RatesQuery, location="query")
    @blueprint.response(200, page_of(RateShown))
    def get(self, query: dict[str, Any]) -> Response:
        """The rate of each pair that holds now; each direction has its own."""
        rows = use().queries.wallet_requests.newest_rates(
            source=query["from_currency"], target=query["to_currency"], at=use().clock.now()
        )
        return answer_page(RateShown, rows, None)


@blueprint.route("/admin/exchange-rates")
class NewRate(MethodView):
    @permission_required("exchange.manage")
    @idempotent(required=True)
    @blueprint.arguments(RateRequest)
    @blueprint.response(201, RateShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Say what a currency is worth in another from now on, or from an instant to come; older rates stay."""
        command = SetRate(
            source=currency(body["from_currency"]),
            target=currency(body["to_currency"]),
            rate=read_rate(body["rate"]),
            valid_from=body["valid_from"],
            actor_id=viewer().user_id,
        )
        made = set_rate(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        row = use().queries.wallet_requests.rate(made)
        if row is None:
            raise RateNotFound()
        return answer(RateShown, row, 201)


@blueprint.route("/wallet/transfers")
class Transfers(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(TransferShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own transfers between currencies, newest first."""
        rows = use().queries.wallet_requests.transfers(
            owner=viewer().user_id, limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(TransferShown, *split_page(rows, query["limit"], by_time("created_at")))

    @token_required
    @idempotent(required=True)
    @blueprint.arguments(TransferRequest)
    @blueprint.response(201, TransferShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Change money of one's own at the rate that one saw; 409 with the new rate where that has moved."""
        if body["amount"].currency.code != body["from_currency"]:
            raise InvalidValue("the amount is in from_currency", pointer="/amount", code="invalid")
        command = TransferBetweenWallets(
            user_id=viewer().user_id,
            amount=body["amount"],
            target=currency(body["to_currency"]),
            rate_id=body["rate_id"],
        )
        made = transfer_between_wallets(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(TransferShown, _transfer(made), 201, location=f"/api/v1/wallet/transfers/{made}")


@blueprint.route("/wallet/transfers/<uuid:transfer_id>")
class OneTransfer(MethodView):
    @token_required
    @blueprint.response(200, TransferShown)
    def get(self, transfer_id: UUID) -> Response:
        """One of one's own transfers."""
        return answer(TransferShown, _transfer(transfer_id))


def _transfer(transfer_id: UUID) -> Any:
    row = use().queries.wallet_requests.transfer(transfer_id, owner=viewer().user_id)
    if row is None:
        raise TransferNotFound()
    return row
