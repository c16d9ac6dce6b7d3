"""Journals as they are taken back: read with all their reversals under a lock of their own, lots beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from application.ledger.reversible import Reversible
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import JournalNotFound, JournalType
from domain.ledger.lots import OpenLot
from domain.ledger.reversals import PostedJournal
from infrastructure.database.ledger.points import ENDS_AT, open_lot
from infrastructure.database.transaction import Row, Statements

# The application may not lock rows of journals; reversals of one journal come one after another by this instead.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('reversal ' || %s, 0))"
_MOVED = """
SELECT o.id, o.journal_type, o.reference_type, o.reference_id, o.description_ar, o.description_en,
       o.reverses_journal_id, a.kind, a.currency, a.user_id, a.provider,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id = o.id), 0)::bigint AS moved,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id <> o.id), 0)::bigint AS taken_back
FROM ledger_journals o
CROSS JOIN LATERAL (SELECT o.id UNION ALL
                    SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = o.id) AS told(id)
JOIN ledger_entries e ON e.journal_id = told.id
JOIN ledger_accounts a ON a.id = e.account_id
WHERE {which}
GROUP BY o.id, a.id ORDER BY min(e.line) FILTER (WHERE e.journal_id = o.id), a.id
"""
_BY_ID = _MOVED.format(which="o.id = %s")
_BY_KEY = _MOVED.format(which="o.idempotency_key = %s")
_OUTSTANDING = f"""
SELECT l.user_id, l.id, -sum(t.points)::bigint AS remaining, {ENDS_AT} AS ends_at, l.journal_id
FROM points_lot_entries t JOIN points_lots l ON l.id = t.lot_id
WHERE t.journal_id IN (SELECT %(journal)s::uuid UNION ALL
                       SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = %(journal)s)
GROUP BY l.id HAVING sum(t.points) < 0 AND bool_or(t.journal_id = %(journal)s)
"""

_POSTED_FOR = """
SELECT id FROM ledger_journals WHERE reference_id = %s AND reference_type = %s AND journal_type = %s ORDER BY id DESC
"""


class SqlReversals:
    """Implements `application.ledger.reversible.Reversals`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def get(self, journal_id: UUID) -> Reversible:
        self._statements.execute(_LOCK, (str(journal_id),))
        rows = self._statements.rows(_BY_ID, (journal_id,))
        if not rows:
            raise JournalNotFound()
        has_points = any(row["kind"] == AccountKind.POINTS for row in rows)
        return Reversible(_posted(rows), self._outstanding(journal_id) if has_points else {})

    def _outstanding(self, journal_id: UUID) -> Mapping[UUID, Sequence[OpenLot]]:
        by_owner: defaultdict[UUID, list[OpenLot]] = defaultdict(list)
        for row in self._statements.rows(_OUTSTANDING, {"journal": journal_id}):
            by_owner[row["user_id"]].append(open_lot(row))
        return by_owner

    def posted_for(self, journal_type: JournalType, reference_type: str, reference_id: UUID) -> Sequence[UUID]:
        rows = self._statements.rows(_POSTED_FOR, (reference_id, reference_type, journal_type))
        return [row["id"] for row in rows]

    def made_by(self, idempotency_key: str) -> PostedJournal | None:
        rows = self._statements.rows(_BY_KEY, (idempotency_key,))
        return _posted(rows) if rows else None


def _posted(rows: Sequence[Row]) -> PostedJournal:
    first = rows[0]
    accounts = {_account(row): row for row in rows}
    return PostedJournal(
        id=first["id"],
        journal_type=JournalType(first["journal_type"]),
        reference_type=first["reference_type"],
        reference_id=first["reference_id"],
        description_ar=first["description_ar"],
        description_en=first["description_en"],
        moved={account: row["moved"] for account, row in accounts.items() if row["moved"]},
        taken_back={account: row["taken_back"] for account, row in accounts.items() if row["taken_back"]},
        reverses=first["reverses_journal_id"],
    )


def _account(row: Row) -> AccountRef:
    return AccountRef(AccountKind(row["kind"]), row["currency"], row["user_id"], row["provider"])
