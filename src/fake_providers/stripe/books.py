"""The provider's books: objects, remembered answers, counted calls and sent webhooks, in a SQLite file."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from fake_providers.stripe.refusals import Json, missing

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER, body TEXT);
CREATE TABLE IF NOT EXISTS calls (operation TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (event_id TEXT NOT NULL, type TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outgoing (place INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL);
"""


class Books:
    """Every method is locked; `effect` makes several one transaction, that is kept whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._guard = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(TABLES)
        # What was running when the last process ended did not run to its end.
        self._connection.execute("DELETE FROM answers WHERE status IS NULL")

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    @contextlib.contextmanager
    def effect(self) -> Iterator[None]:
        with self._guard:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    # Objects

    def add(self, body: Json) -> Json:
        with self._guard:
            self._connection.execute(
                "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)", (body["id"], body["object"], json.dumps(body))
            )
        return body

    def put(self, body: Json) -> Json:
        with self._guard:
            self._connection.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return body

    def find(self, object_id: str) -> Json | None:
        with self._guard:
            row = self._connection.execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
        found: Json | None = None if row is None else json.loads(row[0])
        return found

    def get(self, kind: str, object_id: str) -> Json:
        """Raises Refusal 404."""
        found = self.find(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind, object_id)
        return found

    def change(self, kind: str, object_id: str, change: Callable[[Json], None]) -> Json:
        with self._guard:
            found = self.get(kind, object_id)
            change(found)
            return self.put(found)

    def all(self, kind: str) -> list[Json]:
        """Newest first."""
        with self._guard:
            rows = self._connection.execute("SELECT body FROM objects WHERE kind = ? ORDER BY place DESC", (kind,))
            return [json.loads(row[0]) for row in rows.fetchall()]

    # Idempotency

    def reserve(self, key: str, request: str) -> tuple[str, int | None, Json | None] | None:
        """None for a new key, which is then in flight; else the request that it was used for, and its answer."""
        with self._guard:
            row = self._connection.execute("SELECT request, status, body FROM answers WHERE key = ?", (key,)).fetchone()
            if row is not None:
                return row[0], row[1], None if row[2] is None else json.loads(row[2])
            self._connection.execute("INSERT INTO answers (key, request) VALUES (?, ?)", (key, request))
            return None

    def keep(self, key: str, status: int, body: Json) -> None:
        with self._guard:
            self._connection.execute(
                "UPDATE answers SET status = ?, body = ? WHERE key = ?", (status, json.dumps(body), key)
            )

    def forget(self, key: str) -> None:
        """Free a key: a request that never began to run, or one that is older than Stripe remembers."""
        with self._guard:
            self._connection.execute("DELETE FROM answers WHERE key = ?", (key,))

    # Calls and webhooks

    def count(self, operation: str) -> None:
        with self._guard:
            self._connection.execute(
                "INSERT INTO calls VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET count = count + 1", (operation,)
            )

    def calls(self) -> dict[str, int]:
        with self._guard:
            return dict(self._connection.execute("SELECT operation, count FROM calls").fetchall())

    def to_send(self, event_id: str) -> None:
        with self._guard:
            self._connection.execute("INSERT INTO outgoing (event_id) VALUES (?)", (event_id,))

    def take_outgoing(self) -> str | None:
        with self._guard:
            row = self._connection.execute("SELECT place, event_id FROM outgoing ORDER BY place LIMIT 1").fetchone()
            if row is None:
                return None
            self._connection.execute("DELETE FROM outgoing WHERE place = ?", (row[0],))
            return str(row[1])

    def has_outgoing(self) -> bool:
        with self._guard:
            return self._connection.execute("SELECT 1 FROM outgoing LIMIT 1").fetchone() is not None

    def delivered(self, event: Json, outcome: str) -> None:
        with self._guard:
            self._connection.execute("INSERT INTO deliveries VALUES (?, ?, ?)", (event["id"], event["type"], outcome))

    def deliveries(self) -> list[Json]:
        names = ("event_id", "type", "outcome")
        with self._guard:
            rows = self._connection.execute("SELECT event_id, type, outcome FROM deliveries").fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]
