"""Shapes of the books: chart, trial balance, accounts, journals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Localized, MoneyField, Schema, Text
from api.pagination import PageQuery
from domain.ledger.accounts import POINTS_UNIT, AccountKind, Nature, Standing
from domain.ledger.journal import JournalType
from domain.shared.money import EXPONENTS

UNITS: Final = (*sorted(EXPONENTS), POINTS_UNIT)


class ChartLineShown(Schema):
    kind = fields.String(validate=validate.OneOf(list(AccountKind)))
    nature = fields.String(validate=validate.OneOf(list(Nature)))
    is_owned = fields.Boolean()
    standing = fields.String(allow_none=True, validate=validate.OneOf(list(Standing)))
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    meaning = fields.String()


class PeriodQuery(Schema):
    """A period of whole days in Cairo: `from` is in it, `to` is not."""

    since = fields.Date(data_key="from", load_default=None)
    until = fields.Date(data_key="to", load_default=None)


class TrialBalanceQuery(PeriodQuery):
    """Which period (this month until today, where none is named), and how."""

    format = fields.String(load_default="json", validate=validate.OneOf(("json", "csv")))


class TotalsShown(Schema):
    kind = fields.String(validate=validate.OneOf(list(AccountKind)))
    provider = fields.String()
    nature = fields.String(validate=validate.OneOf(list(Nature)))
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    opening = MoneyField()
    debits = MoneyField()
    credits = MoneyField()
    closing = MoneyField()


class ProofShown(Schema):
    currency = fields.String()
    opening = MoneyField()
    debits = MoneyField()
    credits = MoneyField()
    closing = MoneyField()
    is_balanced = fields.Boolean()


class TrialBalanceShown(Schema):
    since = fields.Date()
    until = fields.Date()
    is_balanced = fields.Boolean()
    lines = fields.List(fields.Nested(TotalsShown))
    proofs = fields.List(fields.Nested(ProofShown))


class AccountShown(Schema):
    id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(list(AccountKind)))
    currency = fields.String()
    provider = fields.String()
    user_id = fields.UUID(allow_none=True)
    nature = fields.String(validate=validate.OneOf(list(Nature)))
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    balance = MoneyField()
    held = MoneyField()
    created_at = fields.DateTime()


class AccountsQuery(PageQuery):
    """Which accounts."""

    kind = fields.String(load_default=None, validate=validate.OneOf(list(AccountKind)))
    currency = fields.String(load_default=None, validate=validate.OneOf(UNITS))
    owner = fields.UUID(load_default=None)


class AccountEntryShown(Schema):
    journal_id = fields.UUID()
    line = fields.Integer()
    sequence = fields.Integer(allow_none=True)
    journal_type = fields.String(validate=validate.OneOf(list(JournalType)))
    amount = MoneyField()
    balance_before = MoneyField(allow_none=True)
    balance_after = MoneyField(allow_none=True)
    reference_type = fields.String()
    reference_id = fields.UUID()
    description = Localized()
    occurred_at = fields.DateTime()


class JournalSummaryShown(Schema):
    id = fields.UUID()
    journal_type = fields.String(validate=validate.OneOf(list(JournalType)))
    reference_type = fields.String()
    reference_id = fields.UUID()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    occurred_at = fields.DateTime()
    posted_at = fields.DateTime()
    reverses_journal_id = fields.UUID(allow_none=True)


class LegShown(Schema):
    line = fields.Integer()
    account_id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(list(AccountKind)))
    name = Localized()
    user_id = fields.UUID(allow_none=True)
    provider = fields.String()
    amount = MoneyField()
    sequence = fields.Integer(allow_none=True)
    balance_after = MoneyField(allow_none=True)


class JournalShown(JournalSummaryShown):
    reversed_by = fields.List(fields.UUID())
    entries = fields.List(fields.Nested(LegShown))


class JournalsQuery(PageQuery):
    """Which journals; `from` and `to` are instants of what occurred, the second not included."""

    type = fields.String(load_default=None, validate=validate.OneOf(list(JournalType)))
    reference_type = Text(most=50, load_default=None)
    reference_id = fields.UUID(load_default=None)
    since = fields.AwareDateTime(data_key="from", format="iso", load_default=None)
    until = fields.AwareDateTime(data_key="to", format="iso", load_default=None)

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        since, until = query.get("since"), query.get("until")
        if since is not None and until is not None and until <= since:
            raise ValidationError("The range ends before it begins.", field_name="to")
