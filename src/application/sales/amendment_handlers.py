"""What customers are told of changes to their trips."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import Money

Event = Mapping[str, Any]


def notify_booking_amended(event: Event, use: Dependencies) -> None:
    """In the app: the booking is of another trip or party now, as the plan that was carried out says."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    starts_on, travelers, price = event["starts_on"], event["travelers"], _of_event(event, "price")
    _notify(
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
    until = f"{datetime.fromisoformat(event['expires_at']).astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}"
    _notify(
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
    _notify(
        event,
        use,
        titles=("انتهت مهلة دفع التعديل", "Your change was not paid in time"),
        messages=("لم يتم التعديل، ورحلتك كما كانت.", "It was not made; your trip is as it was."),
    )


def _notify(event: Event, use: Dependencies, *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    link = (LinkType.BOOKING, UUID(event["booking_id"]))
    notify(use, UUID(event["user_id"]), NotificationType.SYSTEM, titles=titles, messages=messages, link=link)


def _of_event(event: Event, name: str) -> Money:
    return Money.of(event[f"{name}_minor"], event["currency"])
