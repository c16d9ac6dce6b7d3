"""What identity does when events arrive."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from application.dependencies import Dependencies
from application.identity.accounts import VERIFICATION_LIFETIME, expect_verification, proved_owner
from application.identity.invitations import make_link
from application.identity.passwords import expect_reset
from application.identity.phones import make_phone_code
from application.identity.tokens import digest
from application.messaging.mails import send_mail
from application.messaging.ports import MailName, SmsMessage, SmsRefused, SmsUnavailable
from application.messaging.texts import PHONE_CODE, ROLE_LABELS
from domain.identity.lockout import PERIOD
from domain.identity.passwords import RESET_LIFETIME
from domain.identity.users import User
from domain.shared.clock import business_date

Event = Mapping[str, Any]


def mail_verification(event: Event, use: Dependencies) -> None:
    """Send a new user the link that proves the address; a repeated delivery sends a link that works, too.

    Where the address is proved already, its owner is told of the account that there is, in their own
    language: nothing that a stranger typed is in that mail.
    """
    user_id = UUID(event["user_id"])
    owner = proved_owner(user_id, uow=use.new_uow())
    if owner is not None:
        _mail(use, MailName.ADDRESS_HAS_ACCOUNT, owner, about=f"has-account-{user_id}", shown={})
        return
    user, token = expect_verification(user_id, uow=use.new_uow(), clock=use.clock)
    shown = {
        "link": f"{use.public_url}/verify-email?token={quote(token)}",
        "code": token,
        "expires_minutes": int(VERIFICATION_LIFETIME.total_seconds() // 60),
    }
    _mail(use, MailName.VERIFY_EMAIL, user, about=f"verify-{digest(token).hex()[:32]}", shown=shown)


def mail_verification_again(event: Event, use: Dependencies) -> None:
    """Send another link; the owner of an address that is proved was told at registration, and is told once."""
    if proved_owner(UUID(event["user_id"]), uow=use.new_uow()) is None:
        mail_verification(event, use)


def mail_password_reset(event: Event, use: Dependencies) -> None:
    """Send the link that sets a new password; there is nobody to send it to where the address has no account."""
    expected = expect_reset(UUID(event["user_id"]), uow=use.new_uow(), clock=use.clock) if event["user_id"] else None
    if expected is None:
        return
    user, token = expected
    shown = {
        "link": f"{use.public_url}/reset-password?token={quote(token)}",
        "expires_minutes": int(RESET_LIFETIME.total_seconds() // 60),
    }
    _mail(use, MailName.PASSWORD_RESET, user, about=f"reset-{digest(token).hex()[:32]}", shown=shown)


def mail_password_changed(event: Event, use: Dependencies) -> None:
    """Tell the owner that the password is another one: whoever did not change it has to know."""
    user = _user(UUID(event["user_id"]), use)
    _mail(use, MailName.PASSWORD_CHANGED, user, about=_occasion("password", user, event["changed_at"]), shown={})


def mail_account_locked(event: Event, use: Dependencies) -> None:
    """Tell the owner that passwords are being guessed; an address that nobody proved is told nothing."""
    if not event["user_id"]:
        return
    user = _user(UUID(event["user_id"]), use)
    shown = {"minutes": int(PERIOD.total_seconds() // 60)}
    _mail(use, MailName.ACCOUNT_LOCKED, user, about=_occasion("locked", user, event["locked_at"]), shown=shown)


def _occasion(what: str, user: User, at: str) -> str:
    """The same for every delivery of one event."""
    return f"{what}-{user.id}-{''.join(filter(str.isdigit, at))}"


def _user(user_id: UUID, use: Dependencies) -> User:
    with use.new_uow() as uow:
        return uow.users.get(user_id)


def _mail(use: Dependencies, name: MailName, user: User, *, about: str, shown: Event) -> None:
    send_mail(
        name,
        to=user.email,
        language=user.locale,
        about=about,
        facts={"first_name": user.first_name, **shown},
        email=use.email,
        templates=use.mail_templates,
    )


def text_phone_code(event: Event, use: Dependencies) -> None:
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


def mail_second_factor_on(event: Event, use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_ON, event, use, about=f"second-factor-on-{event['factor_id']}")


def mail_second_factor_off(event: Event, use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_OFF, event, use, about=f"second-factor-off-{event['factor_id']}")


def mail_second_factor_reset(event: Event, use: Dependencies) -> None:
    _tell(MailName.SECOND_FACTOR_RESET, event, use, about=f"second-factor-reset-{event['factor_id']}")


def mail_recovery_code_used(event: Event, use: Dependencies) -> None:
    about = f"recovery-code-{event['recovery_code_id']}"
    _tell(MailName.RECOVERY_CODE_USED, event, use, about=about, left=int(event["left"]))


def mail_invitation(event: Event, use: Dependencies) -> None:
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


def _tell(name: MailName, event: Event, use: Dependencies, *, about: str, **facts: object) -> None:
    """Send a mail about an account to its owner; nobody is told once the account is closed."""
    user = _user(UUID(event["user_id"]), use)
    if user.deleted_at is None:
        _mail(use, name, user, about=about, shown=facts)
