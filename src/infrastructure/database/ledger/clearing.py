"""What providers state of our money, compared set-wise with what we received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.ledger.reconciliation import (
    BreakKind,
    BreakNotFound,
    BreakStatus,
    ClearingBreak,
    Comparison,
    LineKind,
    ProviderStatement,
    Reconciliation,
)
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO reconciliations (id, provider, since, until, lines, matched, breaks, imported_by_user_id, imported_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_FINISH = "UPDATE reconciliations SET matched = %s, breaks = %s WHERE id = %s"
_PUT_DAYS = """
INSERT INTO clearing_statements (id, reconciliation_id, provider, currency, day, opening_minor, closing_minor)
SELECT x.id, %(reconciliation)s, %(provider)s, x.currency, x.day, x.opening, x.closing
FROM unnest(%(ids)s::uuid[], %(currencies)s::text[], %(days)s::date[], %(openings)s::bigint[], %(closings)s::bigint[])
     AS x(id, currency, day, opening, closing)
ON CONFLICT (provider, currency, day) DO UPDATE
SET reconciliation_id = excluded.reconciliation_id, opening_minor = excluded.opening_minor,
    closing_minor = excluded.closing_minor
"""
_DROP_LINES = """
DELETE FROM clearing_statement_lines l USING clearing_statements s
WHERE s.id = l.statement_id AND s.reconciliation_id = %s RETURNING l.provider_reference
"""
_PUT_LINES = """
INSERT INTO clearing_statement_lines (statement_id, position, provider, provider_reference, kind, amount_minor,
                                      currency, booked_on)
SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY x.place), s.provider, x.reference, x.kind, x.amount,
       s.currency, s.day
FROM unnest(%(references)s::text[], %(kinds)s::text[], %(amounts)s::bigint[], %(currencies)s::text[], %(days)s::date[])
     WITH ORDINALITY AS x(reference, kind, amount, currency, day, place)
JOIN clearing_statements s
  ON s.reconciliation_id = %(reconciliation)s AND s.currency = x.currency AND s.day = x.day
"""
# Sums by reference: who paid twice at the provider has paid twice with us. What was written off is no longer ours.
# Refunds are compared with providers whose statements speak of refunds at all; Fawaterk's do not.
_COMPARE = """
WITH days AS (
    SELECT d.currency, d.day, d.day::timestamp AT TIME ZONE 'Africa/Cairo' AS begins,
           (d.day + 1)::timestamp AT TIME ZONE 'Africa/Cairo' AS ends
    FROM unnest(%(currencies)s::text[], %(days)s::date[]) AS d(currency, day)),
scope AS (
    SELECT unnest(%(references)s::text[]) AS reference
    UNION
    SELECT a.provider_reference FROM days d
    JOIN payment_receipts r ON r.currency = d.currency AND r.received_at >= d.begins AND r.received_at < d.ends
    JOIN payment_attempts a ON a.id = r.attempt_id AND a.provider = %(provider)s
    WHERE r.received_at >= (SELECT min(begins) FROM days) AND r.received_at < (SELECT max(ends) FROM days)
    UNION
    SELECT f.provider_refund_reference FROM days d
    JOIN refund_parts f ON f.provider = %(provider)s AND f.currency = d.currency AND f.updated_at >= d.begins
    JOIN ledger_journals j ON j.id = f.journal_id AND j.occurred_at >= d.begins AND j.occurred_at < d.ends
    WHERE f.provider_refund_reference IS NOT NULL
    UNION
    SELECT b.provider_reference FROM days d
    JOIN clearing_breaks b ON b.provider = %(provider)s AND b.currency = d.currency AND b.day = d.day),
received AS (
    SELECT a.provider_reference AS reference, 'PAYMENT' AS kind, r.currency, r.amount_minor,
           (r.received_at AT TIME ZONE 'Africa/Cairo')::date AS day
    FROM scope s
    JOIN payment_attempts a ON a.provider = %(provider)s AND a.provider_reference = s.reference
    JOIN payment_receipts r ON r.attempt_id = a.id
    UNION ALL
    SELECT f.provider_refund_reference, 'REFUND', f.currency, -f.amount_minor,
           (j.occurred_at AT TIME ZONE 'Africa/Cairo')::date
    FROM scope s
    JOIN refund_parts f ON f.provider = %(provider)s AND f.provider_refund_reference = s.reference
    JOIN ledger_journals j ON j.id = f.journal_id
    WHERE f.return_journal_id IS NULL
      AND EXISTS (SELECT 1 FROM clearing_statement_lines l WHERE l.provider = %(provider)s AND l.kind = 'REFUND')
    UNION ALL
    SELECT b.provider_reference, b.line_kind, b.currency, -b.written_off_minor, b.day
    FROM scope s JOIN clearing_breaks b ON b.provider = %(provider)s AND b.provider_reference = s.reference
    WHERE b.written_off_minor > 0),
