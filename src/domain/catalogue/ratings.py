"""What customers say of a trip that they made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.catalogue.items import Item
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, NotFound, OwnRequest
from domain.shared.events import DomainEvent

MOST_STARS: Final = 5
TITLE_LENGTH: Final = 120
COMMENT_LENGTH: Final = 4000
CHANGEABLE_FOR: Final = timedelta(days=30)


class RatingNotFound(NotFound):
    """The trip was not rated, or it is not the viewer's."""

    code = "rating_not_found"


class TripNotCompleted(Conflict):
    """Only who made the trip rates it: the booking is not completed, or its customer did not come."""

    code = "trip_not_completed"


class AlreadyRated(Conflict):
    """A trip is rated once; the rating may be changed."""

    code = "already_rated"


class RatingClosed(Conflict):
    """A rating is changed within 30 days of its making."""

    code = "rating_closed"


class RatingStatus(StrEnum):
    """Whether others read it, and whether its stars count."""

    VISIBLE = "VISIBLE"
    HIDDEN = "HIDDEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRated(DomainEvent):
    name: ClassVar[str] = "catalogue.item_rated"
    rating_id: UUID
    package_id: UUID | None
    activity_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingWords:
    """What a customer says; `title` and `comment` may be empty."""

    stars: int
    title: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.stars <= MOST_STARS:
            raise InvalidValue(f"1 to {MOST_STARS} stars", pointer="/stars", code="out_of_range")


@dataclass(eq=False, kw_only=True)
class Rating(Aggregate):
    """One customer's word on one trip, about the package or the activity that it was."""

    id: UUID
    booking_id: UUID
    user_id: UUID
    item: Item
    words: RatingWords
    status: RatingStatus
    hidden_reason: str | None
    moderated_by: UUID | None
    moderated_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def give(
        cls, *, rating_id: UUID, booking_id: UUID, user_id: UUID, item: Item, words: RatingWords, at: datetime
    ) -> Rating:
        """A new rating, which everybody reads at once."""
        rating = cls(
            id=rating_id,
            booking_id=booking_id,
            user_id=user_id,
            item=item,
            words=words,
            status=RatingStatus.VISIBLE,
            hidden_reason=None,
            moderated_by=None,
            moderated_at=None,
            created_at=at,
            updated_at=at,
        )
        rating.record(ItemRated(at=at, rating_id=rating.id, package_id=item.package_id, activity_id=item.activity_id))
        return rating

    def change(self, words: RatingWords, *, at: datetime) -> None:
        """Say something else; what staff hid stays hidden. Raises RatingClosed."""
        if at > self.created_at + CHANGEABLE_FOR:
            raise RatingClosed()
        self.words, self.updated_at = words, at

    def hide(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Nobody reads it any more, and its stars do not count. Raises IllegalTransition or OwnRequest."""
        self._moderate(RatingStatus.HIDDEN, reason=reason, by=by, at=at)

    def show(self, *, by: UUID, at: datetime) -> None:
        """Everybody reads it again. Raises IllegalTransition or OwnRequest."""
        self._moderate(RatingStatus.VISIBLE, reason=None, by=by, at=at)

    def _moderate(self, status: RatingStatus, *, reason: str | None, by: UUID, at: datetime) -> None:
        if by == self.user_id:
            raise OwnRequest()
        if status is self.status:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status, self.hidden_reason = status, reason
        self.moderated_by, self.moderated_at = by, at
