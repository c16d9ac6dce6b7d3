"""Telling one person of one event: in the app at once, and by the ways that its kind and the reader ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import Attachment, MailName
from application.messaging.record_ports import Reader
from application.ports import UnitOfWork
from domain.messaging.channels import KINDS, Channel, MessageKind
from domain.messaging.deliveries import Delivery, DeliveryPlanned, DeliveryWithFilesPlanned
from domain.messaging.notifications import LinkType, Notification

Event = Mapping[str, Any]
Words = tuple[str, str]
"""The same in Arabic and in English."""

Link = tuple[LinkType, UUID | None]
NOWHERE: Link = (LinkType.NONE, None)
WALLET: Link = (LinkType.WALLET, None)


Attach = Callable[[str], tuple[Attachment, ...]]
"""Makes a mail's files in the reader's language; called when it is sent, by workers that may take their time."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of a message's own, what it shows beside the reader's first name, and the files that come with it."""

    name: MailName
    shown: Mapping[str, object]
    attach: Attach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told of one event: written once, for every channel.

    Title and text are shown in the app, pushed, and texted. `mail` is sent in place of both where it is given;
    without it they go by mail only to readers who chose that.
    """

    user_id: UUID
    kind: MessageKind
    titles: Words
    texts: Words
    link: Link = NOWHERE
    mail: Mail | None = None

    @property
    def has_files(self) -> bool:
        return self.mail is not None and self.mail.attach is not None

    def title(self, language: str) -> str:
        return self.titles[0] if language == "ar" else self.titles[1]

    def text(self, language: str) -> str:
        return self.texts[0] if language == "ar" else self.texts[1]


Write = Callable[[Event, Dependencies], Message | None]


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told of an event, and what. `write` answers None where there is nothing to say any more.

    It is asked when the event arrives, and again by each channel when that sends: what is said is true then.
    """

    write: Write

    def tell(self, event: Event, use: Dependencies) -> None:
        """Show it in the app, and plan its deliveries."""
        message = self.write(event, use)
        if message is None:
            return
        with use.new_uow() as uow:
            reader = uow.deliveries.reader(message.user_id)
            if reader.is_erased:
                return
            uow.notifications.add(_in_app(message, use))
            _plan(_ways_to(reader, message, use), message, event, use, uow)
            uow.commit()

    def show(self, event: Event, use: Dependencies) -> None:
        """Show it in the app alone."""
        message = self.write(event, use)
        if message is None:
            return
        with use.new_uow() as uow:
            uow.notifications.add(_in_app(message, use))
            uow.commit()

    def mail(self, event: Event, use: Dependencies) -> None:
        """Plan the mail alone."""
        message = self.write(event, use)
        if message is None or message.mail is None:
            return
        with use.new_uow() as uow:
            ways = _ways_to(uow.deliveries.reader(message.user_id), message, use)
            _plan((way for way in ways if way.channel is Channel.EMAIL), message, event, use, uow)
            uow.commit()


@dataclass(frozen=True, slots=True)
class _Way:
    user_id: UUID
    channel: Channel
    device_id: UUID | None = field(default=None)


def _ways_to(reader: Reader, message: Message, use: Dependencies) -> Iterator[_Way]:
    wants, kind = reader.preferences.wants, message.kind
    has_mail = message.mail is not None or reader.preferences.asks_for(kind, Channel.EMAIL)
    if has_mail and wants(kind, Channel.EMAIL) and not reader.is_erased:
        yield _Way(reader.user_id, Channel.EMAIL)
    if use.sms is not None and reader.has_proved_phone and wants(kind, Channel.SMS):
        yield _Way(reader.user_id, Channel.SMS)
    if use.push is not None and wants(kind, Channel.PUSH):
        for device_id in reader.device_ids:
            yield _Way(reader.user_id, Channel.PUSH, device_id)


def _plan(ways: Iterator[_Way], message: Message, event: Event, use: Dependencies, uow: UnitOfWork) -> None:
    now = use.clock.now()
    deliveries = {
        delivery.id: delivery
        for delivery in (
            Delivery(
                id=use.new_id(),
                event_id=UUID(event["event_id"]),
                user_id=way.user_id,
                channel=way.channel,
                device_id=way.device_id,
                created_at=now,
            )
            for way in ways
        )
    }
    for delivery_id in uow.deliveries.plan(list(deliveries.values())):
        has_files = message.has_files and deliveries[delivery_id].channel is Channel.EMAIL
        planned = DeliveryWithFilesPlanned if has_files else DeliveryPlanned
        uow.publish(planned(at=now, delivery_id=delivery_id))


def _in_app(message: Message, use: Dependencies) -> Notification:
    return Notification(
        id=use.new_id(),
        user_id=message.user_id,
        notification_type=KINDS[message.kind].shown_as,
        title_ar=message.titles[0],
        title_en=message.titles[1],
        message_ar=message.texts[0],
        message_en=message.texts[1],
        link_type=message.link[0],
        link_id=message.link[1],
        created_at=use.clock.now(),
    )
