"""Earnings by booking, and the payable entries that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.payouts.earnings import Earning, Payee
from domain.payouts.payables import PayableEntry
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from infrastructure.database.sales.on_sale import percentage_of
from infrastructure.database.transaction import Row, Statements

_OF_BOOKING: Final = """
SELECT id, booking_id, booking_item_id, payee_type, payee_id, rate, tax_rate, base_minor, amount_minor, tax_minor,
       reversed_amount_minor, reversed_tax_minor, currency, journal_id, earned_at, released_at
FROM earnings WHERE booking_id = %s ORDER BY booking_item_id, payee_type
"""
_COMPLETED_AT: Final = """
SELECT changed_at FROM booking_status_history WHERE booking_id = %s AND to_status = 'COMPLETED' ORDER BY id LIMIT 1
"""
_ADD: Final = """
INSERT INTO earnings (id, booking_id, booking_item_id, payee_type, payee_id, rate, tax_rate, base_minor, amount_minor,
                      tax_minor, reversed_amount_minor, reversed_tax_minor, currency, journal_id, earned_at,
                      released_at)
SELECT id, booking_id, booking_item_id, payee_type, payee_id, rate, tax_rate, base_minor, amount_minor, tax_minor,
       reversed_amount_minor, reversed_tax_minor, currency, journal_id, earned_at, released_at
FROM jsonb_populate_recordset(NULL::earnings, %s)
"""
_SAVE: Final = """
UPDATE earnings e
SET amount_minor = n.amount_minor, tax_minor = n.tax_minor, reversed_amount_minor = n.reversed_amount_minor,
    reversed_tax_minor = n.reversed_tax_minor, journal_id = n.journal_id
FROM jsonb_populate_recordset(NULL::earnings, %s) n WHERE e.id = n.id
"""
_RECORD: Final = """
INSERT INTO payable_entries (id, payee_id, payee_type, kind, account_id, journal_id, booking_id, amount_minor, currency,
                             released_at, occurred_at)
SELECT id, payee_id, payee_type, kind, account_id, journal_id, booking_id, amount_minor, currency, released_at,
       occurred_at
FROM jsonb_populate_recordset(NULL::payable_entries, %s)
"""
_AMOUNTS: Final = ("base", "amount", "tax", "reversed_amount", "reversed_tax")


class SqlEarnings:
    """Implements `application.payouts.earning_ports.Earnings`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of_booking(self, booking_id: UUID) -> Sequence[Earning]:
        return [_earning(row) for row in self._statements.rows(_OF_BOOKING, (booking_id,))]

    def completed_at(self, booking_id: UUID) -> datetime:
        row = self._statements.row(_COMPLETED_AT, (booking_id,))
        if row is None:
            raise LookupError("nobody earns by a trip that is not over")
        at: datetime = row["changed_at"]
        return at

    def add(self, earnings: Sequence[Earning]) -> None:
        if earnings:
            self._statements.execute(_ADD, (Jsonb([_row(earning) for earning in earnings]),))

    def save(self, earnings: Sequence[Earning]) -> None:
        self._statements.execute(_SAVE, (Jsonb([_row(earning) for earning in earnings]),))

    def record(self, entries: Sequence[PayableEntry]) -> None:
        if entries:
            self._statements.execute(_RECORD, (Jsonb([_entry_row(entry) for entry in entries]),))


def _row(earning: Earning) -> Row:
    return {
        "id": earning.id,
        "booking_id": earning.booking_id,
        "booking_item_id": earning.booking_item_id,
        "payee_type": earning.payee.payee_type,
        "payee_id": earning.payee.id,
        "rate": str(earning.rate),
        "tax_rate": str(earning.tax_rate),
        "currency": earning.amount.currency.code,
        "journal_id": earning.journal_id,
        "earned_at": earning.earned_at,
        "released_at": earning.released_at,
        **{f"{name}_minor": getattr(earning, name).minor for name in _AMOUNTS},
    }


def _entry_row(entry: PayableEntry) -> Row:
    return {
        "id": entry.id,
        "payee_id": entry.payee_id,
        "payee_type": entry.payee_type,
        "kind": entry.kind,
        "account_id": entry.account_id,
        "journal_id": entry.journal_id,
        "booking_id": entry.booking_id,
        "amount_minor": entry.amount.minor,
        "currency": entry.amount.currency.code,
        "released_at": entry.released_at,
        "occurred_at": entry.occurred_at,
    }


def _earning(row: Row) -> Earning:
    amounts: dict[str, Any] = {name: Money.of(row[f"{name}_minor"], row["currency"]) for name in _AMOUNTS}
    return Earning(
        id=row["id"],
        booking_id=row["booking_id"],
        booking_item_id=row["booking_item_id"],
        payee=Payee(PayeeType(row["payee_type"]), row["payee_id"]),
        rate=percentage_of(row["rate"]),
        tax_rate=percentage_of(row["tax_rate"]),
        journal_id=row["journal_id"],
        earned_at=row["earned_at"],
        released_at=row["released_at"],
        **amounts,
    )
