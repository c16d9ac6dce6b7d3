"""What the processes of a running site take, looked at every few seconds."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from infrastructure.database.roles import connect
from tests.load.site import Site

EVERY_SECONDS: Final = 2.0
_CONNECTIONS: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_WAITING: Final = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL"


@dataclass(slots=True)
class Samples:
    """Rows of one kind for each look; `at` is Unix time."""

    at: list[float] = field(default_factory=list)
    memory_mib: dict[str, list[float]] = field(default_factory=dict)
    """By program: what is its own (unique set size) of all its processes; PostgreSQL's shared memory counts once."""
    processor: dict[str, list[float]] = field(default_factory=dict)
    """By program: cores in use since the look before."""
    connections: list[int] = field(default_factory=list)
    """To PostgreSQL."""
    events_waiting: list[int] = field(default_factory=list)
    """Of the outbox."""
    load: list[float] = field(default_factory=list)
    """The machine's load average over a minute."""


@contextlib.contextmanager
def sampled(site: Site, others: Mapping[str, psutil.Process]) -> Iterator[Samples]:
    """Samples that grow for as long as the block lasts, of the site and of other programs."""
    over, samples = threading.Event(), Samples()
    sampler = _Sampler(site, {**site.processes, **others}, samples)

    def look_again_and_again() -> None:
        while not over.is_set():
            sampler.look()
            over.wait(EVERY_SECONDS)

    thread = threading.Thread(target=look_again_and_again)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


class _Sampler:
    def __init__(self, site: Site, programs: Mapping[str, psutil.Process], samples: Samples) -> None:
        self._site, self._programs, self._samples = site, programs, samples
        self._before: dict[str, float] = {}
        self._looked_at = 0.0

    def look(self) -> None:
        now, samples = time.time(), self._samples
        samples.at.append(now)
        for name, process in self._programs.items():
            memory, seconds = _of_family(process)
            took = seconds - self._before.get(name, seconds)
            samples.memory_mib.setdefault(name, []).append(round(memory / 2**20, 1))
            samples.processor.setdefault(name, []).append(round(max(0.0, took) / max(0.1, now - self._looked_at), 3))
            self._before[name] = seconds
        self._looked_at = now
        samples.load.append(psutil.getloadavg()[0])
        samples.connections.append(self._count(_CONNECTIONS))
        samples.events_waiting.append(self._count(_WAITING))

    def _count(self, query: str) -> int:
        with connect(self._site.addresses.owner) as owner:
            row: Any = owner.execute(query.encode()).fetchone()
        return int(row[0])


def _of_family(process: psutil.Process) -> tuple[int, float]:
    """Bytes that only it and its children hold, and their processor seconds with those of ended children."""
    memory, seconds = 0, 0.0
    for member in _family(process):
        with contextlib.suppress(psutil.Error):
            memory += member.memory_full_info().uss
            seconds += float(sum(member.cpu_times()[:4]))
    return memory, seconds


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
