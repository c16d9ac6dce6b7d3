"""What late money needs: its owner's choices, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.billing.late_money import LateMoney


class LateMoneyChoices(Protocol):
    """Choices about late money; whoever adds or makes one holds the booking's lock."""

    def add(self, late: LateMoney) -> None: ...

    def is_offered(self, receipt_id: UUID) -> bool:
        """Whether its owner has, or had, the choice."""
        ...

    def has_rebooked(self, booking_id: UUID) -> bool:
        """Whether its owner has taken another departure with some of its late money."""
        ...

    def waiting_of(self, booking_id: UUID) -> Sequence[LateMoney]:
        """Those of a booking that nobody has chosen, while their money is in suspense; oldest first."""
        ...

    def overdue(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        """Bookings that have such choices whose time is over, unlocked."""
        ...

    def save(self, late: LateMoney) -> None: ...


class LateMoneyQueries(Protocol):
    """Choices as they are shown."""

    def of_booking(self, booking_id: UUID) -> Sequence[Mapping[str, Any]]:
        """receipt_id, amount, hindrance, status, choice, rebooked_id, offered_at, choose_until, chosen_at.

        Oldest first.
        """
        ...
