"""Periodic work on bookings, instalments, waiting lists and departures."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from application.sales import amending, expiry, instalments, manifests, operation_work, requests, waiting
from application.sales.handlers import hands_of
from domain.operations.settings import (
    GRACE_MINUTES,
    INSTALMENT_REMINDER_DAYS,
    OVERDUE_GRACE_DAYS,
    WAITING_OFFER_HOURS,
)

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def expire_bookings(running: Running) -> None:
    """Give back the seats of what was not paid in time."""
    use = running.dependencies
    grace = timedelta(minutes=use.system_settings.value(GRACE_MINUTES))
    while expiry.expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id, grace=grace):
        continue


def lapse_requests(running: Running) -> None:
    """End what nobody priced before its day was over."""
    use = running.dependencies
    while requests.lapse_requests(new_uow=use.new_uow, clock=use.clock):
        continue


def tell_of_instalments(running: Running) -> None:
    """Remind of what is due, and say what is overdue."""
    use, values = running.dependencies, running.dependencies.system_settings
    command = instalments.TellOfInstalments(
        days_before=values.value(INSTALMENT_REMINDER_DAYS), grace_days=values.value(OVERDUE_GRACE_DAYS)
    )
    told = instalments.tell_of_instalments(command, new_uow=use.new_uow, clock=use.clock)
    log.info("instalments_told", **asdict(told))


def cancel_overdue(running: Running) -> None:
    """Cancel the bookings whose instalments stayed unpaid."""
    use = running.dependencies
    grace = use.system_settings.value(OVERDUE_GRACE_DAYS)
    done = instalments.cancel_overdue(
        grace, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
    )
    for booking_id, reason in done.left.items():
        log.warning("overdue_booking_left", booking_id=str(booking_id), reason=reason)
    log.info("overdue_bookings_cancelled", cancelled=done.cancelled)


def lapse_amendments(running: Running) -> None:
    """Take back amendments whose difference was not paid in time."""
    use = running.dependencies
    grace = timedelta(minutes=use.system_settings.value(GRACE_MINUTES))
    while amending.lapse_amendments(new_uow=use.new_uow, clock=use.clock, grace=grace):
        continue


def serve_waiting_lists(running: Running) -> None:
    """Offer free seats to those who wait for them."""
    use = running.dependencies
    offer_for = timedelta(hours=use.system_settings.value(WAITING_OFFER_HOURS))
    served = waiting.serve_waiting_lists(new_uow=use.new_uow, clock=use.clock, offer_for=offer_for)
    log.info("waiting_lists_served", departures=served)


def work_off_operations(running: Running) -> None:
    """Go on with departures that are being cancelled or moved."""
    log.info("departure_operations", open=operation_work.work_off_operations(hands=hands_of(running.dependencies)))


def drop_manifests(running: Running) -> None:
    """Drop the files of manifests whose time is over."""
    use = running.dependencies
    dropped = manifests.drop_past_manifests(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    log.info("manifests_dropped", dropped=dropped)
