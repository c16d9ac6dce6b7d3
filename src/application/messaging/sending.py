"""Sending one delivery by its channel, once; and letting go what waited for quiet hours to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.mails import DOMAIN
from application.messaging.ports import (
    DeviceGone,
    MailName,
    MailRefused,
    PushMessage,
    PushRefused,
    PushUnavailable,
    SmsMessage,
    SmsRefused,
    SmsUnavailable,
)
from application.messaging.record_ports import Posting
from application.messaging.telling import Mail, Message
from application.messaging.told import TOLD
from application.ports import NewUnitOfWork
from domain.messaging.channels import DISTURBING, KINDS, Channel
from domain.messaging.deliveries import DeliveryPlanned, DeliveryStatus
from domain.privacy.erasure import NOBODYS_DOMAIN
from domain.shared.clock import Clock
from domain.shared.errors import DomainError

BATCH: Final = 500

Refusal = (MailRefused, SmsRefused, PushRefused)


def send_delivery(delivery_id: UUID, use: Dependencies) -> None:
    """Send what is still to be sent; what its channel refuses for good ends here, what may pass is raised.

    Between the channel's answer and our record of it lies a moment: a process that dies in it sends again.
    """
    with use.new_uow() as uow:
        posting = uow.deliveries.posting(delivery_id)
    if posting is None:
        return
    quiet_until = posting.preferences.quiet_until(use.clock.now()) if posting.channel in DISTURBING else None
    if quiet_until is not None:
        with use.new_uow() as uow:
            uow.deliveries.hold(delivery_id, until=quiet_until)
            uow.commit()
        return
    _send(posting, use)


def _send(posting: Posting, use: Dependencies) -> None:
    try:
        message = TOLD[posting.event_name].write(posting.event, use)
        is_sent = message is not None and _BY[posting.channel](message, posting, use)
    except DeviceGone as gone:
        _forget_device(posting, gone, use)
    except Refusal as refusal:
        _finish(posting, DeliveryStatus.REFUSED, use, error=refusal.code)
    except DomainError as error:
        with use.new_uow() as uow:
            uow.deliveries.note_failure(posting.id, error.code)
            uow.commit()
        raise
    else:
        _finish(posting, DeliveryStatus.SENT if is_sent else DeliveryStatus.SKIPPED, use)


def _finish(posting: Posting, status: DeliveryStatus, use: Dependencies, *, error: str | None = None) -> None:
    with use.new_uow() as uow:
        uow.deliveries.finish(posting.id, status, error=error, at=use.clock.now())
        uow.commit()


def _forget_device(posting: Posting, gone: DeviceGone, use: Dependencies) -> None:
    with use.new_uow() as uow:
        if posting.device_id is not None:
            uow.devices.forget(posting.device_id, token=posting.token)
        uow.deliveries.finish(posting.id, DeliveryStatus.REFUSED, error=gone.code, at=use.clock.now())
        uow.commit()


def _by_mail(message: Message, posting: Posting, use: Dependencies) -> bool:
    if posting.email.endswith(f"@{NOBODYS_DOMAIN}"):
        return False
    language = posting.locale
    notice = {"title": message.title(language), "message": message.text(language)}
    mail = message.mail or Mail(MailName.NOTICE, notice)
    written = use.mail_templates.compose(
        mail.name,
        {"first_name": posting.first_name, **mail.shown},
        to=posting.email,
        # The same whenever this delivery is sent again: mail servers see one mail.
        message_id=f"<{posting.id}@{DOMAIN}>",
        language=language,
    )
    use.email.send(written if mail.attach is None else replace(written, attachments=mail.attach(language)))
    return True


def _by_text(message: Message, posting: Posting, use: Dependencies) -> bool:
    if posting.phone is None:
        return False
    if use.sms is None:
        raise SmsUnavailable(reason="not configured")
    use.sms.send(SmsMessage(to=posting.phone, text=f"AltayarVIP: {message.text(posting.locale)}"))
    return True


def _by_push(message: Message, posting: Posting, use: Dependencies) -> bool:
    if not posting.token:
        return False
    if use.push is None:
        raise PushUnavailable(reason="not configured")
    language = posting.device_locale
    use.push.send(PushMessage(posting.token, message.title(language), message.text(language), _facts(message)))
    return True


def _facts(message: Message) -> dict[str, str]:
    link_type, link_id = message.link
    facts = {"notification_type": str(KINDS[message.kind].shown_as), "link_type": str(link_type)}
    return {**facts, "link_id": str(link_id)} if link_id is not None else facts


_BY: Final[Mapping[Channel, Callable[[Message, Posting, Dependencies], bool]]] = {
    Channel.EMAIL: _by_mail,
    Channel.SMS: _by_text,
    Channel.PUSH: _by_push,
}
"""Each answers whether there was somebody to send it to."""


def release_held(*, new_uow: NewUnitOfWork, clock: Clock) -> int:
    """Let one batch go whose quiet hours are over; how many."""
    now = clock.now()
    with new_uow() as uow:
        released = uow.deliveries.release(at=now, limit=BATCH)
        for delivery_id in released:
            uow.publish(DeliveryPlanned(at=now, delivery_id=delivery_id))
        uow.commit()
    return len(released)
