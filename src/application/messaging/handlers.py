"""What messaging does when events arrive; what people are told of them stands in `told.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.sending import send_delivery


def send_planned(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send a delivery that was planned, or whose quiet hours are over."""
    send_delivery(UUID(event["delivery_id"]), use)


def send_planned_with_files(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send a mail whose files are drawn first."""
    send_delivery(UUID(event["delivery_id"]), use)
