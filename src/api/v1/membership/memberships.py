"""Membership plans and subscriptions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import scope_of, use, viewer
from api.fields import Localized, MoneyField, Percent, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.membership.memberships import Subscribe, subscribe
from domain.membership.memberships import SubscriptionNotFound
from middlewares.auth_middleware import public, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("memberships", __name__, url_prefix="/memberships", description="Plans and subscriptions")


class PlanShown(Schema):
    id = fields.UUID()
    tier_code = fields.String()
    tier_name = Localized()
    tier_name_ar = fields.String()
    tier_name_en = fields.String()
    tier_order = fields.Integer()
    price = MoneyField()
    cashback_rate = Percent()
    points_multiplier = Percent()
    color_hex = fields.String()


class SubscriptionRequest(Schema):
    plan_code = Text(most=20, least=1, required=True)


class SubscriptionShown(Schema):
    id = fields.UUID()
    membership_number = fields.String()
    user_id = fields.UUID()
    tier_code = fields.String()
    tier_name = Localized()
    status = fields.String()
    price = MoneyField()
    amount_due = MoneyField()
    start_date = fields.Date(allow_none=True)
    expiry_date = fields.Date(allow_none=True)
    created_at = fields.DateTime()


@blueprint.route("/plans")
class Plans(MethodView):
    @public
    @blueprint.response(200, page_of(PlanShown))
    def get(self) -> Response:
        """Plans by tier."""
        return answer_page(PlanShown, use().queries.membership.plans(), None)


@blueprint.route("/subscriptions")
class Subscriptions(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(SubscriptionShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own subscriptions, newest first; everybody's for staff."""
        rows = use().queries.membership.subscriptions(
            owner=scope_of("memberships.read"), limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(SubscriptionShown, *split_page(rows, query["limit"], by_time("created_at")))

    @token_required
    @idempotent()
    @blueprint.arguments(SubscriptionRequest)
    @blueprint.response(201, SubscriptionShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Ask for a plan; pay it with `POST /payments`, and it is active."""
        subscription_id = subscribe(
            Subscribe(user_id=viewer().user_id, plan_code=body["plan_code"].upper()),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/memberships/subscriptions/{subscription_id}"
        return answer(SubscriptionShown, _shown(subscription_id), 201, location=location)


@blueprint.route("/subscriptions/<uuid:subscription_id>")
class Subscription(MethodView):
    @token_required
    @blueprint.response(200, SubscriptionShown)
    def get(self, subscription_id: UUID) -> Response:
        """One subscription."""
        return answer(SubscriptionShown, _shown(subscription_id))


def _shown(subscription_id: UUID) -> Any:
    row = use().queries.membership.subscription(subscription_id, owner=scope_of("memberships.read"))
    if row is None:
        raise SubscriptionNotFound()
    return row
