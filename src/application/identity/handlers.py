"""What identity does when events arrive."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from application.dependencies import Dependencies
from application.identity.accounts import VERIFICATION_LIFETIME, digest, expect_verification
from application.identity.invitations import make_link
from application.identity.phones import make_phone_code
from application.messaging.mails import send_mail
from application.messaging.ports import MailName, SmsMessage, SmsRefused, SmsUnavailable
from application.messaging.texts import PHONE_CODE, ROLE_LABELS
from domain.shared.clock import business_date


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


def text_phone_code(event: Mapping[str, Any], use: Dependencies) -> None:
    """Make the code that was asked for and send it; a repeated delivery sends another, which then is the good one."""
    if use.sms is None:
        raise SmsUnavailable(reason="not configured")
    made = make_phone_code(UUID(event["verification_id"]), uow=use.new_uow(), digests=use.digests, clock=use.clock)
    if made is None:
        return
    try:
        use.sms.send(SmsMessage(to=made.phone.number, text=PHONE_CODE[made.language].format(code=made.code)))
    except SmsRefused:
        # Nobody can be reached at this number: the request ends here, and its code is never given.
        return


def mail_second_factor_on(event: Mapping[str, Any], use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_ON, event, use, about=f"second-factor-on-{event['factor_id']}")


def mail_second_factor_off(event: Mapping[str, Any], use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_OFF, event, use, about=f"second-factor-off-{event['factor_id']}")


def mail_second_factor_reset(event: Mapping[str, Any], use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_RESET, event, use, about=f"second-factor-reset-{event['factor_id']}")


def mail_recovery_code_used(event: Mapping[str, Any], use: Dependencies) -> None:
    about = f"recovery-code-{event['recovery_code_id']}"
    _tell(MailName.RECOVERY_CODE_USED, event, use, about=about, left=int(event["left"]))


def mail_invitation(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send the link that accepts an invitation; a repeated delivery sends one that works, too."""
    made = make_link(UUID(event["invitation_id"]), public_url=use.public_url, uow=use.new_uow(), clock=use.clock)
    if made is None:
        return
    invitation, link = made
    labels = ROLE_LABELS[invitation.locale]
    send_mail(
        MailName.INVITATION,
        to=invitation.email,
        language=invitation.locale,
        about=f"invitation-{digest(link).hex()[:32]}",
        facts={
            "roles_label": ", ".join(labels.get(role, role) for role in invitation.roles),
            "link": link,
            "expires_on": business_date(invitation.expires_at),
        },
        email=use.email,
        templates=use.mail_templates,
    )


def _tell(name: MailName, event: Mapping[str, Any], use: Dependencies, *, about: str, **facts: object) -> None:
    """Send a mail about an account to its owner; nobody is told once the account is closed."""
    today = business_date(use.clock.now())
    person = use.queries.identity.profile(UUID(event["user_id"]), today=today)
    if person is None:
        return
    send_mail(
        name,
        to=person["email"],
        language=person["locale"],
        about=about,
        facts={"first_name": person["first_name"], **facts},
        email=use.email,
        templates=use.mail_templates,
    )
