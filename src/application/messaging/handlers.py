"""What people are told when events arrive: in the app at once, by mail as soon as it can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail as _mail
from application.messaging.telling import notify as _notify
from domain.ledger.cashback import REFUNDED, CashbackStatus
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.clock import business_date
from domain.shared.money import Money, total

Event = Mapping[str, Any]


def notify_payment(event: Event, use: Dependencies) -> None:
    """In the app: money was received, or left the wallet; after a deposit also what is left to pay."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    amount, rest = (Money.of(facts[name], facts["currency"]) for name in ("amount_minor", "rest_minor"))
    rest_ar, rest_en = (f" المتبقي من الحجز {rest}.", f" {rest} of the booking is still to be paid.")
    _notify(
        use,
        facts["user_id"],
        NotificationType.PAYMENT_SUCCESS,
        titles=("تم استلام الدفعة", "Payment received"),
        messages=(
            f"استلمنا {amount} ({facts['payment_number']}).{rest_ar if rest.is_positive else ''}",
            f"We received {amount} ({facts['payment_number']}).{rest_en if rest.is_positive else ''}",
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
    "MEMBERSHIP_RENEWAL": {"ar": "تجديد العضوية ", "en": "Renewal of membership "},
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


def notify_booking_cancelled(event: Event, use: Dependencies) -> None:
    """In the app: the booking is cancelled, and what of its money comes back, as the plan that was carried out says."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    back_ar, back_en = _coming_back(event)
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("ألغي حجزك", "Your booking is cancelled"),
        messages=(
            f"ألغي الحجز {facts['booking_number']}. {back_ar}",
            f"Booking {facts['booking_number']} is cancelled. {back_en}",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_cancelled(event: Event, use: Dependencies) -> None:
    """By mail: the booking is cancelled, and what comes back, and where to."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _mail(
        use,
        MailName.BOOKING_CANCELLED,
        facts,
        about=f"booking-cancelled-{event['booking_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "refund": _refund(event),
            "to_original": _of_event(event, "to_original"),
            "to_wallet": _of_event(event, "to_wallet"),
            "to_voucher_credit": _of_event(event, "to_voucher_credit"),
            "points": event["points"] + event["points_restored"],
            "kept": _of_event(event, "kept"),
        },
    )


def _coming_back(event: Event) -> tuple[str, str]:
    """Only what there is, in Arabic and English."""
    original, wallet, credit = (_of_event(event, name) for name in ("to_original", "to_wallet", "to_voucher_credit"))
    kept, points = _of_event(event, "kept"), event["points"] + event["points_restored"]
    said = [
        (original.is_positive, f"يعود {original} إلى وسيلة الدفع.", f"{original} goes back to where you paid from."),
        (wallet.is_positive, f"عاد {wallet} إلى محفظتك.", f"{wallet} is back in your wallet."),
        (credit.is_positive, f"عاد {credit} إلى رصيد القسائم.", f"{credit} is back in your voucher credit."),
        (points > 0, f"النقاط العائدة: {points}.", f"Points back: {points}."),
        (kept.is_positive, f"رسوم الإلغاء {kept}.", f"The cancellation fee is {kept}."),
    ]
    true = [sentences for is_true, *sentences in said if is_true]
    if not true:
        return "لم يدفع شيء، فلا شيء يعود.", "Nothing had been paid, so nothing comes back."
    return " ".join(arabic for arabic, _ in true), " ".join(english for _, english in true)


def _refund(event: Event) -> Money:
    """All of the money that comes back, points at what they had paid."""
    names = ("to_original", "to_wallet", "to_voucher_credit", "in_points")
    return total((_of_event(event, name) for name in names), event["currency"])


def _of_event(event: Event, name: str) -> Money:
    return Money.of(event[f"{name}_minor"], event["currency"])


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


def notify_cashback_credited(event: Event, use: Dependencies) -> None:
    """In the app: cashback reached the wallet, less what paid off a debt."""
    facts = use.queries.messaging.cashback_facts(UUID(event["cashback_id"]))
    amount, repaid = (Money.of(event[name], event["currency"]) for name in ("amount_minor", "repaid_minor"))
    debt_ar, debt_en = (f"، منها {repaid} لسداد ما عليك", f"; {repaid} of it paid off what you owed")
    _notify(
        use,
        facts["user_id"],
        NotificationType.CASHBACK_CREDITED,
        titles=("أضيف الاسترداد النقدي", "Cashback credited"),
        messages=(
            f"حصلت على {amount} عن الحجز {facts['booking_number']}{debt_ar if repaid.is_positive else ''}.",
            f"You got {amount} for booking {facts['booking_number']}{debt_en if repaid.is_positive else ''}.",
        ),
        link=(LinkType.WALLET, None),
    )


