"""Periodic work: woken by any number of schedulers, run once in each period, made up for when it was missed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rich.console import Console
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from application.subscriptions import DOCUMENTS, QUICK
from config.settings import Settings
from infrastructure.bootstrap import Running
from infrastructure.messaging.jobs import JsonJob, JsonQueue
from schedule_commands import schedule_table
from tests.integration.outbox import count, owner
from workers.cleanup_worker import KEPT, clean_up
from workers.jobs import JOBS, ScheduledJob
from workers.periods import days_from, slices_of
from workers.process import Stop, hold
from workers.schedule import LEASE, LastRun, next_run, run_once, run_scheduled
from workers.scheduler import ClockNotUtc, JobScheduler

pytestmark = pytest.mark.database

SOURCE = Path(__file__).resolve().parents[2] / "src"
MINUTE = timedelta(minutes=1)
ONE_QUICK_TWO_SLOW = [JOBS[name] for name in ("bookings.expire", "payments.reconcile", "maintenance.run")]


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


class Counter:
    """A periodic job that counts its runs, and fails when it is told to."""

    def __init__(self, period: timedelta = timedelta(days=365)) -> None:
        self.runs = 0
        self.broken = False
        self.job = ScheduledJob("test.count", MINUTE, slices_of(period), self._run)

    def _run(self, _running: Running) -> None:
        if self.broken:
            raise ValueError("customer@example.com")
        self.runs += 1


def test_a_period_has_one_run(running: Running) -> None:
    counter = Counter()
    assert [run_once(counter.job, running) for _ in range(3)] == [True, False, False]
    assert counter.runs == 1


def test_the_next_period_has_its_own_run(running: Running, clock: Any) -> None:
    counter = Counter(timedelta(hours=1))
    run_once(counter.job, running)
    clock.offset += timedelta(hours=1)
    assert run_once(counter.job, running)


def test_of_missed_periods_only_the_newest_is_run(running: Running, clock: Any) -> None:
    counter = Counter(timedelta(hours=1))
    run_once(counter.job, running)
    clock.offset += timedelta(hours=7)
    assert [run_once(counter.job, running) for _ in range(3)] == [True, False, False]
    assert counter.runs == 2


def test_twenty_dispatchers_at_once_run_the_job_once(running: Running) -> None:
    counter = Counter()
    started = threading.Barrier(20)

    def dispatch() -> None:
        started.wait()
        run_once(counter.job, running)

    threads = [threading.Thread(target=dispatch) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.runs == 1


def test_a_run_that_failed_is_taken_over_when_its_lease_ends(running: Running, clock: Any) -> None:
    counter = Counter()
    counter.broken = True
    with capture_logs() as logs:
        assert not run_once(counter.job, running)
    assert [(line["event"], line["reason"]) for line in logs] == [("scheduled_job_failed", "ValueError")]
    counter.broken = False
    clock.offset += LEASE - timedelta(seconds=5)
    assert not run_once(counter.job, running)
    clock.offset += timedelta(seconds=10)
    assert run_once(counter.job, running)
    clock.offset += LEASE * 2
    assert not run_once(counter.job, running)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 1, 10, 23, 59, tzinfo=UTC), "2026-01-10"),
        (datetime(2026, 1, 11, 0, 0, tzinfo=UTC), "2026-01-11"),
        (datetime(2026, 7, 10, 22, 59, tzinfo=UTC), "2026-07-10"),
        (datetime(2026, 7, 10, 23, 0, tzinfo=UTC), "2026-07-11"),
    ],
)
def test_the_day_of_maintenance_begins_at_two_in_cairo_in_winter_and_summer(at: datetime, day: str) -> None:
    assert days_from(2)(at) == day


def test_slices_begin_where_the_clock_is_even() -> None:
    of_quarter_minutes = slices_of(timedelta(seconds=15))
    assert of_quarter_minutes(datetime(2026, 3, 1, 12, 0, 44, tzinfo=UTC)) == "2026-03-01T12:00:30+00:00"
    assert of_quarter_minutes(datetime(2026, 3, 1, 12, 0, 45, tzinfo=UTC)) == "2026-03-01T12:00:45+00:00"


def test_two_schedulers_wake_each_job_once_as_json_at_the_front(redis: Redis) -> None:
    JsonQueue(QUICK, redis).enqueue("workers.outbox_worker.deliver", "waits")
    schedulers = [JobScheduler(redis, ONE_QUICK_TWO_SLOW), JobScheduler(redis, ONE_QUICK_TWO_SLOW)]
    for scheduler in schedulers:
        scheduler.register()
    for scheduler in schedulers:
        scheduler.wake_due()

    first, second = JsonQueue(QUICK, redis).jobs
    assert (first.func_name, first.args) == ("workers.schedule.run_scheduled", ["bookings.expire"])
    assert second.args == ["waits"]
    assert {job.args[0] for job in JsonQueue(DOCUMENTS, redis).jobs} == {"payments.reconcile", "maintenance.run"}
    assert all(job.data.startswith(b"[") for job in (first, *JsonQueue(DOCUMENTS, redis).jobs))


def test_a_scheduler_waits_while_another_is_at_it(redis: Redis) -> None:
    scheduler = JobScheduler(redis, ONE_QUICK_TWO_SLOW)
    redis.set("rq:scheduler_lock", "held", ex=15)
    scheduler.wake_due()
    assert JsonQueue(QUICK, redis).count == 0
    redis.delete("rq:scheduler_lock")
    scheduler.wake_due()
    assert JsonQueue(QUICK, redis).count == 1


def test_what_redis_forgot_of_the_schedule_is_put_back(redis: Redis) -> None:
    scheduler = JobScheduler(redis, ONE_QUICK_TWO_SLOW)
    scheduler.register()
    scheduler.wake_due()
    redis.flushdb()
    scheduler.wake_due()
    assert JsonQueue(QUICK, redis).count == 1
    assert JsonQueue(DOCUMENTS, redis).count == 2


def test_a_job_that_a_release_has_no_more_is_not_woken_any_more(redis: Redis) -> None:
    JobScheduler(redis, ONE_QUICK_TWO_SLOW).register()
    scheduler = JobScheduler(redis, ONE_QUICK_TWO_SLOW[:1])
    scheduler.register()
    scheduler.wake_due()
    assert JsonQueue(QUICK, redis).count == 1
    assert JsonQueue(DOCUMENTS, redis).count == 0


def test_a_job_of_another_release_that_was_woken_does_nothing() -> None:
    with capture_logs() as logs:
        run_scheduled("bookings.archive")
    assert [line["event"] for line in logs] == ["scheduled_job_unknown"]


def test_every_job_of_the_table_runs_in_a_worker(redis: Redis, running: Running) -> None:
    JobScheduler(redis).wake_due()
    hold(running)
    worker = SimpleWorker(
        [QUICK, DOCUMENTS], connection=redis, job_class=JsonJob, queue_class=JsonQueue, serializer=JSONSerializer
    )
    worker.work(burst=True)
    runs = running.database.rows("SELECT job FROM scheduled_runs WHERE finished_at IS NOT NULL ORDER BY job")
    assert [run["job"] for run in runs] == sorted(JOBS)
    # Their records stay: the scheduler uses the same ones for the next runs.
    assert all(JsonJob.exists(f"scheduled-{name.replace('.', '-')}", redis) for name in JOBS)


def test_a_scheduler_in_a_zone_of_its_own_refuses_to_start(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Africa/Cairo")
    time.tzset()
    try:
        with pytest.raises(ClockNotUtc):
            JobScheduler(redis)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_scheduler_without_redis_says_so_once_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    stop = Stop()
    with Redis.from_url(f"unix://{tmp_path}/nobody.sock") as gone, capture_logs() as logs:
        running = threading.Thread(target=JobScheduler(gone).run, args=[stop], daemon=True)
        running.start()
        while not logs:
            time.sleep(0.01)
        stop.requested = True
        running.join(3)
    assert not running.is_alive()
    assert [line["event"] for line in logs] == ["scheduler_waits"]


def test_the_scheduler_process_wakes_jobs_and_ends_when_it_is_told_to(settings: Settings, redis: Redis) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", "from workers.main import run_scheduler; run_scheduler()"],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "ENVIRONMENT": "test",
            "ALTAYAR_HOME": str(settings.home),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "TZ": "UTC",
        },
        cwd=settings.home,
    )
    try:
        deadline = time.monotonic() + 20
        while not JsonQueue(QUICK, redis).count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert JsonQueue(QUICK, redis).count >= 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_maintenance_deletes_what_is_past_its_time_and_nothing_else(running: Running, owner_url: str) -> None:
    with owner(owner_url) as connection:
        connection.execute(_OLD_AND_NEW)
    deleted = clean_up(running.database, running.dependencies.clock, batch=2)
    assert deleted == {
        "idempotency_keys": 5,
        "scheduled_runs": 3,
        "email_verifications": 3,
        "password_resets": 3,
        "login_failures": 3,
        "refresh_tokens": 3,
        "notification_deliveries": 3,
        "view_batches": 3,
        "sessions": 2,
        "payment_webhook_logs": 1,
    }
    assert {table: count(running.database, f"SELECT count(*) FROM {table}") for table, _, _ in KEPT} == {
        "idempotency_keys": 1,
        "scheduled_runs": 1,
        "email_verifications": 1,
        "password_resets": 1,
        "login_failures": 1,
        "refresh_tokens": 1,
        "notification_deliveries": 2,
        "view_batches": 1,
        "sessions": 2,
    }
    bodies = running.database.rows("SELECT body FROM payment_webhook_logs ORDER BY webhook_event_id")
    assert [bytes(row["body"]) for row in bodies] == [b"kept", b"kept", b""]


_OLD_AND_NEW = """
DO $$
DECLARE someone uuid := gen_random_uuid();
        ended uuid := gen_random_uuid();
        lasting uuid := gen_random_uuid();
