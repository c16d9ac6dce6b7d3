"""Counting what was guessed wrong of one secret: five within a quarter of an hour lock it for as long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.identity.lockout import TooManyAttempts

MOST_WRONG = 5
PERIOD = timedelta(minutes=15)


@dataclass(kw_only=True)
class Guesses:
    """The wrong guesses at one secret; `subject` names it, such as `second_factor:<user id>`."""

    subject: str
    wrong: int = 0
    since: datetime | None = None
    locked_until: datetime | None = None

    def refuse_while_locked(self, *, at: datetime) -> None:
        """Raises TooManyAttempts, also for what would have been right: a lock that answers tells too much."""
        if self.locked_until is not None and at < self.locked_until:
            raise TooManyAttempts(until=self.locked_until, at=at)

    def count_wrong(self, *, at: datetime) -> None:
        """One more; the fifth since the first of a period locks."""
        if self.since is None or at - self.since >= PERIOD:
            self.wrong, self.since = 0, at
        self.wrong += 1
        if self.wrong >= MOST_WRONG:
            self.wrong, self.since, self.locked_until = 0, None, at + PERIOD
