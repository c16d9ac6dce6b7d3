"""Movements of an account as they are shown, and pages of its chain, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from api.fields import Localized, MoneyField, Schema
from api.pagination import InvalidCursor, read_cursor


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
