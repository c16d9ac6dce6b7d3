"""The programs that pay a payroll out, begun again when they die, and the ways in which they and the database die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import psutil
import psycopg
from sqlalchemy.engine import URL

from application.subscriptions import DOCUMENTS
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.clock import SystemClock
from infrastructure.database.roles import connect
from infrastructure.database.transaction import Database
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import impatient_redis
from workers.jobs import JOBS
from workers.main import ForkingWorker, work
from workers.process import Stop
from workers.scheduler import JobScheduler

_FORKING: Final = multiprocessing.get_context("fork")
_DRIVE: Final = JOBS["payroll.drive"]
_SECONDS_OF_RECOVERY: Final = 60.0
_SECONDS_FOR_A_HORSE: Final = 5.0


class SharedClock:
    """The machine's clock, moved for the test and for every process that it forked."""

    def __init__(self) -> None:
        # Without a lock: whoever is killed would keep it for ever.
        self._seconds = _FORKING.RawValue("d", 0.0)

    @property
    def offset(self) -> timedelta:
        return timedelta(seconds=self._seconds.value)

    @offset.setter
    def offset(self, moved: timedelta) -> None:
        self._seconds.value = moved.total_seconds()

    def now(self) -> datetime:
        return SystemClock().now() + self.offset


def _relay(running: Running, stop: Stop) -> None:
    with closing(impatient_redis(running.settings.redis_url)) as redis:
        EventRelay(running.database, redis, running.dependencies.clock).run(stop)


def _schedule(running: Running, stop: Stop) -> None:
    JobScheduler(running.redis, [_DRIVE]).run(stop)


def _work(running: Running, stop: Stop) -> None:
    work(ForkingWorker, (DOCUMENTS,), running, stop)


PROGRAMS: Final[Mapping[str, Callable[[Running, Stop], None]]] = {
    "relay": _relay,
    "scheduler": _schedule,
    "worker 1": _work,
    "worker 2": _work,
}


@dataclass(frozen=True, slots=True)
class House:
    """What every program is given."""

    settings: Settings
    postgres: MortalPostgres
    app_url: URL
    clock: SharedClock


def _live(house: House, program: str) -> None:
    house.postgres.forget()
    os.environ["TZ"] = "UTC"
    time.tzset()
    stop = Stop()
    stop.listen()
    PROGRAMS[program](bootstrap(house.settings, database=Database(house.app_url), clock=house.clock), stop)


class Household:
    """The programs as processes; whoever calls `keep` often enough is their supervisor."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._processes: dict[str, BaseProcess] = {}

    def keep(self) -> None:
        """Begin every program that does not run."""
        for program in PROGRAMS:
            process = self._processes.get(program)
            if process is None or not process.is_alive():
                self._processes[program] = _FORKING.Process(target=_live, args=(self._house, program))
                self._processes[program].start()

    def kill(self, program: str) -> None:
        """The process alone: what it forked goes on without it."""
        self._processes[program].kill()
        self._processes[program].join()

    def kill_whole(self, program: str) -> None:
        """The process, and what it forked."""
        forked = self._forked_by(program)
        self.kill(program)
        _kill(forked)

    def kill_horse(self, program: str) -> None:
        """What a worker forked for the job in hand, alone; a moment may have to be waited for in which it has one."""
        deadline = time.monotonic() + _SECONDS_FOR_A_HORSE
        while not (horses := self._forked_by(program)) and time.monotonic() < deadline:
            time.sleep(0.001)
        _kill(horses)

    def close(self) -> None:
        for program in self._processes:
            self.kill_whole(program)

    def _forked_by(self, program: str) -> list[psutil.Process]:
        try:
            return psutil.Process(self._processes[program].pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


class MortalPostgres:
    """A server of the test's own, that dies and recovers from its log."""

    def __init__(self, home: Path) -> None:
        # What is committed is in the operating system's hands, which outlives the server: no disk is waited for.
        self._server = EmbeddedPostgres(home, settings={"fsync": "off", "max_connections": "100"})
        self.owner_url = self._server.start()

    def die(self, number: signal.Signals, seconds_down: float) -> None:
        """Its first process gets the signal: SIGQUIT is `pg_ctl stop -m immediate`. Then it is started again."""
        os.kill(self._server.process_id or 0, number)
        time.sleep(seconds_down)
        self._server.stop()
        self._server.start()

    def forget(self) -> None:
        """In a forked child: the right to start the server stays with its parent."""
        self._server._lock.free()

    def lose_a_session(self, url: URL, chance: random.Random) -> None:
        """One of its sessions is killed: it ends all others, and recovers by itself."""
        with connect(url) as asking:
            pids = [pid for (pid,) in asking.execute(_SESSIONS).fetchall()]
        if pids:
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                return
        self.wait(url)

    def drop_sessions(self, url: URL) -> None:
        with connect(url) as asking:
            asking.execute(f"SELECT pg_terminate_backend(pid) FROM ({_SESSIONS}) AS theirs")

    def wait(self, url: URL) -> None:
        """Until it takes connections."""
        deadline = time.monotonic() + _SECONDS_OF_RECOVERY
        while True:
            try:
                with connect(url):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def close(self) -> None:
        self._server.stop()
        self._server.discard()


_SESSIONS: Final = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
