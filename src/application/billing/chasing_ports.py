"""What the reconciler finds by scanning tables: attempts and webhooks to look at again, days without a statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from application.billing.inbox import OpenAttempt
from domain.billing.payments import AttemptStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAttempt:
    """An attempt whose time to be looked at has come; `reads` is how often it was before."""

    attempt: OpenAttempt
    status: AttemptStatus
    created_at: datetime
    ends_at: datetime | None
    reads: int


class Chasing(Protocol):
    """Rows to look at again. What is due is locked, and left out where somebody else has it locked."""

    def open_attempts(self, provider: str, *, due_by: datetime, created_before: datetime, limit: int) -> Sequence[
        DueAttempt
    ]:  # fmt: skip
        """Attempts that are neither paid nor over, longest due first; CREATED ones only from before an instant."""
        ...

    def paid_attempts(self, provider: str, *, due_by: datetime, limit: int) -> Sequence[DueAttempt]:
        """Paid attempts that may have been charged again, refunded or disputed meanwhile."""
        ...

    def ask_again(self, times: Mapping[UUID, datetime | None]) -> None:
        """When each of these attempts is due next, None for never; counts them as read."""
        ...

    def count_due(self, providers: Sequence[str], *, due_by: datetime) -> int:
        """How many open attempts are due."""
        ...

    def make_all_due(self, *, at: datetime) -> None:
        """Every open attempt is due, whenever it was read last."""
        ...

    def look_again(self, webhook_id: UUID, *, at: datetime) -> None:
        """A webhook that waits is to be looked into once more."""
        ...

    def due_webhooks(self, *, due_by: datetime, next_at: datetime, limit: int) -> Sequence[UUID]:
        """Webhooks to be looked into once more, moved on to the time after this."""
        ...


class StatementDays(Protocol):
    """Which days of which provider a machine has fetched the statement of."""

    def fetched(self, provider: str, days: Sequence[date]) -> frozenset[date]:
        """Those of the days that need no fetching any more."""
        ...

    def currencies(self, provider: str, day: date) -> Sequence[str]:
        """The currencies that we received from a provider on a day in Cairo."""
        ...

    def remember(self, provider: str, day: date, *, reconciliation_id: UUID | None, at: datetime) -> None:
        """A day's statement is compared, or has nothing on either side."""
        ...
