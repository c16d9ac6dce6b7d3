"""Wallets as they are shown: how they stand, what moved them, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from application.ledger.queries import EntrySearch, Explanation
from application.queries import After, Row
from domain.ledger.accounts import CHART, AccountKind, AccountRef
from infrastructure.database.ledger.queries import NO_SEQUENCE
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

# The head says where the newest entry is, and the partial index what is held: the same cost for any history.
_STANDING = """
SELECT s.balance_minor, s.held_minor, s.balance_minor - s.held_minor AS available_minor
FROM (SELECT coalesce(e.balance_after_minor, 0) AS balance_minor,
             coalesce((SELECT sum(b.amount_minor) FROM balance_holds b
                       WHERE b.account_id = h.account_id AND b.status = 'ACTIVE'), 0)::bigint AS held_minor
      FROM ledger_heads h LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
      WHERE h.account_id = %s) s
"""
_WALLETS = """
SELECT w.currency, w.balance_minor, w.held_minor, w.balance_minor - w.held_minor AS available_minor,
       w.voucher_credit_minor, w.debt_minor
FROM (SELECT a.currency,
             coalesce(sum(e.balance_after_minor) FILTER (WHERE a.kind = 'WALLET'), 0)::bigint AS balance_minor,
             coalesce(sum(e.balance_after_minor) FILTER (WHERE a.kind = 'VOUCHER_CREDIT'), 0)::bigint
                 AS voucher_credit_minor,
             coalesce(-sum(e.balance_after_minor) FILTER (WHERE a.kind = 'CUSTOMER_DEBT'), 0)::bigint AS debt_minor,
             coalesce(sum(b.held_minor), 0)::bigint AS held_minor
      FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
      LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
      LEFT JOIN LATERAL (SELECT sum(x.amount_minor) AS held_minor FROM balance_holds x
                         WHERE x.account_id = a.id AND x.status = 'ACTIVE' AND a.kind = 'WALLET') b ON true
      WHERE a.user_id = %s AND a.kind IN ('WALLET', 'VOUCHER_CREDIT', 'CUSTOMER_DEBT') AND a.currency <> 'PTS'
      GROUP BY a.currency) w
ORDER BY w.currency
"""
_COLUMNS = """
e.sequence, j.journal_type AS transaction_type, e.amount_minor, e.currency, e.balance_before_minor,
e.balance_after_minor, j.reference_type, j.reference_id, j.description_ar, j.description_en, e.occurred_at
"""
_CHAIN = """
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
WHERE e.account_id = %(account_id)s AND e.sequence < %(before)s
"""
_NEWEST = " ORDER BY e.sequence DESC LIMIT %(limit)s"
_FILTERS = {
    "transaction_type": " AND j.journal_type = %(transaction_type)s",
    "since": " AND e.occurred_at >= %(since)s",
    "until": " AND e.occurred_at < %(until)s",
}


def _number_of(row: str) -> str:
    """The number that people know a source document by."""
    return f"""
CASE {row}.reference_type
    WHEN 'BOOKING' THEN (SELECT s.booking_number FROM bookings s WHERE s.id = {row}.reference_id)
    WHEN 'PAYMENT' THEN (SELECT s.payment_number FROM payments s WHERE s.id = {row}.reference_id)
    WHEN 'MEMBERSHIP' THEN (SELECT s.membership_number FROM membership_subscriptions s WHERE s.id = {row}.reference_id)
    WHEN 'WITHDRAWAL' THEN (SELECT s.withdrawal_number FROM withdrawals s WHERE s.id = {row}.reference_id)
    WHEN 'ADJUSTMENT' THEN (SELECT s.adjustment_number FROM adjustments s WHERE s.id = {row}.reference_id)
    WHEN 'WALLET_TRANSFER' THEN (SELECT s.transfer_number FROM wallet_transfers s WHERE s.id = {row}.reference_id)
    WHEN 'PAYOUT' THEN (SELECT s.payout_number FROM payouts s WHERE s.id = {row}.reference_id)
    WHEN 'CASHBACK' THEN (SELECT s.booking_number FROM cashback_records c JOIN bookings s ON s.id = c.booking_id
                          WHERE c.id = {row}.reference_id)
