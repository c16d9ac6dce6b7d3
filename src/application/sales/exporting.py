"""Bookings as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.ports import UnitOfWork
from application.queries import After, Row, SalesQueries
from application.sales.ports import BookingSearch
from domain.shared.clock import Clock

AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class RecordBookingExport:
    """Somebody takes bookings out as a file."""

    actor_id: UUID
    search: BookingSearch


def record_booking_export(command: RecordBookingExport, *, uow: UnitOfWork, clock: Clock) -> None:
    """Write down who takes which bookings, before the first line is sent.

    Words that were looked for are told as being there: they are names and addresses of people.
    """
    with uow:
        uow.audit.add(
            actor=command.actor_id,
            action="bookings.export",
            resource_type="BOOKING",
            resource_id=None,
            changes={"before": {}, "after": {}, "filters": _told(command.search)},
            at=clock.now(),
        )
        uow.commit()


def _told(search: BookingSearch) -> dict[str, str]:
    told = {name: str(value) for name, value in search.asked().items() if name != "q"}
    return told | ({"q": "given"} if search.q else {})


def exported_rows(
    search: BookingSearch, *, owner: UUID | None, agent: UUID | None, queries: SalesQueries
) -> Iterator[Row]:
    """Page by page, newest first, so that neither this process nor a statement holds all of them.

    What is booked meanwhile is not among them; each row is as it was when its page was read.
    """
    after: After | None = None
    while True:
        found = queries.exported_bookings(search=search, owner=owner, agent=agent, limit=AT_ONCE, after=after)
        yield from found[:AT_ONCE]
        if len(found) <= AT_ONCE:
            return
        last = found[AT_ONCE - 1]
        after = After(last["created_at"], last["id"])
