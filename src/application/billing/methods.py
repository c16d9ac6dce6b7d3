"""The ways to pay that are offered now: what each gateway says, remembered briefly, not waited for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Final

from application.billing.ports import Gateways
from application.patience import asked

KEPT_SECONDS: Final = 60.0
"""How long an answer is remembered; one that failed, a tenth of that."""
WAIT_SECONDS: Final = 3.0
"""How long everybody together is waited for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One method at one provider."""

    provider: str
    method: str


@dataclass(frozen=True, slots=True)
class _Asked:
    answer: Future[frozenset[str]]
    at: float

    def is_fresh(self, now: float, kept: float) -> bool:
        if not self.answer.done():
            return True
        return now - self.at < (kept if self.answer.exception() is None else kept / 10)


class OfferedMethods:
    """Every enabled gateway's offer; one that cannot be reached in time is left out."""

    def __init__(
        self,
        gateways: Gateways,
        *,
        seconds: Callable[[], float] = time.monotonic,
        kept: float = KEPT_SECONDS,
        patience: float = WAIT_SECONDS,
    ) -> None:
        self._gateways = gateways
        self._seconds, self._kept, self._patience = seconds, kept, patience
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()

    def now(self) -> tuple[Offer, ...]:
        """Gateways in the order of the settings, methods by name."""
        questions = {name: self._question(name) for name in self._gateways.names()}
        done, _ = wait(questions.values(), timeout=self._patience)
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
            if known is None or not known.is_fresh(self._seconds(), self._kept):
                known = self._asked[name] = _Asked(asked(self._gateways.get(name).offered), self._seconds())
            return known.answer
