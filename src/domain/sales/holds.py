"""Holds: a booking's seats, kept until it is paid or its time is over; decided exactly once (guarantee M7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import IllegalTransition


class HoldStatus(StrEnum):
    """A hold leaves ACTIVE exactly once."""

    ACTIVE = "ACTIVE"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    """Not wanted any more before it was paid."""
    EXPIRED = "EXPIRED"


@dataclass(eq=False, kw_only=True)
class Hold:
    """Until when a booking may be paid, and the seats that are kept for it: none where it is of no departure.

    The caller takes and gives back seats of the departure in the same transaction.
    """

    departure_id: UUID | None
    seats: int
    status: HoldStatus
    expires_at: datetime

    def capture(self) -> None:
        """Paid: the seats stay taken."""
        self._resolve(HoldStatus.CAPTURED)

    def release(self) -> None:
        """Cancelled before it was paid."""
        self._resolve(HoldStatus.RELEASED)

    def expire(self) -> None:
        """Not paid in time."""
        self._resolve(HoldStatus.EXPIRED)

    def _resolve(self, status: HoldStatus) -> None:
        if self.status is not HoldStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
