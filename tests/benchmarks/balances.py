"""Target 5: reading the balance of a wallet with a million entries beside reading that of one with ten."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from uuid import UUID

from tests.benchmarks.harness import Comparison, Findings, Target
from tests.benchmarks.history import FEW, History

MANY = 1_000_000
READS = 2_000
"""Of each wallet in a round."""

TARGET = Target(5, f"balance of a wallet with {MANY:,} entries / with {FEW}", gate=1.2, stretch=1.05, at_most=True)


def measure(history: History, *, rounds: int) -> Findings:
    """Through the product's query, one wallet right after the other; a round's figure is the median of its reads."""
    history.grow_busy_to(MANY)
    read = history.running.dependencies.queries.ledger.balance
    long, short = history.wallet_of(history.busy), history.wallet_of(history.idle)
    _read_by_turns(read, long, short)
    found = [_read_by_turns(read, long, short) for _ in range(rounds)]
    return Findings([Comparison(TARGET, "µs", ours=[one for one, _ in found], floor=[other for _, other in found])])


def _read_by_turns(read: Callable[[UUID], int], one: UUID, other: UUID) -> tuple[float, float]:
    """The median time of a read of each (µs)."""
    times: tuple[list[int], list[int]] = ([], [])
    for number in range(READS):
        turn = [(one, times[0]), (other, times[1])]
        for account, taken in reversed(turn) if number % 2 else turn:
            began = time.perf_counter_ns()
            read(account)
            taken.append(time.perf_counter_ns() - began)
    return median(times[0]) / 1000, median(times[1]) / 1000
