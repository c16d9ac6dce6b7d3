"""Quotas counted in Redis for all processes together; in this process while Redis is away.

Two ways of counting. `SlidingQuota` asks Redis at every request: exact, for the few requests that guess at
secrets. `LeasedQuota` takes a twentieth of a window's quota at a time and counts it here: never more than the
quota in a window, up to a twentieth for each process less, and no round trip on most requests.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import redis
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from middlewares.brief_lock import BriefLock

WINDOW_SECONDS: Final = 60
LEASES_PER_WINDOW: Final = 20
MOST_CALLERS: Final = 10_000
"""How many callers a process remembers in a window; whoever is forgotten asks Redis again."""

PATIENCE_SECONDS: Final = 0.5
COOL_DOWN_SECONDS: Final = 2.0
"""After a failure nobody waits for Redis this long; then one request looks again."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, what is left in the window, and the Unix time at which the next one begins."""

    allowed: bool
    limit: int
    remaining: int
    resets_at: int


class SharedCounter:
    """The Redis that all processes count in, and whether it answers."""

    def __init__(self, redis_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        # `limits` wants the family named before a socket's address.
        address = f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url
        self.storage = RedisStorage(
            address,
            key_prefix="altayar:limits",
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
            # Its own repetitions would keep a request waiting for seconds.
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        weakref.finalize(self, self.storage.storage.close)
        self._monotonic = monotonic
        self._look_again_at = 0.0
        self._away = False

    def ask(self, question: Callable[[], Found]) -> Found | None:
        """What Redis answers; None while it is away."""
        if self._away:
            if self._monotonic() < self._look_again_at:
                return None
            # Put off before looking: one request finds out for all of them.
            self._look_again_at = self._monotonic() + COOL_DOWN_SECONDS
        try:
            found = question()
        except (redis.RedisError, OSError):
            self._away, self._look_again_at = True, self._monotonic() + COOL_DOWN_SECONDS
            return None
        self._away = False
        return found


class SlidingQuota:
    """So many requests in any 60 seconds, exactly."""

    def __init__(self, shared: SharedCounter) -> None:
        self._shared = shared
        self._together = SlidingWindowCounterRateLimiter(shared.storage)
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, kind: str, caller: str, limit: int) -> Verdict:
        """Count one request of a caller."""
        found = self._shared.ask(lambda: self._take(self._together, kind, caller, limit))
        return found if found is not None else self._take(self._alone, kind, caller, limit)

    @staticmethod
    def _take(counting: SlidingWindowCounterRateLimiter, kind: str, caller: str, limit: int) -> Verdict:
        item = RateLimitItemPerSecond(limit, WINDOW_SECONDS)
        allowed = counting.hit(item, kind, caller)
        left = counting.get_window_stats(item, kind, caller)
        return Verdict(allowed, limit, max(0, left.remaining), int(left.reset_time) + 1)


@dataclass(slots=True)
class _Lease:
    """What a caller has left here, and what nobody had taken of the window's quota when we last asked."""

    window: int
    left: int
    unleased: int


class LeasedQuota:
    """So many requests in each minute of the clock, leased in twentieths."""

    def __init__(self, shared: SharedCounter, *, now: Callable[[], float] = time.time) -> None:
        self._shared = shared
        self._now = now
        self._lock = BriefLock()
        self._leases: dict[tuple[str, str], _Lease] = {}

    def take(self, kind: str, caller: str, limit: int) -> Verdict:
        """Count one request of a caller."""
        window = int(self._now()) // WINDOW_SECONDS
        lease = self._lease_of((kind, caller), window, limit)
        if lease.left <= 0 and lease.unleased > 0:
            self._lease_more(lease, kind, caller, limit)
        with self._lock:
            allowed = lease.left > 0
            lease.left -= allowed
            remaining = lease.left + lease.unleased
        return Verdict(allowed, limit, remaining, (window + 1) * WINDOW_SECONDS)

    def is_spent(self, kind: str, caller: str) -> bool:
        """Whether this process knows that nothing is left; counts nothing."""
        lease = self._leases.get((kind, caller))
        if lease is None or lease.window != int(self._now()) // WINDOW_SECONDS:
            return False
        return lease.left <= 0 and lease.unleased <= 0

    def _lease_of(self, key: tuple[str, str], window: int, limit: int) -> _Lease:
        with self._lock:
            lease = self._leases.get(key)
            if lease is not None and lease.window == window:
                return lease
            self._leases.pop(key, None)
            while len(self._leases) >= MOST_CALLERS:
                # The oldest: dictionaries keep the order in which keys came.
                del self._leases[next(iter(self._leases))]
            return self._leases.setdefault(key, _Lease(window, left=0, unleased=limit))

    def _lease_more(self, lease: _Lease, kind: str, caller: str, limit: int) -> None:
        """Take another part of the window's quota. Not under the lock: others need not wait for Redis."""
        part = max(1, limit // LEASES_PER_WINDOW)
        # The window is part of the key: all processes turn the page at the same second.
        key = f"{kind}/{lease.window}/{caller}"
        taken = self._shared.ask(lambda: self._shared.storage.incr(key, WINDOW_SECONDS, part))
        with self._lock:
            if taken is None:
                # Redis is away: this process counts alone, from what it last knew to be left.
                granted, lease.unleased = min(part, lease.unleased), max(0, lease.unleased - part)
            else:
                granted, lease.unleased = max(0, min(part, limit - taken + part)), max(0, limit - taken)
            lease.left += granted
