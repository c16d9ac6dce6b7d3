"""Reconciliations and breaks as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.ledger.totals import MOVED
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_RECONCILIATIONS = """
SELECT id, provider, since, until, lines, matched, breaks, imported_by_user_id, imported_at FROM reconciliations
"""
# A clearing account is an asset: what it has in debits, the provider holds for us.
_DAYS = f"""
WITH held AS (
    SELECT currency, day, sum(debits_minor - credits_minor) AS moved,
           sum(sum(debits_minor - credits_minor)) OVER (PARTITION BY currency ORDER BY day) AS closing
    FROM ({MOVED}) AS m WHERE kind = 'PROVIDER_CLEARING' AND provider = %(provider)s GROUP BY 1, 2)
SELECT s.currency, s.day, s.opening_minor AS their_opening_minor, s.closing_minor AS their_closing_minor,
       coalesce((SELECT sum(l.amount_minor) FROM clearing_statement_lines l WHERE l.statement_id = s.id), 0)::bigint
           AS their_movement_minor,
       coalesce((SELECT h.moved FROM held h WHERE h.currency = s.currency AND h.day = s.day), 0)::bigint
           AS our_movement_minor,
       coalesce((SELECT h.closing FROM held h WHERE h.currency = s.currency AND h.day <= s.day
                 ORDER BY h.day DESC LIMIT 1), 0)::bigint AS our_closing_minor
FROM clearing_statements s WHERE s.reconciliation_id = %(id)s ORDER BY s.currency, s.day
"""
_BREAKS = """
SELECT id, provider, provider_reference, line_kind, currency, kind, ours_minor, theirs_minor,
       ours_minor - theirs_minor AS difference_minor, day, status, found_at, resolved_at,
       extract(day FROM coalesce(resolved_at, %(now)s) - found_at)::integer AS age_days,
       decided_by_user_id, reason, journal_id, written_off_minor
FROM clearing_breaks
"""


class SqlReconciliationQueries:
    """Implements `application.ledger.books_queries.ReconciliationQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reconciliations(self, *, provider: str | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "imported_at", "id")
        sql = f"""{_RECONCILIATIONS} WHERE (%(provider)s::text IS NULL OR provider = %(provider)s) AND {condition}
                  ORDER BY imported_at DESC, id DESC LIMIT %(limit)s"""
        return self._database.rows(sql, {"provider": provider, **page_values(after, limit)})

    def reconciliation(self, reconciliation_id: UUID) -> Row | None:
        row = self._database.row(f"{_RECONCILIATIONS} WHERE id = %s", (reconciliation_id,))
        if row is None:
            return None
        days = self._database.rows(_DAYS, {"id": reconciliation_id, "provider": row["provider"]})
        return {**row, "days": days}

    def breaks(
        self, *, status: str | None, provider: str | None, now: datetime, limit: int, after: After | None
    ) -> Sequence[Row]:
        conditions = [page_after(after, "found_at", "id")]
        conditions += ["status = %(status)s"] if status is not None else []
        conditions += ["provider = %(provider)s"] if provider is not None else []
        sql = f"{_BREAKS} WHERE {' AND '.join(conditions)} ORDER BY found_at DESC, id DESC LIMIT %(limit)s"
        values = {"status": status, "provider": provider, "now": now, **page_values(after, limit)}
        return self._database.rows(sql, values)

    def one_break(self, break_id: UUID, *, now: datetime) -> Row | None:
        return self._database.row(f"{_BREAKS} WHERE id = %(id)s", {"id": break_id, "now": now})
