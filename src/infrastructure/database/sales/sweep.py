"""Bookings that nobody paid in time, ended many at a time: a few statements, whatever their number.

What is in a statement here is what `Booking.expire` and `Departure.give_back` do one by one; tests/integration/
test_sweep.py holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from domain.catalogue.departures import SeatsFreed
from domain.catalogue.pools import PoolSeatsFreed
from domain.sales.booking_events import BookingExpired
from domain.sales.bookings import OUT_OF_TIME
from domain.shared.events import DomainEvent
from domain.shared.identifiers import NewId
from infrastructure.database.transaction import Row, Statements

# `Booking.is_awaiting_deposit`, its time over, and nothing to undo but seats.
_DUE: Final = """
    b.status = 'PENDING_PAYMENT' AND h.status = 'ACTIVE' AND h.expires_at <= %(before)s
    AND b.points_redeemed = 0
    AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.booking_id = b.id AND p.status = 'PENDING')
    AND NOT EXISTS (SELECT 1 FROM voucher_redemptions r WHERE r.booking_id = b.id AND r.in_use)
    AND NOT EXISTS (SELECT 1 FROM offer_redemptions r WHERE r.booking_id = b.id AND r.in_use)
"""
_CLAIM: Final = f"""
SELECT b.id FROM holds h JOIN bookings b ON b.id = h.booking_id
WHERE {_DUE} ORDER BY h.expires_at LIMIT %(limit)s FOR UPDATE OF b SKIP LOCKED
"""
_LOCK_DEPARTURES: Final = """
SELECT d.id FROM departures d
WHERE d.id IN (SELECT h.departure_id FROM holds h WHERE h.booking_id = ANY(%(bookings)s))
ORDER BY d.id FOR NO KEY UPDATE
"""
_LOCK_POOLS: Final = """
SELECT p.id FROM pools p
WHERE p.id IN (SELECT a.pool_id FROM departure_pools a WHERE a.departure_id = ANY(%(departures)s))
ORDER BY p.id FOR NO KEY UPDATE
"""
# What is due is asked again: between the claim's snapshot and its locks somebody may have begun to pay. Rows are found
# again by where they lie: the lock of the booking keeps it and its hold there, and a look-up by key costs as much as
# what is written.
_EXPIRE: Final = f"""
WITH due AS MATERIALIZED (
    SELECT b.id, b.user_id, b.ctid AS booking_at, h.ctid AS hold_at, h.departure_id, h.seats, t.event_id
    FROM unnest(%(bookings)s::uuid[], %(booking_events)s::uuid[]) AS t(id, event_id)
    JOIN bookings b ON b.id = t.id JOIN holds h ON h.booking_id = b.id
    WHERE {_DUE}
), ended AS (
    UPDATE bookings b SET status = 'CANCELLED', cancellation_reason = %(reason)s, cancelled_by_user_id = NULL,
                          cancelled_at = %(at)s, updated_at = %(at)s
    FROM due WHERE b.ctid = due.booking_at
), resolved AS (
    UPDATE holds h SET status = 'EXPIRED' FROM due WHERE h.ctid = due.hold_at
), logged AS (
    INSERT INTO booking_status_history (booking_id, from_status, to_status, change_reason, changed_at)
    SELECT id, 'PENDING_PAYMENT', 'CANCELLED', %(reason)s, %(at)s FROM due
), freed AS MATERIALIZED (
    SELECT departure_id, sum(seats)::integer AS seats FROM due WHERE seats > 0 GROUP BY departure_id
), given_back AS (
    UPDATE departures d SET seats_taken = d.seats_taken - freed.seats FROM freed WHERE d.id = freed.departure_id
), shared AS MATERIALIZED (
    SELECT a.pool_id, sum(freed.seats)::integer AS seats
    FROM freed JOIN departure_pools a ON a.departure_id = freed.departure_id GROUP BY a.pool_id
), put_back AS (
    UPDATE pools p SET seats_taken = p.seats_taken - shared.seats FROM shared WHERE p.id = shared.pool_id
), told AS (
    INSERT INTO outbox_events (id, name, version, payload, occurred_at)
    SELECT event_id, %(expired)s, %(expired_version)s,
           jsonb_build_object('booking_id', id, 'user_id', user_id), %(at)s
    FROM due
    UNION ALL
    SELECT t.event_id, %(freed)s, %(freed_version)s,
           jsonb_build_object('departure_id', t.id, 'seats', freed.seats), %(at)s
    FROM freed JOIN unnest(%(departures)s::uuid[], %(departure_events)s::uuid[]) AS t(id, event_id)
      ON t.id = freed.departure_id
    UNION ALL
    SELECT t.event_id, %(shared)s, %(shared_version)s,
           jsonb_build_object('pool_id', t.id, 'seats', shared.seats), %(at)s
    FROM shared JOIN unnest(%(pools)s::uuid[], %(pool_events)s::uuid[]) AS t(id, event_id) ON t.id = shared.pool_id
)
SELECT count(*) AS count FROM due
"""


def expire_together(statements: Statements, *, before: datetime, at: datetime, limit: int, new_id: NewId) -> int:
    """End up to `limit` bookings whose hold ran out before an instant and that took seats alone; how many it was.

    One that somebody has locked is left out. Departures and pools are waited for, in the order of their ids.
    """
    values: Row = {"before": before, "at": at, "limit": limit, "reason": OUT_OF_TIME}
    values |= _claimed("booking", [row["id"] for row in statements.rows(_CLAIM, values)], new_id)
    if not values["bookings"]:
        return 0
    values |= _claimed("departure", [row["id"] for row in statements.rows(_LOCK_DEPARTURES, values)], new_id)
    values |= _claimed("pool", [row["id"] for row in statements.rows(_LOCK_POOLS, values)], new_id)
    values |= _named("expired", BookingExpired) | _named("freed", SeatsFreed) | _named("shared", PoolSeatsFreed)
    row = statements.row(_EXPIRE, values)
    return 0 if row is None else int(row["count"])


def _claimed(what: str, ids: list[UUID], new_id: NewId) -> Row:
    """What was locked, and an id for the event that tells of each."""
    return {f"{what}s": ids, f"{what}_events": [new_id() for _ in ids]}


def _named(what: str, event: type[DomainEvent]) -> Row:
    return {what: event.name, f"{what}_version": event.version}
