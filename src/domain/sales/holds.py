"""Holds: a booking's seats, kept until it is paid or its time is over; decided exactly once (guarantee M7).

A payment code that lives for hours or days keeps them for as long as it lives, within bounds (`CodeTerms`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.errors import IllegalTransition

KEPT_FREE_BEFORE_START: Final = timedelta(hours=12)
"""A code keeps no seats later than this before the trip begins: they could not be sold again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTerms:
    """How long a payment code lives, and how long all codes keep seats after they were sold."""

    life: timedelta = timedelta(hours=24)
    longest: timedelta = timedelta(hours=72)

    def last_end(self, *, sold_at: datetime, starts_at: datetime) -> datetime:
        """Beyond this no code keeps the seats; `sold_at` is when they were booked, priced, or wanted instead."""
        return min(sold_at + self.longest, starts_at - KEPT_FREE_BEFORE_START)


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

    The caller takes and gives back seats of the departure in the same transaction. `agreed_until` is when it would have
    ended without codes; None while none has changed that. `begun_at` is when it was priced; None where it began with
    its booking.
    """

    departure_id: UUID | None
    seats: int
    status: HoldStatus
    expires_at: datetime
    agreed_until: datetime | None = None
    begun_at: datetime | None = None

    def extend(self, until: datetime) -> None:
        """A code lives longer: so do the seats. What is kept longer already stays. Raises IllegalTransition."""
        self._ensure_active()
        self.expires_at, self.agreed_until = extended(self.expires_at, self.agreed_until, until)

    def follow(self, until: datetime | None) -> None:
        """Codes end at another time than was asked for, None where none is left; never before what was agreed."""
        self._ensure_active()
        self.expires_at, self.agreed_until = following(self.expires_at, self.agreed_until, until)

    def end_by(self, last: datetime) -> None:
        """Seats that are not paid are kept no longer than this."""
        self.expires_at = min(self.expires_at, last)
        if self.agreed_until is not None:
            self.agreed_until = min(self.agreed_until, last)

    def capture(self) -> None:
        """Paid: the seats stay taken."""
        self._resolve(HoldStatus.CAPTURED)

    def release(self) -> None:
        """Cancelled before it was paid."""
        self._resolve(HoldStatus.RELEASED)

    def expire(self) -> None:
        """Not paid in time."""
        self._resolve(HoldStatus.EXPIRED)

    def _ensure_active(self) -> None:
        if self.status is not HoldStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=HoldStatus.ACTIVE)

    def _resolve(self, status: HoldStatus) -> None:
        if self.status is not HoldStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status


def extended(ends: datetime, agreed: datetime | None, until: datetime) -> tuple[datetime, datetime | None]:
    """When what waits for money ends now that a payment code lives until then, and when it would have without codes."""
    return (until, agreed or ends) if until > ends else (ends, agreed)


def following(ends: datetime, agreed: datetime | None, until: datetime | None) -> tuple[datetime, datetime | None]:
    """The same where codes end at another time than was asked for; None where none is left."""
    if agreed is not None:
        return max(agreed, until or agreed), agreed
    return extended(ends, agreed, until) if until is not None else (ends, agreed)
