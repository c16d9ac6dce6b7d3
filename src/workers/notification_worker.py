"""Notifications by mail, text and push: what the schedule lets go, and what support sends once more.

That people are told when something happens is no work of this module: events lead to deliveries on the one path
(`application/messaging/told.py`, docs/notifications.md). A delivery that was sent is never sent again here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from application.messaging.sending import release_held
from domain.messaging.deliveries import DeliveryPlanned
from domain.sales.booking_errors import BookingNotFound
from domain.sales.booking_events import BookingCancelled, BookingConfirmed
from domain.sales.instalments import InstalmentOverdue, PaymentReminderDue

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)

_BOOKING: Final = "SELECT id FROM bookings WHERE booking_number = %s"

# Of each event the deliveries that ended without being sent; those that are pending are on their way.
_TRY_AGAIN: Final = """
UPDATE notification_deliveries n SET status = 'PENDING', finished_at = NULL
FROM outbox_events e
WHERE e.id = n.event_id AND e.name = ANY(%(events)s) AND e.payload ->> 'booking_id' = %(booking)s
  AND n.status IN ('REFUSED', 'SKIPPED') AND n.user_id = (SELECT user_id FROM bookings WHERE id = %(booking)s::uuid)
RETURNING n.id
"""


def release_after_quiet_hours(running: Running) -> None:
    """Let pushes and texts go whose readers may be disturbed again."""
    use = running.dependencies
    released = 0
    while batch := release_held(new_uow=use.new_uow, clock=use.clock):
        released += batch
    if released:
        log.info("held_messages_released", released=released)


def send_booking_confirmation(running: Running, booking_number: str) -> int:
    """Send what of a booking's confirmation did not arrive, by mail, text and push; how many are due again."""
    return _send_again(running, booking_number, BookingConfirmed.name)


def send_booking_cancelled(running: Running, booking_number: str) -> int:
    """The same of its cancellation."""
    return _send_again(running, booking_number, BookingCancelled.name)


def send_payment_reminder(running: Running, booking_number: str) -> int:
    """The same of its reminders of payments that are due or overdue."""
    return _send_again(running, booking_number, PaymentReminderDue.name, InstalmentOverdue.name)


def _send_again(running: Running, booking_number: str, *events: str) -> int:
    use = running.dependencies
    with use.new_uow() as uow:
        booking_id = _booking(running, booking_number)
        again = running.database.rows(_TRY_AGAIN, {"events": list(events), "booking": str(booking_id)})
        for row in again:
            uow.publish(DeliveryPlanned(at=use.clock.now(), delivery_id=row["id"]))
        uow.commit()
    return len(again)


def _booking(running: Running, booking_number: str) -> UUID:
    row = running.database.row(_BOOKING, (booking_number,))
    if row is None:
        raise BookingNotFound()
    found: UUID = row["id"]
    return found
