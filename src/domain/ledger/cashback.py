"""Cashback: promised when a paid trip is completed, credited after it can no longer be refunded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.shared.money import Money
from domain.shared.percentage import Percentage

ELIGIBLE_AFTER = timedelta(days=7)


class CashbackStatus(StrEnum):
    """The life of a cashback record."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    CREDITED = "CREDITED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackRecord:
    """What one completed booking gives back, at the rate frozen when it was sold."""

    id: UUID
    user_id: UUID
    booking_id: UUID
    booking_amount: Money
    cashback_rate: Percentage
    cashback_amount: Money
    status: CashbackStatus
    eligible_at: datetime
    created_at: datetime
