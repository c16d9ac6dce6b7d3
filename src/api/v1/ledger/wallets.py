"""Wallets: what they hold, what moved them, and why; one's own, and everybody's for staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, MoneyField, Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.ledger.entries import EntryShown, before_sequence, by_sequence
from api.views import MethodView
from application.ledger.queries import EntrySearch
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import JournalType
from domain.shared.clock import BUSINESS_ZONE, REACH
from domain.shared.errors import NotFound
from domain.shared.money import EXPONENTS
from middlewares.auth_middleware import permission_required, token_required

blueprint = Blueprint("wallets", __name__, description="Wallets")


def currency_field() -> fields.String:
    return fields.String(load_default="EGP", validate=validate.OneOf(sorted(EXPONENTS)))


def _within_reach(day: date) -> None:
    if day.year not in REACH:
        raise ValidationError("A day from 2000-01-01 to 2999-12-31.")


def account_field() -> fields.String:
    return fields.String(
        load_default=AccountKind.WALLET.value,
        validate=validate.OneOf([AccountKind.WALLET.value, AccountKind.VOUCHER_CREDIT.value]),
    )


class WalletQuery(Schema):
    currency = currency_field()


class ExplanationQuery(PageQuery):
    currency = currency_field()


class EntriesQuery(PageQuery):
    """Which movements; both days are included, and begin and end in Cairo."""

    currency = currency_field()
    transaction_type = fields.String(load_default=None, validate=validate.OneOf(list(JournalType)))
    first_day = fields.Date(data_key="from", load_default=None, validate=_within_reach)
    last_day = fields.Date(data_key="to", load_default=None, validate=_within_reach)

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        first, last = query.get("first_day"), query.get("last_day")
        if first is not None and last is not None and last < first:
            raise ValidationError("The range ends before it begins.", field_name="to")


class SomebodysExplanationQuery(ExplanationQuery):
    """The same, of the wallet or the voucher credit."""

    account = account_field()


class SomebodysEntriesQuery(EntriesQuery):
    """The same, of the wallet or the voucher credit."""

    account = account_field()


class WalletShown(Schema):
    balance = MoneyField()
    available = MoneyField()
    held = MoneyField()


class WalletOfManyShown(WalletShown):
    currency = fields.String()
    voucher_credit = MoneyField(metadata={"description": "Pays like the wallet, and is never paid out."})
    debt = MoneyField()


class SourceShown(Schema):
    type = fields.String()
    id = fields.UUID()
    number = fields.String(allow_none=True)


class HoldShown(Schema):
    id = fields.UUID()
    amount = MoneyField()
    source = fields.Nested(SourceShown)
    created_at = fields.DateTime()
    expires_at = fields.DateTime(allow_none=True)


class CounterpartShown(Schema):
    kind = fields.String()
    name = Localized()
    amount = MoneyField()


class ExplainedEntryShown(EntryShown):
    journal_id = fields.UUID()
    source = fields.Nested(SourceShown)
    counterparts = fields.List(fields.Nested(CounterpartShown))
    reverses = fields.UUID(allow_none=True)
    reversed_by = fields.List(fields.UUID())


class ExplanationShown(WalletShown):
    explained = MoneyField(metadata={"description": "What the wallet held before the oldest of these entries."})
    holds = fields.List(fields.Nested(HoldShown))
    items = fields.List(fields.Nested(ExplainedEntryShown))
    next_cursor = fields.String(allow_none=True)


@blueprint.route("/wallet")
class Wallet(MethodView):
    @token_required
    @blueprint.arguments(WalletQuery, location="query")
    @blueprint.response(200, WalletShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What one's own wallet holds in a currency, and how much of it holds set aside."""
        return answer(WalletShown, use().queries.wallets.standing(viewer().user_id, query["currency"]))


