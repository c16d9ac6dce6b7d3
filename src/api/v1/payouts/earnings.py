"""What vendors and agents earn: their own, and anybody's for staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, MoneyField, Schema, shown_money
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.queries import Row
from domain.payouts.standing import EarningState
from domain.shared.errors import NotFound
from middlewares.auth_middleware import permission_required, token_required

blueprint = Blueprint("earnings", __name__, description="What vendors and agents earn")

_SUMS = ("upcoming", "held", "payable", "in_transit", "paid", "clawed_back", "balance")


class StateQuery(PageQuery):
    """Entries in one state; without one, all but those of trips that are not over."""

    state = fields.String(load_default=None, validate=validate.OneOf(list(EarningState)))


class SumShown(Schema):
    """Money in one currency."""

    amount = fields.String(metadata={"examples": ["1499.00"]})
    currency = fields.String(metadata={"examples": ["EGP"]})


class PayableEntryShown(Schema):
    """One movement of what is owed to a payee; below zero it goes off the next payout."""

    id = fields.UUID()
    payee_type = fields.String(metadata={"enum": ["VENDOR", "AGENT"]})
    kind = fields.String(metadata={"enum": ["EXPECTED", "EARNED", "REVERSED", "ADJUSTED", "RETURNED"]})
    state = fields.String(metadata={"enum": [state.value for state in EarningState]})
    amount = MoneyField()
    reason = Localized()
    reason_ar = fields.String()
    reason_en = fields.String()
    booking_id = fields.UUID(allow_none=True)
    booking_number = fields.String(allow_none=True)
    trip_ends_on = fields.Date(allow_none=True)
    occurred_at = fields.DateTime()
    released_at = fields.DateTime(allow_none=True, metadata={"description": "From when it is paid out."})
    payout_id = fields.UUID(allow_none=True)
    payout_number = fields.String(allow_none=True)


class EarningsShown(Schema):
    """Sums, one for each currency, and the newest entries."""

    upcoming = fields.List(fields.Nested(SumShown))
    held = fields.List(fields.Nested(SumShown))
    payable = fields.List(fields.Nested(SumShown))
    in_transit = fields.List(fields.Nested(SumShown))
    paid = fields.List(fields.Nested(SumShown))
    clawed_back = fields.List(fields.Nested(SumShown))
    balance = fields.List(fields.Nested(SumShown))
    next_release_at = fields.DateTime(allow_none=True)
    entries = fields.List(fields.Nested(PayableEntryShown))
    next_cursor = fields.String(allow_none=True)


@blueprint.route("/payouts")
class Payouts(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, EarningsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What is owed to whoever asks, as vendor or agent: what is to come, held, payable, on its way, paid."""
        return _earnings(viewer().user_id, query)


@blueprint.route("/payouts/entries")
class Entries(MethodView):
    @token_required
    @blueprint.arguments(StateQuery, location="query")
    @blueprint.response(200, page_of(PayableEntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own entries in a state, newest first; `state=UPCOMING` are trips that are sold and not over."""
        return answer_page(PayableEntryShown, *_page(viewer().user_id, query))


@blueprint.route("/admin/payees/<uuid:user_id>/earnings")
class SomebodysEarnings(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, EarningsShown)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """The same of anybody."""
        return _earnings(_known(user_id), query)


@blueprint.route("/admin/payees/<uuid:user_id>/earnings/entries")
class SomebodysEntries(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(StateQuery, location="query")
    @blueprint.response(200, page_of(PayableEntryShown))
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """Anybody's entries in a state, newest first."""
        return answer_page(PayableEntryShown, *_page(_known(user_id), query))


def _known(user_id: UUID) -> UUID:
    if not use().queries.wallets.is_somebody(user_id):
        raise NotFound()
    return user_id


def _earnings(payee_id: UUID, query: dict[str, Any]) -> Response:
    totals = use().queries.earnings.totals(payee_id, at=use().clock.now())
    entries, next_cursor = _page(payee_id, {**query, "state": None})
    releases = [row["next_release_at"] for row in totals if row["next_release_at"] is not None]
    shown: Row = {
        **{name: [shown_money(row[f"{name}_minor"], row["currency"]) for row in totals] for name in _SUMS},
        "next_release_at": min(releases, default=None),
        "entries": entries,
        "next_cursor": next_cursor,
    }
    return answer(EarningsShown, shown)


def _page(payee_id: UUID, query: dict[str, Any]) -> tuple[Sequence[Row], str | None]:
    rows = use().queries.earnings.entries(
        payee_id,
        EarningState(query["state"]) if query["state"] is not None else None,
        at=use().clock.now(),
        limit=query["limit"],
        after=after_cursor(query["cursor"]),
    )
    return split_page(rows, query["limit"], by_time("occurred_at"))
