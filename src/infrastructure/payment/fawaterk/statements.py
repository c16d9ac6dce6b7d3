"""What Fawaterk booked on a day, out of the list of transactions of API v3 (contract §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from application.billing.ports import ProviderRefused
from domain.ledger.reconciliation import LineKind, ProviderStatement, StatementLine
from domain.shared.clock import business_date
from infrastructure.payment.fawaterk import readings, wire
from infrastructure.payment.fawaterk.access import Access
from infrastructure.payment.fawaterk.readings import unknown

PER_PAGE: Final = 100
MOST_PAGES: Final = 500
OLDEST: Final = timedelta(days=7)
"""The list goes by a date that nobody explains; a code outlives its own by four days (contract §5.5)."""

Members = Mapping[str, object]
Find = Callable[[str], Members | None]


class TransactionStatements:
    """Statements of one account; `find` asks for one transaction where the list does not say enough."""

    def __init__(self, access: Access, find: Find) -> None:
        self._access = access
        self._find = find

    def of(self, day: date) -> ProviderStatement:
        """The charges of a day in Cairo under their intent keys; balances are not told.

        Raises OutcomeUnknown where a charge cannot be read: half a statement would look like missing money.
        """
        try:
            lines = [line for row in self._rows(day) for line in self._lines(row) if line.booked_on == day]
        except ProviderRefused as refusal:
            raise unknown(str(refusal.facts.get("reason"))) from refusal
        return ProviderStatement(provider=wire.PROVIDER, lines=tuple(lines), balances={})

    def _lines(self, row: Members) -> Iterator[StatementLine]:
        if wire.read_flag(row.get("paid")) is False:
            return
        reference = _key(row)
        if not reference:
            raise unknown("a transaction of the list has no intent key")
        transaction = row if {"paid", "transaction_history"} <= row.keys() else self._find(reference)
        if transaction is None:
            raise unknown("a transaction of the list is not found")
        for charge in readings.transaction_charges(transaction) if readings.is_paid(transaction) else ():
            if charge.at is None:
                raise unknown("a charge has no time")
            yield StatementLine(
                provider_reference=reference,
                kind=LineKind.PAYMENT,
                amount=charge.amount,
                booked_on=business_date(charge.at),
            )

    def _rows(self, day: date) -> Iterator[Members]:
        """Each transaction once, though a new one moves the others to the next page while we read."""
        seen: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            rows, last = self._page(day, number)
            for row in rows:
                key = _key(row)
                if not key or key not in seen:
                    yield row
                seen.add(key)
            if number >= last:
                return
        raise unknown("the list of transactions is too long")

    def _page(self, day: date, number: int) -> tuple[list[Members], int]:
        asked = {
            "start_date": (day - OLDEST).isoformat(),
            "end_date": day.isoformat(),
            "page": number,
            "per_page": PER_PAGE,
        }
        answer = self._access.call("getTransactionsData", "GET", f"getTransactionsData?{urlencode(asked)}")
        rows, last = _page_in(answer.document)
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise unknown("the answer is no list of transactions")
        text = wire.read_identifier(last)
        if not (text.isascii() and text.isdigit()):
            raise unknown("the list of transactions does not say where it ends")
        return rows, int(text)


def _key(row: Members) -> str:
    return wire.read_identifier(wire.first_told(row, "intent_key", "transaction_key"))


def _page_in(document: Members) -> tuple[object, object]:
    """Rows and last page, wherever they stand: beside each other, under `data`, or the pages in `pagination`."""
    inner = document.get("data")
    holder = inner if isinstance(inner, Mapping) else document
    rows = holder.get("data") if isinstance(inner, Mapping) else inner
    pages = wire.first_told({"in": holder.get("pagination"), "on": document.get("pagination")}, "in", "on")
    return rows, (pages if isinstance(pages, Mapping) else holder).get("last_page")
