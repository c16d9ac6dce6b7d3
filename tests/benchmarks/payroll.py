"""Target 16: a million earnings of ten thousand payees, paid out, beside plain INSERT…SELECT of as many rows.

Ours judges every payee, holds its entries to the books, takes each entry by a link that is unique and checked, posts a
journal for each payout and checks at the approval what is paid to whom; the floor inserts the same payouts and links
into tables of the same shape that nothing guards or refers to. `ALTAYAR_BENCH_PAYEES` makes it smaller.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final
from uuid import UUID

import psycopg

from application.payouts.batches import DecideBatch, MakeBatch, approve_batch, make_batch
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.payouts.batches import BatchPayees, BatchPeriod, Debtor
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.clock import new_id
from infrastructure.database.roles import connect
from tests.benchmarks.cost import processor_seconds
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.servers import System, another_database

Owner = psycopg.Connection[tuple[Any, ...]]

PAYROLL = Target(16, "payroll with links and journals / plain SQL with links, entries", gate=0.5, stretch=0.7)
PAYEES: Final = int(os.environ.get("ALTAYAR_BENCH_PAYEES", "10000"))
ENTRIES_EACH: Final = 100
ENTRIES: Final = PAYEES * ENTRIES_EACH
ENTRY_MINOR: Final = 1_000

_PEOPLE: Final = """
INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
SELECT uuidv7(), 'payee-' || n || '@example.com', '$2b$12$cannot.be.used.to.sign.in', 'Mona', 'Adel', 'en', 'ACTIVE',
       '{VENDOR}', now()
FROM generate_series(1, %(many)s) AS n
RETURNING id
"""
_PROFILES: Final = """
INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, payout_method, approved_at, created_at)
SELECT fresh_id(), u.id, 'VENDOR', 'ACTIVE', 'Nile Cruises', 'BANK_TRANSFER', now(), now() FROM users u
WHERE u.email LIKE 'payee-%@example.com'
"""
_BANKS: Final = """
INSERT INTO partner_bank_accounts (id, profile_id, details_encrypted, masked, added_by_user_id, created_at, usable_from)
SELECT fresh_id(), p.id, decode(repeat('ab', 200), 'hex'), 'NBE •••• 0002', p.user_id, now(), now()
FROM partner_profiles p
"""
# One journal stands for all entries of a payee: payroll reads their sum, and never the journals themselves.
_ENTRIES: Final = (
    "ALTER TABLE payable_entries DROP CONSTRAINT uq_payable_entries_journal_id_account_id",
    f"""INSERT INTO payable_entries (id, payee_id, payee_type, kind, account_id, journal_id, amount_minor, currency,
                                     released_at, occurred_at)
        SELECT fresh_id(), a.user_id, 'VENDOR', 'EARNED', a.id, h.journal_id, {ENTRY_MINOR}, 'USD', now(), now()
        FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id, generate_series(1, {ENTRIES_EACH})
        WHERE a.kind = 'VENDOR_PAYABLE' ORDER BY random()""",
)
_OURS: Final = ("payout_statements", "payout_entries", "payouts_left_out", "payouts", "payout_batches")
_FLOORS: Final = (
    "CREATE TABLE floor_payouts (LIKE payouts INCLUDING ALL)",
    "CREATE TABLE floor_links (LIKE payout_entries INCLUDING ALL)",
)
_FLOOR_PAYOUTS: Final = """
INSERT INTO floor_payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id, method,
                           destination_encrypted, destination_masked, amount_minor, currency, status, created_at)
SELECT gen_random_uuid(), 'PO-' || row_number() OVER (), %s, e.payee_id, e.payee_type, p.id, e.account_id,
       p.payout_method, b.details_encrypted, b.masked, e.minor, e.currency, 'PENDING', now()
FROM (SELECT payee_id, payee_type, account_id, currency, sum(amount_minor) AS minor FROM payable_entries
      GROUP BY 1, 2, 3, 4) e
JOIN partner_profiles p ON p.user_id = e.payee_id AND p.payee_type = e.payee_type
JOIN partner_bank_accounts b ON b.profile_id = p.id
"""
_FLOOR_LINKS: Final = """
INSERT INTO floor_links (payable_entry_id, payout_id)
SELECT e.id, p.id FROM payable_entries e JOIN floor_payouts p ON p.account_id = e.account_id
"""


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Both pay the same entries by turns; `seconds` does not matter: the number of entries is fixed."""
    with another_database(system, "payroll") as apart, contextlib.ExitStack() as opened:
        running = bootstrap(apart.settings, pool_size=1)
        opened.callback(running.close)
        owner = opened.enter_context(connect(apart.addresses.owner))
        ours = _Ours(owner, running, _open(owner, running))
        floor = _Floor(owner)
        paid, plain = take_turns(rounds, ours.rate, floor.rate)
    return Findings(
        comparisons=[Comparison(PAYROLL, "entries / s", ours=paid, floor=plain)],
        figures=[
            Figure("building the batch", median(ours.built), "s"),
            Figure("approving it", median(ours.approved), "s"),
            Figure("payroll, CPU with PostgreSQL's", median(ours.processor) / ENTRIES * 1e6, "µs / entry"),
            Figure("plain SQL, CPU with PostgreSQL's", median(floor.processor) / ENTRIES * 1e6, "µs / entry"),
        ],
    )


