"""Views counted in Redis: one hash that grows, renamed to a batch when it is folded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from domain.catalogue.items import ItemKind

COUNTING: Final = "altayar:views"
BATCH_PREFIX: Final = "altayar:views:batch:"
BATCH_LIVES_SECONDS: Final = 7 * 24 * 3600
"""A batch that cannot be dropped ends by itself, long before the record ends that it was folded (30 days)."""

PATIENCE_SECONDS: Final = 0.2
COOL_DOWN_SECONDS: Final = 5.0
"""After a failure nobody waits for Redis this long."""

log = structlog.get_logger(__name__)


class RedisViewCounter:
    """Implements `application.catalogue.ports.ViewCounter`; where Redis is lost, so are views, and nothing else."""

    def __init__(self, redis_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._monotonic = monotonic
        self._look_again_at = 0.0

    def count(self, kind: ItemKind, item_id: UUID) -> None:
        if self._monotonic() < self._look_again_at:
            return
        try:
            self._redis.hincrby(COUNTING, f"{kind.value}:{item_id}", 1)
        except (redis.RedisError, OSError) as error:
            self._gone(error)

    def batches(self) -> Mapping[UUID, Mapping[tuple[ItemKind, UUID], int]]:
        try:
            self._begin_batch()
            keys = list(self._redis.scan_iter(match=f"{BATCH_PREFIX}*"))
            return {_batch_id(key): _counts(self._redis.hgetall(key)) for key in keys}
        except (redis.RedisError, OSError) as error:
            self._gone(error)
            return {}

    def drop(self, batch_id: UUID) -> None:
        try:
            self._redis.delete(f"{BATCH_PREFIX}{batch_id}")
        except (redis.RedisError, OSError) as error:
            self._gone(error)

    def _begin_batch(self) -> None:
        """What was counted until now moves under a name of its own, in one step; whoever counts begins anew."""
        name = f"{BATCH_PREFIX}{uuid4()}"
        try:
            self._redis.rename(COUNTING, name)
        except redis.ResponseError as error:
            if "no such key" not in str(error):
                raise
            # Nobody looked at anything.
            return
        self._redis.expire(name, BATCH_LIVES_SECONDS)

    def _gone(self, error: Exception) -> None:
        self._look_again_at = self._monotonic() + COOL_DOWN_SECONDS
        log.warning("views_not_counted", reason=type(error).__name__)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()


def _batch_id(key: str) -> UUID:
    return UUID(key.removeprefix(BATCH_PREFIX))


def _counts(counted: Mapping[Any, Any]) -> dict[tuple[ItemKind, UUID], int]:
    return {_item(name): int(views) for name, views in counted.items()}


def _item(name: str) -> tuple[ItemKind, UUID]:
    kind, _, item_id = name.partition(":")
    return ItemKind(kind), UUID(item_id)
