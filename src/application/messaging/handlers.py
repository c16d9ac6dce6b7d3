"""What people are told when events arrive: in the app at once, by mail as soon as it can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail as _mail
from application.messaging.telling import notify as _notify
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.money import Money

Event = Mapping[str, Any]


def notify_payment(event: Event, use: Dependencies) -> None:
    """In the app: money was received, or left the wallet."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    amount = Money.of(facts["amount_minor"], facts["currency"])
    _notify(
        use,
        facts["user_id"],
        NotificationType.PAYMENT_SUCCESS,
        titles=("تم استلام الدفعة", "Payment received"),
        messages=(
            f"استلمنا {amount} ({facts['payment_number']}).",
            f"We received {amount} ({facts['payment_number']}).",
        ),
        link=(LinkType.BOOKING, facts["booking_id"]) if facts["booking_id"] else (LinkType.WALLET, None),
    )


def mail_payment(event: Event, use: Dependencies) -> None:
    """By mail: money was received."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    language = facts["locale"]
    _mail(
        use,
        MailName.PAYMENT_RECEIVED,
        facts,
        about=f"payment-{event['payment_id']}",
        shown={
            "payment_number": facts["payment_number"],
            "amount": Money.of(facts["amount_minor"], facts["currency"]),
            "payable_label": _PAYABLE_LABELS[facts["payment_type"]][language] + (facts["payable_number"] or ""),
        },
    )


_PAYABLE_LABELS = {
    "BOOKING": {"ar": "الحجز ", "en": "Booking "},
    "MEMBERSHIP_PURCHASE": {"ar": "العضوية ", "en": "Membership "},
    "WALLET_DEPOSIT": {"ar": "إيداع في المحفظة", "en": "Wallet deposit"},
}


def notify_booking_confirmed(event: Event, use: Dependencies) -> None:
    """In the app: the trip is certain."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _notify(
        use,
        facts["user_id"],
        NotificationType.BOOKING_CONFIRMED,
        titles=("تم تأكيد حجزك", "Your booking is confirmed"),
        messages=(
            f"تم تأكيد {facts['name_ar']} ({facts['booking_number']}).",
            f"{facts['name_en']} is confirmed ({facts['booking_number']}).",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_confirmed(event: Event, use: Dependencies) -> None:
    """By mail: the trip is certain."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _mail(
        use,
        MailName.BOOKING_CONFIRMED,
        facts,
        about=f"booking-confirmed-{event['booking_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "package_name": facts[f"name_{facts['locale']}"],
            "starts_on": facts["start_date"],
            "travelers_count": facts["travelers_count"],
            "total": Money.of(facts["final_amount_minor"], facts["currency"]),
        },
    )


def notify_booking_expired(event: Event, use: Dependencies) -> None:
    """In the app: the time to pay is over."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("انتهت مهلة الدفع", "The time to pay is over"),
        messages=(
            f"انتهت مهلة دفع الحجز {facts['booking_number']} وأعيدت المقاعد.",
            f"Booking {facts['booking_number']} was not paid in time; its seats were given back.",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_expired(event: Event, use: Dependencies) -> None:
    """By mail: the time to pay is over."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _mail(
        use,
        MailName.BOOKING_EXPIRED,
        facts,
        about=f"booking-expired-{event['booking_id']}",
        shown={"booking_number": facts["booking_number"]},
    )


def notify_cashback(event: Event, use: Dependencies) -> None:
    """In the app: cashback was promised, where the customer's plan gives any."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["cashback_amount_minor"] is None:
        return
    amount = Money.of(facts["cashback_amount_minor"], facts["currency"])
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("استرداد نقدي في الطريق", "Cashback is on its way"),
        messages=(
            f"ستحصل على {amount} عن الحجز {facts['booking_number']} بعد الموافقة.",
            f"You will get {amount} for booking {facts['booking_number']} once it is approved.",
        ),
        link=(LinkType.WALLET, None),
    )


def mail_cashback(event: Event, use: Dependencies) -> None:
    """By mail: cashback was promised, where the customer's plan gives any."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["cashback_amount_minor"] is None:
        return
    _mail(
        use,
        MailName.CASHBACK_PENDING,
        facts,
        about=f"cashback-{event['booking_id']}",
        shown={
            "amount": Money.of(facts["cashback_amount_minor"], facts["currency"]),
            "booking_number": facts["booking_number"],
        },
    )
