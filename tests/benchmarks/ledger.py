"""Targets 3 to 6: what the platform's accounts cost, batches, the balance of a long history, verification."""

from __future__ import annotations

from functools import partial

from tests.benchmarks import balances, verification
from tests.benchmarks.cost import Cost
from tests.benchmarks.data import fill_wallets
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.history import fresh_history
from tests.benchmarks.posters import BATCH, ENTRIES, Movement, posters
from tests.benchmarks.servers import System

PLATFORM = Target(3, "postings to one account of the platform / between wallets", gate=0.80, stretch=0.95)
BATCHES = Target(4, f"entries posted {BATCH} journals at a time / one at a time", gate=4, stretch=6)


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Eight processes post; then a ledger of its own, whose size is part of the targets, is verified and read."""
    written = _post(system, seconds=seconds, rounds=rounds)
    with fresh_history(system) as history:
        verified = verification.measure(history, rounds=rounds)
        read = balances.measure(history, rounds=rounds)
    return written + read + verified


def _post(system: System, *, seconds: int, rounds: int) -> Findings:
    """Three movements by turns. A batch commits once for all its journals; entries are counted, not batches."""
    movements = Movement.BETWEEN_WALLETS, Movement.TO_THE_PLATFORM, Movement.IN_BATCHES
    with posters(system.settings, fill_wallets(system, name="ledger")) as ours:
        for movement in movements:
            ours.rate(1, movement)
        single, platform, batch = costs = [Cost(partial(ours.rate, movement=movement)) for movement in movements]
        rates = take_turns(rounds, *(partial(cost.rate, seconds) for cost in costs))
    entries = [[rate * ENTRIES for rate in found] for found in rates]
    return Findings(
        comparisons=[
            Comparison(PLATFORM, "postings / s", ours=rates[1], floor=rates[0]),
            Comparison(BATCHES, "entries / s", ours=entries[2], floor=entries[0]),
        ],
        figures=[
            Figure("CPU of a posting, to the platform / between wallets", platform.median / single.median, "ratio"),
            Figure(f"CPU of an entry, {BATCH} journals at a time", batch.median / ENTRIES, "µs"),
            Figure("CPU of an entry, one journal at a time", single.median / ENTRIES, "µs"),
        ],
    )
