"""Money that people confirm, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_RECEIPTS = """
SELECT r.id, r.payment_id, p.payment_number, p.status AS payment_status, r.payer_user_id AS user_id, r.reference,
       r.received_on, r.amount_minor, r.currency, r.status, r.needs_approval, r.made_by_user_id,
       r.decided_by_user_id, r.created_at, r.decided_at
FROM manual_receipts r JOIN payments p ON p.id = r.payment_id
WHERE true
"""
_SLIP = """
SELECT s.storage_key, s.content_type, s.uploaded_at FROM payment_slips s
WHERE s.payment_id = %(payment_id)s AND s.stored_at IS NOT NULL
  AND (%(owner)s::uuid IS NULL OR s.user_id = %(owner)s)
ORDER BY s.id DESC LIMIT 1
"""


class SqlManualQueries:
    """Implements `application.billing.manual_queries.ManualQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receipts(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        of_status = " AND r.status = %(status)s" if status is not None else ""
        behind = page_after(after, "r.created_at", "r.id")
        sql = f"{_RECEIPTS}{of_status} AND {behind} ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"status": status, **page_values(after, limit)})

    def receipt(self, receipt_id: UUID) -> Row | None:
        return self._database.row(f"{_RECEIPTS} AND r.id = %s", (receipt_id,))

    def slip(self, payment_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(_SLIP, {"payment_id": payment_id, "owner": owner})
