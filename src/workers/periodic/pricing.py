"""Periodic work on offers and vouchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from application.pricing import expiry

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def expire_promotions(running: Running) -> None:
    """End offers and vouchers whose time is over."""
    use = running.dependencies
    log.info("promotions_expired", expired=expiry.expire_promotions(uow=use.new_uow(), clock=use.clock))
