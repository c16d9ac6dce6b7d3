"""The ways to pay that are offered now: what each gateway says, remembered briefly, not waited for long."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from application.billing.ports import Gateways
from application.patience import asked
from domain.shared.clock import Clock

KEPT: Final = timedelta(seconds=60)
"""How long an answer is remembered."""
FAILURE_KEPT: Final = timedelta(seconds=6)
"""How long a gateway that could not be reached is left alone."""
WAIT_SECONDS: Final = 3
"""How long all of them together are waited for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One method at one provider."""

    provider: str
    method: str


@dataclass(frozen=True, slots=True)
class _Asked:
    answer: Future[frozenset[str]]
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        if not self.answer.done():
            return True
        return now - self.at < (KEPT if self.answer.exception() is None else FAILURE_KEPT)


class OfferedMethods:
    """Every enabled gateway's offer; one that cannot be reached in time is left out."""

    def __init__(self, gateways: Gateways, *, clock: Clock, wait_seconds: int = WAIT_SECONDS) -> None:
        self._gateways = gateways
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()

    def now(self) -> tuple[Offer, ...]:
        """Gateways in the order of the settings, methods by name."""
        questions = {name: self._question(name) for name in self._gateways.names()}
        done, _ = wait(questions.values(), timeout=self._wait_seconds)
        return tuple(
            Offer(name, method)
            for name, answer in questions.items()
            if answer in done and answer.exception() is None
            for method in sorted(answer.result())
        )

    def _question(self, name: str) -> Future[frozenset[str]]:
        """The answer that is remembered, the one that is waited for already, or a new one."""
        with self._lock:
            known = self._asked.get(name)
            if known is None or not known.is_fresh(self._clock.now()):
                known = self._asked[name] = _Asked(asked(self._gateways.get(name).offered), self._clock.now())
            return known.answer
