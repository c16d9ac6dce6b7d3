"""Points as their owners see them: what they hold, their lots, and what became of each lot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from application.queries import After, Row
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT
from infrastructure.database.ledger.points import ENDS_AT
from infrastructure.database.pages import page_values
from infrastructure.database.transaction import Database

MOVEMENTS_SHOWN = 100

_BALANCE = """coalesce((
    SELECT e.balance_after_minor FROM ledger_heads h
    JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
    WHERE h.account_id = %({account})s), 0)::bigint"""
_HELD = """coalesce((
    SELECT sum(b.amount_minor) FROM balance_holds b
    WHERE b.account_id = %(points)s AND b.status = 'ACTIVE'), 0)::bigint"""

# Heads lead to the balances, the index of open lots to the sums: whatever the history, the same few rows.
_SUMMARY = f"""
SELECT s.balance, s.owed AS debt, o.expiring_soon,
       greatest(least(s.balance - s.held, o.living), 0)::bigint AS available
FROM (SELECT {_BALANCE.format(account="points")} AS balance, -{_BALANCE.format(account="debt")} AS owed,
             {_HELD} AS held) s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.remaining), 0)::bigint AS living,
           coalesce(sum(l.remaining) FILTER (WHERE {ENDS_AT} <= %(until)s), 0)::bigint AS expiring_soon
    FROM points_lots l WHERE l.user_id = %(user_id)s AND l.remaining > 0 AND {ENDS_AT} > %(now)s) o
"""
_ORIGIN = """
       j.journal_type, j.reference_type, j.reference_id,
       coalesce(b.booking_number, p.payment_number) AS reference_number
"""
_REFERENCES = """
LEFT JOIN bookings b ON j.reference_type = 'BOOKING' AND b.id = j.reference_id
LEFT JOIN payments p ON j.reference_type = 'PAYMENT' AND p.id = j.reference_id
"""
# The page is cut before anything is looked up beside it.
_LOTS = f"""
SELECT l.*, {_ORIGIN}
FROM (SELECT l.id, l.journal_id, l.points, l.remaining, l.earned_at, {ENDS_AT} AS expires_at,
             l.grace_until IS NOT NULL AND l.grace_until > l.expires_at AS in_grace
      FROM points_lots l WHERE l.user_id = %(user_id)s {{only}}
      ORDER BY {ENDS_AT}, l.id LIMIT %(limit)s) l
JOIN ledger_journals j ON j.id = l.journal_id {_REFERENCES}
"""
_LEFT = "AND l.remaining > 0"

# One statement, one snapshot: what is explained adds up to the balance whatever is posted meanwhile.
_EXPLAINED = f"""
WITH page AS ({{lots}})
SELECT t.balance, t.explained, page.*, m.journal_id AS moved_by, m.moved, m.moved_at, m.moved_type,
       m.moved_reference_type, m.moved_reference_id, m.moved_reference_number, s.taken, s.given_back, s.movements_count
FROM (SELECT {_BALANCE.format(account="points")} AS balance,
             coalesce((SELECT sum(l.remaining) FROM points_lots l
                       WHERE l.user_id = %(user_id)s AND l.remaining > 0), 0)::bigint AS explained) t
LEFT JOIN page ON true
LEFT JOIN LATERAL (
    SELECT -coalesce(sum(e.points) FILTER (WHERE e.points < 0), 0)::bigint AS taken, count(*) AS movements_count,
           coalesce(sum(e.points) FILTER (WHERE e.points > 0), 0)::bigint AS given_back
    FROM points_lot_entries e WHERE e.lot_id = page.id) s ON page.id IS NOT NULL
LEFT JOIN LATERAL (
    SELECT e.journal_id, e.points AS moved, j.occurred_at AS moved_at, j.journal_type AS moved_type,
           j.reference_type AS moved_reference_type, j.reference_id AS moved_reference_id,
           coalesce(b.booking_number, p.payment_number) AS moved_reference_number
    FROM points_lot_entries e JOIN ledger_journals j ON j.id = e.journal_id {_REFERENCES}
    WHERE e.lot_id = page.id ORDER BY e.journal_id DESC LIMIT {MOVEMENTS_SHOWN}) m ON page.id IS NOT NULL
ORDER BY page.expires_at, page.id, m.journal_id DESC
"""


class SqlPointsQueries:
    """Implements `application.queries.PointsQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self, user_id: UUID, *, now: datetime, until: datetime) -> Row:
        row = self._database.row(_SUMMARY, {**_accounts(user_id), "now": now, "until": until})
        if row is None:
            raise LookupError("sums answer one row")
        return row

    def lots(self, user_id: UUID, *, spent: bool, limit: int, after: After | None) -> Sequence[Row]:
        sql = _LOTS.format(only=_behind(after) if spent else f"{_LEFT} {_behind(after)}")
        sql += " ORDER BY l.expires_at, l.id"
        return self._database.rows(sql, {"user_id": user_id, **page_values(after, limit)})

    def explain(self, user_id: UUID, *, limit: int, after: After | None) -> Row:
        lots = _LOTS.format(only=f"{_LEFT} {_behind(after)}")
        rows = self._database.rows(_EXPLAINED.format(lots=lots), {**_accounts(user_id), **page_values(after, limit)})
        first = rows[0]
        return {"balance": first["balance"], "explained": first["explained"], "items": _with_movements(rows)}


def _accounts(user_id: UUID) -> Row:
    return {
        "user_id": user_id,
        "points": accounts.points(user_id).id,
        "debt": accounts.debt(user_id, POINTS_UNIT).id,
    }


def _behind(after: After | None) -> str:
    return "" if after is None else f"AND ({ENDS_AT}, l.id) > (%(after_key)s::timestamptz, %(after_id)s::uuid)"


def _with_movements(rows: Sequence[Row]) -> list[Row]:
    """Each lot once, with the movements that stand beside it on its rows."""
    lots: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["id"] is None:
            continue
        lot = lots.setdefault(row["id"], {**row, "movements": []})
        if row["moved_by"] is not None:
            lot["movements"].append(
                {
                    "journal_id": row["moved_by"],
                    "journal_type": row["moved_type"],
                    "reference_type": row["moved_reference_type"],
                    "reference_id": row["moved_reference_id"],
                    "reference_number": row["moved_reference_number"],
                    "points": row["moved"],
                    "occurred_at": row["moved_at"],
                }
            )
    return list(lots.values())
