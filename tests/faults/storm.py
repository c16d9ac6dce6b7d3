"""What strikes payroll while it pays: every kind of death, each as often as every other, at moments of chance."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from infrastructure.bootstrap import Running
from tests.faults.household import Household, MortalPostgres, SharedClock
from tests.faults.watching import Watch

LONGEST_PAUSE = 60.0
"""Seconds after which the next is killed, however little was sent meanwhile; a run of the driver is over by then."""


@dataclass
class Storm:
    """Kills, and knows what it killed."""

    running: Running
    household: Household
    postgres: MortalPostgres
    watch: Watch
    clock: SharedClock
    chance: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    scheduler_died_at: datetime | None = None

    @property
    def kinds(self) -> Mapping[str, Callable[[], None]]:
        """How to do each thing that may happen."""
        return {
            "worker": lambda: self.household.kill(self._a_worker()),
            "work-horse": lambda: self.household.kill_horse(self._a_worker()),
            "worker and horse": lambda: self.household.kill_whole(self._a_worker()),
            "relay": lambda: self.household.kill("relay"),
            "scheduler": self._kill_scheduler,
            "database, SIGQUIT": lambda: self._kill_database(signal.SIGQUIT),
            "database, SIGKILL": lambda: self._kill_database(signal.SIGKILL),
            "one session, SIGKILL": self._kill_a_session,
            "all sessions dropped": self._drop_sessions,
            "Redis flushed": lambda: self.running.redis.flushdb(),
        }

    def strikes(self, kills: int, over: int) -> Iterator[str]:
        """Strike so many times while that many payouts come to their end; what it was, each time."""
        moments = sorted(self.chance.uniform(0, 0.9) * over for _ in range(kills))
        for kind, moment in zip(self._drawn(kills), moments, strict=True):
            self.wait_for(lambda moment=moment: self.watch.over >= moment)  # type: ignore[misc]
            time.sleep(self.chance.uniform(0, 0.3))
            self.kinds[kind]()
            self.struck[kind] += 1
            yield kind

    def wait_for(self, is_so: Callable[[], bool]) -> bool:
        """Keep the programs alive until it is so, or the patience of a moment is over."""
        deadline = time.monotonic() + LONGEST_PAUSE
        while not (found := is_so()) and time.monotonic() < deadline:
            self.household.keep()
            self.watch.look()
            time.sleep(0.05)
        return found

    def _drawn(self, kills: int) -> list[str]:
        """Every kind before any kind comes again."""
        rounds = (self.chance.sample(list(self.kinds), len(self.kinds)) for _ in range(-(-kills // len(self.kinds))))
        return [kind for each in rounds for kind in each][:kills]

    def _a_worker(self) -> str:
        return self.chance.choice(("worker 1", "worker 2"))

    def _kill_scheduler(self) -> None:
        self.household.kill("scheduler")
        self.scheduler_died_at = self.clock.now()

    def _kill_database(self, number: signal.Signals) -> None:
        self.postgres.die(number, self.chance.uniform(0, 1.0))
        self.running.database.dispose()

    def _kill_a_session(self) -> None:
        self.postgres.lose_a_session(self.running.database.url, self.chance)
        self.running.database.dispose()

    def _drop_sessions(self) -> None:
        self.postgres.drop_sessions(self.running.database.url)
        self.running.database.dispose()
