"""What happens when events of payroll arrive: payouts are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.payouts.sending import Sending, send_payout

Event = Mapping[str, Any]


def send_dispatched_payout(event: Event, use: Dependencies) -> None:
    """Send one payout of a batch that is being processed."""
    send_payout(UUID(event["payout_id"]), Sending(use.new_uow, use.gateways, use.clock, use.new_id))
