"""Cashback records: locked and stored for use cases, and as they are shown and explained."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from application.ledger.ports import DueCashback
from application.queries import NEWEST, After, CashbackSearch, Row
from domain.ledger.cashback import CashbackNotFound, CashbackRecord, CashbackStatus
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.billing.disputed import disputed
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.pages import Order, order_sql, page_values
from infrastructure.database.transaction import Database, Statements

_ADD = """
INSERT INTO cashback_records (id, user_id, booking_id, booking_amount_minor, cashback_rate, cashback_amount_minor,
                              currency, status, eligible_at, created_at, promise_journal_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LOCK = """
SELECT c.*, b.booking_number FROM cashback_records c JOIN bookings b ON b.id = c.booking_id
WHERE c.{column} = %s FOR NO KEY UPDATE OF c
"""
# The first condition is that of the index.
_DUE = f"""
c.status IN ('PENDING', 'APPROVED') AND c.status = ANY (%(statuses)s) AND c.eligible_at <= %(at)s
AND NOT {disputed("c.booking_id")}
"""
_FIND_DUE = f"SELECT c.id FROM cashback_records c WHERE {_DUE} ORDER BY c.eligible_at, c.id LIMIT %(limit)s"
# Whoever erases a person locks that person's row first, and nobody waits for them here.
_LOCK_DUE = f"""
SELECT c.*, b.booking_number, u.erased_at IS NOT NULL AS owner_is_erased
FROM cashback_records c JOIN bookings b ON b.id = c.booking_id JOIN users u ON u.id = c.user_id
WHERE c.id = ANY (%(ids)s) AND {_DUE}
ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED FOR KEY SHARE OF u SKIP LOCKED
"""
_SAVE = """
UPDATE cashback_records c
SET status = n.status, clawed_back_minor = n.clawed_back_minor, approved_at = n.approved_at,
    approved_by_user_id = n.approved_by_user_id, credited_at = n.credited_at,
    credit_journal_id = n.credit_journal_id, cancelled_at = n.cancelled_at, cancel_reason = n.cancel_reason
FROM jsonb_populate_recordset(NULL::cashback_records, %s) n WHERE c.id = n.id
"""


class SqlCashback:
    """Implements `application.ledger.ports.CashbackRecords`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[CashbackRecord] = []

    def add(self, record: CashbackRecord) -> None:
        self._statements.execute(
            _ADD,
            (record.id, record.user_id, record.booking_id, record.booking_amount.minor,
             decimal_of_hundredths(record.cashback_rate.hundredths), record.cashback_amount.minor, record.unit,
             record.status, record.eligible_at, record.created_at, record.promise_journal_id),
        )  # fmt: skip
        self.seen.append(record)

    def get(self, cashback_id: UUID) -> CashbackRecord:
        record = self._locked("id", cashback_id)
        if record is None:
            raise CashbackNotFound()
        return record

    def of_booking(self, booking_id: UUID) -> CashbackRecord | None:
        return self._locked("booking_id", booking_id)

    def due(self, statuses: Collection[CashbackStatus], *, at: datetime, limit: int) -> Sequence[UUID]:
        rows = self._statements.rows(_FIND_DUE, {"statuses": list(statuses), "at": at, "limit": limit})
        return [row["id"] for row in rows]

    def lock_due(
        self, cashback_ids: Sequence[UUID], statuses: Collection[CashbackStatus], *, at: datetime
    ) -> Sequence[DueCashback]:
        rows = self._statements.rows(_LOCK_DUE, {"ids": list(cashback_ids), "statuses": list(statuses), "at": at})
        return [DueCashback(self._seen(row), row["owner_is_erased"]) for row in rows]

    def save(self, records: Sequence[CashbackRecord]) -> None:
        if records:
            self._statements.execute(_SAVE, (Jsonb([_changing(record) for record in records]),))

    def _locked(self, column: str, value: UUID) -> CashbackRecord | None:
        row = self._statements.row(_LOCK.format(column=column), (value,))
        return None if row is None else self._seen(row)

    def _seen(self, row: Row) -> CashbackRecord:
        record = _record(row)
        self.seen.append(record)
        return record


def _record(row: Row) -> CashbackRecord:
    unit = row["currency"]
    return CashbackRecord(
        id=row["id"],
        user_id=row["user_id"],
        booking_id=row["booking_id"],
        booking_number=row["booking_number"],
        booking_amount=Money.of(row["booking_amount_minor"], unit),
        cashback_rate=Percentage(int(row["cashback_rate"].scaleb(2))),
        cashback_amount=Money.of(row["cashback_amount_minor"], unit),
        clawed_back=Money.of(row["clawed_back_minor"], unit),
        status=CashbackStatus(row["status"]),
        eligible_at=row["eligible_at"],
        created_at=row["created_at"],
        promise_journal_id=row["promise_journal_id"],
        approved_at=row["approved_at"],
        approved_by_user_id=row["approved_by_user_id"],
        credited_at=row["credited_at"],
        credit_journal_id=row["credit_journal_id"],
        cancelled_at=row["cancelled_at"],
        cancel_reason=row["cancel_reason"],
    )


def _changing(record: CashbackRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "status": record.status,
        "clawed_back_minor": record.clawed_back.minor,
        "approved_at": record.approved_at,
        "approved_by_user_id": record.approved_by_user_id,
        "credited_at": record.credited_at,
        "credit_journal_id": record.credit_journal_id,
        "cancelled_at": record.cancelled_at,
        "cancel_reason": record.cancel_reason,
    }


_SHOWN = f"""
SELECT c.id, c.user_id, c.booking_id, b.booking_number, c.booking_amount_minor, c.cashback_rate,
       c.cashback_amount_minor, c.clawed_back_minor, c.currency, c.status, c.eligible_at, c.approved_at,
       c.credited_at, c.cancelled_at, c.cancel_reason, c.created_at, c.promise_journal_id,
       b.start_date, b.end_date, b.paid_amount_minor, b.status AS booking_status,
       {disputed("c.booking_id")} AS is_disputed
FROM cashback_records c JOIN bookings b ON b.id = c.booking_id
"""
_ORDERS = {
    NEWEST: Order("c.created_at", "c.id", descending=True),
    "created_at": Order("c.created_at", "c.id"),
}
# A journal's key says which step it is: cashback:<step>:<of what>.
_JOURNALS = """
SELECT j.id, split_part(j.idempotency_key, ':', 2) AS step, j.journal_type, j.reverses_journal_id, j.description_ar,
       j.description_en, j.occurred_at,
       json_agg(json_build_object(
           'account', a.kind, 'amount_minor', e.amount_minor, 'currency', e.currency, 'sequence', e.sequence,
           'balance_before_minor', e.balance_before_minor, 'balance_after_minor', e.balance_after_minor)
           ORDER BY e.line) AS entries
FROM cashback_records c
CROSS JOIN LATERAL (SELECT c.promise_journal_id UNION
                    SELECT n.id FROM ledger_journals n WHERE n.reference_id = c.id) AS told(id)
JOIN ledger_journals j ON j.id = told.id
JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
WHERE c.id = %s GROUP BY j.id ORDER BY j.id
"""


class SqlCashbackQueries:
    """Implements `application.queries.CashbackQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(
        self, search: CashbackSearch, *, owner: UUID | None, limit: int, after: After | None, order: str = NEWEST
    ) -> Sequence[Row]:
        conditions = ["c.user_id = %(owner)s"] if owner is not None else ["true"]
        if search.status is not None:
            conditions.append("c.status = %(status)s")
        if search.eligible_by is not None:
            conditions.append("c.status IN ('PENDING', 'APPROVED') AND c.eligible_at <= %(eligible_by)s")
        sql = f"{_SHOWN} WHERE {' AND '.join(conditions)}{order_sql(_ORDERS[order], after, None)}"
        values = {"owner": owner, "status": search.status, "eligible_by": search.eligible_by}
        return self._database.rows(sql, {**values, **page_values(after, limit)})

    def record(self, cashback_id: UUID, *, owner: UUID | None) -> Row | None:
        sql = f"{_SHOWN} WHERE c.id = %(id)s AND (%(owner)s::uuid IS NULL OR c.user_id = %(owner)s)"
        return self._database.row(sql, {"id": cashback_id, "owner": owner})

    def journals(self, cashback_id: UUID) -> Sequence[Row]:
        return self._database.rows(_JOURNALS, (cashback_id,))
