"""Whether this process can serve: the database is there and migrated; Redis is told of, not asked for."""

from __future__ import annotations

from functools import cached_property

import redis

from application.dependencies import Readiness
from domain.shared.errors import Unavailable
from infrastructure.database.transaction import Database


class ReadinessCheck:
    """Called by the readiness probe; never raises."""

    def __init__(self, database: Database, connection: redis.Redis) -> None:
        self._database = database
        self._redis = connection

    @cached_property
    def _too_old(self) -> frozenset[str]:
        # Loaded with the first question: workers are never asked, and start without Alembic.
        from infrastructure.database.migrations import earlier_revisions

        return earlier_revisions()

    def __call__(self) -> Readiness:
        database = self._database_word()
        return Readiness(is_ready=database == "ok", checks={"database": database, "redis": self._redis_word()})

    def _database_word(self) -> str:
        try:
            row = self._database.row("SELECT version_num FROM alembic_version")
        except Unavailable:
            return "unreachable"
        # A revision that this release has never heard of is the next one's, on whose schema it goes on (guarantee A7).
        return "migrations are behind" if row is None or row["version_num"] in self._too_old else "ok"

    def _redis_word(self) -> str:
        try:
            self._redis.ping()
        except redis.RedisError:
            return "unreachable"
        return "ok"
