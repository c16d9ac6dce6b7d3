"""Ratings: given and changed by who made the trip, hidden and shown by staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports import UnitOfWork
from domain.catalogue.items import Item
from domain.catalogue.ratings import AlreadyRated, Rating, RatingNotFound, RatingStatus, RatingWords, TripNotCompleted
from domain.operations.audit import changed
from domain.sales.agreed import Trip
from domain.sales.booking_errors import BookingNotFound
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTrip:
    """What a customer says of a trip of theirs."""

    booking_id: UUID
    user_id: UUID
    words: RatingWords


def rate_trip(command: RateTrip, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Rate a trip, once. Raises BookingNotFound for somebody else's, TripNotCompleted, AlreadyRated."""
    with uow:
        booking = _own(command, uow)
        item = _item_of(booking.trip)
        if booking.status is not BookingStatus.COMPLETED or booking.no_show_at is not None or item is None:
            raise TripNotCompleted()
        if uow.ratings.of_booking(booking.id) is not None:
            raise AlreadyRated()
        rating = Rating.give(
            rating_id=new_id(),
            booking_id=booking.id,
            user_id=command.user_id,
            item=item,
            words=command.words,
            at=clock.now(),
        )
        uow.ratings.add(rating)
        uow.commit()
    return rating.id


def change_rating(command: RateTrip, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say something else of a trip. Raises BookingNotFound for somebody else's, RatingNotFound, RatingClosed."""
    with uow:
        rating = uow.ratings.of_booking(_own(command, uow).id)
        if rating is None:
            raise RatingNotFound()
        rating.change(command.words, at=clock.now())
        uow.ratings.save(rating)
        uow.commit()


def _item_of(trip: Trip) -> Item | None:
    """What was booked; None for what people priced, which is nothing of the catalogue's."""
    if trip.package_id is None and trip.activity_id is None:
        return None
    return Item.of(trip.package_id, trip.activity_id)


def _own(command: RateTrip, uow: UnitOfWork) -> Booking:
    booking = uow.bookings.get(command.booking_id)
    if booking.user_id != command.user_id:
        raise BookingNotFound()
    return booking


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerateRating:
    """Staff decide about a rating."""

    rating_id: UUID
    actor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HideRating(ModerateRating):
    """`reason` is for whoever wrote it, and for the record."""

    reason: str


def hide_rating(command: HideRating, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take a rating from everybody's sight, and its stars out of the average.

    Raises RatingNotFound, IllegalTransition, OwnRequest.
    """
    now = clock.now()
    with uow:
        rating = uow.ratings.get(command.rating_id)
        rating.hide(reason=command.reason, by=command.actor_id, at=now)
        _record(rating, {"status": RatingStatus.VISIBLE, "reason": None}, command, uow, now)
        uow.commit()


def show_rating(command: ModerateRating, *, uow: UnitOfWork, clock: Clock) -> None:
    """Let everybody read a rating again. Raises RatingNotFound, IllegalTransition, OwnRequest."""
    now = clock.now()
    with uow:
        rating = uow.ratings.get(command.rating_id)
        before = {"status": rating.status, "reason": rating.hidden_reason}
        rating.show(by=command.actor_id, at=now)
        _record(rating, before, command, uow, now)
        uow.commit()


def _record(
    rating: Rating, before: Mapping[str, object], command: ModerateRating, uow: UnitOfWork, at: datetime
) -> None:
    uow.ratings.save(rating)
    uow.audit.add(
        actor=command.actor_id,
        action="ratings.moderate",
        resource_type="RATING",
        resource_id=rating.id,
        changes=changed(before, {"status": rating.status, "reason": rating.hidden_reason}),
        at=at,
    )
