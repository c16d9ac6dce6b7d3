"""The databases of tests: clones of the migrated and seeded template, put back as they were between two tests.

Putting one back takes a fraction of making and dropping one, and the sessions stay that have read the catalog and
planned the application's statements. It takes a superuser, whom only servers have that are started for tests: the
database's own rules refuse to forget, also to its owner. On a given server each test has a new clone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import psycopg
from sqlalchemy.engine import make_url

from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from infrastructure.embedded import postgres as embedded
from infrastructure.embedded.folders import ServerFolder
from infrastructure.embedded.postgres import EmbeddedPostgres

THROW_AWAY: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "400",
    "scram_iterations": "1",
    "autovacuum": "off",
}
JANITOR: Final = "altayar_janitor"
MOST_TESTS: Final = 60
"""With one database: what they deleted stays in its files, and is passed by again and again."""
SECONDS_TO_END: Final = 5.0
"""That a test's sessions may outlive it."""
SCHEMA: Final = (
    *("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_trigger", "pg_proc", "pg_type"),
    *("pg_namespace", "pg_rewrite", "pg_policy", "pg_default_acl", "pg_db_role_setting"),
)
"""Where all is written down that is not rows of the application's tables."""

_TABLES: Final = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""
_WRITTEN: Final = "SELECT name FROM unnest(%s::text[]) name WHERE pg_relation_size(name::regclass) > 0"
_SEQUENCES: Final = "SELECT oid, pg_sequence_last_value(oid) FROM pg_class WHERE relkind = 'S' ORDER BY 1"
_RESTART: Final = """
    SELECT setval(seqrelid::regclass, coalesce(last, seqstart), last IS NOT NULL)
    FROM unnest(%s::oid[], %s::bigint[]) seeded (seqrelid, last) JOIN pg_sequence USING (seqrelid)
    WHERE last IS DISTINCT FROM pg_sequence_last_value(seqrelid)
"""
_SESSIONS: Final = """
    SELECT query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class ThrowAwayPostgres(EmbeddedPostgres):
    """A server that loses everything in a crash, with a superuser who can log in."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, settings=THROW_AWAY)
        self._password = secrets.token_urlsafe(32)

    @property
    def janitor_url(self) -> str:
        url = make_url(self.start()).set(username=JANITOR, password=self._password)
        return url.render_as_string(hide_password=False)

    def _prepare(self, folder: ServerFolder) -> None:
        super()._prepare(folder)
        data, programs = folder.path / "data", embedded._programs(folder)
        alone: list[str | Path] = [programs / "postgres", "--single", "-D", data, "-cexit_on_error=on", "postgres"]
        embedded._run(folder, alone, f"CREATE ROLE {JANITOR} SUPERUSER LOGIN PASSWORD '{self._password}'\n")


class KeptDatabase(Database):
    """The application's connections, which whoever closes them leaves to the next test."""

    def dispose(self) -> None:
        """Do nothing; `end` does."""

    def end(self) -> None:
        super().dispose()

    @property
    def at_rest(self) -> int:
        """Connections that nobody has borrowed."""
        return sum(pool.idle for pool in self.pools)


class LentDatabase:
    """One clone, for one test after another."""

    of: ClassVar[dict[str, LentDatabase]] = {}
    """Those that are there, by name."""

    def __init__(self, addresses: DatabaseAddresses, janitor_url: str | None) -> None:
        self.addresses = addresses
        self.database = KeptDatabase(addresses.app)
        self._janitor = _Janitor(addresses, janitor_url) if janitor_url else None
        self._owner: psycopg.Connection[Any] | None = None
        self._tests = 0
        self.of[str(addresses.owner.database)] = self

    @property
    def owner(self) -> psycopg.Connection[Any]:
        """A session of the owner's, in autocommit."""
        if self._owner is None:
            self._owner = connect(self.addresses.owner)
        return self._owner

    def put_back(self) -> bool:
        """Whether it is as it was when it was made. Raises AssertionError where a test left a session open."""
        self._tests += 1
        if self._janitor is None or self._tests == MOST_TESTS:
            return False
        self._see_out(self._janitor)
        return self._janitor.put_back()

    def end(self) -> None:
        """Close what this process holds of it."""
        del self.of[str(self.addresses.owner.database)]
        self._close()
        if self._janitor is not None:
            self._janitor.session.close()

    def _see_out(self, janitor: _Janitor) -> None:
        """Wait until nobody is here but those who stay; where the server ended one of them, all are closed."""
        until = time.monotonic() + SECONDS_TO_END
        while len(here := janitor.sessions()) != (stay := self.database.at_rest + (self._owner is not None)):
            if len(here) < stay:
                self._close()
            assert time.monotonic() < until, f"the test left sessions open, beside {stay} that stay: {here}"
            time.sleep(0.005)

    def _close(self) -> None:
        self.database.end()
        if self._owner is not None:
            self._owner.close()
            self._owner = None


@contextmanager
def as_owner(addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    """A session of the owner's: the one that has looked at this database before, if it is lent to a test."""
    lent = LentDatabase.of.get(str(addresses.owner.database))
    if lent is not None:
        yield lent.owner
        return
    with connect(addresses.owner) as session:
        yield session


class _Janitor:
    """Knows what the seed is, and removes all else."""

    def __init__(self, addresses: DatabaseAddresses, url: str) -> None:
        self.session = connect(make_url(url).set(database=addresses.owner.database))
        # No trigger, no foreign key: what refuses to forget does not see this.
        self.session.execute("SET session_replication_role = replica")
        self._seeds: dict[str, bytes] = {}
        self._empty: list[str] = []
        for (name,) in self._all(_TABLES):
            with self.session.cursor().copy(f"COPY {name} TO STDOUT") as rows:
                seed = b"".join(rows)
            if seed:
                self._seeds[name] = seed
            else:
                self._empty.append(name)
        self._sequences = [list(column) for column in zip(*self._all(_SEQUENCES), strict=True)]
        # Whatever writes a row puts its transaction's number there, which is larger than all before.
        self._look = " UNION ALL ".join(
            f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for name in (*SCHEMA, *self._seeds)
        )
        self._seen = set(self._all(self._look))

    def sessions(self) -> list[str]:
        """What everybody else who is connected asked last."""
        return [query for (query,) in self._all(_SESSIONS)]

    def put_back(self) -> bool:
        """False where more than rows was changed."""
        changed = {name for name, *_ in set(self._all(self._look)) ^ self._seen}
        if not changed.isdisjoint(SCHEMA):
            return False
        written = [name for (name,) in self._all(_WRITTEN, [self._empty])]
        with self.session.transaction():
            for name in (*written, *changed):
                self.session.execute(f"DELETE FROM {name}")
            for name in changed:
                with self.session.cursor().copy(f"COPY {name} FROM STDIN") as rows:
                    rows.write(self._seeds[name])
            self.session.execute(_RESTART, self._sequences)
        if changed:
            self._seen = set(self._all(self._look))
        return True

    def _all(self, query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.session.execute(query, parameters).fetchall()
