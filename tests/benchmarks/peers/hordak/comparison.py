"""Target 2: our postings beside django-hordak's, both by eight processes on one server.

Both move money between two of as many accounts, chosen by chance. django-hordak locks nothing and looks at no balance
unless its caller does; the second figure is with both.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median

from infrastructure.database.roles import connect
from tests.benchmarks.cost import Cost
from tests.benchmarks.data import WALLETS, fill_wallets
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.peers.programs import Peers, peers
from tests.benchmarks.posters import CLIENTS, posters
from tests.benchmarks.servers import System, libpq_environment

TARGET = Target(2, "postings through the use case / django-hordak, no locks", gate=2.5, stretch=4)

_PROGRAM = Path(__file__).with_name("program.py")
_DATABASE = "hordak"


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Ours, theirs without and theirs with locks, by turns."""
    environment = _database(system)
    owners = fill_wallets(system, name="hordak")
    with (
        posters(system.settings, owners) as ours,
        peers(_PROGRAM, environment, system.home / "hordak.log", many=CLIENTS) as theirs,
    ):
        theirs.ask("connect")
        measured = [Cost(ours.rate), Cost(partial(_rate, theirs, "unlocked")), Cost(partial(_rate, theirs, "locked"))]
        for cost in measured:
            cost.of(1)
        rates = take_turns(rounds, *(partial(cost.rate, seconds) for cost in measured))
    our_cost, unlocked_cost, _ = measured
    return Findings(
        comparisons=[Comparison(TARGET, "postings / s", ours=rates[0], floor=rates[1])],
        figures=[
            Figure("django-hordak with locks and a look at the balance", median(rates[2]), "postings / s"),
            Figure("ours / django-hordak with locks", median(rates[0]) / median(rates[2]), "ratio"),
            Figure(
                "CPU of a posting, django-hordak without locks / ours", unlocked_cost.median / our_cost.median, "ratio"
            ),
        ],
    )


def _rate(theirs: Peers, way: str, seconds: float) -> float:
    """Their postings a second, all processes together."""
    return sum(answer["rate"] for answer in theirs.ask("post", seconds=seconds, way=way))


def _database(system: System) -> dict[str, str]:
    """Make their database beside ours, migrate it and open the accounts; the environment that leads there."""
    owner = system.addresses.owner
    with connect(owner) as connection:
        connection.execute(f'CREATE DATABASE "{_DATABASE}"')
    environment = libpq_environment(owner.set(database=_DATABASE))
    with peers(_PROGRAM, environment, system.home / "hordak-preparation.log") as preparing:
        preparing.ask("prepare", accounts=WALLETS)
    return environment
