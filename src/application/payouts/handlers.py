"""What happens when events of payroll arrive: payouts are sent, their statements drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.payouts.sending import Sending, send_payout
from application.payouts.statements import draw_payout_statement

Event = Mapping[str, Any]


def send_dispatched_payout(event: Event, use: Dependencies) -> None:
    """Send one payout of a batch that is being processed."""
    send_payout(UUID(event["payout_id"]), Sending(use.new_uow, use.gateways, use.clock, use.new_id))


def draw_requested_statement(event: Event, use: Dependencies) -> None:
    """Draw a payout's statement that was asked for."""
    draw_payout_statement(
        UUID(event["statement_id"]),
        statements=use.payout_statements,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )
