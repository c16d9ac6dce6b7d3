"""What customers are told of the trips that they ask for or change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from domain.messaging.notifications import LinkType, NotificationType
from domain.sales.bookings import BookingStatus
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import Money

Event = Mapping[str, Any]


def notify_booking_requested(event: Event, use: Dependencies) -> None:
    """In the app: the request has arrived, unless it was priced at once."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["status"] != BookingStatus.DRAFT:
        return
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("وصلنا طلبك", "We have your request"),
        messages=(
            f"وصلنا طلبك {facts['booking_number']}، وسنرسل إليك سعره.",
            f"Your request {facts['booking_number']} has arrived; we will send you its price.",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def notify_booking_priced(event: Event, use: Dependencies) -> None:
    """In the app: what was asked for has its price, until when it can be paid."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["hold_expires_at"] is None:
        return
    total, until = Money.of(facts["final_amount_minor"], facts["currency"]), _in_cairo(facts["hold_expires_at"])
    notify(
        use,
        facts["user_id"],
        NotificationType.OFFER_AVAILABLE,
        titles=("سعر رحلتك جاهز", "Your trip has its price"),
        messages=(
            f"سعر {facts['booking_number']} هو {total}. يمكنك الدفع حتى {until} بتوقيت القاهرة.",
            f"{facts['booking_number']} costs {total}. You can pay until {until}, Cairo time.",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_priced(event: Event, use: Dependencies) -> None:
    """By mail: what was asked for has its price; nothing where it is paid or over meanwhile."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["hold_expires_at"] is None:
        return
    mail(
        use,
        MailName.BOOKING_PRICED,
        facts,
        # One mail for each offer.
        about=f"booking-priced-{event['booking_id']}-{facts['hold_expires_at']:%Y%m%dT%H%M%S%f}",
        shown={
            "booking_number": facts["booking_number"],
            "trip_name": facts[f"name_{facts['locale']}"],
            "starts_on": facts["start_date"],
            "total": Money.of(facts["final_amount_minor"], facts["currency"]),
            "pay_until": _in_cairo(facts["hold_expires_at"]),
        },
    )


def notify_booking_amended(event: Event, use: Dependencies) -> None:
    """In the app: the booking is of another trip or party now, as the plan that was carried out says."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    starts_on, travelers, price = event["starts_on"], event["travelers"], _of_event(event, "price")
    _tell(
        event,
        use,
        titles=("تغير حجزك", "Your booking has changed"),
        messages=(
            f"الحجز {facts['booking_number']} يبدأ في {starts_on}، عدد المسافرين {travelers}، وسعره {price}.",
            f"{facts['booking_number']} starts on {starts_on}, for {travelers}, at {price}.",
        ),
    )


def mail_booking_amended(event: Event, use: Dependencies) -> None:
    """By mail: the same, with what it cost and what goes back."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    mail(
        use,
        MailName.BOOKING_AMENDED,
        facts,
        about=f"booking-amended-{event['amendment_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "trip_name": facts[f"name_{facts['locale']}"],
            "starts_on": date.fromisoformat(event["starts_on"]),
            "travelers": event["travelers"],
            "total": _of_event(event, "price"),
            "fee": _of_event(event, "fee"),
            "refund": _of_event(event, "refund"),
        },
    )


def notify_amendment_awaits_payment(event: Event, use: Dependencies) -> None:
    """In the app: the seats are held, and the change is made once its difference is paid."""
    due = _of_event(event, "due")
    until = _in_cairo(datetime.fromisoformat(event["expires_at"]))
    _tell(
        event,
        use,
        titles=("تعديل حجزك ينتظر الدفع", "Your change waits for its payment"),
        messages=(
            f"ادفع {due} حتى {until} بتوقيت القاهرة لإتمام التعديل؛ وحتى ذلك تبقى رحلتك كما هي.",
            f"Pay {due} until {until}, Cairo time; till then your trip stays as it is.",
        ),
    )


def notify_amendment_lapsed(event: Event, use: Dependencies) -> None:
    """In the app: it was not paid in time."""
    _tell(
        event,
        use,
        titles=("انتهت مهلة دفع التعديل", "Your change was not paid in time"),
        messages=("لم يتم التعديل، ورحلتك كما كانت.", "It was not made; your trip is as it was."),
    )


def _in_cairo(at: datetime) -> str:
    return f"{at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}"


def _tell(event: Event, use: Dependencies, *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    link = (LinkType.BOOKING, UUID(event["booking_id"]))
    notify(use, UUID(event["user_id"]), NotificationType.SYSTEM, titles=titles, messages=messages, link=link)


def _of_event(event: Event, name: str) -> Money:
    return Money.of(event[f"{name}_minor"], event["currency"])