ours AS (
    SELECT reference, kind, currency, sum(amount_minor)::bigint AS minor, min(day) AS day
    FROM received GROUP BY 1, 2, 3),
theirs AS (
    SELECT l.provider_reference AS reference, l.kind, l.currency, sum(l.amount_minor)::bigint AS minor,
           min(l.booked_on) AS day
    FROM scope s
    JOIN clearing_statement_lines l ON l.provider = %(provider)s AND l.provider_reference = s.reference
    GROUP BY 1, 2, 3),
stated AS (
    SELECT o.* FROM ours o
    WHERE EXISTS (SELECT 1 FROM clearing_statements c
                  WHERE c.provider = %(provider)s AND c.currency = o.currency AND c.day = o.day)
       OR EXISTS (SELECT 1 FROM theirs t WHERE (t.reference, t.kind, t.currency) = (o.reference, o.kind, o.currency))),
known AS (
    SELECT reference, kind, currency FROM stated UNION SELECT reference, kind, currency FROM theirs
    UNION
    SELECT b.provider_reference, b.line_kind, b.currency
    FROM scope s JOIN clearing_breaks b ON b.provider = %(provider)s AND b.provider_reference = s.reference)
SELECT k.reference AS provider_reference, k.kind AS line_kind, k.currency AS unit, o.minor AS ours, t.minor AS theirs,
       least(o.day, t.day) AS day
FROM known k
LEFT JOIN stated o ON (o.reference, o.kind, o.currency) = (k.reference, k.kind, k.currency)
LEFT JOIN theirs t ON (t.reference, t.kind, t.currency) = (k.reference, k.kind, k.currency)
ORDER BY 1, 2, 3
"""
_OPEN = """
INSERT INTO clearing_breaks AS b (id, provider, provider_reference, line_kind, currency, kind, ours_minor, theirs_minor,
                                  day, status, found_at)
SELECT x.id, %(provider)s, x.reference, x.line_kind, x.currency, x.kind, x.ours, x.theirs, x.day, 'OPEN', %(at)s
FROM unnest(%(ids)s::uuid[], %(references)s::text[], %(line_kinds)s::text[], %(currencies)s::text[], %(kinds)s::text[],
            %(ours)s::bigint[], %(theirs)s::bigint[], %(days)s::date[])
     AS x(id, reference, line_kind, currency, kind, ours, theirs, day)
ON CONFLICT ON CONSTRAINT uq_clearing_breaks_reference DO UPDATE
SET kind = excluded.kind, ours_minor = excluded.ours_minor, theirs_minor = excluded.theirs_minor, day = excluded.day,
    status = 'OPEN', found_at = CASE WHEN b.status = 'OPEN' THEN b.found_at ELSE excluded.found_at END,
    resolved_at = NULL, decided_by_user_id = NULL, reason = ''
WHERE b.status = 'MATCHED' OR (b.ours_minor, b.theirs_minor) <> (excluded.ours_minor, excluded.theirs_minor)
"""
_CLOSE = """
UPDATE clearing_breaks b SET status = 'MATCHED', resolved_at = %(at)s
FROM unnest(%(references)s::text[], %(line_kinds)s::text[], %(currencies)s::text[]) AS x(reference, line_kind, currency)
WHERE b.provider = %(provider)s AND b.status = 'OPEN'
  AND (b.provider_reference, b.line_kind, b.currency) = (x.reference, x.line_kind, x.currency)
"""
_BREAK = "SELECT * FROM clearing_breaks WHERE id = %s FOR UPDATE"
_DECIDE = """
UPDATE clearing_breaks SET status = %s, reason = %s, decided_by_user_id = %s, resolved_at = %s, journal_id = %s,
                           written_off_minor = %s
