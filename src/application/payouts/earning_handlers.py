"""What happens when a trip was completed: its shares are posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.payouts.earning import EarnBooking, earn_booking
from domain.operations.settings import COMMISSION_TAX_PERCENT, RELEASE_DAYS
from domain.shared.percentage import Percentage

Event = Mapping[str, Any]


def earn_completed_booking(event: Event, use: Dependencies) -> None:
    """A trip is over: what is paid for it is shared with its vendor and its agent."""
    settings = use.system_settings
    command = EarnBooking(
        booking_id=UUID(event["booking_id"]),
        release_days=settings.value(RELEASE_DAYS),
        commission_tax=Percentage(settings.value(COMMISSION_TAX_PERCENT) * 100),
    )
    earn_booking(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
