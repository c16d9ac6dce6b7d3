"""Who travels on a departure, party by party."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain.sales.booking_states import BookingStatus
from domain.sales.travelers import Traveler, masked
from domain.shared.errors import RuleBroken
from domain.shared.events import DomainEvent

TRAVELING: Final = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)
"""Bookings whose people are expected, or came."""

MOST_PRINTED: Final = 1_000
"""Travellers in a PDF; JSON and CSV have no bound."""

KEPT_FOR: Final = timedelta(hours=1)
"""A PDF names people, and whoever is erased is gone from the next one."""

ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
"""A PDF that is not made by then is asked for anew by whoever comes for it."""


class ManifestTooLong(RuleBroken):
    """More travellers than a PDF holds."""

    code = "manifest_too_long"

    def __init__(self) -> None:
        super().__init__(most=MOST_PRINTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRequested(DomainEvent):
    name: ClassVar[str] = "sales.manifest_requested"
    manifest_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One booking's people; `seats` is how many of them there are, named or not."""

    booking_id: UUID
    booking_number: str
    status: BookingStatus
    no_show: bool
    first_name: str
    last_name: str
    email: str
    phone: str
    special_requests: str
    seats: int
    travelers: tuple[Traveler, ...]

    @property
    def unnamed(self) -> int:
        return max(0, self.seats - len(self.travelers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A departure and the parties that are booked on it, by their numbers."""

    departure_id: UUID
    name_ar: str
    name_en: str
    status: str
    starts_on: date
    ends_on: date
    start_time: time
    time_zone: str
    capacity: int
    parties: tuple[Party, ...]

    @property
    def seats(self) -> int:
        return sum(party.seats for party in self.parties)

    @property
    def unnamed(self) -> int:
        return sum(party.unnamed for party in self.parties)

    @property
    def documents(self) -> int:
        """How many document numbers are on it."""
        return sum(traveler.document_number is not None for party in self.parties for traveler in party.travelers)

    def masked(self) -> Manifest:
        """The same with document numbers that show their last three characters."""
        parties = (replace(party, travelers=tuple(map(_masked, party.travelers))) for party in self.parties)
        return replace(self, parties=tuple(parties))

    def refuse_long(self) -> None:
        """Raises ManifestTooLong for more than can be printed."""
        if self.seats > MOST_PRINTED:
            raise ManifestTooLong()


def storage_key(manifest_id: UUID) -> str:
    """Where a manifest's PDF lies."""
    return f"manifests/{manifest_id}.pdf"


def _masked(traveler: Traveler) -> Traveler:
    number = traveler.document_number
    return traveler if number is None else replace(traveler, document_number=masked(number))
