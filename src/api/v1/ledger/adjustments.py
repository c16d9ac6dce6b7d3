"""What staff give and take by hand: at once within a limit, above it when a second person agrees."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.ledger import adjustments
from application.payouts.books import PAYABLE
from application.queries import Row
from domain.ledger.accounts import PAYEE_KINDS, POINTS_UNIT, AccountKind
from domain.ledger.adjustments import IN_MONEY, AdjustmentNotFound, AdjustmentStatus
from domain.operations.kinds import amount_in
from domain.operations.settings import ADJUSTMENT_LIMIT, POINTS_ADJUSTMENT_LIMIT
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("adjustments", __name__, url_prefix="/admin", description="Adjustments by staff")

MOST_POINTS = 10**9
_ACCOUNTS = [kind.value for kind in (*IN_MONEY, AccountKind.POINTS, *sorted(PAYEE_KINDS))]


class WalletAdjustmentRequest(Schema):
    account = fields.String(
        load_default=AccountKind.WALLET.value,
        validate=validate.OneOf([kind.value for kind in IN_MONEY]),
        metadata={"description": "The wallet, or the credit that pays like it and is never paid out."},
    )
    amount = MoneyField(required=True, metadata={"description": "Above zero given, below zero taken."})
    reason = Text(required=True, least=3, most=500)


class PayeesAdjustmentRequest(Schema):
    payee_type = fields.String(required=True, validate=validate.OneOf(list(PayeeType)))
    amount = MoneyField(required=True, metadata={"description": "Above zero owed more, below zero owed less."})
    reason = Text(required=True, least=3, most=500)


class PointsAdjustmentRequest(Schema):
    points = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(-MOST_POINTS, MOST_POINTS),
        metadata={"description": "Above zero given, below zero taken."},
    )
    reason = Text(required=True, least=3, most=500)


class AdjustmentSearch(PageQuery):
    """Which adjustments."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(AdjustmentStatus)))


class AdjustmentShown(Schema):
    id = fields.UUID()
    adjustment_number = fields.String()
    user_id = fields.UUID()
    user_email = fields.String()
    account = fields.String(validate=validate.OneOf(_ACCOUNTS))
    amount = MoneyField(allow_none=True)
    points = fields.Integer(allow_none=True)
    reason = fields.String()
    status = fields.String(validate=validate.OneOf(list(AdjustmentStatus)))
    needs_approval = fields.Boolean()
    made_by_user_id = fields.UUID()
    decided_by_user_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)


@blueprint.route("/wallets/<uuid:user_id>/adjustments")
class AdjustWallet(MethodView):
    @permission_required("wallets.adjust")
    @idempotent(required=True)
    @blueprint.arguments(WalletAdjustmentRequest)
    @blueprint.response(201, AdjustmentShown)
    def post(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Give to or take from somebody's wallet, or their voucher credit; above the limit a second person decides."""
        return _adjust_money(user_id, AccountKind(body["account"]), body["amount"], body["reason"])


@blueprint.route("/payees/<uuid:user_id>/adjustments")
class AdjustPayee(MethodView):
    @permission_required("wallets.adjust")
    @idempotent(required=True)
    @blueprint.arguments(PayeesAdjustmentRequest)
    @blueprint.response(201, AdjustmentShown)
    def post(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Owe a vendor or an agent more, or less: the next payout takes it. Above the limit a second person decides."""
        return _adjust_money(user_id, PAYABLE[PayeeType(body["payee_type"])], body["amount"], body["reason"])


@blueprint.route("/points/<uuid:user_id>/adjustments")
class AdjustPoints(MethodView):
    @permission_required("points.adjust")
    @idempotent(required=True)
    @blueprint.arguments(PointsAdjustmentRequest)
    @blueprint.response(201, AdjustmentShown)
    def post(self, body: dict[str, Any], user_id: UUID) -> Response:
        """Give somebody points or take them; above the limit it waits for a second person."""
        return _adjust(
            adjustments.Adjust(
                user_id=user_id,
                account=AccountKind.POINTS,
                unit=POINTS_UNIT,
                amount_minor=body["points"],
                reason=body["reason"],
                limit_minor=use().system_settings.value(POINTS_ADJUSTMENT_LIMIT),
                actor_id=viewer().user_id,
                permission="points.adjust",
            )
        )


@blueprint.route("/adjustments")
class Adjustments(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(AdjustmentSearch, location="query")
    @blueprint.response(200, page_of(AdjustmentShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every adjustment, newest first."""
        rows = use().queries.wallet_requests.adjustments(
            status=query["status"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(AdjustmentShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/adjustments/<uuid:adjustment_id>")
class OneAdjustment(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, AdjustmentShown)
    def get(self, adjustment_id: UUID) -> Response:
        """One adjustment."""
        return answer(AdjustmentShown, _adjustment(adjustment_id))


@blueprint.route("/adjustments/<uuid:adjustment_id>/approve")
class ApproveAdjustment(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.response(200, AdjustmentShown)
    def post(self, adjustment_id: UUID) -> Response:
        """Agree with somebody else's adjustment, and post it."""
        adjustments.approve_adjustment(
            _decision(adjustment_id), uow=use().new_uow(), clock=use().clock, new_id=use().new_id
        )
        return answer(AdjustmentShown, _adjustment(adjustment_id))


@blueprint.route("/adjustments/<uuid:adjustment_id>/reject")
class RejectAdjustment(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.response(200, AdjustmentShown)
    def post(self, adjustment_id: UUID) -> Response:
        """Do not agree: nothing moves."""
        adjustments.reject_adjustment(_decision(adjustment_id), uow=use().new_uow(), clock=use().clock)
        return answer(AdjustmentShown, _adjustment(adjustment_id))


def _adjust_money(user_id: UUID, account: AccountKind, amount: Money, reason: str) -> Response:
    limit = amount_in(use().system_settings.value(ADJUSTMENT_LIMIT), amount.currency.code)
    return _adjust(
        adjustments.Adjust(
            user_id=user_id,
            account=account,
            unit=amount.currency.code,
            amount_minor=amount.minor,
            reason=reason,
            # Nobody has said how much of this currency is little: always two people.
            limit_minor=limit.minor if limit is not None else 0,
            actor_id=viewer().user_id,
            permission="wallets.adjust",
        )
    )


def _adjust(command: adjustments.Adjust) -> Response:
    made = adjustments.adjust(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
    return answer(AdjustmentShown, _adjustment(made), 201, location=f"/api/v1/admin/adjustments/{made}")


def _decision(adjustment_id: UUID) -> adjustments.DecideAdjustment:
    return adjustments.DecideAdjustment(adjustment_id=adjustment_id, actor_id=viewer().user_id)


def _adjustment(adjustment_id: UUID) -> Row:
    row = use().queries.wallet_requests.adjustment(adjustment_id)
    if row is None:
        raise AdjustmentNotFound()
    return row
