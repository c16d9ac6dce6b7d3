"""What identity does when events arrive."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from application.dependencies import Dependencies
from application.identity.accounts import VERIFICATION_LIFETIME, digest, expect_verification
from application.messaging.mails import send_mail
from application.messaging.ports import MailName


def mail_verification(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send a new user the link that proves the address; a repeated delivery sends a link that works, too."""
    user, token = expect_verification(UUID(event["user_id"]), uow=use.new_uow(), clock=use.clock)
    send_mail(
        MailName.VERIFY_EMAIL,
        to=user.email,
        language=user.locale,
        about=f"verify-{digest(token).hex()[:32]}",
        facts={
            "first_name": user.first_name,
            "link": f"{use.public_url}/verify-email?token={quote(token)}",
            "code": token,
            "expires_minutes": int(VERIFICATION_LIFETIME.total_seconds() // 60),
        },
        email=use.email,
        templates=use.mail_templates,
    )
