"""Statements of payouts: figures and entries of what was approved, and the PDFs that were made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.payouts.statement_ports import PayoutStatementToDraw
from domain.ledger.statements import ASKED_AGAIN_AFTER
from domain.payouts.payables import PayableKind
from domain.payouts.payouts import PayoutNotFound, PayoutStatus
from domain.payouts.statements import PayoutFigures, PayoutLine, PayoutNotApproved
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from infrastructure.database.transaction import Database, Row, Statements

_PAGE: Final = 1_000
_FIRST: Final = UUID(int=0)

DESTINATION: Final = """
CASE p.method WHEN 'BANK_TRANSFER' THEN p.destination_masked WHEN 'STRIPE' THEN 'Stripe' ELSE 'AltayarVIP' END
"""
"""Where a payout `p` goes, as it is told: of an account no more than its end."""

_FIGURES: Final = f"""
SELECT p.id AS payout_id, p.payout_number, b.batch_number, b.cut_off, p.payee_id, p.payee_type,
       concat_ws(' ', u.first_name, u.last_name) AS payee_name, u.email AS payee_email, p.status, p.amount_minor,
       p.currency, {DESTINATION} AS destination, p.bank_reference, p.sent_at, p.closed_at,
       p.journal_id IS NOT NULL AS is_approved,
       (SELECT e.balance_after_minor FROM ledger_entries e
        WHERE e.journal_id = p.journal_id AND e.account_id = p.account_id) AS carried_minor
FROM payouts p JOIN payout_batches b ON b.id = p.batch_id JOIN users u ON u.id = p.payee_id
WHERE p.id = %s
"""
_SUMS: Final = """
SELECT e.kind, count(*) AS entries, sum(e.amount_minor)::bigint AS minor
FROM payout_entries l JOIN payable_entries e ON e.id = l.payable_entry_id WHERE l.payout_id = %s GROUP BY e.kind
"""
_LINES: Final = """
SELECT e.id, e.occurred_at, e.kind, b.booking_number, j.description_ar, j.description_en, e.amount_minor
FROM payout_entries l JOIN payable_entries e ON e.id = l.payable_entry_id
JOIN ledger_journals j ON j.id = e.journal_id LEFT JOIN bookings b ON b.id = e.booking_id
WHERE l.payout_id = %(payout)s AND (e.occurred_at, e.id) > (%(at)s::timestamptz, %(id)s)
ORDER BY e.occurred_at, e.id LIMIT %(limit)s
"""
_MADE: Final = """
SELECT id FROM payout_statements
WHERE payout_id = %(payout)s AND language = %(language)s AND status = %(status)s AND made_at IS NOT NULL
"""
_ASK: Final = """
INSERT INTO payout_statements AS s (id, payout_id, language, status, requested_by_user_id, requested_at)
VALUES (%(id)s, %(payout)s, %(language)s, %(status)s, %(by)s, %(at)s)
ON CONFLICT ON CONSTRAINT uq_payout_statements_content DO UPDATE SET requested_at = excluded.requested_at
WHERE s.made_at IS NULL AND s.requested_at < %(in_vain)s
RETURNING s.id
"""
_TO_DRAW: Final = "SELECT payout_id, language FROM payout_statements WHERE id = %s AND made_at IS NULL"
_REMEMBER: Final = "UPDATE payout_statements SET made_at = %s, size_bytes = %s WHERE id = %s RETURNING 1"
_ASKED_SINCE: Final = """
SELECT count(*) AS many FROM payout_statements WHERE requested_by_user_id = %s AND requested_at > %s
"""
_PAST: Final = "SELECT id FROM payout_statements WHERE requested_at < %s ORDER BY requested_at LIMIT %s"


class SqlPayoutStatements:
    """Implements `application.payouts.statement_ports.PayoutStatements`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self, payout_id: UUID, *, payee_id: UUID | None = None) -> PayoutFigures:
        row = self._database.row(_FIGURES, (payout_id,))
        # Whose it is comes first: whether a stranger's payout is approved is nobody's business.
        if row is None or payee_id not in (None, row["payee_id"]):
            raise PayoutNotFound()
        if not row["is_approved"]:
            raise PayoutNotApproved()
        return _figures(row, self._database.rows(_SUMS, (payout_id,)))

    def lines(self, figures: PayoutFigures) -> Iterator[PayoutLine]:
        at: datetime | str = "-infinity"
        last = _FIRST
        while True:
            values = {"payout": figures.payout_id, "at": at, "id": last, "limit": _PAGE}
            rows = self._database.rows(_LINES, values)
            yield from (_line(row, figures.amount.currency.code) for row in rows)
            if len(rows) < _PAGE:
                return
            at, last = rows[-1]["occurred_at"], rows[-1]["id"]

    def made(self, figures: PayoutFigures, language: str) -> UUID | None:
        row = self._database.row(_MADE, _content(figures, language))
        return None if row is None else row["id"]

    def to_draw(self, statement_id: UUID) -> PayoutStatementToDraw | None:
        row = self._database.row(_TO_DRAW, (statement_id,))
        return None if row is None else PayoutStatementToDraw(**row)

    def remember(self, statement_id: UUID, *, size: int, at: datetime) -> bool:
        with self._database.transaction() as transaction:
            wanted = transaction.row(_REMEMBER, (at, size, statement_id))
            transaction.commit()
        return wanted is not None


class SqlPayoutStatementRequests:
    """Implements `application.payouts.statement_ports.PayoutStatementRequests`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def ask(self, figures: PayoutFigures, language: str, *, statement_id: UUID, by: UUID, at: datetime) -> UUID | None:
        values = {"id": statement_id, "by": by, "at": at, "in_vain": at - ASKED_AGAIN_AFTER}
        row = self._statements.row(_ASK, {**values, **_content(figures, language)})
        return None if row is None else row["id"]

    def asked_since(self, by: UUID, since: datetime) -> int:
        row = self._statements.row(_ASKED_SINCE, (by, since))
        return int(row["many"]) if row is not None else 0

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_PAST, (requested_before, limit))]

    def drop(self, statements: Sequence[UUID]) -> None:
        self._statements.execute("DELETE FROM payout_statements WHERE id = ANY(%s)", (list(statements),))


def _content(figures: PayoutFigures, language: str) -> Row:
    """What makes two documents the same: whatever else they show was frozen at the approval, or comes with a status."""
    return {"payout": figures.payout_id, "language": language, "status": figures.status}


def _figures(row: Row, sums: Sequence[Row]) -> PayoutFigures:
    unit, by_kind = row["currency"], {each["kind"]: each["minor"] for each in sums}
    same = ("payout_id", "payout_number", "batch_number", "cut_off", "payee_id", "payee_name", "payee_email",
            "destination", "bank_reference", "sent_at", "closed_at")  # fmt: skip
    return PayoutFigures(
        payee_type=PayeeType(row["payee_type"]),
        status=PayoutStatus(row["status"]),
        amount=Money.of(row["amount_minor"], unit),
        carried=Money.of(row["carried_minor"], unit),
        sums={kind: Money.of(by_kind[kind], unit) for kind in PayableKind if kind in by_kind},
        entries=sum(each["entries"] for each in sums),
        **{name: row[name] for name in same},
    )


def _line(row: Row, unit: str) -> PayoutLine:
    return PayoutLine(
        occurred_at=row["occurred_at"],
        kind=PayableKind(row["kind"]),
        booking_number=row["booking_number"],
        reason_ar=row["description_ar"],
        reason_en=row["description_en"],
        amount=Money.of(row["amount_minor"], unit),
    )
