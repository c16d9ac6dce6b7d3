"""Money in suspense, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.billing.payments import SuspenseReason
from domain.billing.suspense import Resolution, SuspenseItem, SuspenseNotFound, SuspenseStatus
from domain.shared.money import Money
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO suspense_items (receipt_id, payment_id, provider, amount_minor, currency, reason, status, opened_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_PAYMENT: Final = "SELECT payment_id FROM suspense_items WHERE receipt_id = %s"
_GET: Final = "SELECT * FROM suspense_items WHERE receipt_id = %s FOR NO KEY UPDATE"
_OF_ATTEMPT: Final = """
SELECT s.* FROM suspense_items s JOIN payment_receipts r ON r.id = s.receipt_id
WHERE r.attempt_id = %s ORDER BY r.position FOR NO KEY UPDATE OF s
"""
_SAVE: Final = """
UPDATE suspense_items SET status = %s, resolution = %s, decided_by_user_id = %s, decision_reason = %s,
    decided_at = %s, journal_id = %s, refund_id = %s
WHERE receipt_id = %s
"""
_ADOPT: Final = """
INSERT INTO suspense_items (receipt_id, payment_id, provider, amount_minor, currency, reason, status, opened_at)
SELECT r.id, a.payment_id, a.provider, r.amount_minor, r.currency, r.reason, 'OPEN', r.received_at
FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
WHERE r.disposition = 'SUSPENSE' AND r.received_at > %s
  AND NOT EXISTS (SELECT 1 FROM suspense_items s WHERE s.receipt_id = r.id)
ON CONFLICT (receipt_id) DO NOTHING
RETURNING receipt_id
"""


class SqlSuspense:
    """Implements `application.billing.suspense_ports.Suspense`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[SuspenseItem] = []

    def add(self, item: SuspenseItem) -> None:
        self._statements.execute(
            _ADD,
            (item.receipt_id, item.payment_id, item.provider, item.amount.minor, item.amount.currency.code,
             item.reason, item.status, item.opened_at),
        )  # fmt: skip
        self.seen.append(item)

    def payment_of(self, receipt_id: UUID) -> UUID:
        row = self._statements.row(_PAYMENT, (receipt_id,))
        if row is None:
            raise SuspenseNotFound()
        payment_id: UUID = row["payment_id"]
        return payment_id

    def get(self, receipt_id: UUID) -> SuspenseItem:
        row = self._statements.row(_GET, (receipt_id,))
        if row is None:
            raise SuspenseNotFound()
        item = _item(row)
        self.seen.append(item)
        return item

    def of_attempt(self, attempt_id: UUID) -> Sequence[SuspenseItem]:
        items = [_item(row) for row in self._statements.rows(_OF_ATTEMPT, (attempt_id,))]
        self.seen.extend(items)
        return items

    def save(self, item: SuspenseItem) -> None:
        # The item points to what was made in this transaction by the ORM, or will be refused at its end.
        self._statements.flush()
        self._statements.execute(
            _SAVE,
            (item.status, item.resolution, item.decided_by, item.decision_reason, item.decided_at, item.journal_id,
             item.refund_id, item.receipt_id),
        )  # fmt: skip

    def adopt(self, *, since: datetime) -> int:
        return len(self._statements.rows(_ADOPT, (since,)))


def _item(row: Row) -> SuspenseItem:
    return SuspenseItem(
        receipt_id=row["receipt_id"],
        payment_id=row["payment_id"],
        provider=row["provider"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        reason=SuspenseReason(row["reason"]),
        status=SuspenseStatus(row["status"]),
        resolution=Resolution(row["resolution"]) if row["resolution"] is not None else None,
        opened_at=row["opened_at"],
        decided_by=row["decided_by_user_id"],
        decision_reason=row["decision_reason"],
        decided_at=row["decided_at"],
        journal_id=row["journal_id"],
        refund_id=row["refund_id"],
    )