@blueprint.route("/wallets")
class Wallets(MethodView):
    @token_required
    @blueprint.response(200, page_of(WalletOfManyShown))
    def get(self) -> Response:
        """One's own wallets in every currency that ever moved, the credit beside them, and what one owes in each."""
        return answer_page(WalletOfManyShown, use().queries.wallets.wallets(viewer().user_id), None)


@blueprint.route("/wallet/entries")
class WalletEntries(MethodView):
    @token_required
    @blueprint.arguments(EntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every movement of one's own wallet, newest first."""
        return entries_of(viewer().user_id, query, AccountKind.WALLET)


@blueprint.route("/wallet/holds")
class WalletHolds(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(HoldShown))
    def get(self, query: dict[str, Any]) -> Response:
        """What is set aside in one's own wallets, and for what."""
        rows = use().queries.wallets.holds(viewer().user_id, limit=query["limit"], after=after_cursor(query["cursor"]))
        return answer_page(HoldShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/wallet/explain")
class WalletExplained(MethodView):
    @token_required
    @blueprint.arguments(ExplanationQuery, location="query")
    @blueprint.response(200, ExplanationShown)
    def get(self, query: dict[str, Any]) -> Response:
        """Why one's own wallet holds what it holds: the chain behind the balance, entry by entry."""
        return explanation_of(viewer().user_id, query, AccountKind.WALLET)


@blueprint.route("/admin/wallets/<uuid:user_id>")
class SomebodysWallets(MethodView):
    @permission_required("ledger.read")
    @blueprint.response(200, page_of(WalletOfManyShown))
    def get(self, user_id: UUID) -> Response:
        """Somebody's wallets in every currency that ever moved, their credit, and what they owe in each."""
        return answer_page(WalletOfManyShown, use().queries.wallets.wallets(_known(user_id)), None)


@blueprint.route("/admin/wallets/<uuid:user_id>/entries")
class SomebodysEntries(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(SomebodysEntriesQuery, location="query")
    @blueprint.response(200, page_of(EntryShown))
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """Every movement of somebody's wallet or voucher credit, newest first."""
        return entries_of(_known(user_id), query, AccountKind(query["account"]))


@blueprint.route("/admin/wallets/<uuid:user_id>/explain")
class SomebodysExplained(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(SomebodysExplanationQuery, location="query")
    @blueprint.response(200, ExplanationShown)
    def get(self, query: dict[str, Any], user_id: UUID) -> Response:
        """Why somebody's wallet or voucher credit holds what it holds."""
        return explanation_of(_known(user_id), query, AccountKind(query["account"]))


def _known(user_id: UUID) -> UUID:
    if not use().queries.wallets.is_somebody(user_id):
        raise NotFound()
    return user_id


def entries_of(user_id: UUID, query: dict[str, Any], account: AccountKind) -> Response:
    """A page of the movements of an account."""
    search = EntrySearch(
        currency=query["currency"],
        account=account,
        transaction_type=query["transaction_type"],
        since=_begin(query["first_day"]),
        until=_begin(query["last_day"], days_later=1),
    )
    rows = use().queries.wallets.entries(
        user_id, search, limit=query["limit"], before_sequence=before_sequence(query["cursor"])
    )
    return answer_page(EntryShown, *split_page(rows, query["limit"], by_sequence))


def _begin(day: date | None, *, days_later: int = 0) -> datetime | None:
    """When a day begins in Cairo, or another one so many days later."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=days_later), time.min, BUSINESS_ZONE)


def explanation_of(user_id: UUID, query: dict[str, Any], account: AccountKind) -> Response:
    """The chain behind a balance."""
    found = use().queries.wallets.explain(
        user_id, query["currency"], account, limit=query["limit"], before_sequence=before_sequence(query["cursor"])
    )
    items, cursor = split_page(found.entries, query["limit"], by_sequence)
    row = {
        **found.standing,
        "explained_minor": items[-1]["balance_before_minor"] if items else 0,
        "holds": found.holds,
        "items": items,
        "next_cursor": cursor,
    }
    return answer(ExplanationShown, row)
