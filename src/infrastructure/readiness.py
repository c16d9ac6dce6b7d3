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
    def _expected(self) -> str:
        # Loaded with the first question: workers are never asked, and start without Alembic.
        from infrastructure.database.migrations import newest_revision

        return newest_revision()

    def __call__(self) -> Readiness:
        database = self._database_word()
        return Readiness(is_ready=database == "ok", checks={"database": database, "redis": self._redis_word()})

    def _database_word(self) -> str:
        try:
            row = self._database.row("SELECT version_num FROM alembic_version")
        except Unavailable:
            return "unreachable"
        return "ok" if row is not None and row["version_num"] == self._expected else "migrations are behind"

    def _redis_word(self) -> str:
        try:
            self._redis.ping()
        except redis.RedisError:
            return "unreachable"
        return "ok"
