"""Refunds and disputes, locked after their payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from application.billing.refund_ports import DuePart, KnownReceipt
from domain.billing.disputes import Dispute
from domain.billing.payments import Disposition
from domain.billing.refunds import Refund, RefundNotFound
from domain.billing.tenders import Tender
from domain.shared.money import Money
from infrastructure.database.billing.refund_tables import disputes, refunds
from infrastructure.database.transaction import Row, Statements

_DUE = """
SELECT p.id AS part_id, p.refund_id, r.payment_id, p.attempt_id, p.status
FROM refund_parts p JOIN refunds r ON r.id = p.refund_id
WHERE p.status IN ('REQUESTED', 'SUBMITTED', 'UNKNOWN') AND p.next_try_at <= %s AND p.way = 'PROVIDER'
  AND p.replaced_by IS NULL AND p.attempt_id IS NOT NULL
ORDER BY p.next_try_at, p.id LIMIT %s
"""
_RECEIPTS = """
SELECT r.id, a.payment_id, r.attempt_id, r.amount_minor, r.currency, r.disposition
FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
"""

_CAPTURED_BY = """
LEFT JOIN suspense_items s ON s.receipt_id = r.id
WHERE a.payment_id = %s AND (r.journal_id = %s OR (s.journal_id = %s AND s.resolution = 'APPLIED'))
ORDER BY r.received_at, r.id
"""

_KEPT = """
WHERE r.attempt_id = %s AND NOT EXISTS (
    SELECT 1 FROM suspense_items s WHERE s.receipt_id = r.id AND s.resolution = 'WRITTEN_OFF')
ORDER BY r.position
"""

# What staff have put elsewhere is not there to go back.
_SUSPENDED = """
WHERE r.attempt_id = %s AND r.disposition = 'SUSPENSE' AND NOT EXISTS (
    SELECT 1 FROM suspense_items s
    WHERE s.receipt_id = r.id AND s.resolution IN ('WALLET', 'APPLIED', 'WRITTEN_OFF'))
ORDER BY r.position
"""


class SqlRefunds:
    """Implements `application.billing.refund_ports.Refunds`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Refund] = []

    def add(self, refund: Refund) -> None:
        self._statements.session.add(refund)
        self.seen.append(refund)

    def get(self, refund_id: UUID) -> Refund:
        found = self._all(select(Refund).where(refunds.c.id == refund_id))
        if not found:
            raise RefundNotFound()
        return found[0]

    def payment_of(self, refund_id: UUID) -> UUID:
        row = self._statements.row("SELECT payment_id FROM refunds WHERE id = %s", (refund_id,))
        if row is None:
            raise RefundNotFound()
        payment_id: UUID = row["payment_id"]
        return payment_id

    def of_payment(self, payment_id: UUID) -> Sequence[Refund]:
        return self._all(select(Refund).where(refunds.c.payment_id == payment_id).order_by(refunds.c.id))

    def by_key(self, idempotency_key: str) -> Refund | None:
        found = self._all(select(Refund).where(refunds.c.idempotency_key == idempotency_key))
        return found[0] if found else None

    def _all(self, query: Select[Refund]) -> list[Refund]:
        # What this unit of work has changed is written before the rows are read anew.
        self._statements.flush()
        locked = query.with_for_update().execution_options(populate_existing=True)
        found = list(self._statements.session.scalars(locked))
        self.seen.extend(refund for refund in found if refund not in self.seen)
        return found

    def next_serial(self) -> int:
        row = self._statements.row("SELECT nextval('refund_numbers') AS serial")
        return int(row["serial"]) if row else 0

    def due(self, *, at: datetime, limit: int) -> Sequence[DuePart]:
        return [DuePart(**row) for row in self._statements.rows(_DUE, (at, limit))]

    def charges_of(self, tender: Tender) -> Sequence[KnownReceipt]:
        named = (tender.payment_id, tender.journal_id, tender.journal_id)
        return [_known(row) for row in self._statements.rows(_RECEIPTS + _CAPTURED_BY, named)]

    def receipt(self, receipt_id: UUID) -> KnownReceipt | None:
        return self._receipt(_RECEIPTS + " WHERE r.id = %s", receipt_id)

    def kept(self, attempt_id: UUID) -> Sequence[KnownReceipt]:
        return [_known(row) for row in self._statements.rows(_RECEIPTS + _KEPT, (attempt_id,))]

    def suspended(self, attempt_id: UUID) -> Sequence[KnownReceipt]:
        return [_known(row) for row in self._statements.rows(_RECEIPTS + _SUSPENDED, (attempt_id,))]

    def _receipt(self, sql: str, value: UUID) -> KnownReceipt | None:
        row = self._statements.row(sql, (value,))
        return _known(row) if row is not None else None


def _known(row: Row) -> KnownReceipt:
    return KnownReceipt(
        id=row["id"],
        payment_id=row["payment_id"],
        attempt_id=row["attempt_id"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        disposition=Disposition(row["disposition"]),
    )


class SqlDisputes:
    """Implements `application.billing.refund_ports.Disputes`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Dispute] = []

    def add(self, dispute: Dispute) -> None:
        self._statements.session.add(dispute)
        self.seen.append(dispute)

    def of_payment(self, payment_id: UUID) -> Sequence[Dispute]:
        self._statements.flush()
        query = (
            select(Dispute)
            .where(disputes.c.payment_id == payment_id)
            .order_by(disputes.c.provider_dispute_reference)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found = list(self._statements.session.scalars(query))
        self.seen.extend(dispute for dispute in found if dispute not in self.seen)
        return found

    def is_open(self, payment_id: UUID) -> bool:
        sql = "SELECT 1 FROM disputes WHERE payment_id = %s AND status = 'OPEN' LIMIT 1"
        return self._statements.row(sql, (payment_id,)) is not None