BEGIN
    INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
    VALUES (someone, 'someone@example.com', '', 'Some', 'One', 'en', 'ACTIVE', '{}', now());
    INSERT INTO sessions (id, user_id, user_agent, created_at, expires_at)
    VALUES (ended, someone, '', now(), now() - interval '31 days'),
           (lasting, someone, '', now(), now() - interval '29 days');
    INSERT INTO sessions (id, user_id, user_agent, created_at, expires_at, revoked_at)
    VALUES (gen_random_uuid(), someone, '', now(), now() + interval '9 days', now() - interval '31 days'),
           (gen_random_uuid(), someone, '', now(), now() + interval '9 days', now() - interval '29 days');
    INSERT INTO payment_webhook_logs (id, provider, webhook_event_id, event_type, provider_reference, provider_key,
                                      merchant_reference, reference_number, body, content_type, status, ip_address,
                                      received_at)
    SELECT gen_random_uuid(), 'SANDBOX', id, '', '', '', '', '', 'kept', '', status, '', now() - age
    FROM (VALUES ('1', 'PROCESSED', interval '89 days'), ('2', 'RECEIVED', interval '91 days'),
                 ('3', 'DUPLICATE', interval '91 days')) AS w (id, status, age);
    INSERT INTO refresh_tokens (token_hash, session_id, issued_at)
    SELECT decode(md5(n::text), 'hex'), CASE n WHEN 4 THEN lasting ELSE ended END, now() FROM generate_series(1, 4) n;
    INSERT INTO email_verifications (token_hash, user_id, expires_at)
    SELECT decode(md5(n::text), 'hex'), someone,
           now() - CASE n WHEN 4 THEN interval '29 days' ELSE interval '31 days' END
    FROM generate_series(1, 4) n;
    INSERT INTO password_resets (token_hash, user_id, created_at, expires_at)
    SELECT token_hash, user_id, now(), expires_at FROM email_verifications;
    INSERT INTO login_failures (subject, failures, began_at)
    SELECT decode(md5(n::text), 'hex'), 1, now() - CASE n WHEN 4 THEN interval '23 hours' ELSE interval '25 hours' END
    FROM generate_series(1, 4) n;
    INSERT INTO idempotency_keys (scope, key, fingerprint, created_at)
    SELECT 'test', n::text, '', now() - CASE n WHEN 6 THEN interval '6 days' ELSE interval '8 days' END
    FROM generate_series(1, 6) n;
    INSERT INTO view_batches (id, folded_at)
    SELECT gen_random_uuid(), now() - CASE n WHEN 4 THEN interval '29 days' ELSE interval '31 days' END
    FROM generate_series(1, 4) n;
    INSERT INTO outbox_events (id, name, version, payload, occurred_at)
    VALUES (gen_random_uuid(), 'test.told', 1, '{}', now() - interval '2 years');
    INSERT INTO notification_deliveries (id, event_id, user_id, channel, device_id, status, created_at, finished_at)
    SELECT gen_random_uuid(), e.id, someone, 'PUSH', gen_random_uuid(), CASE n WHEN 5 THEN 'PENDING' ELSE 'SENT' END,
           now() - interval '1 year',
           CASE n WHEN 5 THEN NULL WHEN 4 THEN now() - interval '89 days' ELSE now() - interval '91 days' END
    FROM generate_series(1, 5) n, outbox_events e WHERE e.name = 'test.told';
    INSERT INTO scheduled_runs (job, period, claimed_at)
    SELECT 'test', n::text, now() - CASE n WHEN 4 THEN interval '29 days' ELSE interval '31 days' END
    FROM generate_series(1, 4) n;
