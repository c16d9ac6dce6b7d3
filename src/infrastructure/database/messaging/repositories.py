"""Notifications."""

from __future__ import annotations

from domain.messaging.notifications import Notification
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
