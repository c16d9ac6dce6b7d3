"""Writing a mail and handing it over."""

from __future__ import annotations

from collections.abc import Mapping

from application.messaging.ports import EmailSender, MailName, MailRefused, MailTemplates
from domain.privacy.erasure import NOBODYS_DOMAIN

DOMAIN = "altayar.mail"


def send_mail(
    name: MailName,
    *,
    to: str,
    language: str,
    about: str,
    facts: Mapping[str, object],
    email: EmailSender,
    templates: MailTemplates,
) -> None:
    """Send a mail; `about` names its occasion, so that one sent twice is recognised as the same.

    An address that refuses for good ends the matter, and so does that of somebody who was erased. Raises
    MailUnavailable for everything that may pass.
    """
    if to.endswith(f"@{NOBODYS_DOMAIN}"):
        return
    message = templates.compose(name, facts, to=to, message_id=f"<{about}@{DOMAIN}>", language=language)
    try:
        email.send(message)
    except MailRefused:
        return
