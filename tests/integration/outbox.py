"""What the tests of relay and workers share: events to hand over, handlers whose effects are rows, a clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url

from infrastructure.clock import new_id
from infrastructure.database.transaction import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def go_on(self, by: timedelta) -> None:
        self.at += by


def owner(owner_url: object) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection as the database's owner."""
    url = make_url(owner_url).set(drivername="postgresql")  # type: ignore[arg-type]
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def cut_connections(database: Database) -> None:
    """End every connection that the application has to its database."""
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )


def make_effects(owner_url: object) -> None:
    """The table that the handlers of these tests write to."""
    with owner(owner_url) as connection:
        connection.execute("CREATE TABLE effects (value text NOT NULL, backend int NOT NULL DEFAULT pg_backend_pid())")
        connection.execute("GRANT SELECT, INSERT ON effects TO PUBLIC")


def effects(database: Database) -> list[str]:
    return [row["value"] for row in database.rows("SELECT value FROM effects ORDER BY value")]


def happen(database: Database, name: str, payload: Mapping[str, Any] | None = None, *, times: int = 1) -> list[UUID]:
    """Write events to the outbox, as a unit of work does."""
    ids = [new_id() for _ in range(times)]
    with database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO outbox_events (id, name, version, payload, occurred_at)"
            " SELECT id, %s, 1, %s::jsonb, %s FROM unnest(%s::uuid[]) AS id",
            [name, Jsonb(payload or {}), NOON, ids],
        )
        transaction.commit()
    return ids


def published(database: Database) -> int:
    return count(database, "SELECT count(*) FROM outbox_events WHERE published_at IS NOT NULL")


def open_deliveries(database: Database) -> int:
    return count(database, "SELECT count(*) FROM processed_events WHERE processed_at IS NULL AND dead_at IS NULL")


def count(database: Database, sql: str) -> int:
    return int(database.rows(sql)[0]["count"])


def delivery_row(database: Database, event_id: UUID, handler: str) -> dict[str, Any]:
    row = database.row("SELECT * FROM processed_events WHERE event_id = %s AND handler = %s", [event_id, handler])
    assert row is not None
    return row
