"""Deliveries by channel: planned once, sent once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.messaging.record_ports import Posting, Reader
from domain.messaging.channels import Channel
from domain.messaging.deliveries import Delivery, DeliveryStatus
from domain.shared.errors import NotFound
from infrastructure.database.messaging.rows import preferences_of
from infrastructure.database.transaction import Statements

_READER: Final = """
SELECT u.id AS user_id, u.erased_at IS NOT NULL AS is_erased,
       u.phone IS NOT NULL AND u.phone_verified_at IS NOT NULL AS has_proved_phone,
       p.preferences, p.quiet_from, p.quiet_until, p.time_zone,
       ARRAY(SELECT d.id FROM device_tokens d WHERE d.user_id = u.id ORDER BY d.id) AS device_ids
FROM users u LEFT JOIN notification_preferences p ON p.user_id = u.id
WHERE u.id = %s
"""

_PLAN: Final = """
INSERT INTO notification_deliveries (id, event_id, user_id, channel, device_id, status, created_at)
SELECT *, 'PENDING', %(at)s
FROM unnest(%(ids)s::uuid[], %(events)s::uuid[], %(users)s::uuid[], %(channels)s::text[], %(devices)s::uuid[])
ON CONFLICT DO NOTHING RETURNING id
"""

_POSTING: Final = """
SELECT n.id, n.channel, n.device_id, e.name AS event_name,
       e.payload || jsonb_build_object('event_id', e.id) AS event,
       u.email, CASE WHEN u.phone_verified_at IS NOT NULL THEN u.phone END AS phone, u.first_name, u.locale,
       coalesce(d.token, '') AS token, coalesce(d.locale, u.locale) AS device_locale,
       p.preferences, p.quiet_from, p.quiet_until, p.time_zone
FROM notification_deliveries n
JOIN outbox_events e ON e.id = n.event_id
JOIN users u ON u.id = n.user_id
LEFT JOIN device_tokens d ON d.id = n.device_id AND d.user_id = n.user_id
LEFT JOIN notification_preferences p ON p.user_id = n.user_id
WHERE n.id = %s AND n.status = 'PENDING'
"""

_HOLD: Final = "UPDATE notification_deliveries SET status = 'HELD', due_at = %s WHERE id = %s AND status = 'PENDING'"

_RELEASE: Final = """
UPDATE notification_deliveries SET status = 'PENDING', due_at = NULL WHERE id IN (
    SELECT id FROM notification_deliveries WHERE status = 'HELD' AND due_at <= %s
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""

_NOTE_FAILURE: Final = """
UPDATE notification_deliveries SET attempts = attempts + 1, last_error = %s WHERE id = %s AND status = 'PENDING'
"""

_FINISH: Final = """
UPDATE notification_deliveries SET attempts = attempts + 1, status = %s, last_error = %s, finished_at = %s
WHERE id = %s AND status = 'PENDING'
"""


class SqlNotificationDeliveries:
    """Implements `application.messaging.record_ports.NotificationDeliveries`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def reader(self, user_id: UUID) -> Reader:
        row = self._statements.row(_READER, (user_id,))
        if row is None:
            raise NotFound()
        return Reader(
            user_id=user_id,
            is_erased=row["is_erased"],
            has_proved_phone=row["has_proved_phone"],
            preferences=preferences_of(row),
            device_ids=tuple(row["device_ids"]),
        )

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[UUID]:
        if not deliveries:
            return ()
        values = {
            "at": deliveries[0].created_at,
            "ids": [each.id for each in deliveries],
            "events": [each.event_id for each in deliveries],
            "users": [each.user_id for each in deliveries],
            "channels": [each.channel for each in deliveries],
            "devices": [each.device_id for each in deliveries],
        }
        return [row["id"] for row in self._statements.rows(_PLAN, values)]

    def posting(self, delivery_id: UUID) -> Posting | None:
        row = self._statements.row(_POSTING, (delivery_id,))
        if row is None:
            return None
        preferences = preferences_of(row)
        shown = {name: value for name, value in row.items() if name not in _OF_PREFERENCES}
        return Posting(**{**shown, "channel": Channel(row["channel"])}, preferences=preferences)

    def hold(self, delivery_id: UUID, *, until: datetime) -> None:
        self._statements.execute(_HOLD, (until, delivery_id))

    def release(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_RELEASE, (at, limit))]

    def note_failure(self, delivery_id: UUID, error: str) -> None:
        self._statements.execute(_NOTE_FAILURE, (error, delivery_id))

    def finish(self, delivery_id: UUID, status: DeliveryStatus, *, error: str | None, at: datetime) -> None:
        self._statements.execute(_FINISH, (status, error, at, delivery_id))


_OF_PREFERENCES: Final = frozenset({"preferences", "quiet_from", "quiet_until", "time_zone"})
