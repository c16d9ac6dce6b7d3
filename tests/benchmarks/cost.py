"""The processor time of everything that this run started, beside a rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import psutil


@dataclass(slots=True)
class Cost:
    """A rate, and beside it the processor time of all clients and servers (microseconds for each thing done).

    On a machine that others use too it says more than the rate: eight busy clients get other shares than one.
    """

    of: Callable[[int], float]
    micros: list[float] = field(default_factory=list)

    def rate(self, seconds: int) -> float:
        before = processor_seconds()
        rate = self.of(seconds)
        self.micros.append((processor_seconds() - before) / (rate * seconds) * 1e6)
        return rate

    @property
    def median(self) -> float:
        return median(self.micros)


def processor_seconds() -> float:
    """Of this process and all below it, the ended ones with their parents."""
    here = psutil.Process()
    return sum(_seconds_of(one) for one in (here, *here.children(recursive=True)))


def _seconds_of(process: psutil.Process) -> float:
    """User and system time, its own and of its ended children; nought for one that ends in this moment."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0
