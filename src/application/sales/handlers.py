"""What happens when events of sales arrive: seats that came back are offered, manifests drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.sales.manifests import draw_manifest
from application.sales.operation_work import Hands, work_off
from application.sales.waiting import serve_waiting_list
from domain.operations.settings import MOVED_FREE_DAYS, WAITING_OFFER_HOURS

Event = Mapping[str, Any]


def draw_requested_manifest(event: Event, use: Dependencies) -> None:
    """Draw a manifest that was asked for."""
    draw_manifest(
        UUID(event["manifest_id"]),
        manifests=use.manifests,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )


def serve_freed(event: Event, use: Dependencies) -> None:
    """Seats of a departure came back: they are offered to its line."""
    _serve(UUID(event["departure_id"]), use)


def serve_reopened(event: Event, use: Dependencies) -> None:
    """A departure is on sale again: what it has is offered to its line."""
    _serve(UUID(event["departure_id"]), use)


def serve_cancelled(event: Event, use: Dependencies) -> None:
    """A departure does not take place: its line ends."""
    _serve(UUID(event["departure_id"]), use)


def serve_freed_pool(event: Event, use: Dependencies) -> None:
    """A pool has seats again: the lines of all its departures, each in a transaction of its own."""
    with use.new_uow() as uow:
        departures = uow.waiting_list.lines_of_pool(UUID(event["pool_id"]))
    for departure_id in departures:
        _serve(departure_id, use)


def _serve(departure_id: UUID, use: Dependencies) -> None:
    offer_for = timedelta(hours=use.system_settings.value(WAITING_OFFER_HOURS))
    serve_waiting_list(departure_id, uow=use.new_uow(), clock=use.clock, offer_for=offer_for)


def work_off_operation(event: Event, use: Dependencies) -> None:
    """A departure is to be cancelled or moved: its bookings, one by one; the job goes on with the rest."""
    work_off(UUID(event["operation_id"]), hands=hands_of(use))


def hands_of(use: Dependencies) -> Hands:
    """What mass operations are worked off with, as staff have set it."""
    return Hands(
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        free_for=timedelta(days=use.system_settings.value(MOVED_FREE_DAYS)),
    )