END"""


# Other people's legs of the same journal are nobody else's business.
_EXPLAINED = f"""
SELECT {_COLUMNS}, j.id AS journal_id, j.reverses_journal_id AS reverses,
       ARRAY(SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = j.id ORDER BY r.id) AS reversed_by,
       {_number_of("j")} AS number,
       (SELECT json_agg(json_build_object('kind', a.kind, 'amount_minor', o.amount_minor, 'currency', o.currency)
                        ORDER BY o.line)
        FROM ledger_entries o JOIN ledger_accounts a ON a.id = o.account_id
        WHERE o.journal_id = e.journal_id AND o.line <> e.line
          AND (a.user_id IS NULL OR a.user_id = %(user_id)s)) AS legs
{_CHAIN}{_NEWEST}
"""
_HOLDS = f"""
SELECT b.id, b.amount_minor, b.currency, b.reference_type, b.reference_id, {_number_of("b")} AS number, b.created_at,
       b.expires_at
FROM balance_holds b JOIN ledger_accounts a ON a.id = b.account_id
WHERE a.user_id = %(user_id)s AND a.kind = %(account)s AND b.status = 'ACTIVE'
"""


class SqlWalletQueries:
    """Implements `application.ledger.queries.WalletQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, user_id: UUID, currency: str, account: AccountKind = AccountKind.WALLET) -> Row:
        row = self._database.row(_STANDING, (AccountRef(account, currency, user_id).id,))
        return {**(row or _NOTHING), "currency": currency}

    def wallets(self, user_id: UUID) -> Sequence[Row]:
        return self._database.rows(_WALLETS, (user_id,))

    def entries(self, user_id: UUID, search: EntrySearch, *, limit: int, before_sequence: int | None) -> Sequence[Row]:
        values = {"transaction_type": search.transaction_type, "since": search.since, "until": search.until}
        where = "".join(sql for name, sql in _FILTERS.items() if values[name] is not None)
        return self._database.rows(
            f"SELECT {_COLUMNS}{_CHAIN}{where}{_NEWEST}",
            {**values, **_page(AccountRef(search.account, search.currency, user_id), limit, before_sequence)},
        )

    def holds(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "b.created_at", "b.id")
        sql = f"{_HOLDS} AND {condition} ORDER BY b.created_at DESC, b.id DESC LIMIT %(limit)s"
        values = {"user_id": user_id, "account": AccountKind.WALLET, **page_values(after, limit)}
        return [_sourced(row) for row in self._database.rows(sql, values)]

    def explain(
        self,
        user_id: UUID,
        currency: str,
        account: AccountKind = AccountKind.WALLET,
        *,
        limit: int,
        before_sequence: int | None,
    ) -> Explanation:
        page = _page(AccountRef(account, currency, user_id), limit, before_sequence)
        # One snapshot: the balance is the one that the newest entry tells of.
        with self._database.transaction() as one:
            one.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            standing = self.standing(user_id, currency, account)
            entries = self._database.rows(_EXPLAINED, {"user_id": user_id, **page})
            holds = self._database.rows(
                f"{_HOLDS} AND b.currency = %(currency)s ORDER BY b.created_at DESC, b.id DESC",
                {"user_id": user_id, "account": account, "currency": currency},
            )
        return Explanation(standing, [_explained(row) for row in entries], [_sourced(row) for row in holds])

    def is_somebody(self, user_id: UUID) -> bool:
        return self._database.row("SELECT 1 FROM users WHERE id = %s", (user_id,)) is not None


_NOTHING: Row = {"balance_minor": 0, "held_minor": 0, "available_minor": 0}


def _page(account: AccountRef, limit: int, before_sequence: int | None) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "before": before_sequence if before_sequence is not None else NO_SEQUENCE,
        "limit": limit + 1,
    }


def _sourced(row: Row) -> Row:
    return {**row, "source": {"type": row["reference_type"], "id": row["reference_id"], "number": row["number"]}}


def _explained(row: Row) -> Row:
    return {**_sourced(row), "counterparts": [{**leg, **_names(leg["kind"])} for leg in row["legs"] or ()]}


def _names(kind: str) -> dict[str, str]:
    """What the chart of accounts calls a kind."""
    line = CHART[AccountKind(kind)]
    return {"name_ar": line.name_ar, "name_en": line.name_en}
