"""What customers are told of payments: that they came, are due, are late, or came too late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import WALLET, Event, Link, Mail, Message
from application.messaging.tellings.saying import amount, in_language
from application.queries import Row
from domain.billing.late_money import Hindrance
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType
from domain.shared.clock import business_date

_PAYABLE_LABELS: Final = {
    "BOOKING": {"ar": "الحجز ", "en": "Booking "},
    "MEMBERSHIP_PURCHASE": {"ar": "العضوية ", "en": "Membership "},
    "MEMBERSHIP_RENEWAL": {"ar": "تجديد العضوية ", "en": "Renewal of membership "},
    "WALLET_DEPOSIT": {"ar": "إيداع في المحفظة", "en": "Wallet deposit"},
}

_WHY: Final[Mapping[str, Mapping[str, str]]] = {
    Hindrance.SOLD_OUT: {"ar": "نفدت مقاعد الرحلة", "en": "the trip is sold out by now"},
    Hindrance.CLOSED: {"ar": "لم تعد الرحلة متاحة للحجز", "en": "the trip is not on sale any more"},
    Hindrance.BEGUN: {"ar": "بدأت الرحلة", "en": "the trip has begun"},
    Hindrance.BOOKED_AGAIN: {"ar": "حجزت الرحلة نفسها من جديد", "en": "you have booked the same trip again"},
    Hindrance.PROMOTION_GONE: {"ar": "لم تعد القسيمة أو العرض متاحا", "en": "its voucher or offer is used up"},
    Hindrance.BALANCE_GONE: {
        "ar": "لم تعد النقاط أو الأرصدة التي تدفع جزءا منه متاحة",
        "en": "the points or balances that were to pay a part of it are spent",
    },
    Hindrance.WRONG_AMOUNT: {"ar": "المبلغ ليس هو المطلوب", "en": "the amount is not what was due"},
    Hindrance.PAID_ALREADY: {"ar": "دفع الحجز بمبلغ آخر", "en": "other money has paid it"},
}


def received(event: Event, use: Dependencies) -> Message:
    """Money was received, or left the wallet; after a deposit also what is left to pay."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    paid, rest = amount(facts, "amount"), amount(facts, "rest")
    rest_ar, rest_en = (f" المتبقي من الحجز {rest}.", f" {rest} of the booking is still to be paid.")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.PAYMENT_SUCCESS,
        titles=("تم استلام الدفعة", "Payment received"),
        texts=(
            f"استلمنا {paid} ({facts['payment_number']}).{rest_ar if rest.is_positive else ''}",
            f"We received {paid} ({facts['payment_number']}).{rest_en if rest.is_positive else ''}",
        ),
        link=(LinkType.BOOKING, facts["booking_id"]) if facts["booking_id"] else WALLET,
        mail=Mail(
            MailName.PAYMENT_RECEIVED,
            {
                "payment_number": facts["payment_number"],
                "amount": paid,
                "payable_label": _PAYABLE_LABELS[facts["payment_type"]][facts["locale"]]
                + (facts["payable_number"] or ""),
            },
        ),
    )


def due(event: Event, use: Dependencies) -> Message:
    """An instalment is due soon, or today."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    left = amount(event, "left")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.PAYMENT_REMINDER,
        titles=("دفعة مستحقة لحجزك", "A payment for your booking is due"),
        texts=(
            f"ادفع {left} عن الحجز {facts['booking_number']} حتى {event['due_on']}.",
            f"Please pay {left} for booking {facts['booking_number']} by {event['due_on']}.",
        ),
        link=_of_booking(event),
        mail=Mail(MailName.INSTALMENT_DUE, _instalment(event, facts)),
    )


def overdue(event: Event, use: Dependencies) -> Message:
    """An instalment was not paid in time, and until when it still may be."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    left, until = amount(event, "left"), event["cancelled_after"]
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.PAYMENT_REMINDER,
        titles=("قسط متأخر من حجزك", "A payment for your booking is overdue"),
        texts=(
            f"لم يدفع {left} عن الحجز {facts['booking_number']}. ادفعه حتى {until}، وإلا ألغي الحجز.",
            f"{left} for booking {facts['booking_number']} is overdue. Pay it by {until}, or the booking is cancelled.",
        ),
        link=_of_booking(event),
        mail=Mail(
            MailName.INSTALMENT_OVERDUE,
            {**_instalment(event, facts), "cancelled_after": date.fromisoformat(until)},
        ),
    )


def _instalment(event: Event, facts: Row) -> dict[str, Any]:
    return {
        "booking_number": facts["booking_number"],
        "package_name": in_language(facts),
        "amount": amount(event, "left"),
        "due_on": date.fromisoformat(event["due_on"]),
    }


def came_too_late(event: Event, use: Dependencies) -> Message:
    """Money came too late, and its owner chooses."""
    facts = use.queries.messaging.late_money_facts(UUID(event["receipt_id"]))
    late, why, until = amount(facts, "amount"), _WHY[facts["hindrance"]], business_date(facts["choose_until"])
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.REFUND,
        titles=("وصلت دفعتك متأخرة", "Your payment came too late"),
        texts=(
            f"وصل {late} بعد انتهاء مهلة الحجز {facts['booking_number']}: {why['ar']}. "
            f"اختر حتى {until}: إلى محفظتك أو إعادته إلى حيث أتى.",
            f"{late} came after the time to pay booking {facts['booking_number']} was over: {why['en']}. "
            f"Choose until {until}: into your wallet, or back to where it came from.",
        ),
        link=_of_booking(event),
        mail=Mail(
            MailName.LATE_MONEY,
            {
                "booking_number": facts["booking_number"],
                "amount": late,
                "why": why[facts["locale"]],
                "choose_until": until,
            },
        ),
    )


def _of_booking(event: Event) -> Link:
    return LinkType.BOOKING, UUID(event["booking_id"])
