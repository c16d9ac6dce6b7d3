"""Bookings as use cases find, lock and keep them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.sales.ports import OfferTerms, OnSale, RequestOpened, Sale
from domain.catalogue.items import Item
from domain.sales.amendments import Amendment
from domain.sales.bookings import Booking
from domain.sales.travelers import Traveler
from domain.shared.identifiers import NewId


class Bookings(Protocol):
    """Bookings with their items and hold."""

    def open_sale(
        self,
        item: Item,
        *,
        departure_id: UUID,
        buyer_id: UUID,
        agent_id: UUID | None,
        currency: str | None,
        at: datetime,
    ) -> Sale:
        """Everything that placing a booking needs, the departure locked. Raises CustomerNotFound, DepartureNotFound."""
        ...

    def open_request(
        self, buyer_id: UUID, *, agent_id: UUID | None, policy_id: UUID | None, at: datetime
    ) -> RequestOpened:
        """Everything that keeping a request needs. Raises CustomerNotFound."""
        ...

    def offer_terms(self, buyer_id: UUID, *, agent_id: UUID | None, policy_id: UUID | None, at: datetime) -> OfferTerms:
        """What an offer that is made at an instant freezes; without a policy, the company's default."""
        ...

    def add(self, booking: Booking, travelers: Sequence[Traveler]) -> None: ...

    def travelers(self, booking_id: UUID) -> Sequence[Traveler]:
        """Who travels, with whole document numbers, in their order."""
        ...

    def replace_travelers(self, booking_id: UUID, travelers: Sequence[Traveler]) -> None:
        """Write the list anew; whoever calls holds the booking's lock."""
        ...

    def on_sale_again(self, booking: Booking, departure_id: UUID, *, at: datetime) -> OnSale:
        """The booking's item for another trip, on the terms that were frozen: rewards, the member's rate of that plan,
        and the exchange rate.

        Raises DepartureNotFound for another item's departure, or an item that is not sold any more,
        AmendmentNotOffered where it is sold in another currency since.
        """
        ...

    def keep_amendment(self, amendment: Amendment) -> None:
        """Store an amendment, or what was decided about it; whoever calls holds the booking's lock."""
        ...

    def lapsing_amendments(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose amendment is PENDING and ran out before an instant, oldest first."""
        ...

    def archive(self, *, settled_before: datetime, at: datetime, limit: int) -> int:
        """Take bookings that are over and have not changed since an instant out of lists; how many were taken."""
        ...

    def add_replacement(self, booking: Booking) -> None:
        """Add a booking that replaces another, with that one's travellers."""
        ...

    def next_serial(self) -> int: ...

    def replacement_of(self, booking_id: UUID) -> UUID | None:
        """The booking that replaces this one, unlocked; whoever holds this one's lock sees what stays true."""
        ...

    def is_booked_again(self, booking: Booking) -> bool:
        """Whether the customer has placed a booking of the same departure since this one ended, that is not over."""
        ...

    def get(self, booking_id: UUID) -> Booking:
        """The booking, locked. Raises BookingNotFound."""
        ...

    def lapsing_requests(self, *, begun_before: datetime, limit: int) -> Sequence[UUID]:
        """Requests without a price whose trip was to begin before an instant."""
        ...

    def due_for_expiry(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose hold is ACTIVE and ran out before an instant, oldest first."""
        ...

    def expire_together(self, *, before: datetime, at: datetime, limit: int, new_id: NewId) -> int:
        """Expire up to so many of those that took nothing but seats, and that nobody has locked; how many it was.

        They are written and told of here, not when the unit of work is committed.
        """
        ...
