"""Statements of payment providers as files of CSV."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from domain.ledger.periods import FIRST_DAY, LAST_DAY
from domain.ledger.reconciliation import Balances, LineKind, ProviderStatement, StatementLine
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

COLUMNS: Final = ("booked_on", "provider_reference", "kind", "amount", "currency")
OPENING, CLOSING = "OPENING", "CLOSING"
"""Kinds of a line that tells what the provider held when its day began or ended."""

MOST_LINES: Final = 20_000
MOST_DAYS: Final = 400
LONGEST_REFERENCE: Final = 200


def read_statement(provider: str, text: str) -> ProviderStatement:
    """Read lines of COLUMNS, named in the first line, in any order and beside others.

    Amounts are decimals of their currency, above zero for money that came in. Only payments and refunds need a
    reference. Raises InvalidValue at `/statement`, which names the line.
    """
    lines: list[StatementLine] = []
    balances: defaultdict[tuple[str, date], dict[str, Money]] = defaultdict(dict)
    for number, row in _rows(text):
        day, amount = _day(row, number), _amount(row, number)
        if row["kind"] in (OPENING, CLOSING):
            balances[amount.currency.code, day][row["kind"]] = amount
        else:
            lines.append(_line(row, number, day, amount))
    told = {which: Balances(held.get(OPENING), held.get(CLOSING)) for which, held in balances.items()}
    statement = ProviderStatement(provider=provider, lines=tuple(lines), balances=told)
    if not 0 < len(statement.days) <= MOST_DAYS:
        raise _fault(f"a statement speaks of 1 to {MOST_DAYS} days and currencies")
    return statement


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise _fault(f"the first line names the columns {', '.join(COLUMNS)}")
        for count, row in enumerate(reader, 1):
            if count > MOST_LINES:
                raise _fault(f"at most {MOST_LINES} lines")
            yield reader.line_num, {name: (row[name] or "").strip() for name in COLUMNS}
    except csv.Error as error:
        raise _fault(f"line {reader.line_num + 1}: it is no CSV") from error


def _line(row: Mapping[str, str], number: int, day: date, amount: Money) -> StatementLine:
    if row["kind"] not in LineKind.__members__:
        raise _fault(f"line {number}: a kind is one of {', '.join((*LineKind, OPENING, CLOSING))}")
    kind, reference = LineKind(row["kind"]), row["provider_reference"]
    if not reference and kind in (LineKind.PAYMENT, LineKind.REFUND):
        raise _fault(f"line {number}: a {kind} has a reference")
    if len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        raise _fault(f"line {number}: a reference has at most {LONGEST_REFERENCE} printable characters")
    # Fees and the like come without one: then those of a day are one thing.
    return StatementLine(provider_reference=reference or day.isoformat(), kind=kind, amount=amount, booked_on=day)


def _day(row: Mapping[str, str], number: int) -> date:
    try:
        day = date.fromisoformat(row["booked_on"])
    except ValueError as error:
        raise _fault(f"line {number}: a day is written as 2026-12-31") from error
    if not FIRST_DAY <= day < LAST_DAY:
        raise _fault(f"line {number}: {day} is no day of these books")
    return day


def _amount(row: Mapping[str, str], number: int) -> Money:
    try:
        return Money.parse(row["amount"], row["currency"])
    except InvalidValue as error:
        raise _fault(f"line {number}: {error.faults[0].detail}") from error


def _fault(detail: str) -> InvalidValue:
    return InvalidValue(detail, pointer="/statement", code="unreadable_statement")
