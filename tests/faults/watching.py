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
SELECT p.id, p.status, p.status IN ('PAID', 'FAILED', 'CANCELLED') AS is_over,
       coalesce(p.next_try_at <= %s, false) AS is_due
FROM payouts p WHERE p.method <> 'BANK_TRANSFER'
"""
_DRIVEN: Final = (
    "SELECT 1 FROM scheduled_runs WHERE job = 'payroll.drive' AND claimed_at > %s AND finished_at IS NOT NULL"
)


class Watch:
    """Knows of each payout since when it is due; by real time, however the clock is moved."""

    def __init__(self, url: URL, clock: SharedClock) -> None:
        self._url, self._clock = url, clock
        self._due_since: dict[UUID, float] = {}
        self.over = 0
        self.longest_due = 0.0
        """Seconds that a payout was due which was asked of the provider, and which nobody looked after."""
        self.longest_unsent = 0.0
        """The same of those that nobody had begun with: how long the queue was."""

    def look(self) -> None:
        """Look once; while the database is down there is nothing to be seen."""
        for id_, status, is_over, is_due in (rows := self._rows(_LOOK)):
            if is_over or not is_due:
                self._due_since.pop(id_, None)
            else:
                self._note(id_, status)
        if rows:
            self.over = sum(is_over for _, _, is_over, _ in rows)

    def was_driven_since(self, moment: datetime) -> bool:
        """Whether the scheduler woke the driver, and a worker began with it."""
        return bool(self._rows(_DRIVEN, moment))

    def _note(self, payout_id: UUID, status: str) -> None:
        waited = time.monotonic() - self._due_since.setdefault(payout_id, time.monotonic())
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