def mail_cashback_credited(event: Event, use: Dependencies) -> None:
    """By mail: cashback reached the wallet, less what paid off a debt."""
    amount, repaid = (Money.of(event[name], event["currency"]) for name in ("amount_minor", "repaid_minor"))
    facts = use.queries.messaging.cashback_facts(UUID(event["cashback_id"]))
    _mail(
        use,
        MailName.CASHBACK_CREDITED,
        facts,
        about=f"cashback-credited-{event['cashback_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "amount": amount,
            "to_wallet": amount - repaid,
            "repaid": repaid,
        },
    )


def notify_cashback_cancelled(event: Event, use: Dependencies) -> None:
    """In the app: a promise was taken back, with the reason that staff wrote; or its booking was refunded."""
    facts = use.queries.messaging.cashback_facts(UUID(event["cashback_id"]))
    is_refunded = facts["cancel_reason"] == REFUNDED
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("ألغي الاسترداد النقدي", "Cashback cancelled"),
        messages=(
            f"لن يضاف الاسترداد النقدي عن الحجز {facts['booking_number']} "
            f"({'رد مبلغ الحجز' if is_refunded else facts['cancel_reason']}).",
            f"The cashback for booking {facts['booking_number']} will not be credited "
            f"({'the booking was refunded' if is_refunded else facts['cancel_reason']}).",
        ),
        link=(LinkType.WALLET, None),
    )


def notify_cashback_clawed_back(event: Event, use: Dependencies) -> None:
    """In the app: a refund took a part; where it left nothing of a promise, that it is cancelled says enough."""
    facts = use.queries.messaging.cashback_facts(UUID(event["cashback_id"]))
    if facts["status"] == CashbackStatus.CANCELLED:
        return
    amount, debt = (Money.of(event[name], event["currency"]) for name in ("amount_minor", "debt_minor"))
    debt_ar, debt_en = (f" يخصم منها {debt} مما تكسبه لاحقا.", f" {debt} of it is taken from what you earn next.")
    _notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("استرجع جزء من الاسترداد النقدي", "Cashback taken back"),
        messages=(
            f"رد مبلغ من الحجز {facts['booking_number']} فاسترجع {amount} من استرداده النقدي."
            f"{debt_ar if debt.is_positive else ''}",
            f"Booking {facts['booking_number']} was refunded, so {amount} of its cashback was taken back."
            f"{debt_en if debt.is_positive else ''}",
        ),
        link=(LinkType.WALLET, None),
    )


def notify_points_earned(event: Event, use: Dependencies) -> None:
    """In the app: points were earned; what they paid off is said."""
    points, repaid = event["points"], event["repaid"]
    of_booking = (LinkType.BOOKING, UUID(event["reference_id"]))
    _notify(
        use,
        UUID(event["user_id"]),
        NotificationType.POINTS_EARNED,
        titles=("نقاط جديدة", "New points"),
        messages=(
            f"النقاط المكتسبة: {points}." + (f" سدد منها دين النقاط: {repaid}." if repaid else ""),
            f"Points earned: {points}." + (f" Paid off your debt of points: {repaid}." if repaid else ""),
        ),
        link=of_booking if event["reference_type"] == LinkType.BOOKING else (LinkType.NONE, None),
    )


def notify_points_expired(event: Event, use: Dependencies) -> None:
    """In the app: points were not used in time."""
    _notify(
        use,
        UUID(event["user_id"]),
        NotificationType.SYSTEM,
        titles=("انتهت صلاحية نقاط", "Points have expired"),
        messages=(f"النقاط المنتهية: {event['points']}.", f"Points expired: {event['points']}."),
        link=(LinkType.NONE, None),
    )


def notify_points_expiring(event: Event, use: Dependencies) -> None:
    """In the app: points end soon."""
    points, ends_on = event["points"], business_date(datetime.fromisoformat(event["ends_at"]))
    _notify(
        use,
        UUID(event["user_id"]),
        NotificationType.SYSTEM,
        titles=("نقاطك توشك على الانتهاء", "Your points end soon"),
        messages=(
            f"النقاط التي تنتهي: {points}، ابتداء من {ends_on}.",
            f"Points that end: {points}, from {ends_on}.",
        ),
        link=(LinkType.NONE, None),
    )


def mail_points_expiring(event: Event, use: Dependencies) -> None:
    """By mail: points end soon."""
    ends_at = datetime.fromisoformat(event["ends_at"])
    _mail(
        use,
        MailName.POINTS_EXPIRING,
        use.queries.messaging.reader_facts(UUID(event["user_id"])),
        about=f"points-expiring-{event['user_id']}-{event['days']}-{ends_at:%Y%m%dT%H%M%S%f}",
        shown={"points": event["points"], "ends_on": business_date(ends_at)},
    )
