"""Who travels: read with their documents masked, and written down anew until the trip begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from application.ports import UnitOfWork
from domain.sales.travelers import Traveler, masked, refuse_other_ages, refuse_unfit
from domain.shared.clock import Clock, business_date
from domain.shared.errors import refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTravelers:
    """Somebody who may see the booking looks at who travels; `whole` shows document numbers as they are."""

    booking_id: UUID
    actor_id: UUID
    whole: bool


def read_travelers(command: ReadTravelers, *, uow: UnitOfWork, clock: Clock) -> Sequence[Traveler]:
    """The travellers in their order; that whole document numbers were shown stays in the audit log."""
    with uow:
        travelers = uow.bookings.travelers(command.booking_id)
        documents = sum(traveler.document_number is not None for traveler in travelers)
        if not command.whole or documents == 0:
            return [_masked(traveler) for traveler in travelers]
        uow.audit.add(
            actor=command.actor_id,
            action="bookings.documents",
            resource_type="BOOKING",
            resource_id=command.booking_id,
            changes={"documents_shown": documents},
            at=clock.now(),
        )
        uow.commit()
    return travelers


def _masked(traveler: Traveler) -> Traveler:
    number = traveler.document_number
    return traveler if number is None else replace(traveler, document_number=masked(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTravelers:
    """The whole list of who travels, by the customer, their agent, or staff."""

    booking_id: UUID
    actor_id: UUID
    travelers: tuple[Traveler, ...]
    document_valid_days: int
    expected_version: int | None


def write_travelers(command: WriteTravelers, *, uow: UnitOfWork, clock: Clock) -> None:
    """Replace the list; whose booking it is was asked before, and is in the audit log where it is not the actor's.

    Neither history nor audit log tell names or numbers. Raises BookingNotFound, PreconditionFailed, TravelersFixed,
    AmendmentWaits, AgesArePriced or UnfitTravelers.
    """
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        refuse_stale(command.expected_version, current=booking.version)
        refuse_unfit(command.travelers, booking.trip, valid_days=command.document_valid_days, today=business_date(now))
        booking.rename_travelers(by=command.actor_id, at=now)
        before = uow.bookings.travelers(booking.id)
        refuse_other_ages(before, command.travelers, booking.trip)
        uow.bookings.replace_travelers(booking.id, command.travelers)
        if command.actor_id != booking.user_id:
            uow.audit.add(
                actor=command.actor_id,
                action="bookings.travelers",
                resource_type="BOOKING",
                resource_id=booking.id,
                changes={
                    "before": {"travelers": len(before)},
                    "after": {"travelers": len(command.travelers)},
                    "changed_positions": _changed(before, command.travelers),
                },
                at=now,
            )
        uow.commit()


def _changed(before: Sequence[Traveler], after: Sequence[Traveler]) -> list[int]:
    """Which places of the list say something else now, counted from 1."""
    longest = max(len(before), len(after))
    return [place + 1 for place in range(longest) if before[place : place + 1] != after[place : place + 1]]
