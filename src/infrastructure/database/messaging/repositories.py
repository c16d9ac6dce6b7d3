"""Notifications, devices, preferences, and addresses that are dead."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from domain.messaging.devices import MOST_DEVICES, Device
from domain.messaging.notifications import Notification
from domain.messaging.preferences import Preferences
from infrastructure.database.messaging.rows import PREFERENCES, preferences_of
from infrastructure.database.transaction import Statements

_ADD = """
INSERT INTO notifications (id, user_id, notification_type, title_ar, title_en, message_ar, message_en,
                           link_type, link_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class SqlNotifications:
    """Implements `application.ports.Notifications`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, notification: Notification) -> None:
        self._statements.execute(
            _ADD,
            (notification.id, notification.user_id, notification.notification_type, notification.title_ar,
             notification.title_en, notification.message_ar, notification.message_en, notification.link_type,
             notification.link_id, notification.created_at),
        )  # fmt: skip


# A token that moves to another person begins anew, so nothing of its former owner's reaches it.
_TAKE_AWAY = "DELETE FROM device_tokens WHERE token = %(token)s AND user_id <> %(user_id)s"
_MAKE_ROOM = """
DELETE FROM device_tokens WHERE id IN (
    SELECT id FROM device_tokens WHERE user_id = %(user_id)s AND token <> %(token)s
    ORDER BY last_seen_at DESC, id OFFSET %(others)s)
"""
_KEEP = """
INSERT INTO device_tokens (id, user_id, token, platform, locale, created_at, last_seen_at)
VALUES (%(id)s, %(user_id)s, %(token)s, %(platform)s, %(locale)s, %(at)s, %(at)s)
ON CONFLICT (token) DO UPDATE SET platform = excluded.platform, locale = excluded.locale,
    last_seen_at = excluded.last_seen_at
RETURNING id
"""


class SqlDevices:
    """Implements `application.messaging.record_ports.Devices`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def register(self, device: Device) -> UUID:
        values = {
            "id": device.id,
            "user_id": device.user_id,
            "token": device.token,
            "platform": device.platform,
            "locale": device.locale,
            "at": device.last_seen_at,
            "others": MOST_DEVICES - 1,
        }
        # Locked by its token first: two people on one device at once must not both have it.
        self._statements.rows("SELECT pg_advisory_xact_lock(hashtextextended(%(token)s, 0))", values)
        self._statements.execute(_MAKE_ROOM, values)
        self._statements.execute(_TAKE_AWAY, values)
        (row,) = self._statements.rows(_KEEP, values)
        kept: UUID = row["id"]
        return kept

    def remove(self, device_id: UUID, *, user_id: UUID) -> bool:
        sql = "DELETE FROM device_tokens WHERE id = %s AND user_id = %s RETURNING id"
        return self._statements.row(sql, (device_id, user_id)) is not None

    def forget(self, device_id: UUID, *, token: str) -> None:
        self._statements.execute("DELETE FROM device_tokens WHERE id = %s AND token = %s", (device_id, token))


_BEGIN_PREFERENCES = """
INSERT INTO notification_preferences (user_id, updated_at) VALUES (%s, now()) ON CONFLICT DO NOTHING
"""
_SAVE_PREFERENCES = """
UPDATE notification_preferences
SET preferences = %s::jsonb, quiet_from = %s, quiet_until = %s, time_zone = %s, updated_at = %s
WHERE user_id = %s
"""


class SqlPreferenceRows:
    """Implements `application.messaging.record_ports.PreferenceRows`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def lock(self, user_id: UUID) -> Preferences:
        self._statements.execute(_BEGIN_PREFERENCES, (user_id,))
        return preferences_of(self._statements.row(f"{PREFERENCES} FOR UPDATE", (user_id,)))

    def save(self, user_id: UUID, preferences: Preferences, *, at: datetime) -> None:
        quiet = preferences.quiet
        hours = (quiet.begins, quiet.ends) if quiet else (None, None)
        chosen = orjson.dumps(preferences.choices, option=orjson.OPT_NON_STR_KEYS).decode()
        self._statements.execute(_SAVE_PREFERENCES, (chosen, *hours, preferences.time_zone, at, user_id))


class SqlSuppressions:
    """Implements `application.messaging.record_ports.Suppressions`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def lift(self, suppression_id: UUID) -> str | None:
        row = self._statements.row(
            "DELETE FROM suppressed_addresses WHERE id = %s RETURNING address", (suppression_id,)
        )
        return None if row is None else row["address"]
