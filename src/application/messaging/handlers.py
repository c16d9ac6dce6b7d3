"""What people are told when events arrive: in the app at once, by mail as soon as it can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.mails import send_mail
from application.messaging.ports import MailName
from domain.ledger.accounts import POINTS_UNIT
from domain.messaging.notifications import LinkType, Notification, NotificationType
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


_WITHDRAWAL_WORDS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "requested": (
        ("استلمنا طلب السحب", "We received your withdrawal"),
        (
            "طلب سحب {amount} ({number}) قيد المراجعة، والمبلغ محجوز في محفظتك.",
            "{amount} ({number}) is set aside in your wallet until we have looked at it.",
        ),
    ),
    "approved": (
        ("تمت الموافقة على السحب", "Your withdrawal is approved"),
        (
            "{amount} ({number}) في الطريق إلى حسابك البنكي.",
            "{amount} ({number}) is on its way to your bank.",
        ),
    ),
    "rejected": (
        ("لم تتم الموافقة على السحب", "Your withdrawal was not approved"),
        (
            "{amount} ({number}) متاح من جديد في محفظتك. السبب: {reason}",
            "{amount} ({number}) is available in your wallet again. The reason: {reason}",
        ),
    ),
    "paid": (
        ("تم تحويل السحب", "Your withdrawal was paid"),
        (
            "حول البنك {amount} ({number}) إلى حسابك.",
            "The bank sent {amount} ({number}) to your account.",
        ),
    ),
    "returned": (
        ("أعاد البنك السحب", "The bank returned your withdrawal"),
        (
            "عاد {amount} ({number}) إلى محفظتك. السبب: {reason}",
            "{amount} ({number}) is back in your wallet. The reason: {reason}",
        ),
    ),
}
"""Titles and messages, each in Arabic and English, by what became of a withdrawal."""


def _notify_withdrawal(event: Event, use: Dependencies, step: str) -> None:
    facts = use.queries.messaging.withdrawal_facts(UUID(event["withdrawal_id"]))
    titles, (arabic, english) = _WITHDRAWAL_WORDS[step]
    shown = {
        "amount": Money.of(facts["amount_minor"], facts["currency"]),
        "number": facts["withdrawal_number"],
        "reason": facts["reason"],
    }
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=titles,
        messages=(arabic.format_map(shown), english.format_map(shown)),
        link=(LinkType.WALLET, None),
    )


def _mail_withdrawal(event: Event, use: Dependencies, name: MailName, *facts_shown: str) -> None:
    facts = use.queries.messaging.withdrawal_facts(UUID(event["withdrawal_id"]))
    _mail(
        use,
        name,
        facts,
        about=f"{name.replace('_', '-')}-{event['withdrawal_id']}",
        shown={
            "withdrawal_number": facts["withdrawal_number"],
            "amount": Money.of(facts["amount_minor"], facts["currency"]),
            **{fact: facts[fact] for fact in facts_shown},
        },
    )


def notify_withdrawal_requested(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was asked for."""
    _notify_withdrawal(event, use, "requested")


def notify_withdrawal_approved(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal is on its way."""
    _notify_withdrawal(event, use, "approved")


def notify_withdrawal_rejected(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was refused."""
    _notify_withdrawal(event, use, "rejected")


def notify_withdrawal_paid(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was paid."""
    _notify_withdrawal(event, use, "paid")


def notify_withdrawal_returned(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal came back."""
    _notify_withdrawal(event, use, "returned")


def mail_withdrawal_requested(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was asked for, so that somebody else's request is noticed."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_REQUESTED)


def mail_withdrawal_rejected(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was refused."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_REJECTED, "reason")


def mail_withdrawal_paid(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was paid."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_PAID, "bank_reference")


def mail_withdrawal_returned(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal came back."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_RETURNED, "reason")


def notify_adjustment(event: Event, use: Dependencies) -> None:
    """In the app: staff gave or took something."""
    facts = use.queries.messaging.adjustment_facts(UUID(event["adjustment_id"]))
    number, minor = facts["adjustment_number"], facts["amount_minor"]
    if facts["currency"] == POINTS_UNIT:
        arabic, english = f"{abs(minor)} نقطة", f"{abs(minor)} points"
    else:
        arabic = english = str(Money.of(abs(minor), facts["currency"]))
    verbs = ("أضيف", "Added") if minor > 0 else ("خصم", "Taken")
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("تسوية على حسابك", "Your account was adjusted"),
        messages=(f"{verbs[0]} {arabic} ({number}).", f"{verbs[1]}: {english} ({number})."),
        link=(LinkType.WALLET, None),
    )


def _notify(
    use: Dependencies,
    user_id: UUID,
    kind: NotificationType,
    *,
    titles: tuple[str, str],
    messages: tuple[str, str],
    link: tuple[LinkType, UUID | None],
) -> None:
    """Put a message into the app; titles and messages are (Arabic, English)."""
    with use.new_uow() as uow:
        uow.notifications.add(
            Notification(
                id=use.new_id(),
                user_id=user_id,
                notification_type=kind,
                title_ar=titles[0],
                title_en=titles[1],
                message_ar=messages[0],
                message_en=messages[1],
                link_type=link[0],
                link_id=link[1],
                created_at=use.clock.now(),
            )
        )
        uow.commit()


def _mail(use: Dependencies, name: MailName, facts: Event, *, about: str, shown: Event) -> None:
    """Send a mail to the person whom the facts are about."""
    send_mail(
        name,
        to=facts["email"],
        language=facts["locale"],
        about=about,
        facts={"first_name": facts["first_name"], **shown},
        email=use.email,
        templates=use.mail_templates,
    )
