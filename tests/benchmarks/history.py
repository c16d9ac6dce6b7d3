"""A ledger in a database of its own, posted in batches until it is as long as a benchmark wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.journal import Entry, Journal
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import connect
from tests.benchmarks.data import CURRENCY, fill_wallets
from tests.benchmarks.posters import ENTRIES, PREPAYMENTS, payment, post
from tests.benchmarks.servers import System, another_database

WALLETS = 1_000
FEW = 10
"""Entries of the wallet with a short history."""

_BATCH = 500
"""Journals in one unit of work."""
_INSTALMENTS = 50


@dataclass(frozen=True, slots=True)
class History:
    """A ledger in which one wallet pays many others, and then the platform in ever so many instalments."""

    system: System
    running: Running
    busy: UUID
    """Owns the wallet with the long history."""
    idle: UUID
    """Owns the wallet with few entries; they were the first."""
    others: Sequence[UUID]

    def begin(self) -> None:
        """Give the idle wallet its few entries; its deposit was the first."""
        self._post(self._payments(self.idle, FEW - 1))

    def grow_to(self, entries: int) -> None:
        """Post payments until the whole ledger has so many entries: most journals have two."""
        missing = entries - self._count("SELECT count(*) FROM ledger_entries")
        self._post(self._payments(self.busy, missing // ENTRIES))

    def grow_busy_to(self, entries: int) -> None:
        """Post until the busy wallet has so many entries, many to a journal: as a million journals it took minutes."""
        found = self._count("SELECT count(*) FROM ledger_entries WHERE account_id = %s", self.wallet_of(self.busy))
        self._post(self._instalments(self.busy, entries - found))

    def wallet_of(self, owner: UUID) -> UUID:
        """The account's id."""
        return accounts.wallet(owner, CURRENCY).id

    def _payments(self, payer: UUID, times: int) -> Iterator[Journal]:
        use, source = self.running.dependencies, accounts.wallet(payer, CURRENCY)
        for owner in islice(cycle(self.others), times):
            yield payment(use, source, accounts.wallet(owner, CURRENCY), 1)

    def _instalments(self, payer: UUID, times: int) -> Iterator[Journal]:
        use, source = self.running.dependencies, accounts.wallet(payer, CURRENCY)
        for start in range(0, times, _INSTALMENTS):
            many = min(_INSTALMENTS, times - start)
            whole = payment(use, source, PREPAYMENTS, many)
            yield replace(whole, entries=(*[Entry(source, -1)] * many, Entry(PREPAYMENTS, many)))

    def _post(self, journals: Iterator[Journal]) -> None:
        while batch := list(islice(journals, _BATCH)):
            post(self.running.dependencies, batch)
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
