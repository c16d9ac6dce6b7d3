"""Movements of an account as they are shown, and pages of its chain, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import answer_page
from api.context import use
from api.fields import Localized, MoneyField, Schema
from api.pagination import InvalidCursor, read_cursor, split_page
from domain.ledger.accounts import AccountRef


class MovementShown(Schema):
    sequence = fields.Integer()
    transaction_type = fields.String()
    reference_type = fields.String()
    reference_id = fields.UUID()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    occurred_at = fields.DateTime()


class EntryShown(MovementShown):
    amount = MoneyField()
    balance_before = MoneyField()
    balance_after = MoneyField()


def entries_page(schema: type[Schema], account: AccountRef, query: dict[str, Any]) -> Response:
    """A page of an account's entries, newest first."""
    rows = use().queries.ledger.entries(
        account.id, limit=query["limit"], before_sequence=before_sequence(query["cursor"])
    )
    return answer_page(schema, *split_page(rows, query["limit"], by_sequence))


def before_sequence(cursor: str | None) -> int | None:
    """Where a chain goes on. Raises InvalidCursor."""
    values = read_cursor(cursor)
    if values is None:
        return None
    if len(values) != 1 or type(values[0]) is not int or not 0 < values[0] < 2**62:
        raise InvalidCursor()
    return values[0]


def by_sequence(row: Any) -> Sequence[int]:
    """The cursor of a chain."""
    return [row["sequence"]]
