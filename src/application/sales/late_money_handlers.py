"""What happens when money went into suspense for a booking that had expired."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.sales.late_money import TakeLateMoney, take_late_money
from domain.operations.settings import LATE_CHOICE_DAYS

Event = Mapping[str, Any]


def rebook_late_money(event: Event, use: Dependencies) -> None:
    """Take the seats again with money that came late, or let its owner choose."""
    command = TakeLateMoney(
        receipt_id=UUID(event["receipt_id"]),
        choose_within=timedelta(days=use.system_settings.value(LATE_CHOICE_DAYS)),
    )
    take_late_money(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
