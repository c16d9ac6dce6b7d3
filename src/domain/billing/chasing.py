"""How often a provider is asked about an attempt: soon after it began often, past its end rarely, at last no more.

Intervals grow and are drawn at random below their limit (full jitter), so that what was opened together, or
waited together for a provider, is not asked about together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.billing.payments import AttemptStatus

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
LONGEST_PAUSE_PAST_END: Final = timedelta(hours=12)
SHORTEST_PAUSE: Final = timedelta(minutes=1)
"""Whoever asks has moved the next time this far ahead before it asks: two at once do not ask the same."""

ASKED_ABOUT_CHARGES: Final = timedelta(days=7)
"""For so long a paid attempt is read again, for a second charge whose webhook was lost."""
ASKED_ABOUT_REFUNDS: Final = timedelta(days=120)
"""And for so long where readings tell of refunds and disputes: card schemes allow disputes for about as long."""
SHORTEST_PAUSE_OF_PAID: Final = timedelta(days=1)
LONGEST_PAUSE_OF_PAID: Final = timedelta(days=14)

Draw = Callable[[timedelta], timedelta]
"""A span drawn at random between nothing and a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chase:
    """What the next time depends on; `reads` is how often it was asked about before."""

    status: AttemptStatus
    created_at: datetime
    ends_at: datetime | None
    reads: int
    tells_refunds: bool

    def next_at(self, *, now: datetime, draw: Draw) -> datetime | None:
        """When to ask next, if this time decides nothing; None where nobody asks any more."""
        if self.status is AttemptStatus.PAID:
            return self._next_of_paid(now, draw)
        is_past_end = self.ends_at is not None and now >= self.ends_at
        limit = min(FIRST_PAUSE * 2 ** min(self.reads, 16), LONGEST_PAUSE_PAST_END if is_past_end else LONGEST_PAUSE)
        return now + SHORTEST_PAUSE + draw(limit)

    def _next_of_paid(self, now: datetime, draw: Draw) -> datetime | None:
        age = now - self.created_at
        if age > (ASKED_ABOUT_REFUNDS if self.tells_refunds else ASKED_ABOUT_CHARGES):
            return None
        pause = min(max(age // 10, SHORTEST_PAUSE_OF_PAID), LONGEST_PAUSE_OF_PAID)
        # Never sooner than most of a day: what is paid is asked about for its refunds, which are in no hurry.
        return now + pause * 3 // 4 + draw(pause // 2)
