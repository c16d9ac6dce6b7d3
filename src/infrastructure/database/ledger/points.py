"""Lots of points, and what journals did to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from application.ledger.ports import Reminder
from domain.ledger.accounts import AccountKind
from domain.ledger.lots import LotEntry, OpenLot
from domain.ledger.points import Earning, PointsTerms
from infrastructure.database.transaction import Row, Statements

# In the words of the index ix_points_lots_open.
ENDS_AT = "greatest(l.expires_at, l.grace_until)"

_OPEN_LOTS = f"""
SELECT l.id, l.remaining, {ENDS_AT} AS ends_at, l.journal_id FROM points_lots l
WHERE l.user_id = %(user_id)s AND l.remaining > 0
"""
_RECORD = """
INSERT INTO points_lot_entries (journal_id, lot_id, points, grace_until)
SELECT n.* FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::timestamptz[]) AS n(journal_id, lot_id, points, until)
WHERE EXISTS (SELECT 1 FROM ledger_journals j WHERE j.id = n.journal_id)
"""
_EARNING = "SELECT id FROM ledger_journals WHERE idempotency_key = %s AND journal_type = 'EARNED'"
# Of the journal itself, and of the reversals of it so far.
_LEGS = """
SELECT e.journal_id = %(id)s AS is_own, a.kind, e.amount_minor
FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
WHERE e.journal_id IN (SELECT %(id)s::uuid UNION ALL
                       SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = %(id)s)
"""
_OWNERS_OF_ENDING = f"""
SELECT DISTINCT l.user_id FROM points_lots l
WHERE l.remaining > 0 AND {ENDS_AT} <= %(until)s AND (%(since)s::timestamptz IS NULL OR {ENDS_AT} > %(since)s)
  AND (%(behind)s::uuid IS NULL OR l.user_id > %(behind)s)
ORDER BY l.user_id LIMIT %(limit)s
"""
_ENDED_LOTS = f"""
SELECT l.user_id, l.id, l.remaining, {ENDS_AT} AS ends_at, l.journal_id FROM points_lots l
WHERE l.user_id = ANY (%s) AND l.remaining > 0 AND {ENDS_AT} <= %s ORDER BY l.user_id, ends_at, l.id
"""
# In one order: two that note the same at once wait for each other, and the second finds it noted.
_REMIND = f"""
WITH due AS (
    SELECT l.id AS lot_id, {ENDS_AT} AS ends_at,
           (SELECT min(s.days) FROM unnest(%(stages)s::integer[]) AS s(days)
            WHERE {ENDS_AT} <= %(at)s + s.days * interval '24 hours') AS days_before
    FROM points_lots l JOIN users u ON u.id = l.user_id AND u.deleted_at IS NULL
    WHERE l.user_id = ANY (%(owners)s) AND l.remaining > 0 AND {ENDS_AT} > %(at)s AND {ENDS_AT} <= %(until)s
), noted AS (
    INSERT INTO points_reminders (lot_id, ends_at, days_before, noted_at)
    SELECT d.lot_id, d.ends_at, d.days_before, %(at)s FROM due d ORDER BY d.lot_id
    ON CONFLICT DO NOTHING RETURNING lot_id, ends_at, days_before
)
SELECT l.user_id, n.days_before, sum(l.remaining)::bigint AS points, min(n.ends_at) AS ends_at
FROM noted n JOIN points_lots l ON l.id = n.lot_id
GROUP BY l.user_id, n.days_before ORDER BY l.user_id, n.days_before
"""


class SqlPoints:
    """Implements `application.ledger.ports.Points`."""

    def __init__(self, statements: Statements, terms: Callable[[], PointsTerms]) -> None:
        self._statements = statements
        self._terms = terms

    @property
    def terms(self) -> PointsTerms:
        return self._terms()

    def posted(self, key: str) -> UUID | None:
        row = self._statements.row("SELECT id FROM ledger_journals WHERE idempotency_key = %s", (key,))
        return None if row is None else row["id"]

    def open_lots(self, user_id: UUID, *, ending_after: datetime | None) -> Sequence[OpenLot]:
        living = "" if ending_after is None else f" AND {ENDS_AT} > %(after)s"
        rows = self._statements.rows(_OPEN_LOTS + living, {"user_id": user_id, "after": ending_after})
        return [open_lot(row) for row in rows]

    def record(self, done: Mapping[UUID, Sequence[LotEntry]]) -> None:
        rows = [
            (journal_id, entry.lot_id, entry.points, entry.grace_until)
            for journal_id, entries in done.items()
            for entry in entries
        ]
        if rows:
            self._statements.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])

    def earning(self, key: str) -> Earning | None:
        row = self._statements.row(_EARNING, (key,))
        if row is None:
            return None
        legs = _Legs(self._statements.rows(_LEGS, {"id": row["id"]}))
        return Earning(
            journal_id=row["id"],
            points=-legs.of(AccountKind.POINTS_ISSUED),
            reached=legs.of(AccountKind.POINTS),
            taken_back=legs.since(AccountKind.POINTS_ISSUED),
            taken_from_points=-legs.since(AccountKind.POINTS),
        )

    def owners_of_ending(
        self, *, since: datetime | None, until: datetime, behind: UUID | None, limit: int
    ) -> Sequence[UUID]:
        values = {"since": since, "until": until, "behind": behind, "limit": limit}
        return [row["user_id"] for row in self._statements.rows(_OWNERS_OF_ENDING, values)]

    def ended_lots(self, owners: Sequence[UUID], *, at: datetime) -> Mapping[UUID, Sequence[OpenLot]]:
        lots: defaultdict[UUID, list[OpenLot]] = defaultdict(list)
        for row in self._statements.rows(_ENDED_LOTS, (list(owners), at)):
            lots[row["user_id"]].append(open_lot(row))
        return lots

    def remind(self, owners: Sequence[UUID], stages: Sequence[timedelta], *, at: datetime) -> Sequence[Reminder]:
        days = [stage.days for stage in stages]
        values = {"owners": list(owners), "stages": days, "at": at, "until": at + max(stages)}
        return [
            Reminder(user_id=row["user_id"], days=row["days_before"], points=row["points"], ends_at=row["ends_at"])
            for row in self._statements.rows(_REMIND, values)
        ]


class _Legs:
    """The entries of a journal, and those of its reversals since, by kind of account."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def of(self, kind: AccountKind) -> int:
        return self._sum(kind, is_own=True)

    def since(self, kind: AccountKind) -> int:
        return self._sum(kind, is_own=False)

    def _sum(self, kind: AccountKind, *, is_own: bool) -> int:
        return sum(row["amount_minor"] for row in self._rows if row["kind"] == kind and row["is_own"] == is_own)


def open_lot(row: Row) -> OpenLot:
    """A lot by its row: id, remaining, ends_at, journal_id."""
    return OpenLot(row["id"], row["remaining"], row["ends_at"], row["journal_id"])
