"""Eight processes that post through the unit of work, each over a connection of its own.

A posting is one journal: a transfer of two entries, committed in a unit of work of its own or in a batch.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from uuid import UUID

from application.dependencies import Dependencies
from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from infrastructure.bootstrap import bootstrap
from tests.benchmarks.data import CURRENCY

CLIENTS = 8
BATCH = 100
"""Journals in one unit of work, where they are posted in batches."""
ENTRIES = 2
"""Of every journal here."""

PREPAYMENTS = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, CURRENCY)


class Movement(StrEnum):
    """What the processes post."""

    BETWEEN_WALLETS = "BETWEEN_WALLETS"
    """From one to another, both by chance among all."""
    FROM_ONE_WALLET = "FROM_ONE_WALLET"
    """Every process takes from the first wallet."""
    TO_THE_PLATFORM = "TO_THE_PLATFORM"
    """From any wallet; every process gives to the same account of the platform."""
    IN_BATCHES = "IN_BATCHES"
    """Between wallets, a batch in each unit of work. As in a fan-out, each process keeps to wallets of its own."""


@dataclass(frozen=True, slots=True)
class Posters:
    """Processes that have connected and wait for the word."""

    conversations: Sequence[Connection]

    def rate(self, seconds: float, movement: Movement = Movement.BETWEEN_WALLETS) -> float:
        """Postings a second, all processes together."""
        for conversation in self.conversations:
            conversation.send((seconds, movement))
        return sum(conversation.recv() for conversation in self.conversations)


@contextmanager
def posters(settings: Settings, owners: Sequence[UUID]) -> Iterator[Posters]:
    """Eight processes with one connection each, ended with the block."""
    started = [_start_poster(settings, owners, owners[number::CLIENTS]) for number in range(CLIENTS)]
    try:
        for _, conversation in started:
            conversation.recv()
        yield Posters([conversation for _, conversation in started])
    finally:
        for process, conversation in started:
            conversation.close()
            process.join()


def payment(use: Dependencies, source: AccountRef, target: AccountRef, minor: int) -> Journal:
    """A transfer that nobody has posted yet."""
    reference = use.new_id()
    return Journal(
        id=use.new_id(),
        journal_type=JournalType.PAYMENT,
        idempotency_key=f"payment:{reference}",
        reference_type="PAYMENT",
        reference_id=reference,
        description_ar="تحويل بين محفظتين",
        description_en="Transfer between two wallets",
        occurred_at=use.clock.now(),
        entries=transfer(source, target, minor),
    )


def post(use: Dependencies, journals: Sequence[Journal]) -> int:
    """Post them in one unit of work; answers how many there were."""
    with use.new_uow() as uow:
        uow.ledger.post(journals)
        uow.commit()
    return len(journals)


def _start_poster(
    settings: Settings, owners: Sequence[UUID], its_own: Sequence[UUID]
) -> tuple[BaseProcess, Connection]:
    # Spawned: a forked child would share the parent's open connections.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_post_when_told, args=(there, settings, owners, its_own), daemon=True)
    process.start()
    there.close()
    return process, here


def _post_when_told(
    conversation: Connection, settings: Settings, owners: Sequence[UUID], its_own: Sequence[UUID]
) -> None:
    running = bootstrap(settings, pool_size=1)
    poster = _Poster(running.dependencies, owners, its_own, random.Random())
    _collect_rarely()
    try:
        conversation.send("ready")
        while True:
            seconds, movement = conversation.recv()
            conversation.send(poster.rate(seconds, movement))
    except EOFError:
        running.close()


def _collect_rarely() -> None:
    """What a web worker of the product does about garbage once it has loaded the application (`gunicorn_conf.py`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@dataclass(frozen=True, slots=True)
class _Poster:
    use: Dependencies
    owners: Sequence[UUID]
    its_own: Sequence[UUID]
    """The wallets that no other process's batches touch."""
    chance: random.Random

    def rate(self, seconds: float, movement: Movement) -> float:
        """Postings a second of this process."""
        posted, began = 0, time.perf_counter()
        until = began + seconds
        while (now := time.perf_counter()) < until:
            posted += post(self.use, self._journals(movement))
        return posted / (now - began)

    def _journals(self, movement: Movement) -> list[Journal]:
        if movement is Movement.IN_BATCHES:
            return [self._between(*self._two_of(self.its_own)) for _ in range(BATCH)]
        source, target = self._two_of(self.owners)
        if movement is Movement.TO_THE_PLATFORM:
            return [payment(self.use, accounts.wallet(source, CURRENCY), PREPAYMENTS, self._amount())]
        return [self._between(self.owners[0] if movement is Movement.FROM_ONE_WALLET else source, target)]

    def _between(self, source: UUID, target: UUID) -> Journal:
        wallets = accounts.wallet(source, CURRENCY), accounts.wallet(target, CURRENCY)
        return payment(self.use, *wallets, self._amount())

    def _two_of(self, owners: Sequence[UUID]) -> tuple[UUID, UUID]:
        """Two different ones, drawn as the floor's script draws them: drawing is no part of a posting."""
        many, draw = len(owners), self.chance.random
        first = int(draw() * many)
        return owners[first], owners[(first + 1 + int(draw() * (many - 1))) % many]

    def _amount(self) -> int:
        return 1 + int(self.chance.random() * 100)
