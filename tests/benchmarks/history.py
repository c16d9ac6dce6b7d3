"""A ledger in a database of its own, posted in batches until it is as long as a benchmark wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from uuid import UUID

from domain.ledger import accounts
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import connect
from tests.benchmarks.data import CURRENCY, fill_wallets
from tests.benchmarks.posters import ENTRIES, payment, post
from tests.benchmarks.servers import System, another_database

WALLETS = 1_000
FEW = 10
"""Entries of the wallet with a short history."""

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class History:
    """Every journal but a few is one wallet's payment to another of many."""

    system: System
    running: Running
    busy: UUID
    """Owns the wallet with the long history."""
    idle: UUID
    """Owns the wallet with few entries; they were the first."""
    others: Sequence[UUID]

    def grow_to(self, entries: int) -> None:
        """Post until the whole ledger has so many entries."""
        self._pay(self.busy, (entries - self._count("SELECT count(*) FROM ledger_entries")) // ENTRIES)

    def grow_busy_to(self, entries: int) -> None:
        """Post until the busy wallet has so many entries."""
        found = self._count("SELECT count(*) FROM ledger_entries WHERE account_id = %s", self.wallet_of(self.busy))
        self._pay(self.busy, entries - found)

    def wallet_of(self, owner: UUID) -> UUID:
        """The account's id."""
        return accounts.wallet(owner, CURRENCY).id

    def begin(self) -> None:
        """Give the idle wallet its few entries; its deposit was the first."""
        self._pay(self.idle, FEW - 1)

    def _pay(self, payer: UUID, times: int) -> None:
        use, source = self.running.dependencies, accounts.wallet(payer, CURRENCY)
        journals = (payment(use, source, accounts.wallet(owner, CURRENCY), 1) for owner in cycle(self.others))
        due = islice(journals, times)
        while batch := list(islice(due, _BATCH)):
            post(use, batch)
        self._tidy()

    def _count(self, sql: str, *parameters: object) -> int:
        with connect(self.system.addresses.owner) as connection:
            row = connection.execute(sql.encode(), parameters).fetchone()
        return int(str(row[0])) if row else 0

    def _tidy(self) -> None:
        """Statistics and visibility as in a database that has run for a while; nothing is left to do in between."""
        with connect(self.system.addresses.owner) as connection:
            connection.execute("VACUUM (ANALYZE)")


@contextmanager
def fresh_history(system: System) -> Iterator[History]:
    """A short ledger that can grow; its database is dropped with the block."""
    with another_database(system, "history") as its_own:
        busy, idle, *others = fill_wallets(its_own, name="history", many=WALLETS)
        with closing(bootstrap(its_own.settings, pool_size=1)) as running:
            history = History(its_own, running, busy, idle, others)
            history.begin()
            yield history
