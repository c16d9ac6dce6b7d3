"""The night's cleaning: each step on its own, its figures in the log, and none that stops the others."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.settings import Environment
from infrastructure.bootstrap import Running
from infrastructure.storage import old_logs
from infrastructure.storage.old_logs import compress_logs
from tests.integration.outbox import count
from workers import cleanup_worker
from workers.cleanup_worker import STEPS, MaintenanceIncomplete, cleanup_test_data, run_maintenance
from workers.jobs import JOBS
from workers.schedule import run_once

NOW = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=90)


def log_file(folder: Path, name: str, *, age: timedelta, text: str = "a line\n") -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(0o640)
    at = (NOW - age).timestamp()
    os.utime(path, (at, at))
    return path


def test_old_logs_are_compressed_once_and_young_ones_stay(tmp_path: Path) -> None:
    old = log_file(tmp_path, "web.log", age=timedelta(days=91), text="a line\n" * 100_000)
    rotated = log_file(tmp_path, "web.log.1", age=timedelta(days=120), text="older\n")
    young = log_file(tmp_path, "worker.log", age=timedelta(days=89))
    other = log_file(tmp_path, "notes.txt", age=timedelta(days=400))

    assert compress_logs(tmp_path, before=BEFORE) == 2
    assert compress_logs(tmp_path, before=BEFORE) == 0

    assert not old.exists()
    assert not rotated.exists()
    assert young.exists()
    assert other.exists()
    packed = {path.name: gzip.decompress(path.read_bytes()).decode() for path in tmp_path.glob("*.gz")}
    assert packed == {"web.log.20260830T020000Z.gz": "a line\n" * 100_000, "web.log.1.20260801T020000Z.gz": "older\n"}
    archive = (tmp_path / "web.log.20260830T020000Z.gz").stat()
    assert stat.S_IMODE(archive.st_mode) == 0o640
    assert archive.st_mtime == (NOW - timedelta(days=91)).timestamp()


def test_a_later_log_of_the_same_name_does_not_take_the_archives_place(tmp_path: Path) -> None:
    log_file(tmp_path, "web.log", age=timedelta(days=200), text="first\n")
    compress_logs(tmp_path, before=BEFORE)
    log_file(tmp_path, "web.log", age=timedelta(days=100), text="second\n")
    compress_logs(tmp_path, before=BEFORE)
    assert sorted(gzip.decompress(path.read_bytes()) for path in tmp_path.glob("*.gz")) == [b"first\n", b"second\n"]


def test_a_death_between_the_archive_and_the_removal_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log_file(tmp_path, "web.log", age=timedelta(days=91))
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", _die)
        with pytest.raises(KeyboardInterrupt):
            compress_logs(tmp_path, before=BEFORE)
    assert path.exists()
    assert compress_logs(tmp_path, before=BEFORE) == 1
    assert [gzip.decompress(each.read_bytes()) for each in tmp_path.iterdir()] == [b"a line\n"]


def test_a_disk_that_is_full_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log_file(tmp_path, "web.log", age=timedelta(days=91))
    monkeypatch.setattr(old_logs.shutil, "copyfileobj", _full)
    with pytest.raises(OSError, match="No space"):
        compress_logs(tmp_path, before=BEFORE)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_links_are_not_followed(tmp_path: Path) -> None:
    target = log_file(tmp_path, "elsewhere.txt", age=timedelta(days=400))
    (tmp_path / "web.log").symlink_to(target)
    assert compress_logs(tmp_path, before=BEFORE) == 0


def _die(_path: Path, **_options: object) -> None:
    raise KeyboardInterrupt


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.database
def test_every_step_tells_its_figures(running: Running) -> None:
    with capture_logs() as logs:
        run_maintenance(running)
    told = {line["step"]: line for line in logs if line["event"] == "maintenance_step"}
    assert list(told) == list(STEPS)
    assert told["expired_bookings"]["expired"] == 0
    assert told["archive"]["archived"] == 0
    assert told["served_rows"]["sessions"] == 0
    assert told["logs"]["compressed"] == 0


@pytest.mark.database
def test_a_step_that_fails_stops_none_of_the_others_and_the_night_is_tried_again(
    running: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[str] = []
    steps = {name: _noting(name, done) for name in STEPS} | {"archive": _failing}
    monkeypatch.setattr(cleanup_worker, "STEPS", steps)
    with capture_logs() as logs, pytest.raises(MaintenanceIncomplete, match="archive"):
        run_maintenance(running)
    assert done == [name for name in STEPS if name != "archive"]
    (failed,) = [line for line in logs if line["event"] == "maintenance_step_failed"]
    assert (failed["step"], failed["reason"]) == ("archive", "ValueError")
    assert not run_once(JOBS["maintenance.run"], running)
    assert count(running.database, "SELECT count(*) FROM scheduled_runs WHERE finished_at IS NOT NULL") == 0


def _noting(name: str, done: list[str]) -> cleanup_worker.Step:
    def step(_running: Running) -> Mapping[str, int]:
        done.append(name)
        return {"count": 1}

    return step


def _failing(_running: Running) -> Mapping[str, int]:
    raise ValueError("customer@example.com")


@pytest.mark.database
def test_logs_are_looked_for_where_the_settings_say(running: Running, tmp_path: Path) -> None:
    log_file(tmp_path, "web.log", age=timedelta(days=4000))
    there = replace(running, settings=replace(running.settings, log_folder=tmp_path))
    assert cleanup_worker.compress_old_logs(there) == {"compressed": 1}
    assert cleanup_worker.compress_old_logs(running) == {"compressed": 0}


@pytest.mark.database
def test_test_data_is_of_reserved_addresses_old_and_never_in_production(running: Running) -> None:
    with running.database.transaction() as transaction:
        transaction.execute(_TESTERS)
        transaction.commit()
    production = replace(running, settings=replace(running.settings, environment=Environment.PRODUCTION))
    assert cleanup_test_data(production) == {"notifications": 0}
    assert cleanup_test_data(running) == {"notifications": 3}
    left = running.database.rows(
        "SELECT u.email FROM notifications n JOIN users u ON u.id = n.user_id ORDER BY n.created_at"
    )
    assert [row["email"] for row in left] == ["somebody@testing.com", "customer@altayar.test"]


_TESTERS = """
WITH people AS (
    INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
    SELECT gen_random_uuid(), email, '', 'Some', 'One', 'en', 'ACTIVE', '{CUSTOMER}', now()
    FROM unnest(ARRAY['customer@altayar.test', 'somebody@example.com', 'a@mail.example',
                      'somebody@testing.com']) AS email
    RETURNING id, email)
INSERT INTO notifications (id, user_id, notification_type, title_ar, title_en, message_ar, message_en, link_type,
                           created_at)
SELECT gen_random_uuid(), p.id, 'SYSTEM', '', '', '', '', 'NONE', now() - age
FROM people p CROSS JOIN (VALUES (interval '31 days'), (interval '29 days')) AS n (age)
WHERE age > interval '30 days' OR email = 'customer@altayar.test'
"""
