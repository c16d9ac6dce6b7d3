"""What staff do about agents' deposit accounts: look at them, and say how much credit an agent has."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.ledger.entries import EntryShown
from api.v1.ledger.wallets import EntriesQuery, entries_of
from api.v1.partners.deposits import AgentDepositShown, deposits_of
from api.v1.partners.desks import AGENTS
from api.views import MethodView
from application.partners.deposits import GrantCredit, grant_credit
from domain.ledger.accounts import AccountKind
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint(
    "agent_credit", __name__, url_prefix="/admin/agents", description="What staff do about agents' credit"
)


class CreditLimitRequest(Schema):
    limit = MoneyField(required=True, metadata={"description": "Nothing ends the credit in that currency."})
    reason = Text(required=True, least=3, most=500)


class CreditLimitShown(Schema):
    id = fields.UUID()
    limit = MoneyField()
    reason = fields.String()
    set_by_user_id = fields.UUID()
    valid_from = fields.DateTime()


@blueprint.route("/<uuid:partner_id>/deposit")
class AgentsDeposit(MethodView):
    @permission_required("agents.read")
    @blueprint.response(200, page_of(AgentDepositShown))
    def get(self, partner_id: UUID) -> Response:
        """An agent's deposit account, in every currency that moved or has a credit limit."""
        AGENTS.profile(partner_id)
        return deposits_of(partner_id)


@blueprint.route("/<uuid:partner_id>/deposit/entries")
class AgentsDepositEntries(MethodView):
    @permission_required("agents.read")
    @blueprint.arguments(EntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any], partner_id: UUID) -> Response:
        """Every movement of an agent's deposit account in a currency, newest first."""
        return entries_of(AGENTS.profile(partner_id)["user_id"], query, AccountKind.AGENT_DEPOSIT)


@blueprint.route("/<uuid:partner_id>/credit-limits")
class CreditLimits(MethodView):
    @permission_required("agents.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(CreditLimitShown))
    def get(self, query: dict[str, Any], partner_id: UUID) -> Response:
        """What credit was granted, newest first; of each currency the newest holds."""
        AGENTS.profile(partner_id)
        rows = use().queries.partners.credit_limits(
            partner_id, limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(CreditLimitShown, *split_page(rows, query["limit"], by_time("valid_from")))

    @permission_required("agents.credit")
    @idempotent()
    @blueprint.arguments(CreditLimitRequest)
    @blueprint.response(201, CreditLimitShown)
    def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Say how far below zero a deposit account may stand from now on; never one's own.

        Less than what is used takes nothing back: it only stops further payments.
        """
        command = GrantCredit(partner_id=partner_id, actor_id=viewer().user_id, **body)
        made = grant_credit(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        row = use().queries.partners.credit_limit(made)
        return answer(CreditLimitShown, row, 201)
