"""What the ledger does when events arrive."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.ledger.statements import draw_statement


def draw_requested_statement(event: Mapping[str, Any], use: Dependencies) -> None:
    """Draw a statement of account that was asked for."""
    draw_statement(
        UUID(event["statement_id"]),
        statements=use.statements,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )
