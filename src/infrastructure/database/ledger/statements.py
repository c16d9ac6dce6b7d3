"""Statements of account: figures and entries of an owned account, and the PDFs that were made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.ledger.books_ports import AskedStatement, StatementToDraw
from domain.ledger.accounts import PAYEE_KINDS, AccountKind
from domain.ledger.periods import Period
from domain.ledger.statements import ASKED_AGAIN_AFTER, Cause, StatementEntry, StatementFigures
from infrastructure.database.ledger.queries import NO_SEQUENCE
from infrastructure.database.transaction import Database, Row, Statements

_PAGE: Final = 1_000
# Added up, not taken from the chain: an entry that was posted late belongs to the day that it occurred on.
_FIGURES = """
SELECT a.kind, a.currency,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.occurred_at < %(begins)s), 0)::bigint AS opening,
       coalesce(-sum(e.amount_minor) FILTER (WHERE e.occurred_at >= %(begins)s AND e.amount_minor < 0), 0)::bigint
           AS debits,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.occurred_at >= %(begins)s AND e.amount_minor > 0), 0)::bigint
           AS credits,
       count(*) FILTER (WHERE e.occurred_at >= %(begins)s) AS entries,
       coalesce(min(e.sequence) FILTER (WHERE e.occurred_at >= %(begins)s), 0) AS first_sequence,
       coalesce(max(e.sequence), 0) AS last_sequence
FROM ledger_accounts a
LEFT JOIN ledger_entries e ON e.account_id = a.id AND e.occurred_at < %(ends)s AND e.sequence <= %(up_to)s
WHERE a.id = %(account_id)s AND a.is_chained GROUP BY a.id
"""
_ENTRIES = """
SELECT e.sequence, e.occurred_at, j.reference_type, j.reference_id, j.description_ar, j.description_en,
       e.amount_minor AS amount
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
WHERE e.account_id = %(account_id)s AND e.sequence BETWEEN %(next)s AND %(last)s
  AND e.occurred_at >= %(begins)s AND e.occurred_at < %(ends)s
ORDER BY e.sequence LIMIT %(limit)s
"""
# A payout that came back is a reversal of its journal, and counts against it.
_CAUSES = """
SELECT CASE WHEN coalesce(o.journal_type, j.journal_type) = 'PAYOUT' THEN 'PAID_OUT'
            WHEN o.journal_type IN ('EARNING', 'COMMISSION') THEN 'REVERSED'
            WHEN j.journal_type IN ('EARNING', 'COMMISSION') THEN 'EARNED' ELSE 'ADJUSTED' END AS cause,
       sum(e.amount_minor)::bigint AS amount
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
LEFT JOIN ledger_journals o ON o.id = j.reverses_journal_id
WHERE e.account_id = %(account_id)s AND e.sequence <= %(last)s
  AND e.occurred_at >= %(begins)s AND e.occurred_at < %(ends)s
GROUP BY cause
"""
_MADE = """
SELECT id FROM account_statements WHERE account_id = %(account_id)s AND since = %(since)s AND until = %(until)s
  AND language = %(language)s AND last_sequence = %(last_sequence)s AND made_at IS NOT NULL
"""
_ASK = """
INSERT INTO account_statements AS s (id, account_id, since, until, language, last_sequence, requested_by_user_id,
                                     requested_at)
VALUES (%(id)s, %(account_id)s, %(since)s, %(until)s, %(language)s, %(last_sequence)s, %(by)s, %(at)s)
ON CONFLICT ON CONSTRAINT uq_account_statements_content DO UPDATE
SET requested_at = CASE WHEN s.made_at IS NULL AND s.requested_at < %(in_vain)s THEN excluded.requested_at
                        ELSE s.requested_at END
RETURNING s.id, s.requested_at = %(at)s AND s.made_at IS NULL AS is_new
"""
_TO_DRAW = """
SELECT s.account_id, s.since, s.until, s.language, s.last_sequence,
       concat_ws(' ', u.first_name, u.last_name) AS holder_name, u.email AS holder_email
FROM account_statements s JOIN ledger_accounts a ON a.id = s.account_id JOIN users u ON u.id = a.user_id
WHERE s.id = %s AND s.made_at IS NULL
"""
_REMEMBER = "UPDATE account_statements SET made_at = %s, size_bytes = %s WHERE id = %s RETURNING 1"
_ASKED_SINCE = """
SELECT count(*) AS many FROM account_statements WHERE requested_by_user_id = %s AND requested_at > %s
"""
_PAST = "SELECT id FROM account_statements WHERE requested_at < %s ORDER BY requested_at LIMIT %s"


class SqlStatements:
    """Implements `application.ledger.books_ports.Statements`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self, account_id: UUID, period: Period) -> StatementFigures | None:
        return self._figures(account_id, period, up_to=NO_SEQUENCE)

    def entries(self, figures: StatementFigures) -> Iterator[StatementEntry]:
        following = figures.first_sequence
        while True:
            rows = self._database.rows(
                _ENTRIES,
                {
                    "account_id": figures.account_id,
                    "next": following,
                    "last": figures.last_sequence,
                    "begins": figures.period.begins_at,
                    "ends": figures.period.ends_at,
                    "limit": _PAGE,
                },
            )
            for row in rows:
                yield StatementEntry(**row)
            if len(rows) < _PAGE:
                return
            following = rows[-1]["sequence"] + 1

    def causes(self, figures: StatementFigures) -> Mapping[Cause, int]:
        if figures.kind not in PAYEE_KINDS:
            return {}
        period = figures.period
        values = {"account_id": figures.account_id, "last": figures.last_sequence, "begins": period.begins_at,
                  "ends": period.ends_at}  # fmt: skip
        found = {row["cause"]: row["amount"] for row in self._database.rows(_CAUSES, values)}
        return {cause: found.get(cause, 0) for cause in Cause}

    def made(self, figures: StatementFigures, language: str) -> UUID | None:
        row = self._database.row(_MADE, _content(figures, language))
        return row["id"] if row is not None else None

    def to_draw(self, statement_id: UUID) -> StatementToDraw | None:
        row = self._database.row(_TO_DRAW, (statement_id,))
        if row is None:
            return None
        period = Period(row["since"], row["until"])
        figures = self._figures(row["account_id"], period, up_to=row["last_sequence"])
        if figures is None:
            return None
        return StatementToDraw(
            figures=figures,
            language=row["language"],
            holder_name=row["holder_name"],
            holder_email=row["holder_email"],
        )

    def remember(self, statement_id: UUID, *, size: int, at: datetime) -> bool:
        with self._database.transaction() as transaction:
            wanted = transaction.row(_REMEMBER, (at, size, statement_id))
            transaction.commit()
        return wanted is not None

    def _figures(self, account_id: UUID, period: Period, *, up_to: int) -> StatementFigures | None:
        values = {"account_id": account_id, "begins": period.begins_at, "ends": period.ends_at, "up_to": up_to}
        row = self._database.row(_FIGURES, values)
        if row is None:
            return None
        kind, unit = AccountKind(row.pop("kind")), row.pop("currency")
        return StatementFigures(account_id=account_id, kind=kind, unit=unit, period=period, **row)


class SqlStatementRequests:
    """Implements `application.ledger.books_ports.StatementRequests`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def ask(
        self, figures: StatementFigures, language: str, *, statement_id: UUID, by: UUID, at: datetime
    ) -> AskedStatement:
        values = {"id": statement_id, "by": by, "at": at, "in_vain": at - ASKED_AGAIN_AFTER}
        row = self._statements.row(_ASK, {**values, **_content(figures, language)})
        if row is None:
            raise LookupError("an upsert answers its row")
        return AskedStatement(row["id"], row["is_new"])

    def asked_since(self, by: UUID, since: datetime) -> int:
        row = self._statements.row(_ASKED_SINCE, (by, since))
        return int(row["many"]) if row is not None else 0

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_PAST, (requested_before, limit))]

    def drop(self, statements: Sequence[UUID]) -> None:
        self._statements.execute("DELETE FROM account_statements WHERE id = ANY(%s)", (list(statements),))


def _content(figures: StatementFigures, language: str) -> Row:
    """What makes two documents the same."""
    return {
        "account_id": figures.account_id,
        "since": figures.period.since,
        "until": figures.period.until,
        "language": language,
        "last_sequence": figures.last_sequence,
    }
