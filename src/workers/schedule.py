"""How any number of schedulers and workers make each period's run of a job one run.

What runs when stands in `workers/jobs.py`. Only the newest period is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from application.origin import Origin, acting
from infrastructure.database.transaction import Database
from workers.jobs import JOBS, ScheduledJob
from workers.outbox_worker import reason_of
from workers.process import this_process

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

LEASE: Final = timedelta(seconds=100)
"""After this a run that was claimed and not finished is taken over; jobs are interrupted before."""

log = structlog.get_logger(__name__)

_CLAIM = """
INSERT INTO scheduled_runs AS r (job, period, claimed_at) VALUES (%(job)s, %(period)s, %(now)s)
ON CONFLICT (job, period) DO UPDATE SET claimed_at = excluded.claimed_at
WHERE r.finished_at IS NULL AND r.claimed_at < %(given_up)s
RETURNING 1
"""

_FINISH = """
UPDATE scheduled_runs SET finished_at = %(now)s
WHERE job = %(job)s AND period = %(period)s AND claimed_at = %(claimed_at)s
"""


_LAST_RUNS = """
SELECT DISTINCT ON (job) job, period, claimed_at, finished_at IS NOT NULL AS is_finished
FROM scheduled_runs ORDER BY job, claimed_at DESC
"""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a job, of which period, and whether it came to its end."""

    job: str
    period: str
    claimed_at: datetime
    is_finished: bool


def last_runs(database: Database) -> dict[str, LastRun]:
    """Each job's newest run, as far as runs are kept (30 days)."""
    return {row["job"]: LastRun(**row) for row in database.rows(_LAST_RUNS)}


def next_run(job: ScheduledJob, last: LastRun | None, now: datetime) -> datetime:
    """When a job is due again: with its next period, or as soon as it is woken where this one had no whole run."""
    if last is None or last.period != job.period(now):
        return now
    return job.period.next_after(now) if last.is_finished else max(now, last.claimed_at + LEASE)


def run_scheduled(job_name: str) -> None:
    """The job function that schedulers enqueue: run a periodic job unless its period has had its run."""
    job = JOBS.get(job_name)
    if job is None:
        # A rollout is under way: workers of the other release know it.
        log.warning("scheduled_job_unknown", job=job_name)
        return
    run_once(job, this_process())


def run_once(job: ScheduledJob, running: Running) -> bool:
    """Run a job if this period is still to be run; whether it ran here, to its end.

    A run that fails stays unfinished, and is taken over when its lease ends, if the period is not over.
    """
    claimed_at = running.dependencies.clock.now()
    claim = {"job": job.name, "period": job.period(claimed_at), "claimed_at": claimed_at}
    if not _claim(claim, running):
        return False
    try:
        with acting(Origin(request_id=f"{job.name}/{claim['period']}", user_agent="altayar scheduler", via="worker")):
            job.run(running)
    except Exception as error:  # noqa: BLE001 - whatever it raises, the next period tries again
        log.error("scheduled_job_failed", job=job.name, period=claim["period"], reason=reason_of(error))
        return False
    with running.database.transaction() as transaction:
        transaction.execute(_FINISH, {**claim, "now": running.dependencies.clock.now()})
        transaction.commit()
    return True


def _claim(claim: Mapping[str, object], running: Running) -> bool:
    now = running.dependencies.clock.now()
    with running.database.transaction() as transaction:
        claimed = transaction.row(_CLAIM, {**claim, "now": claim["claimed_at"], "given_up": now - LEASE})
        transaction.commit()
    return claimed is not None
