"""Periodic work on departures, images and what was looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from application.catalogue import images, patterns, statistics
from domain.operations.settings import DEPARTURE_HORIZON_DAYS

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def plan_departures(running: Running) -> None:
    """Make the departures that patterns ask for, up to the horizon."""
    use = running.dependencies
    horizon = timedelta(days=use.system_settings.value(DEPARTURE_HORIZON_DAYS))
    planned = patterns.plan_patterns(new_uow=use.new_uow, clock=use.clock, horizon=horizon)
    log.info("departures_planned", planned=planned)


def drop_images(running: Running) -> None:
    """Drop uploaded images that nothing shows."""
    use = running.dependencies
    dropped = images.drop_left_behind(storage=use.storage, new_uow=use.new_uow, clock=use.clock)
    if dropped:
        log.info("images_dropped", dropped=dropped)


def fold_views(running: Running) -> None:
    """Add up what was looked at since the last time."""
    use = running.dependencies
    statistics.fold_views(views=use.views, statistics=use.item_statistics, clock=use.clock)


def refresh_statistics(running: Running) -> None:
    """Work out anew how items are rated, booked and seen."""
    log.info("statistics_refreshed", changed=running.dependencies.item_statistics.refresh())
