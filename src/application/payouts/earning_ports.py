"""What earning needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.payouts.earnings import Earning
from domain.payouts.payables import PayableEntry


class Earnings(Protocol):
    """What bookings earned for vendors and agents; whoever reads or writes them holds the booking's lock."""

    def of_booking(self, booking_id: UUID) -> Sequence[Earning]:
        """All of a booking, items in their order; none before it was accrued, or where nobody earns by it."""
        ...

    def completed_at(self, booking_id: UUID) -> datetime:
        """When its trip was over, by its history. Raises LookupError for one that is not."""
        ...

    def add(self, earnings: Sequence[Earning]) -> None:
        """After their journals. Once for each item and trade, by the database."""
        ...

    def save(self, earnings: Sequence[Earning]) -> None:
        """Write what stands of them now."""
        ...

    def record(self, entries: Sequence[PayableEntry]) -> None:
        """Write what is to be paid out, or goes off the next payout, after its journals."""
        ...