END $$;
"""


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (slices_of(timedelta(seconds=15)), "every 15 s"),
        (slices_of(timedelta(hours=1)), "every 60 min"),
        (days_from(2), "daily 02:00 Cairo"),
    ],
)
def test_periods_say_when_they_begin(periods: Any, said: str) -> None:
    assert str(periods) == said


@pytest.mark.parametrize("periods", [slices_of(timedelta(minutes=5)), days_from(1), days_from(2), days_from(9)])
def test_the_next_period_begins_where_the_name_changes(periods: Any) -> None:
    # Over both changes of Egypt's clocks in 2026: 24 April and 29 October.
    for start in (datetime(2026, 4, 23, 3, 1, tzinfo=UTC), datetime(2026, 10, 28, 3, 1, tzinfo=UTC)):
        for hours in range(72):
            at = start + timedelta(hours=hours)
            begins = periods.next_after(at)
            assert at < begins
            assert periods(begins - timedelta(seconds=1)) == periods(at)
            assert periods(begins) != periods(at)


def test_a_job_is_due_at_once_then_with_its_next_period_and_after_a_death_when_its_lease_ends() -> None:
    now = datetime(2026, 3, 1, 12, 0, 40, tzinfo=UTC)
    job = ScheduledJob("test.count", MINUTE, slices_of(MINUTE), print)
    assert next_run(job, None, now) == now
    this_period = LastRun("test.count", job.period(now), now - timedelta(seconds=30), is_finished=True)
    assert next_run(job, this_period, now) == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    dead = LastRun("test.count", job.period(now), now - timedelta(seconds=30), is_finished=False)
    assert next_run(job, dead, now) == now + LEASE - timedelta(seconds=30)
    before = LastRun("test.count", "2026-03-01T11:59:00+00:00", now - MINUTE, is_finished=True)
    assert next_run(job, before, now) == now


def test_the_schedule_is_printed_with_every_job_and_its_last_run(running: Running) -> None:
    run_once(JOBS["catalogue.fold_views"], running)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(schedule_table(running))
    lines = {line.split()[1]: line for line in console.export_text().splitlines() if line.startswith("│")}
    assert set(lines) == set(JOBS)
    assert "every 1 min" in lines["catalogue.fold_views"]
    assert "never" not in lines["catalogue.fold_views"]
    assert "never" in lines["maintenance.run"]
    assert "daily 02:00 Cairo" in lines["maintenance.run"]
