"""What privacy does when events arrive."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.privacy.exports import make_export


def make_requested_export(event: Mapping[str, Any], use: Dependencies) -> None:
    """Make an export that was asked for."""
    make_export(UUID(event["export_id"]), exporting=use.exporting, new_uow=use.new_uow, clock=use.clock)
