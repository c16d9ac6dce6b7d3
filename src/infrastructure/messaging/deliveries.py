"""What a delivery goes through between its relay and its end: begun, done, failed, dead.

One row of `processed_events` per event and handler. Whoever moves it names the attempt it knows of, so a
duplicate or a worker that was given up never moves what is another's by now.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.shared.clock import Clock
from infrastructure.database.transaction import Database
from infrastructure.messaging.jobs import Delivery

MAX_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=10)

Event = Mapping[str, Any]
Jitter = Callable[[float, float], float]

# A row that is locked is being worked on, or looked at by a relay that will enqueue it again.
_CLAIM = """
UPDATE processed_events p
SET attempts = p.attempts + 1, due_at = coalesce(%(due_at)s, p.due_at), processed_at = %(processed_at)s
FROM outbox_events e
WHERE e.id = p.event_id AND (p.event_id, p.handler) = (
    SELECT event_id, handler FROM processed_events
    WHERE event_id = %(event_id)s AND handler = %(handler)s AND attempts = %(attempt)s
      AND processed_at IS NULL AND dead_at IS NULL
    FOR UPDATE SKIP LOCKED)
RETURNING e.payload || jsonb_build_object('event_id', e.id) AS payload
"""

_WAIT_FOR_RELAY = "SELECT 1 FROM outbox_events WHERE id = %s AND published_at IS NULL FOR KEY SHARE"

_FINISH = """
UPDATE processed_events SET processed_at = %(now)s, dead_at = NULL
WHERE event_id = %(event_id)s AND handler = %(handler)s AND processed_at IS NULL
"""

# The claim of a transactional handler was rolled back with everything else, the others' was not.
_FAIL = """
UPDATE processed_events
SET attempts = %(attempt)s + 1, due_at = %(due_at)s, dead_at = %(dead_at)s, reason = %(reason)s
WHERE event_id = %(event_id)s AND handler = %(handler)s AND attempts IN (%(attempt)s, %(attempt)s + 1)
  AND processed_at IS NULL AND dead_at IS NULL
"""


class Deliveries:
    """The worker's view of `processed_events`."""

    def __init__(self, database: Database, clock: Clock, *, jitter: Jitter = random.uniform) -> None:
        self._database = database
        self._clock = clock
        self._jitter = jitter

    def take(self, delivery: Delivery) -> Event | None:
        """The event and its id, recorded as done with the transaction that this runs in; None if not ours to do."""
        return self._claim(delivery, due_at=None, processed_at=self._clock.now())

    def begin(self, delivery: Delivery, lease: timedelta) -> Event | None:
        """The event with its id, which nobody else begins within the lease; None if it is not ours to do."""
        with self._database.transaction() as transaction:
            event = self._claim(delivery, due_at=self._clock.now() + lease, processed_at=None)
            transaction.commit()
        return event

    def finish(self, delivery: Delivery) -> None:
        """Record as done what was begun."""
        with self._database.transaction() as transaction:
            transaction.execute(_FINISH, {**_named(delivery), "now": self._clock.now()})
            transaction.commit()

    def fail(self, delivery: Delivery, reason: str) -> bool:
        """Record a try that went wrong and when the next may be; whether that was the last one."""
        now, dead = self._clock.now(), delivery.attempt + 1 >= MAX_ATTEMPTS
        values = {
            **_named(delivery),
            "due_at": now + self._pause(delivery.attempt),
            "dead_at": now if dead else None,
            "reason": reason,
        }
        with self._database.transaction() as transaction:
            transaction.execute(_FAIL, values)
            transaction.commit()
        return dead

    def _claim(self, delivery: Delivery, *, due_at: datetime | None, processed_at: datetime | None) -> Event | None:
        values = {**_named(delivery), "due_at": due_at, "processed_at": processed_at}
        row = self._database.row(_CLAIM, values)
        if row is None:
            # A job may be quicker than the commit of the relay that enqueued it: wait for that, look again.
            self._database.row(_WAIT_FOR_RELAY, [delivery.event_id])
            row = self._database.row(_CLAIM, values)
        return None if row is None else row["payload"]

    def _pause(self, attempt: int) -> timedelta:
        """Exponential back-off with full jitter, so that what failed together does not come back together."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
        return timedelta(seconds=self._jitter(0.0, longest.total_seconds()))


def _named(delivery: Delivery) -> dict[str, Any]:
    return {"event_id": delivery.event_id, "handler": delivery.handler, "attempt": delivery.attempt}
