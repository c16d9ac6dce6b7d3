"""Points: what one holds, how it came about, and what becomes of it; one's own, and customers' for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.identity.users import profile_row
from api.v1.ledger.entries import MovementShown, entries_page
from api.views import MethodView
from application.ledger.points import points_terms
from domain.ledger import accounts
from domain.operations.settings import DEFAULT_CURRENCY
from domain.shared.money import EXPONENTS, currency
from middlewares.auth_middleware import permission_required, token_required

blueprint = Blueprint("points", __name__, description="Loyalty points")


class PointsQuery(Schema):
    currency = fields.String(
        load_default=None,
        validate=validate.OneOf(sorted(EXPONENTS)),
        metadata={
            "description": "In which `value` is told, for what is listed in it; the installation's own where left out."
        },
    )


class LotsQuery(PageQuery):
    all = fields.Boolean(load_default=False, metadata={"description": "With lots of which nothing is left."})


class PointsShown(Schema):
    balance = fields.Integer()
    available = fields.Integer(metadata={"description": "What can be spent now: neither held nor past its time."})
    expiring_soon = fields.Integer()
    debt = fields.Integer(metadata={"description": "Taken back after it was spent; what is earned pays it off first."})
    value = MoneyField(metadata={"description": "What the available points pay."})


class PointsEntryShown(MovementShown):
    amount = fields.Integer(attribute="amount_minor")
    balance_before = fields.Integer(attribute="balance_before_minor")
    balance_after = fields.Integer(attribute="balance_after_minor")


class OriginShown(Schema):
    journal_id = fields.UUID()
    journal_type = fields.String()
    reference_type = fields.String()
    reference_id = fields.UUID()
    reference_number = fields.String(
        allow_none=True, metadata={"description": "Of the booking or payment that the reference is."}
    )


class LotShown(OriginShown):
    id = fields.UUID()
    points = fields.Integer()
    remaining = fields.Integer()
    earned_at = fields.DateTime()
    expires_at = fields.DateTime(metadata={"description": "When it ends, a grace included."})
    in_grace = fields.Boolean(
        metadata={"description": "Whether it lives on because points were given back after its time."}
    )


class LotMovementShown(OriginShown):
    points = fields.Integer(metadata={"description": "Below zero: taken from the lot; above: given back to it."})
    occurred_at = fields.DateTime()


class ExplainedLotShown(LotShown):
    taken = fields.Integer()
    given_back = fields.Integer()
    movements_count = fields.Integer()
    movements = fields.List(
        fields.Nested(LotMovementShown), metadata={"description": "The newest hundred, newest first."}
    )


class PointsExplainedShown(Schema):
    balance = fields.Integer()
    explained = fields.Integer(metadata={"description": "What all lots hold together: the balance."})
    items = fields.List(fields.Nested(ExplainedLotShown))
    next_cursor = fields.String(allow_none=True)


@blueprint.route("/points")
class Points(MethodView):
    @token_required
    @blueprint.arguments(PointsQuery, location="query")
    @blueprint.response(200, PointsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """One's own points, what they are worth, and how many of them expire soon."""
        return _summary(viewer().user_id, query)


@blueprint.route("/points/entries")
class PointsEntries(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(PointsEntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every movement of one's own points, newest first."""
        return entries_page(PointsEntryShown, accounts.points(viewer().user_id), query)


@blueprint.route("/points/lots")
class Lots(MethodView):
    @token_required
    @blueprint.arguments(LotsQuery, location="query")
    @blueprint.response(200, page_of(LotShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own points as they were earned, soonest-ending first."""
        return _lots(viewer().user_id, query)


@blueprint.route("/points/explain")
class ExplainedPoints(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, PointsExplainedShown)
    def get(self, query: dict[str, Any]) -> Response:
        """Why one has as many points: each lot of them, what it came from, what was taken and given back."""
        return _explained(viewer().user_id, query)


@blueprint.route("/admin/points/<uuid:user_id>")
class CustomersPoints(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(PointsQuery, location="query")
    @blueprint.response(200, PointsShown)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """A customer's points, what they are worth, and how many of them expire soon."""
        return _summary(_known(user_id), query)


@blueprint.route("/admin/points/<uuid:user_id>/entries")
class CustomersPointsEntries(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(PointsEntryShown))
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """Every movement of a customer's points, newest first."""
        return entries_page(PointsEntryShown, accounts.points(_known(user_id)), query)


@blueprint.route("/admin/points/<uuid:user_id>/lots")
class CustomersLots(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(LotsQuery, location="query")
    @blueprint.response(200, page_of(LotShown))
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """A customer's points as they were earned, soonest-ending first."""
        return _lots(_known(user_id), query)


@blueprint.route("/admin/points/<uuid:user_id>/explain")
class CustomersPointsExplained(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, PointsExplainedShown)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """Why a customer has as many points: each lot of them, what it came from, what was taken and given back."""
        return _explained(_known(user_id), query)


def _known(user_id: UUID) -> UUID:
    """Raises NotFound for nobody."""
    profile_row(user_id)
    return user_id


def _summary(user_id: UUID, query: dict[str, Any]) -> Response:
    now, values = use().clock.now(), use().system_settings
    terms, unit = points_terms(values), query["currency"] or values.value(DEFAULT_CURRENCY)
    row = use().queries.points.summary(user_id, now=now, until=now + terms.expiring_soon)
    value = terms.value_of(row["available"], currency(unit))
    return answer(PointsShown, {**row, "value_minor": value.minor, "currency": unit})


def _lots(user_id: UUID, query: dict[str, Any]) -> Response:
    rows = use().queries.points.lots(
        user_id, spent=query["all"], limit=query["limit"], after=after_cursor(query["cursor"])
    )
    return answer_page(LotShown, *split_page(rows, query["limit"], by_time("expires_at")))


def _explained(user_id: UUID, query: dict[str, Any]) -> Response:
    found = use().queries.points.explain(user_id, limit=query["limit"], after=after_cursor(query["cursor"]))
    shown, next_cursor = split_page(found["items"], query["limit"], by_time("expires_at"))
    return answer(PointsExplainedShown, {**found, "items": shown, "next_cursor": next_cursor})
