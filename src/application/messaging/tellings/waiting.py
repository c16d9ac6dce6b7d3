"""What those are told who wait for seats."""

from __future__ import annotations

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import NOWHERE, Event, Mail, Message, Words
from application.messaging.tellings.saying import in_language, on_the_wall
from application.queries import Row
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType
from domain.sales.waiting import WaitingStatus

_ENDED: Final = {
    WaitingStatus.CANCELLED: ("ألغيت الرحلة.", "the departure was cancelled."),
    WaitingStatus.EXPIRED: ("لم تتوفر مقاعد قبل موعدها.", "no seats came free before it began."),
}


def seats_offered(event: Event, use: Dependencies) -> Message | None:
    """Seats are kept, and until when."""
    facts = _facts(event, use)
    if facts["status"] != WaitingStatus.OFFERED:
        return None
    until = on_the_wall(facts["offer_expires_at"], ZoneInfo(facts["time_zone"]))
    shown = {"item_name": in_language(facts), "starts_on": facts["starts_on"], "seats": facts["seats"], "until": until}
    return _told(
        facts,
        titles=("مقاعد متاحة لك", "Seats for you"),
        texts=(
            f"حجزنا لك مقاعد ({facts['seats']}) في {facts['name_ar']} يوم {facts['starts_on']}. احجز قبل {until}.",
            f"We are keeping {facts['seats']} seats of {facts['name_en']} on {facts['starts_on']} for you. "
            f"Book before {until}.",
        ),
        mail=Mail(MailName.SEATS_OFFERED, shown),
    )


def offer_lapsed(event: Event, use: Dependencies) -> Message:
    """An offer was not taken in time."""
    facts = _facts(event, use)
    return _told(
        facts,
        titles=("انتهى عرض المقاعد", "Your seats were not booked in time"),
        texts=(
            f"لم تحجز المقاعد في {facts['name_ar']} يوم {facts['starts_on']} في الوقت المحدد، فعرضت على غيرك.",
            f"The seats of {facts['name_en']} on {facts['starts_on']} were not booked in time and went to others.",
        ),
    )


def ended(event: Event, use: Dependencies) -> Message:
    """There is nothing to wait for any more; that a departure has begun needs no mail."""
    facts = _facts(event, use)
    status = WaitingStatus(facts["status"])
    ended_ar, ended_en = _ENDED[status]
    shown = {"item_name": in_language(facts), "starts_on": facts["starts_on"]}
    return _told(
        facts,
        titles=("انتهى الانتظار", "You are waiting no longer"),
        texts=(
            f"{facts['name_ar']} يوم {facts['starts_on']}: {ended_ar}",
            f"{facts['name_en']} on {facts['starts_on']}: {ended_en}",
        ),
        mail=Mail(MailName.WAITING_ENDED, shown) if status is WaitingStatus.CANCELLED else None,
    )


def _facts(event: Event, use: Dependencies) -> Row:
    return use.queries.waiting.facts(UUID(event["entry_id"]))


def _told(facts: Row, *, titles: Words, texts: Words, mail: Mail | None = None) -> Message:
    package_id = facts["package_id"]
    link = (LinkType.PACKAGE, package_id) if package_id is not None else NOWHERE
    kind = MessageKind.WAITING_LIST
    return Message(user_id=facts["user_id"], kind=kind, titles=titles, texts=texts, link=link, mail=mail)
