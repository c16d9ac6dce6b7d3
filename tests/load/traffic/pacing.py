"""When users come: independently of each other, and of how quickly they are answered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Pacing:
    """Turns of one user as a Poisson process: many of them together arrive as strangers do.

    A turn is planned from the turn before, not from its answer: slow answers do not thin out the load.
    """

    seconds_between: float
    chance: random.Random = field(default_factory=random.Random)
    next_at: float | None = None

    def seconds_to_wait(self, now: float) -> float:
        """Until the next turn; a user that is late by more than a turn or so has given the rest up."""
        planned = (self.next_at if self.next_at is not None else now) + self._gap()
        self.next_at = max(planned, now - self.seconds_between)
        return max(0.0, self.next_at - now)

    def _gap(self) -> float:
        return self.chance.expovariate(1 / self.seconds_between)


@dataclass(frozen=True)
class Stage:
    """So many requests a second for so long."""

    seconds: float
    rate: float


MOST_USERS, LONGEST_PAUSE, SHORTEST_PAUSE = 3_000, 10.0, 2.0


def seconds_between(stages: list[Stage]) -> float:
    """How seldom each user asks: users wait for their answers, so many who ask seldom keep a rate that few cannot."""
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, MOST_USERS / max(stage.rate for stage in stages)))


def stage_at(stages: list[Stage], elapsed: float) -> Stage | None:
    """The stage that holds after so many seconds; none when all are over."""
    for stage in stages:
        elapsed -= stage.seconds
        if elapsed < 0:
            return stage
    return None


def source_address(number: int) -> str:
    """An address of loopback's own network (127.0.0.0/8) for the n-th user: limits are counted by address."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
