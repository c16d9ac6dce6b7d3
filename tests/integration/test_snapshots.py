"""Snapshots: fresh at once where something was written, within a second elsewhere, and never in the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from threading import Event
from typing import Any

import pytest

from application.operations.settings import ChangeSetting, ResetSetting, change_setting, reset_setting
from config.settings import Settings
from domain.operations.settings import COMPANY_NAME, HOLD_MINUTES
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.snapshots import Snapshot
from infrastructure.database.transaction import Database


class Source:
    """Something to take snapshots of, with the time as it is seen."""

    def __init__(self) -> None:
        self.revision = 1
        self.now = 0.0
        self.loads = 0
        self.looks = 0
        self.away = False

    def look(self) -> int:
        self.looks += 1
        if self.away:
            raise DatabaseUnavailable()
        return self.revision

    def load(self) -> str:
        self.loads += 1
        return f"value {self.revision}"

    def snapshot(self) -> Snapshot[str]:
        return Snapshot(self.load, self.look, 1.0, lambda: self.now)


def test_it_looks_once_a_second_and_loads_when_something_changed() -> None:
    source = Source()
    snapshot = source.snapshot()

    assert [snapshot.value for _ in range(5)] == ["value 1"] * 5
    assert (source.looks, source.loads) == (1, 1)
    source.revision = 2
    source.now = 0.99
    assert snapshot.value == "value 1"
    source.now = 1.0
    assert snapshot.value == "value 2"
    source.now = 2.5
    assert snapshot.value == "value 2"
    assert (source.looks, source.loads) == (3, 2)


def test_who_wrote_sees_it_at_once() -> None:
    source = Source()
    snapshot = source.snapshot()
    assert snapshot.value == "value 1"

    source.revision = 2
    snapshot.forget()

    assert snapshot.value == "value 2"


def test_a_database_that_is_away_leaves_the_last_value() -> None:
    source = Source()
    snapshot = source.snapshot()
    source.away = True
    with pytest.raises(DatabaseUnavailable):
        _ = snapshot.value

    source.away = False
    assert snapshot.value == "value 1"
    source.away, source.revision, source.now = True, 2, 5.0
    snapshot.forget()
    assert [snapshot.value for _ in range(3)] == ["value 1"] * 3
    assert source.looks == 3, "a database that is away is not asked again and again"
    source.away, source.now = False, 6.0
    assert snapshot.value == "value 2"


def test_one_loads_and_the_others_go_on() -> None:
    source, entered, go_on = Source(), Event(), Event()

    def slow() -> str:
        if source.revision == 2:
            entered.set()
            assert go_on.wait(10)
        return source.load()

    snapshot = Snapshot(slow, source.look, 1.0, lambda: source.now)
    assert snapshot.value == "value 1"
    source.revision, source.now = 2, 1.0
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(lambda: snapshot.value)
        assert entered.wait(10)
        assert snapshot.value == "value 1"
        go_on.set()
        assert loading.result(10) == "value 2"
    assert snapshot.value == "value 2"
    assert source.loads == 2


def test_what_is_written_while_another_loads_is_not_missed() -> None:
    source, snapshots = Source(), []

    def load() -> str:
        loaded = source.load()
        if source.revision == 1:
            source.revision = 2
            snapshots[0].forget()
        return loaded

    snapshots.append(Snapshot(load, source.look, 1.0, lambda: source.now))

    assert snapshots[0].value == "value 1"
    assert snapshots[0].value == "value 2"


@pytest.fixture
def other(settings: Settings, database: Database) -> Iterator[Running]:
    """Another process's share of the same system."""
    started = bootstrap(settings, database=database)
    yield started
    started.close()


def choose(running: Running, key: str, value: object) -> None:
    use = running.dependencies
    command = ChangeSetting(key=key, value=value, actor_id=None)
    change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
    use.system_settings.forget()


def test_a_change_is_seen_at_once_here_and_within_a_second_elsewhere(running: Running, other: Running) -> None:
    here, there = running.dependencies.system_settings, other.dependencies.system_settings
    assert (here.value(HOLD_MINUTES), there.value(HOLD_MINUTES)) == (30, 30)

    choose(running, "booking.hold_minutes", 45)
    written = time.monotonic()

    assert here.value(HOLD_MINUTES) == 45
    while there.value(HOLD_MINUTES) != 45:
        assert time.monotonic() - written < 3, "a second, and patience with a busy machine"
        time.sleep(0.02)

    reset_setting(
        ResetSetting(key="booking.hold_minutes", actor_id=None),
        uow=other.dependencies.new_uow(),
        values=there,
        clock=other.dependencies.clock,
    )
    there.forget()
    assert there.value(HOLD_MINUTES) == 30


def test_what_is_not_committed_is_seen_by_nobody(running: Running) -> None:
    use = running.dependencies
    with use.new_uow() as outer:
        choose(running, "general.company_name", "Not yet")
        assert use.system_settings.value(COMPANY_NAME) == "AltayarVIP"
        del outer
    use.system_settings.forget()

    assert use.system_settings.value(COMPANY_NAME) == "AltayarVIP"


def test_the_environment_decides_what_the_default_is(settings: Settings, addresses: DatabaseAddresses) -> None:
    from dataclasses import replace

    started = bootstrap(replace(settings, booking_hold_minutes=5), database=Database(addresses.app))
    try:
        assert started.dependencies.system_settings.value(HOLD_MINUTES) == 5
        assert started.dependencies.system_settings.default(HOLD_MINUTES) == 5
    finally:
        started.close()


def test_rows_of_another_release_do_no_harm(running: Running, addresses: DatabaseAddresses) -> None:
    choose(running, "booking.hold_minutes", 45)
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE system_settings SET setting_value = '\"soon\"'")
        connection.execute(
            """INSERT INTO system_settings SELECT gen_random_uuid(), 'general.of_later', '1', 'NUMBER', 'general',
               '', '', false, NULL, 1, now(), now()"""
        )
    running.dependencies.system_settings.forget()

    assert running.dependencies.system_settings.value(HOLD_MINUTES) == 30


def test_whoever_writes_the_table_counts_the_revision_up(addresses: DatabaseAddresses) -> None:
    def revision(connection: Any) -> int:
        return int(connection.execute("SELECT revision FROM revisions WHERE name = 'settings'").fetchone()[0])

    row = ("AltayarVIP", datetime.now(UTC), datetime.now(UTC))
    with connect(addresses.app) as connection:
        counted = [revision(connection)]
        for statement, values in (
            (
                """INSERT INTO system_settings (id, setting_key, setting_value, setting_type, category, description_ar,
                   description_en, is_public, version, created_at, updated_at)
                   VALUES (gen_random_uuid(), 'general.x', to_jsonb(%s::text), 'STRING', 'general', '', '', false, 1,
                   %s, %s)""",
                row,
            ),
            ("UPDATE system_settings SET version = 2", ()),
            ("DELETE FROM system_settings", ()),
        ):
            connection.execute(statement, values)  # type: ignore[call-overload]
            counted.append(revision(connection))

    assert [after - before for before, after in pairwise(counted)] == [1, 1, 1]
