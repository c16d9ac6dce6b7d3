"""What is shown of money that people confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]


class ManualQueries(Protocol):
    """Receipts and slips."""

    def receipts(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """Receipts with `payment_number`, `payment_status` and the payer's `user_id`, newest first."""
        ...

    def receipt(self, receipt_id: UUID) -> Row | None: ...

    def slip(self, payment_id: UUID, *, owner: UUID | None) -> Row | None:
        """storage_key, content_type, uploaded_at of the newest slip of a payment."""
        ...
