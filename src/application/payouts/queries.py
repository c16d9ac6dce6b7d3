"""What is shown of payroll; rows as in `application/queries.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from application.payouts.ports import Selection
from domain.payouts.batches import BatchPayees

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]

SHOWN_AT_ONCE: Final = 100
"""How many payouts, and payees that were left out, stand in the answer about a batch; the rest is in pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSearch:
    """Which payouts; None says nothing."""

    batch_id: UUID | None = None
    payee_id: UUID | None = None
    status: str | None = None
    method: str | None = None


class PayrollQueries(Protocol):
    """Batches and payouts, for staff."""

    def batches(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        """Batches with their totals."""
        ...

    def batch(self, batch_id: UUID) -> Row | None:
        """With totals, its first payouts, and the first that were left out."""
        ...

    def batch_named(self, name: str) -> Row | None:
        """By its number or its id."""
        ...

    def payouts(self, search: PayoutSearch, *, limit: int, after: After | None) -> Sequence[Row]: ...

    def payout(self, payout_id: UUID) -> Row | None: ...

    def preview(self, selection: Selection) -> Sequence[Row]:
        """What a batch would take and leave out if it was made now; nothing is stored."""
        ...

    def last_totals(self, payees: BatchPayees) -> Row | None:
        """The newest batch of the same payees that was not thrown away: its number, payees, totals."""
        ...
