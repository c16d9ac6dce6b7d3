"""How handlers tell one person something: in the app, and by mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.mails import send_mail
from application.messaging.ports import MailName
from domain.messaging.notifications import LinkType, Notification, NotificationType


def notify(
    use: Dependencies,
    user_id: UUID,
    kind: NotificationType,
    *,
    titles: tuple[str, str],
    messages: tuple[str, str],
    link: tuple[LinkType, UUID | None],
) -> None:
    """Put a message into the app; titles and messages are (Arabic, English)."""
    with use.new_uow() as uow:
        uow.notifications.add(
            Notification(
                id=use.new_id(),
                user_id=user_id,
                notification_type=kind,
                title_ar=titles[0],
                title_en=titles[1],
                message_ar=messages[0],
                message_en=messages[1],
                link_type=link[0],
                link_id=link[1],
                created_at=use.clock.now(),
            )
        )
        uow.commit()


def mail(
    use: Dependencies, name: MailName, facts: Mapping[str, Any], *, about: str, shown: Mapping[str, object]
) -> None:
    """Send a mail to the person whom the facts are about."""
    send_mail(
        name,
        to=facts["email"],
        language=facts["locale"],
        about=about,
        facts={"first_name": facts["first_name"], **shown},
        email=use.email,
        templates=use.mail_templates,
    )
