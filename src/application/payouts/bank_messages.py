"""Banks' files of results: CSV, and ISO 20022 pain.002, read without anything that XML can do but say words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from application.payouts.bank_results import BankLine, BankWord
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

LARGEST_FILE: Final = 10 * 1024 * 1024
MOST_LINES: Final = 20_000
DEEPEST: Final = 40
LONGEST: Final = 500
NEEDED: Final = ("payout", "status")

_WORDS: Final = {
    "ACCC": BankWord.PAID,
    "ACSC": BankWord.PAID,
    "RJCT": BankWord.FAILED,
    "CANC": BankWord.FAILED,
}
"""ExternalPaymentTransactionStatus1Code: settled, or refused. Every other status is on the way."""


def read_csv(text: str) -> tuple[BankLine, ...]:
    """Lines with `payout` (number or key) and `status` (PAID, FAILED, PENDING), and, where the bank tells them,
    `bank_reference`, `reason`, `amount` with `currency`. Raises InvalidValue at `/results`, which names the line."""
    return tuple(_line(number, row) for number, row in _rows(text))


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        if not set(NEEDED) <= set(reader.fieldnames or ()):
            raise _fault("the first line names the columns payout and status")
        for count, row in enumerate(reader, 1):
            if count > MOST_LINES:
                raise _fault(f"at most {MOST_LINES} lines")
            yield reader.line_num, {name: (value or "").strip() for name, value in row.items() if name is not None}
    except csv.Error as error:
        raise _fault(f"line {reader.line_num + 1}: it is no CSV") from error


def _line(number: int, row: Mapping[str, str]) -> BankLine:
    if row["status"] not in BankWord.__members__:
        raise _fault(f"line {number}: a status is one of {', '.join(BankWord)}")
    return BankLine(
        number=number,
        name=_short(row["payout"], number),
        word=BankWord(row["status"]),
        bank_reference=_short(row.get("bank_reference", ""), number),
        reason=_short(row.get("reason", ""), number),
        amount=_amount(row.get("amount", ""), row.get("currency", ""), number),
    )


def _amount(amount: str, currency: str, number: int) -> Money | None:
    if not amount:
        return None
    try:
        return Money.parse(amount, currency)
    except InvalidValue as error:
        raise _fault(f"line {number}: {error.faults[0].detail}") from error


def _short(text: str, number: int) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise _fault(f"line {number}: words have at most {LONGEST} printable characters")
    return text


def read_pain_002(content: bytes, *, batch_number: str) -> tuple[BankLine, ...]:
    """The transactions of a CustomerPaymentStatusReport about this batch, of any version.

    Raises InvalidValue at `/results`.
    """
    report = _parsed(content)
    of = _text(report, "OrgnlMsgId")
    if of != batch_number:
        raise _fault(f"it speaks of {of[:40] or 'nothing'}, not of {batch_number}", code="other_batch")
    found = list(_all(report, "TxInfAndSts"))
    if not found:
        raise _fault("it names no transaction", code="no_transactions")
    if len(found) > MOST_LINES:
        raise _fault(f"at most {MOST_LINES} transactions")
    return tuple(_transaction(number, told) for number, told in enumerate(found, 1))


def _transaction(number: int, told: Element) -> BankLine:
    words = " ".join(filter(None, (_text(told, "Cd"), _text(told, "Prtry"), _text(told, "AddtlInf"))))
    return BankLine(
        number=number,
        name=_short(_text(told, "OrgnlEndToEndId") or _text(told, "OrgnlInstrId"), number),
        word=_WORDS.get(_text(told, "TxSts"), BankWord.PENDING),
        bank_reference=_short(_text(told, "AcctSvcrRef"), number),
        reason=_short(words[:LONGEST], number),
        amount=_instructed(told, number),
    )


def _instructed(told: Element, number: int) -> Money | None:
    amount = next(_all(told, "InstdAmt"), None)
    if amount is None:
        return None
    digits = (amount.text or "").strip()
    # ISO 20022 allows more decimals than the currency has, of zeros.
    whole, dot, part = digits.partition(".")
    return _amount(f"{whole}{dot}{part.rstrip('0')}".rstrip("."), amount.get("Ccy", ""), number)


def _parsed(content: bytes) -> Element:
    """The document, by expat alone: a document type, and with it every entity, is refused, and so is what is deep."""
    builder, depth = TreeBuilder(), 0
    parser = expat.ParserCreate(namespace_separator="}")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise _fault("it is nested too deep")
        builder.start(tag.rpartition("}")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition("}")[2])

    def refuse(*_: object) -> None:
        raise _fault("a document type is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _fault(f"line {error.lineno}: it is no XML") from error
    return builder.close()


def _all(element: Element, tag: str) -> Iterator[Element]:
    return element.iter(tag)


def _text(element: Element, tag: str) -> str:
    found = next(element.iter(tag), None)
    return "" if found is None or found.text is None else " ".join(found.text.split())


def _fault(detail: str, *, code: str = "unreadable_results") -> InvalidValue:
    return InvalidValue(detail, pointer="/results", code=code)
