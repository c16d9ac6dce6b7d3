"""What customers are told of the trips that they ask for; manifests that are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from application.sales.manifests import draw_manifest
from domain.messaging.notifications import LinkType, NotificationType
from domain.sales.bookings import BookingStatus
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import Money

Event = Mapping[str, Any]


def draw_requested_manifest(event: Event, use: Dependencies) -> None:
    """Draw a manifest that was asked for."""
    draw_manifest(
        UUID(event["manifest_id"]),
        manifests=use.manifests,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )


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


def _in_cairo(at: datetime) -> str:
    return f"{at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}"
