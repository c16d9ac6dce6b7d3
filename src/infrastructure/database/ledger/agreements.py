"""Verification of what stands beside the entries and follows from them: reversals, holds, lots of points."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from infrastructure.database.ledger.faults import Fault

# Each answers the first row that does not agree, if any, and what of it.
_REVERSALS: Final = """
SELECT x.id::text, 'its reversals take more than it moved' AS reason
FROM (SELECT o.id, e.account_id, coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id = o.id), 0) AS given,
             coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id <> o.id), 0) AS taken
      FROM (SELECT DISTINCT reverses_journal_id AS id FROM ledger_journals WHERE reverses_journal_id IS NOT NULL) o
      CROSS JOIN LATERAL (SELECT o.id UNION ALL
                          SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = o.id) AS told(id)
      JOIN ledger_entries e ON e.journal_id = told.id
      GROUP BY o.id, e.account_id) x
LEFT JOIN ledger_accounts a ON a.id = x.account_id LEFT JOIN ledger_journals original ON original.id = x.id
WHERE original.id IS NULL OR original.reverses_journal_id IS NOT NULL
   OR (a.kind <> 'CUSTOMER_DEBT' AND (sign(x.given) * sign(x.taken) > 0 OR abs(x.taken) > abs(x.given)))
LIMIT 1
"""
_HELD: Final = """
SELECT x.id::text, 'its account has less than is held of it' AS reason
FROM (SELECT account_id, sum(amount_minor) AS held, (array_agg(id ORDER BY created_at DESC, id DESC))[1] AS id
      FROM balance_holds WHERE status = 'ACTIVE' GROUP BY account_id) x
LEFT JOIN ledger_heads h ON h.account_id = x.account_id
LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
WHERE x.held > coalesce(e.balance_after_minor, 0) LIMIT 1
"""
_COUNTED: Final = """
SELECT h.account_id::text, 'its head counts other than is held of it' AS reason
FROM ledger_heads h LEFT JOIN (SELECT account_id, sum(amount_minor) AS held FROM balance_holds WHERE status = 'ACTIVE'
                               GROUP BY account_id) b ON b.account_id = h.account_id
WHERE h.held_minor IS DISTINCT FROM coalesce(b.held, 0) LIMIT 1
"""
_CAPTURED: Final = """
SELECT x.id::text, 'its journal took less than was captured' AS reason
FROM (SELECT journal_id, account_id, sum(captured_minor) AS captured, (array_agg(id ORDER BY id))[1] AS id
      FROM balance_holds WHERE status = 'CAPTURED' GROUP BY journal_id, account_id) x
WHERE x.captured > coalesce((SELECT -sum(e.amount_minor) FROM ledger_entries e
                             WHERE e.journal_id = x.journal_id AND e.account_id = x.account_id), 0) LIMIT 1
"""
_LOTS: Final = """
SELECT l.id::text, 'what is left of it is not what its entries left' AS reason
FROM points_lots l LEFT JOIN (SELECT lot_id, sum(points) AS points FROM points_lot_entries GROUP BY lot_id) t
  ON t.lot_id = l.id
WHERE l.remaining IS DISTINCT FROM l.points + coalesce(t.points, 0) LIMIT 1
"""
_POINTS: Final = """
SELECT user_id::text, 'the lots hold other than the account says' AS reason
FROM (SELECT user_id, sum(remaining) AS points FROM points_lots GROUP BY user_id) l
FULL JOIN (SELECT a.user_id, e.balance_after_minor AS points FROM ledger_accounts a
           JOIN ledger_heads h ON h.account_id = a.id
           JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
           WHERE a.kind = 'POINTS') a USING (user_id)
WHERE coalesce(l.points, 0) <> coalesce(a.points, 0) LIMIT 1
"""
_AGREEMENTS: Final = (
    ("journal {}", _REVERSALS),
    ("hold {}", _HELD),
    ("account {}", _COUNTED),
    ("hold {}", _CAPTURED),
    ("points lot {}", _LOTS),
    ("points of user {}", _POINTS),
)


def find_disagreement(connection: psycopg.Connection[Any]) -> Fault | None:
    """The first row beside the entries that does not agree with them."""
    for row, sql in _AGREEMENTS:
        found = connection.execute(sql).fetchone()
        if found is not None:
            return Fault(row.format(found[0]), found[1])
    return None
