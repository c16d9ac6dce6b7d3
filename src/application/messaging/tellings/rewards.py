"""What customers are told of cashback and points."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import NOWHERE, WALLET, Event, Mail, Message
from application.messaging.tellings.saying import amount
from application.queries import Row
from domain.ledger.cashback import REFUNDED, CashbackStatus
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType
from domain.shared.clock import business_date


def cashback_promised(event: Event, use: Dependencies) -> Message | None:
    """Cashback was promised, where the customer's plan gives any."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    if facts["cashback_amount_minor"] is None:
        return None
    promised = amount(facts, "cashback_amount")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.CASHBACK,
        titles=("استرداد نقدي في الطريق", "Cashback is on its way"),
        texts=(
            f"ستحصل على {promised} عن الحجز {facts['booking_number']} بعد الموافقة.",
            f"You will get {promised} for booking {facts['booking_number']} once it is approved.",
        ),
        link=WALLET,
        mail=Mail(MailName.CASHBACK_PENDING, {"amount": promised, "booking_number": facts["booking_number"]}),
    )


def cashback_credited(event: Event, use: Dependencies) -> Message:
    """Cashback reached the wallet, less what paid off a debt."""
    facts = _cashback(event, use)
    credited, repaid = amount(event, "amount"), amount(event, "repaid")
    debt_ar, debt_en = (f"، منها {repaid} لسداد ما عليك", f"; {repaid} of it paid off what you owed")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.CASHBACK_CREDITED,
        titles=("أضيف الاسترداد النقدي", "Cashback credited"),
        texts=(
            f"حصلت على {credited} عن الحجز {facts['booking_number']}{debt_ar if repaid.is_positive else ''}.",
            f"You got {credited} for booking {facts['booking_number']}{debt_en if repaid.is_positive else ''}.",
        ),
        link=WALLET,
        mail=Mail(
            MailName.CASHBACK_CREDITED,
            {
                "booking_number": facts["booking_number"],
                "amount": credited,
                "to_wallet": credited - repaid,
                "repaid": repaid,
            },
        ),
    )


def cashback_cancelled(event: Event, use: Dependencies) -> Message:
    """A promise was taken back, with the reason that staff wrote; or its booking was refunded."""
    facts = _cashback(event, use)
    reason = facts["cancel_reason"]
    why_ar, why_en = ("رد مبلغ الحجز", "the booking was refunded") if reason == REFUNDED else (reason, reason)
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.CASHBACK,
        titles=("ألغي الاسترداد النقدي", "Cashback cancelled"),
        texts=(
            f"لن يضاف الاسترداد النقدي عن الحجز {facts['booking_number']} ({why_ar}).",
            f"The cashback for booking {facts['booking_number']} will not be credited ({why_en}).",
        ),
        link=WALLET,
    )


def cashback_clawed_back(event: Event, use: Dependencies) -> Message | None:
    """A refund took a part; where it left nothing of a promise, that it is cancelled says enough."""
    facts = _cashback(event, use)
    if facts["status"] == CashbackStatus.CANCELLED:
        return None
    taken, debt = amount(event, "amount"), amount(event, "debt")
    debt_ar, debt_en = (f" يخصم منها {debt} مما تكسبه لاحقا.", f" {debt} of it is taken from what you earn next.")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.CASHBACK,
        titles=("استرجع جزء من الاسترداد النقدي", "Cashback taken back"),
        texts=(
            f"رد مبلغ من الحجز {facts['booking_number']} فاسترجع {taken} من استرداده النقدي."
            f"{debt_ar if debt.is_positive else ''}",
            f"Booking {facts['booking_number']} was refunded, so {taken} of its cashback was taken back."
            f"{debt_en if debt.is_positive else ''}",
        ),
        link=WALLET,
    )


def points_earned(event: Event, _use: Dependencies) -> Message:
    """Points were earned; what they paid off is said."""
    points, repaid = event["points"], event["repaid"]
    of_booking = (LinkType.BOOKING, UUID(event["reference_id"]))
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.POINTS_EARNED,
        titles=("نقاط جديدة", "New points"),
        texts=(
            f"النقاط المكتسبة: {points}." + (f" سدد منها دين النقاط: {repaid}." if repaid else ""),
            f"Points earned: {points}." + (f" Paid off your debt of points: {repaid}." if repaid else ""),
        ),
        link=of_booking if event["reference_type"] == LinkType.BOOKING else NOWHERE,
    )


def points_expired(event: Event, _use: Dependencies) -> Message:
    """Points were not used in time."""
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.POINTS,
        titles=("انتهت صلاحية نقاط", "Points have expired"),
        texts=(f"النقاط المنتهية: {event['points']}.", f"Points expired: {event['points']}."),
    )


def points_expiring(event: Event, _use: Dependencies) -> Message:
    """Points end soon."""
    points, ends_on = event["points"], business_date(datetime.fromisoformat(event["ends_at"]))
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.POINTS,
        titles=("نقاطك توشك على الانتهاء", "Your points end soon"),
        texts=(f"النقاط التي تنتهي: {points}، ابتداء من {ends_on}.", f"Points that end: {points}, from {ends_on}."),
        mail=Mail(MailName.POINTS_EXPIRING, {"points": points, "ends_on": ends_on}),
    )


def _cashback(event: Event, use: Dependencies) -> Row:
    return use.queries.messaging.cashback_facts(UUID(event["cashback_id"]))