def _open(owner: Owner, running: Running) -> tuple[UUID, UUID]:
    """Payees with their entries, and who makes and who approves."""
    people = [person for (person,) in owner.execute(_PEOPLE, {"many": PAYEES + 2}).fetchall()]
    owner.execute(_PROFILES)
    owner.execute(_BANKS)
    # Plans that were made while there were no accounts would be kept.
    _earn(running, people[2:252])
    owner.execute("ANALYZE")
    _earn(running, people[252:])
    for statement in (*_ENTRIES, *_FLOORS):
        owner.execute(statement)
    return people[0], people[1]


def _earn(running: Running, payees: Sequence[UUID]) -> None:
    """Every payee's account holds what its entries say."""
    cost = accounts.platform(AccountKind.VENDOR_SHARES, "USD")
    for first in range(0, len(payees), 500):
        with running.dependencies.new_uow() as uow:
            uow.ledger.post([_earning(cost, payee, running) for payee in payees[first : first + 500]])
            uow.commit()


def _earning(cost: AccountRef, payee: UUID, running: Running) -> Journal:
    journal_id = new_id()
    return Journal(
        id=journal_id,
        journal_type=JournalType.EARNING,
        idempotency_key=f"bench:{journal_id}",
        reference_type="BENCHMARK",
        reference_id=payee,
        description_ar="قياس",
        description_en="Benchmark",
        occurred_at=running.dependencies.clock.now(),
        entries=transfer(cost, AccountRef(AccountKind.VENDOR_PAYABLE, "USD", payee), ENTRY_MINOR * ENTRIES_EACH),
    )


@contextlib.contextmanager
def _unguarded(owner: Owner, tables: Sequence[str]) -> Iterator[None]:
    """Within the block rows may be taken away, as nobody otherwise can."""
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class _Ours:
    """Builds and approves the batch of everything; before each round nobody was ever paid."""

    def __init__(self, owner: Owner, running: Running, staff: tuple[UUID, UUID]) -> None:
        self._owner, self._running, self._staff = owner, running, staff
        self.built: list[float] = []
        self.approved: list[float] = []
        self.processor: list[float] = []

    def rate(self) -> float:
        """Entries a second."""
        self._reset()
        began, processor = time.perf_counter(), processor_seconds()
        batch_id = self._build()
        self.built.append(time.perf_counter() - began)
        self._approve(batch_id)
        took = time.perf_counter() - began
        self.approved.append(took - self.built[-1])
        self.processor.append(processor_seconds() - processor)
        return ENTRIES / took

    def _reset(self) -> None:
        owed = self._owner.execute("SELECT payee_id FROM payouts").fetchall()
        with _unguarded(self._owner, _OURS):
            self._owner.execute(f"TRUNCATE {', '.join(_OURS)}")
        _earn(self._running, [payee for (payee,) in owed])
        self._owner.execute("DELETE FROM outbox_events")
        self._owner.execute("VACUUM ANALYZE")

    def _build(self) -> UUID:
        use = self._running.dependencies
        command = MakeBatch(
            period=BatchPeriod.WEEKLY, payees=BatchPayees.ALL, actor_id=self._staff[0], minima={"USD": 5_000}
        )
        made = make_batch(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        assert made is not None
        assert (made.filled.payouts, made.filled.entries) == (PAYEES, ENTRIES)
        return made.batch_id

    def _approve(self, batch_id: UUID) -> None:
        use = self._running.dependencies
        approve_batch(
            DecideBatch(batch_id=batch_id, actor_id=self._staff[1]),
            debtor=Debtor("AltayarVIP", "EG380019000500000000263180002", ""),
            uow=use.new_uow(),
            clock=use.clock,
            new_id=use.new_id,
        )


class _Floor:
    """Inserts as many payouts and links, in one transaction."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.processor: list[float] = []

    def rate(self) -> float:
        """Entries a second."""
        for statement in ("TRUNCATE floor_links, floor_payouts", "VACUUM ANALYZE"):
            self._owner.execute(statement)
        began, processor = time.perf_counter(), processor_seconds()
        with self._owner.transaction():
            self._owner.execute(_FLOOR_PAYOUTS, (new_id(),))
            linked = self._owner.execute(_FLOOR_LINKS).rowcount
        assert linked == ENTRIES
        took = time.perf_counter() - began
        self.processor.append(processor_seconds() - processor)
        return ENTRIES / took
