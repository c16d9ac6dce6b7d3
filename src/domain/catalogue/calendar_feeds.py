"""Addresses at which departures can be read by calendars."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.shared.errors import Conflict, NotFound

MOST_PER_OWNER: Final = 10
SHOWN_BACK: Final = timedelta(days=31)
SHOWN_AHEAD: Final = timedelta(days=366)
MOST_SHOWN: Final = 5_000
"""Departures in one calendar; of more, the last are left out."""


class CalendarFeedNotFound(NotFound):
    """There is no such feed, it was revoked, or its owner may not read departures any more."""

    code = "calendar_feed_not_found"


class TooManyCalendarFeeds(Conflict):
    """The owner has as many feeds as anybody may; revoke one first."""

    code = "too_many_calendar_feeds"

    def __init__(self) -> None:
        super().__init__(most=MOST_PER_OWNER)
