"""What deciding about money in suspense needs: the items, and whoever gives money back to its payer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing.suspense import SuspenseItem
from domain.shared.money import Money


class Suspense(Protocol):
    """Money in suspense, one item for each receipt."""

    def add(self, item: SuspenseItem) -> None:
        """Keep a new item; after its receipt."""
        ...

    def payment_of(self, receipt_id: UUID) -> UUID:
        """Whose item it is, unlocked: the payment has to be locked first. Raises SuspenseNotFound."""
        ...

    def get(self, receipt_id: UUID) -> SuspenseItem:
        """The item, locked; after its payment, and before what it is refunded by. Raises SuspenseNotFound."""
        ...

    def of_attempt(self, attempt_id: UUID) -> Sequence[SuspenseItem]:
        """The items of an attempt's receipts, locked, oldest first."""
        ...

    def save(self, item: SuspenseItem) -> None: ...

    def adopt(self, *, since: datetime) -> int:
        """Make the items of receipts that the release before kept in suspense while this one came; how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspenseRefund:
    """All of an item's money is to go back to whoever paid it."""

    receipt_id: UUID
    amount: Money
    reason: str
    actor_id: UUID
    idempotency_key: str


class GiveBack(Protocol):
    """Begins a refund inside the caller's transaction, without a call to a provider; the refund's id.

    The payment and the item are locked. When the refund is done, whoever carries it out calls the item's
    `refunded`, and `reopen` where it came to nothing.
    """

    def __call__(self, refund: SuspenseRefund) -> UUID: ...
