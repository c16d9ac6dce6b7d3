"""What happens when events of the ledger arrive: statements are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.ledger.statements import draw_statement

Event = Mapping[str, Any]


def draw_requested_statement(event: Event, use: Dependencies) -> None:
    """Draw a statement of account that was asked for."""
    draw_statement(
        UUID(event["statement_id"]),
        statements=use.statements,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )
