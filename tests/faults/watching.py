"""A look at payouts from outside, while programs and the database die: how many are over, and how long others wait."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy.engine import URL

from infrastructure.database.roles import connect
from tests.faults.household import SharedClock

_LOOK: Final = """
SELECT p.id, p.next_try_at, p.status, p.status IN ('PAID', 'FAILED', 'CANCELLED') AS is_over,
       coalesce(p.next_try_at <= %s, false) AS is_due
FROM payouts p WHERE p.method <> 'BANK_TRANSFER'
"""
_DRIVEN: Final = "SELECT 1 FROM scheduled_runs WHERE job = 'payroll.drive' AND claimed_at > %s"
_Wait = tuple[UUID, datetime]


class Watch:
    """Knows of each payout since when it is due; by real time, however the clock is moved.

    Whoever looks after one sets another instant for the next look: from then on it is not the same wait.
    """

    def __init__(self, url: URL, clock: SharedClock) -> None:
        self._url, self._clock = url, clock
        self._due_since: dict[_Wait, float] = {}
        self.over = 0
        self.longest_due = 0.0
        """Seconds that a payout was due which was asked of the provider, and which nobody looked after."""
        self.longest_unsent = 0.0
        """The same of those that nobody had begun with: how long the queue was."""

    def look(self) -> None:
        """Look once; while the database is down there is nothing to be seen."""
        rows = self._rows(_LOOK)
        due = {(id_, at): status for id_, at, status, is_over, is_due in rows if is_due and not is_over}
        for wait, status in due.items():
            self._note(wait, status)
        if rows:
            self._due_since = {wait: since for wait, since in self._due_since.items() if wait in due}
            self.over = sum(is_over for _, _, _, is_over, _ in rows)

    def was_driven_since(self, moment: datetime) -> bool:
        """Whether the scheduler woke the driver, and a worker began with it."""
        return bool(self._rows(_DRIVEN, moment))

    def _note(self, wait: _Wait, status: str) -> None:
        waited = time.monotonic() - self._due_since.setdefault(wait, time.monotonic())
        if status == "PENDING":
            self.longest_unsent = max(self.longest_unsent, waited)
        else:
            self.longest_due = max(self.longest_due, waited)

    def _rows(self, query: str, moment: datetime | None = None) -> list[Any]:
        try:
            with connect(self._url) as looking:
                return looking.execute(query.encode(), (moment or self._clock.now(),)).fetchall()
        except psycopg.OperationalError:
            return []
