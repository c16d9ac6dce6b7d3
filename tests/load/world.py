"""What senders of load have to know, in files that are written anew while they run: tokens end after 15 minutes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from domain.identity.roles import Surface
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import connect
from infrastructure.storage.atomic_file import write_atomically
from tests.load.seeding import PASSWORD
from tests.load.site import Site

CALLERS: Final = 4_000
"""More than any profile has users: each is somebody else."""
STAFF: Final = 20

_RENEWED_EVERY_SECONDS: Final = 5.0
_TOKENS_EVERY: Final = 48
"""Renewals: four minutes."""

_SLUGS: Final = "SELECT slug FROM packages WHERE slug LIKE 'trip-%' ORDER BY id LIMIT 500"
_WORDS: Final = "SELECT split_part(name_en, ' ', 1) FROM packages WHERE slug LIKE 'trip-%' ORDER BY id LIMIT 300"
_STAFF: Final = """
INSERT INTO users (id, email, password_hash, first_name, last_name, phone, locale, status, roles, email_verified_at,
                   created_at)
SELECT uuidv7(), 'load-staff' || n || '@example.com', '$2b$12$cannot.be.used.to.sign.in', 'Mona', 'Adel', '', 'en',
       'ACTIVE', '{EMPLOYEE}', now(), now()
FROM generate_series(1, %s) AS n
WHERE NOT EXISTS (SELECT 1 FROM users WHERE email = 'load-staff1@example.com')
"""
_STAFF_SESSIONS: Final = """
INSERT INTO sessions (id, user_id, user_agent, created_at, expires_at)
SELECT uuidv7(), id, 'load', now(), now() + interval '1 day' FROM users WHERE email LIKE 'load-staff%'
RETURNING user_id, id
"""
# Checkouts of the last half-hour that were paid: a provider tells of them more than once.
_PAID: Final = """
SELECT c.id::text, c.merchant_reference FROM sandbox_checkouts c
WHERE c.created_at > now() - interval '30 minutes'
  AND EXISTS (SELECT 1 FROM sandbox_charges g WHERE g.checkout_id = c.id)
ORDER BY c.created_at DESC LIMIT 200
"""

Session = tuple[UUID, UUID]


@contextmanager
def told(site: Site, folder: Path) -> Iterator[None]:
    """`world.json` and `paid.json` in the folder, kept true for as long as the block lasts."""
    with closing(bootstrap(site.system.settings, pool_size=1)) as running:
        world = _World(site, running, folder, _staff(site))
        world.write_tokens()
        world.write_paid()
        with _renewed(world):
            yield


def _staff(site: Site) -> list[Session]:
    with connect(site.addresses.owner) as owner:
        owner.execute(_STAFF, (STAFF,))
        return [(UUID(str(user)), UUID(str(session))) for user, session in owner.execute(_STAFF_SESSIONS).fetchall()]


class _World:
    def __init__(self, site: Site, running: Running, folder: Path, staff: Sequence[Session]) -> None:
        self._site, self._running, self._folder, self._staff = site, running, folder, staff
        self._fixed = {
            "sandbox_secret": site.system.settings.sandbox_secret,
            "password": PASSWORD,
            "emails": [f"load{number}@example.com" for number in range(1, 2_001)],
            "people": [str(user) for user, _ in site.shop.customers[:2_000]],
            "trips": [[str(package), str(departure)] for package, departure in site.shop.departures],
            "slugs": self._column(_SLUGS),
            "words": sorted(set(self._column(_WORDS))),
        }

    def write_tokens(self) -> None:
        tokens = {
            "customers": self._issued(self._site.shop.customers[:CALLERS], "CUSTOMER", Surface.APP),
            "staff": self._issued(self._staff, "EMPLOYEE", Surface.STAFF),
        }
        write_atomically(self._folder / "world.json", orjson.dumps({**self._fixed, **tokens}))

    def write_paid(self) -> None:
        with connect(self._site.addresses.owner) as owner:
            paid = owner.execute(_PAID).fetchall()
        write_atomically(self._folder / "paid.json", orjson.dumps(paid))

    def _issued(self, sessions: Sequence[Session], role: str, surface: Surface) -> list[str]:
        use = self._running.dependencies
        at = use.clock.now()
        return [
            use.tokens.issue(user_id=user, session_id=session, roles=[role], at=at, surface=surface)
            for user, session in sessions
        ]

    def _column(self, query: str) -> list[Any]:
        with connect(self._site.addresses.owner) as owner:
            return [row[0] for row in owner.execute(query.encode()).fetchall()]


@contextmanager
def _renewed(world: _World) -> Iterator[None]:
    over = threading.Event()

    def renew() -> None:
        number = 0
        while not over.wait(_RENEWED_EVERY_SECONDS):
            number += 1
            world.write_paid()
            if number % _TOKENS_EVERY == 0:
                world.write_tokens()

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
