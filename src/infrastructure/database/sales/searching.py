"""Conditions that a search of bookings stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from application.sales.ports import BookingSearch
from domain.catalogue.spelling import fold_for_search
from infrastructure.database.catalogue.finding import literally

BALANCE_DUE: Final = (
    "b.status IN ('PENDING_PAYMENT', 'CONFIRMED', 'IN_PROGRESS') AND b.paid_amount_minor < b.final_amount_minor"
)
"""Of a sold trip that is not over something is still to be paid; the condition of an index, too."""

_SEVERAL: Final = ("status", "payment_status", "booking_type", "booking_source")
_CONDITIONS: Final[Mapping[str, str]] = {
    "package_id": "b.package_id = %(package_id)s",
    "activity_id": "b.activity_id = %(activity_id)s",
    "departure_id": "b.departure_id = %(departure_id)s",
    "user_id": "b.user_id = %(user_id)s",
    "agent_id": "b.agent_id = %(agent_id)s",
    "created_from": "b.created_at >= %(created_from)s",
    "created_to": "b.created_at < %(created_to)s",
    "starts_from": "b.start_date >= %(starts_from)s",
    "starts_to": "b.start_date <= %(starts_to)s",
    "currency": "b.currency = %(currency)s",
    "min_amount": "b.final_amount_minor >= %(min_amount)s",
    "max_amount": "b.final_amount_minor <= %(max_amount)s",
}
_FOUND: Final = "b.id IN (SELECT w.booking_id FROM booking_words w WHERE {})"
_AT_HOME: Final = re.compile(r"0(\d+)")
"""A telephone number as it is dialled in Egypt."""


def conditions_of(search: BookingSearch) -> tuple[str, dict[str, Any]]:
    """What follows a WHERE that says something already, and the values that it names."""
    asked = search.asked()
    values = {name: value for name, value in asked.items() if name in _CONDITIONS}
    conditions = [_CONDITIONS[name] for name in values]
    for name in _SEVERAL:
        wanted = asked.get(name, ())
        # One is asked for by itself: rows of an index come in its order only then.
        if len(wanted) == 1:
            conditions.append(f"b.{name} = %({name})s")
            values[name] = wanted[0]
        elif wanted:
            conditions.append(f"b.{name} = ANY(%({name})s)")
            values[name] = list(wanted)
    if search.has_balance_due is not None:
        conditions.append(BALANCE_DUE if search.has_balance_due else f"NOT ({BALANCE_DUE})")
    if search.q:
        beginnings, named = _beginnings(search.q)
        conditions.append(_FOUND.format(beginnings))
        values |= named
    return "".join(f" AND {condition}" for condition in conditions), values


def _beginnings(text: str) -> tuple[str, dict[str, str]]:
    """That every word begins one of a booking's, and the values that this names; text without a word finds nothing."""
    conditions: list[str] = []
    values: dict[str, str] = {}
    for place, spellings in enumerate(_words(text)):
        begun = {f"word_{place}_{way}": f"% {literally(word)}%" for way, word in enumerate(spellings)}
        conditions.append(f"({' OR '.join(f'w.words LIKE %({name})s' for name in begun)})")
        values |= begun
    return " AND ".join(conditions) or "false", values


def _words(text: str) -> Iterator[tuple[str, ...]]:
    """Each word folded, and a telephone number's also as it begins with its country."""
    for word in fold_for_search(text).split():
        plain = word.removeprefix("+") or word
        home = _AT_HOME.fullmatch(plain)
        yield (plain, f"20{home[1]}") if home else (plain,)
