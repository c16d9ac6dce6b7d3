"""Calendar feeds: made and revoked by whoever may read departures, and read by their calendars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from application.catalogue.queries import Row
from application.identity.tokens import digest, fresh_token
from domain.catalogue.calendar_feeds import (
    MOST_PER_OWNER,
    MOST_SHOWN,
    SHOWN_AHEAD,
    SHOWN_BACK,
    CalendarFeedNotFound,
    TooManyCalendarFeeds,
)
from domain.identity.roles import Surface, widest_surface
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId

if TYPE_CHECKING:
    from application.ports import UnitOfWork
    from application.queries import After

PERMISSION: Final = "departures.calendar"


class CalendarFeeds(Protocol):
    """The feeds of people; of a token only its digest is kept."""

    def count_live(self, owner_id: UUID) -> int:
        """How many of an owner's feeds work; another one of theirs waits until this transaction is over."""
        ...

    def add(self, feed_id: UUID, *, owner_id: UUID, token_hash: bytes, at: datetime) -> None: ...

    def revoke(self, feed_id: UUID, *, owner_id: UUID, at: datetime) -> bool:
        """False where the owner has no such feed, or it was revoked."""
        ...


class CalendarQueries(Protocol):
    def feeds(self, owner_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        """id, created_at of an owner's feeds that work, newest first."""
        ...

    def feed_holder(self, token_hash: bytes) -> Row | None:
        """user_id, roles and permissions of a feed's owner now, locale; None where feed or owner is over."""
        ...

    def calendar(
        self,
        *,
        vendor_id: UUID | None,
        package_id: UUID | None,
        activity_id: UUID | None,
        first: date,
        last: date,
        limit: int,
    ) -> Sequence[Row]:
        """Departures that begin between two days, names of their items, `duration_hours` of activities."""
        ...


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed's id, and its token: shown this once."""

    id: UUID
    token: str


def make_calendar_feed(owner_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> NewFeed:
    """Make an address for one's calendar. Raises TooManyCalendarFeeds."""
    made, now = NewFeed(new_id(), fresh_token()), clock.now()
    with uow:
        if uow.calendar_feeds.count_live(owner_id) >= MOST_PER_OWNER:
            raise TooManyCalendarFeeds()
        uow.calendar_feeds.add(made.id, owner_id=owner_id, token_hash=digest(made.token), at=now)
        _note(owner_id, made.id, is_live=True, uow=uow, at=now)
        uow.commit()
    return made


def revoke_calendar_feed(feed_id: UUID, *, owner_id: UUID, uow: UnitOfWork, clock: Clock) -> None:
    """End one of one's own feeds, at once and for ever. Raises CalendarFeedNotFound."""
    now = clock.now()
    with uow:
        if not uow.calendar_feeds.revoke(feed_id, owner_id=owner_id, at=now):
            raise CalendarFeedNotFound()
        _note(owner_id, feed_id, is_live=False, uow=uow, at=now)
        uow.commit()


def _note(owner_id: UUID, feed_id: UUID, *, is_live: bool, uow: UnitOfWork, at: datetime) -> None:
    uow.audit.add(
        actor=owner_id,
        action=PERMISSION,
        resource_type="CALENDAR_FEED",
        resource_id=feed_id,
        changes={"before": {"is_live": not is_live}, "after": {"is_live": is_live}},
        at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCalendar:
    """A calendar comes with its token; of one item alone where one is named."""

    token: str
    package_id: UUID | None
    activity_id: UUID | None


def read_calendar(command: ReadCalendar, *, queries: CalendarQueries, clock: Clock) -> tuple[Row, Sequence[Row]]:
    """Whose feed it is, and the departures that they may see: all for staff, of their own items for vendors.

    What the owner may do is asked for anew each time. Raises CalendarFeedNotFound.
    """
    holder = queries.feed_holder(digest(command.token))
    if holder is None or PERMISSION not in holder["permissions"]:
        raise CalendarFeedNotFound()
    is_staff = widest_surface(holder["roles"]) is Surface.STAFF
    today = business_date(clock.now())
    departures = queries.calendar(
        vendor_id=None if is_staff else holder["user_id"],
        package_id=command.package_id,
        activity_id=command.activity_id,
        first=today - SHOWN_BACK,
        last=today + SHOWN_AHEAD,
        limit=MOST_SHOWN,
    )
    return holder, departures
