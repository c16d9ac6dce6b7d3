"""What was asked of wallets, as it is shown: withdrawals, adjustments, transfers, rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from application.ports import Encryption
from application.queries import After, Row
from domain.ledger.withdrawals import masked
from domain.pricing.exchange import plain
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_WITHDRAWALS = """
SELECT w.id, w.withdrawal_number, w.user_id, u.email AS user_email, w.amount_minor, w.currency,
       w.destination_encrypted, w.status, w.bank_reference, w.reason, w.created_at, w.decided_by_user_id,
       w.decided_at, w.closed_by_user_id, w.closed_at, w.updated_at,
       coalesce((SELECT -e.balance_after_minor FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
                 JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
                 WHERE a.user_id = w.user_id AND a.kind = 'CUSTOMER_DEBT' AND a.currency = w.currency), 0)::bigint
           AS debt_minor
FROM withdrawals w JOIN users u ON u.id = w.user_id
WHERE true
"""
_ADJUSTMENTS = """
SELECT d.id, d.adjustment_number, d.user_id, u.email AS user_email,
       CASE WHEN d.currency = 'PTS' THEN 'POINTS' ELSE d.account_kind END AS account,
       CASE WHEN d.currency <> 'PTS' THEN d.amount_minor END AS amount_minor,
       CASE WHEN d.currency = 'PTS' THEN d.amount_minor END AS points,
       d.currency, d.reason, d.status, d.needs_approval, d.made_by_user_id, d.decided_by_user_id, d.created_at,
       d.decided_at
FROM adjustments d JOIN users u ON u.id = d.user_id
WHERE true
"""
_TRANSFERS = """
SELECT t.id, t.transfer_number, t.amount_minor, t.currency, t.received_minor, t.received_currency, t.rate_id,
       r.rate, t.created_at
FROM wallet_transfers t JOIN exchange_rates r ON r.id = t.rate_id
WHERE t.user_id = %(owner)s
"""
_RATES = "SELECT r.id, r.from_currency, r.to_currency, r.rate, r.valid_from FROM exchange_rates r"
_NEWEST_RATES = """
SELECT DISTINCT ON (r.from_currency, r.to_currency) r.id, r.from_currency, r.to_currency, r.rate, r.valid_from
FROM exchange_rates r WHERE r.valid_from <= %(at)s
"""


class SqlWalletRequestQueries:
    """Implements `application.ledger.queries.WalletRequestQueries`."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def withdrawals(self, *, owner: UUID | None, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        filters = {"w.user_id = %(owner)s": owner, "w.status = %(status)s": status}
        rows = self._database.rows(
            _page(_WITHDRAWALS, "w", filters, after), {"owner": owner, "status": status, **page_values(after, limit)}
        )
        return [self._readable(row) for row in rows]

    def withdrawal(self, withdrawal_id: UUID, *, owner: UUID | None) -> Row | None:
        row = self._database.row(
            f"{_WITHDRAWALS} AND w.id = %(id)s AND (%(owner)s::uuid IS NULL OR w.user_id = %(owner)s)",
            {"id": withdrawal_id, "owner": owner},
        )
        return None if row is None else self._readable(row)

    def _readable(self, row: Row) -> Row:
        sealed = row["destination_encrypted"]
        destination = None if sealed is None else self._encryption.decrypt(bytes(sealed))
        return {
            **row,
            "destination": destination,
            "destination_masked": None if destination is None else masked(destination),
        }

    def adjustments(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        sql = _page(_ADJUSTMENTS, "d", {"d.status = %(status)s": status}, after)
        return self._database.rows(sql, {"status": status, **page_values(after, limit)})

    def adjustment(self, adjustment_id: UUID) -> Row | None:
        return self._database.row(f"{_ADJUSTMENTS} AND d.id = %s", (adjustment_id,))

    def transfers(self, *, owner: UUID, limit: int, after: After | None) -> Sequence[Row]:
        rows = self._database.rows(_page(_TRANSFERS, "t", {}, after), {"owner": owner, **page_values(after, limit)})
        return [_with_plain_rate(row) for row in rows]

    def transfer(self, transfer_id: UUID, *, owner: UUID) -> Row | None:
        row = self._database.row(f"{_TRANSFERS} AND t.id = %(id)s", {"owner": owner, "id": transfer_id})
        return None if row is None else _with_plain_rate(row)

    def newest_rates(self, *, source: str | None, target: str | None, at: datetime) -> Sequence[Row]:
        filters = {"r.from_currency = %(source)s": source, "r.to_currency = %(target)s": target}
        sql = f"{_NEWEST_RATES}{_where(filters)} ORDER BY r.from_currency, r.to_currency, r.valid_from DESC, r.id DESC"
        return [
            _with_plain_rate(row) for row in self._database.rows(sql, {"source": source, "target": target, "at": at})
        ]

    def rate(self, rate_id: UUID) -> Row | None:
        row = self._database.row(f"{_RATES} WHERE r.id = %s", (rate_id,))
        return None if row is None else _with_plain_rate(row)


def _page(sql: str, row: str, filters: Mapping[str, object], after: After | None) -> str:
    """A list by time, newest first, held to the filters that are given."""
    behind = page_after(after, f"{row}.created_at", f"{row}.id")
    return f"{sql}{_where(filters)} AND {behind} ORDER BY {row}.created_at DESC, {row}.id DESC LIMIT %(limit)s"


def _where(filters: Mapping[str, object]) -> str:
    return "".join(f" AND {condition}" for condition, value in filters.items() if value is not None)


def _with_plain_rate(row: Row) -> Row:
    return {**row, "rate": plain(row["rate"])}
