"""What the views of bookings share: whose it is, and how it is answered."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer
from api.context import may, own_bookings, use, viewer
from api.etags import with_tag
from api.v1.sales.rows import plan_row
from api.v1.sales.schemas import BookingShown
from application.queries import Row
from domain.sales.booking_errors import BookingNotFound
from domain.sales.travelers import Traveler
from domain.shared.clock import business_date
from domain.shared.errors import NotAllowed


def shown(booking_id: UUID) -> Row:
    """The booking as this viewer may see it. Raises BookingNotFound."""
    today = business_date(use().clock.now())
    row = use().queries.sales.booking(booking_id, **own_bookings(), today=today)
    if row is None:
        raise BookingNotFound()
    return as_seen({**row, **plan_row(row["standings"])})


def as_seen(booking: Row) -> Row:
    """A booking as its viewer reads it: what the company agreed with suppliers is for staff alone."""
    if booking["supplier_deadline"] is None or viewer().is_staff:
        return booking
    return {**booking, "supplier_deadline": None}


def answer_booking(booking_id: UUID) -> Response:
    """The booking, with its ETag."""
    row = shown(booking_id)
    return with_tag(answer(BookingShown, row), row["version"])


def customer_in(body: dict[str, Any]) -> UUID:
    """For whom: oneself, or another customer where the viewer may book for others."""
    wanted, asking = body["user_id"], viewer()
    if wanted is None or wanted == asking.user_id:
        return asking.user_id
    if not may("bookings.create"):
        raise NotAllowed()
    return cast(UUID, wanted)


def agent_for(customer: UUID) -> UUID | None:
    """The viewer, where they are an agent and the customer is somebody else."""
    agent_id = viewer().agent_id
    return agent_id if customer != agent_id else None


def is_their_own(booking: Row) -> bool:
    """Whether the viewer is its customer, or the agent who made it and still is one."""
    asking = viewer()
    if asking.user_id == booking["user_id"]:
        return True
    return booking["agent_id"] is not None and booking["agent_id"] == asking.agent_id


def travelers_in(body: dict[str, Any]) -> tuple[Traveler, ...]:
    """The travellers that a request names."""
    return tuple(Traveler(**traveler) for traveler in body["travelers"])
