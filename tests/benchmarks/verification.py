"""Target 6: verifying the ledger beside reading its rows by a plain cursor, and the memory that it takes."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection

import psutil
from sqlalchemy.engine import URL

from infrastructure.database.ledger.verification import verify_ledger
from infrastructure.database.roles import connect
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.history import History

SOME, MANY = 100_000, 1_000_000
FETCHED_AT_ONCE = 5_000
"""Rows that the plain cursor gets in one answer, as the verification does."""

RATE = Target(6, f"verifying {MANY:,} entries / a plain cursor over them", gate=0.25, stretch=0.5)
MEMORY = Target(6, f"memory to verify {MANY:,} entries / {SOME:,}", gate=1.5, stretch=1.1, at_most=True)

_SECONDS_BETWEEN_LOOKS = 0.01
_MEBIBYTE = 2**20


def measure(history: History, *, rounds: int) -> Findings:
    """Memory at two sizes of the ledger; then the rates at the larger one by turns."""
    owner = history.system.addresses.owner
    history.grow_to(SOME)
    for_some = _memory_to_verify(owner)
    history.grow_to(MANY)
    for_many = _memory_to_verify(owner)
    verified, read = take_turns(rounds, lambda: _rate_of_verifying(owner), lambda: _rate_of_reading(owner))
    return Findings(
        comparisons=[
            Comparison(RATE, "entries / s", ours=verified, floor=read),
            Comparison(MEMORY, "MiB", ours=[for_many], floor=[for_some]),
        ],
        figures=[Figure(f"memory that verifying {MANY:,} entries takes", for_many, "MiB")],
    )


def _rate_of_verifying(owner: URL) -> float:
    began = time.perf_counter()
    return _verify(owner) / (time.perf_counter() - began)


def _verify(owner: URL) -> int:
    verified = verify_ledger(owner)
    if verified.fault is not None:
        raise RuntimeError(f"the ledger that was posted is not sound: {verified}")
    return verified.entries


def _rate_of_reading(owner: URL) -> float:
    """All columns of all entries as they lie, as tuples; nothing is joined, ordered or computed."""
    began, read = time.perf_counter(), 0
    with connect(owner) as connection, connection.transaction(), connection.cursor("floor") as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        cursor.execute("SELECT * FROM ledger_entries")
        for _ in cursor:
            read += 1
    return read / (time.perf_counter() - began)


def _memory_to_verify(owner: URL) -> float:
    """What a process of its own, with all that it starts, grows by at most while it verifies (MiB)."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_verify_when_told, args=(there, owner), daemon=True)
    process.start()
    there.close()
    try:
        here.recv()
        before = most = _resident(process.pid)
        here.send("go")
        while not here.poll(_SECONDS_BETWEEN_LOOKS):
            most = max(most, _resident(process.pid))
        here.recv()
    finally:
        here.close()
        process.join()
    return (most - before) / _MEBIBYTE


def _verify_when_told(conversation: Connection, owner: URL) -> None:
    conversation.send("ready")
    conversation.recv()
    conversation.send(_verify(owner))


def _resident(pid: int | None) -> int:
    it = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (it, *it.children(recursive=True)))