WHERE id = %s
"""


class SqlClearingBooks:
    """Implements `application.ledger.books_ports.ClearingBooks`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def put(self, reconciliation: Reconciliation, statement: ProviderStatement, new_id: NewId) -> Sequence[str]:
        self._statements.execute(
            _ADD,
            (reconciliation.id, reconciliation.provider, reconciliation.since, reconciliation.until,
             reconciliation.lines, reconciliation.matched, reconciliation.breaks, reconciliation.imported_by,
             reconciliation.imported_at),
        )  # fmt: skip
        self._statements.execute(_PUT_DAYS, _days(reconciliation, statement, new_id))
        replaced = self._statements.rows(_DROP_LINES, (reconciliation.id,))
        self._statements.execute(_PUT_LINES, _lines(reconciliation, statement))
        return [row["provider_reference"] for row in replaced]

    def compare(self, statement: ProviderStatement, *, also: Sequence[str]) -> Sequence[Comparison]:
        named = {line.provider_reference for line in statement.lines} | set(also)
        days = sorted(statement.days)
        rows = self._statements.rows(
            _COMPARE,
            {
                "provider": statement.provider,
                "references": sorted(named),
                "currencies": [unit for unit, _ in days],
                "days": [day for _, day in days],
            },
            replan=True,
        )
        return [Comparison(**{**row, "line_kind": LineKind(row["line_kind"])}) for row in rows]

    def note(self, provider: str, compared: Sequence[Comparison], *, at: datetime, new_id: NewId) -> None:
        differing = [(one, one.break_kind) for one in compared if one.break_kind is not None]
        agreeing = [one for one in compared if one.break_kind is None]
        self._statements.execute(
            _OPEN,
            {
                **_names(provider, [one for one, _ in differing], at),
                "ids": [new_id() for _ in differing],
                "kinds": [kind.value for _, kind in differing],
                "ours": [one.ours or 0 for one, _ in differing],
                "theirs": [one.theirs or 0 for one, _ in differing],
                "days": [one.day for one, _ in differing],
            },
        )
        self._statements.execute(_CLOSE, _names(provider, agreeing, at))

    def finish(self, reconciliation: Reconciliation) -> None:
        self._statements.execute(_FINISH, (reconciliation.matched, reconciliation.breaks, reconciliation.id))

    def get_break(self, break_id: UUID) -> ClearingBreak:
        row = self._statements.row(_BREAK, (break_id,))
        if row is None:
            raise BreakNotFound()
        return ClearingBreak(
            id=row["id"],
            provider=row["provider"],
            provider_reference=row["provider_reference"],
            line_kind=LineKind(row["line_kind"]),
            kind=BreakKind(row["kind"]),
            ours=Money.of(row["ours_minor"], row["currency"]),
            theirs=Money.of(row["theirs_minor"], row["currency"]),
            status=BreakStatus(row["status"]),
            reason=row["reason"],
            decided_by=row["decided_by_user_id"],
            resolved_at=row["resolved_at"],
            journal_id=row["journal_id"],
            written_off_minor=row["written_off_minor"],
        )

    def decide(self, decided: ClearingBreak) -> None:
        self._statements.execute(
            _DECIDE,
            (decided.status, decided.reason, decided.decided_by, decided.resolved_at, decided.journal_id,
             decided.written_off_minor, decided.id),
        )  # fmt: skip


def _days(reconciliation: Reconciliation, statement: ProviderStatement, new_id: NewId) -> Row:
    # In one order: of two imports of the same days the second waits for the first.
    days = sorted(statement.days)
    told = [statement.balances.get(which) for which in days]
    return {
        "reconciliation": reconciliation.id,
        "provider": statement.provider,
        "ids": [new_id() for _ in days],
        "currencies": [unit for unit, _ in days],
        "days": [day for _, day in days],
        "openings": [held.opening.minor if held and held.opening else None for held in told],
        "closings": [held.closing.minor if held and held.closing else None for held in told],
    }


def _lines(reconciliation: Reconciliation, statement: ProviderStatement) -> Row:
    return {
        "reconciliation": reconciliation.id,
        "references": [line.provider_reference for line in statement.lines],
        "kinds": [line.kind.value for line in statement.lines],
        "amounts": [line.amount.minor for line in statement.lines],
        "currencies": [line.amount.currency.code for line in statement.lines],
        "days": [line.booked_on for line in statement.lines],
    }


def _names(provider: str, compared: Sequence[Comparison], at: datetime) -> Row:
    return {
        "provider": provider,
        "at": at,
        "references": [one.provider_reference for one in compared],
        "line_kinds": [one.line_kind.value for one in compared],
        "currencies": [one.unit for one in compared],
    }
