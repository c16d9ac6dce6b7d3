"""Movements that staff take back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.views import MethodView
from application.ledger.adjustments import limits_of
from application.ledger.reversals import Reverse, ReverseByHand, reverse_by_hand
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("reversals", __name__, url_prefix="/admin/ledger", description="Movements taken back")


class ReversalRequest(Schema):
    """`amount`: a part of what the movement was worth; without it, all that is left of it."""

    reason = Text(least=3, most=500, required=True)
    amount = MoneyField(load_default=None)
    allow_debt = fields.Boolean(load_default=False)


class ReversalShown(Schema):
    id = fields.UUID()
    reverses_journal_id = fields.UUID()


@blueprint.route("/journals/<uuid:journal_id>/reversal")
class Reversal(MethodView):
    @permission_required("ledger.reverse")
    @idempotent(required=True)
    @blueprint.arguments(ReversalRequest)
    @blueprint.response(201, ReversalShown)
    def post(self, body: dict[str, Any], journal_id: UUID) -> Response:
        """Take back a movement that nothing else accounts for, in whole or in part.

        What its owner has spent meanwhile is refused, or becomes their debt with `allow_debt`. Nobody takes back what
        moved their own accounts, nor more than one person may adjust alone.
        """
        actor_id = viewer().user_id
        command = ReverseByHand(
            reversal=Reverse(
                journal_id=journal_id,
                idempotency_key=f"{actor_id}:{request.headers['Idempotency-Key']}",
                part=body["amount"],
                allows_debt=body["allow_debt"],
            ),
            reason=body["reason"],
            actor_id=actor_id,
            limits=limits_of(use().system_settings),
        )
        reversal_id = reverse_by_hand(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(ReversalShown, {"id": reversal_id, "reverses_journal_id": journal_id}, 201)
