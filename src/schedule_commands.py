"""The schedule at the terminal: `altayar schedule`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from domain.shared.clock import BUSINESS_ZONE
from workers.jobs import JOBS
from workers.schedule import LastRun, last_runs, next_run

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

_UNFINISHED = {True: "", False: " (not finished)"}


def schedule_table(running: Running) -> Table:
    """Every job with its periods, its queue, its last run and its next one, in Cairo's time."""
    runs, now = last_runs(running.database), running.dependencies.clock.now()
    table = Table(title="What runs when (Africa/Cairo)")
    for column in ("Job", "When", "Queue", "Last run", "Next run"):
        table.add_column(column)
    for job in JOBS.values():
        last = runs.get(job.name)
        table.add_row(job.name, str(job.period), job.queue, _said(last), _on_the_wall(next_run(job, last, now)))
    return table


def _said(last: LastRun | None) -> str:
    return f"{_on_the_wall(last.claimed_at)}{_UNFINISHED[last.is_finished]}" if last else "never"


def _on_the_wall(at: datetime) -> str:
    return f"{at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M:%S}"
