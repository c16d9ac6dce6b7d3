"""An agent's own deposit account: what it holds, what may be paid from it, and money in and out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import own_key, use, viewer
from api.fields import MoneyField, Schema
from api.specification import page_of
from api.v1.ledger.entries import EntryShown
from api.v1.ledger.wallets import EntriesQuery, entries_of
from api.v1.partners.profiles import own_profile
from api.views import MethodView
from application.partners.deposits import MoveDeposit, pay_in, take_out
from domain.ledger.accounts import AccountKind
from domain.partners.partners import PartnerNotFound
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("agent_deposits", __name__, url_prefix="/partners", description="Agents' deposit accounts")


class DepositMoveRequest(Schema):
    amount = MoneyField(required=True)


class AgentDepositShown(Schema):
    """A deposit account in one currency."""

    balance = MoneyField(metadata={"description": "Below zero is what the agent owes."})
    limit = MoneyField(metadata={"description": "How far below zero it may stand now."})
    available = MoneyField(metadata={"description": "What may be paid from it: balance and limit together."})


@blueprint.route("/<uuid:partner_id>/deposit")
class Deposit(MethodView):
    @token_required
    @blueprint.response(200, page_of(AgentDepositShown))
    def get(self, partner_id: UUID) -> Response:
        """One's own deposit account, in every currency that moved or has a credit limit."""
        refuse_others(partner_id)
        return deposits_of(partner_id)

    @token_required
    @idempotent(required=True)
    @blueprint.arguments(DepositMoveRequest)
    @blueprint.response(200, page_of(AgentDepositShown))
    def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Move money from one's own wallet into the deposit account."""
        pay_in(_move(partner_id, body["amount"]), uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return deposits_of(partner_id)


@blueprint.route("/<uuid:partner_id>/deposit/withdrawals")
class DepositWithdrawals(MethodView):
    @token_required
    @idempotent(required=True)
    @blueprint.arguments(DepositMoveRequest)
    @blueprint.response(200, page_of(AgentDepositShown))
    def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Move what is above zero back into one's own wallet; not while suspended."""
        take_out(_move(partner_id, body["amount"]), uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return deposits_of(partner_id)


@blueprint.route("/<uuid:partner_id>/deposit/entries")
class DepositEntries(MethodView):
    @token_required
    @blueprint.arguments(EntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any], partner_id: UUID) -> Response:
        """Every movement of one's own deposit account in a currency, newest first."""
        refuse_others(partner_id)
        return entries_of(viewer().user_id, query, AccountKind.AGENT_DEPOSIT)


def refuse_others(partner_id: UUID) -> None:
    """Only the viewer's own profile as an agent will do. Raises PartnerNotFound."""
    if own_profile(partner_id)["payee_type"] != PayeeType.AGENT:
        raise PartnerNotFound()


def deposits_of(partner_id: UUID) -> Response:
    """An agent's deposit account, currency by currency."""
    return answer_page(AgentDepositShown, use().queries.partners.deposits(partner_id), None)


def _move(partner_id: UUID, amount: Money) -> MoveDeposit:
    refuse_others(partner_id)
    return MoveDeposit(
        partner_id=partner_id,
        user_id=viewer().user_id,
        amount=amount,
        key=own_key(),
    )
