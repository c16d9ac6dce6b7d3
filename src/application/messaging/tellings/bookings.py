"""What customers are told of their bookings."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import Event, Link, Mail, Message, Words
from application.messaging.tellings.saying import amount, in_language, on_the_wall
from application.queries import Row
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType
from domain.sales.booking_states import BookingStatus
from domain.shared.money import Money, total


def requested(event: Event, use: Dependencies) -> Message | None:
    """The request has arrived, unless it was priced at once."""
    facts = _facts(event, use)
    if facts["status"] != BookingStatus.DRAFT:
        return None
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CHANGED,
        titles=("وصلنا طلبك", "We have your request"),
        texts=(
            f"وصلنا طلبك {facts['booking_number']}، وسنرسل إليك سعره.",
            f"Your request {facts['booking_number']} has arrived; we will send you its price.",
        ),
        link=_link(event),
    )


def request_lapsed(event: Event, use: Dependencies) -> Message:
    """Nobody priced it before its day was over."""
    number = _facts(event, use)["booking_number"]
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.BOOKING_CHANGED,
        titles=("انتهى طلب رحلتك", "Your request has ended"),
        texts=(
            f"مر موعد الطلب {number} قبل أن نعرض له سعرا. يمكنك طلب موعد آخر.",
            f"The day of {number} passed before it had a price. You can ask for another.",
        ),
        link=_link(event),
    )


def priced(event: Event, use: Dependencies) -> Message | None:
    """What was asked for has its price, and until when it can be paid; nothing where it is paid or over by now."""
    facts = _facts(event, use)
    if facts["hold_expires_at"] is None:
        return None
    price, until = amount(facts, "final_amount"), on_the_wall(facts["hold_expires_at"])
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.OFFER_AVAILABLE,
        titles=("سعر رحلتك جاهز", "Your trip has its price"),
        texts=(
            f"سعر {facts['booking_number']} هو {price}. يمكنك الدفع حتى {until} بتوقيت القاهرة.",
            f"{facts['booking_number']} costs {price}. You can pay until {until}, Cairo time.",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_PRICED,
            {
                "booking_number": facts["booking_number"],
                "trip_name": in_language(facts),
                "starts_on": facts["start_date"],
                "total": price,
                "pay_until": until,
            },
        ),
    )


def confirmed(event: Event, use: Dependencies) -> Message:
    """The trip is certain."""
    facts = _facts(event, use)
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CONFIRMED,
        titles=("تم تأكيد حجزك", "Your booking is confirmed"),
        texts=(
            f"تم تأكيد {facts['name_ar']} ({facts['booking_number']}).",
            f"{facts['name_en']} is confirmed ({facts['booking_number']}).",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_CONFIRMED,
            {
                "booking_number": facts["booking_number"],
                "package_name": in_language(facts),
                "starts_on": facts["start_date"],
                "travelers_count": facts["travelers_count"],
                "total": amount(facts, "final_amount"),
            },
        ),
    )


def expired(event: Event, use: Dependencies) -> Message:
    """The time to pay is over."""
    facts = _facts(event, use)
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CHANGED,
        titles=("انتهت مهلة الدفع", "The time to pay is over"),
        texts=(
            f"انتهت مهلة دفع الحجز {facts['booking_number']} وأعيدت المقاعد.",
            f"Booking {facts['booking_number']} was not paid in time; its seats were given back.",
        ),
        link=_link(event),
        mail=Mail(MailName.BOOKING_EXPIRED, {"booking_number": facts["booking_number"]}),
    )


def cancelled(event: Event, use: Dependencies) -> Message:
    """The booking is cancelled, and what of its money comes back, as the plan that was carried out says."""
    facts = _facts(event, use)
    back_ar, back_en = _coming_back(event)
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CANCELLED,
        titles=("ألغي حجزك", "Your booking is cancelled"),
        texts=(
            f"ألغي الحجز {facts['booking_number']}. {back_ar}",
            f"Booking {facts['booking_number']} is cancelled. {back_en}",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_CANCELLED,
            {
                "booking_number": facts["booking_number"],
                "refund": _refund(event),
                **{name: amount(event, name) for name in ("to_original", "to_wallet", "to_voucher_credit", "kept")},
                "points": _points_back(event),
                "refunded_before": _refunded_before(event),
            },
        ),
    )


def _coming_back(event: Event) -> Words:
    """Only what there is."""
    original, wallet, credit = (amount(event, name) for name in ("to_original", "to_wallet", "to_voucher_credit"))
    kept, points, agents = amount(event, "kept"), _points_back(event), _to_agent(event)
    before = _refunded_before(event)
    said = [
        (before.is_positive, f"رد من قبل {before} مما دفع.", f"{before} of what was paid had been refunded before."),
        (original.is_positive, f"يعود {original} إلى وسيلة الدفع.", f"{original} goes back to where you paid from."),
        (wallet.is_positive, f"عاد {wallet} إلى محفظتك.", f"{wallet} is back in your wallet."),
        (credit.is_positive, f"عاد {credit} إلى رصيد القسائم.", f"{credit} is back in your voucher credit."),
        (
            agents.is_positive,
            f"عاد {agents} إلى وكيلك الذي دفعه.",
            f"{agents} is back with your agent, who had paid it.",
        ),
        (points > 0, f"النقاط العائدة: {points}.", f"Points back: {points}."),
        (kept.is_positive, f"رسوم الإلغاء {kept}.", f"The cancellation fee is {kept}."),
    ]
    true = [sentences for is_true, *sentences in said if is_true]
    if not true:
        return "لم يدفع شيء، فلا شيء يعود.", "Nothing had been paid, so nothing comes back."
    return " ".join(arabic for arabic, _ in true), " ".join(english for _, english in true)


def _to_agent(event: Event) -> Money:
    """What the agent had paid; the release before did not say."""
    return Money.of(event.get("to_agent_minor", 0), event["currency"])


def _refunded_before(event: Event) -> Money:
    """What had gone back before, by refunds that were told of; the release before did not say."""
    return Money.of(event.get("refunded_before_minor", 0), event["currency"])


def _points_back(event: Event) -> int:
    points: int = event["points"] + event["points_restored"]
    return points


def _refund(event: Event) -> Money:
    """All of the money that comes back to the customer, points at what they had paid."""
    names = ("to_original", "to_wallet", "to_voucher_credit", "in_points")
    return total((amount(event, name) for name in names), event["currency"])


def moved(event: Event, use: Dependencies) -> Message:
    """The trip is on another date, why, and until when it can be cancelled for nothing."""
    facts = use.queries.departure_operations.moved_facts(UUID(event["booking_id"]), UUID(event["operation_id"]))
    free = on_the_wall(facts["free_cancellation_until"]) if facts["free_cancellation_until"] else ""
    free_ar = f" يمكنك الإلغاء دون رسوم حتى {free} بتوقيت القاهرة." if free else ""
    free_en = f" You may cancel for nothing until {free}, Cairo time." if free else ""
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CHANGED,
        titles=("تغير موعد رحلتك", "Your trip has another date"),
        texts=(
            f"نقل الحجز {facts['booking_number']} إلى {facts['start_date']}. {facts['reason_ar']}{free_ar}",
            f"Booking {facts['booking_number']} was moved to {facts['start_date']}. {facts['reason_en']}{free_en}",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_MOVED,
            {
                "booking_number": facts["booking_number"],
                "trip_name": in_language(facts),
                "starts_on": facts["start_date"],
                "ends_on": facts["end_date"],
                "reason": in_language(facts, "reason"),
                "free_until": free or "—",
            },
        ),
    )


def amended(event: Event, use: Dependencies) -> Message:
    """The booking is of another trip or party now, as the plan that was carried out says."""
    facts = _facts(event, use)
    starts_on, travelers, price = event["starts_on"], event["travelers"], amount(event, "price")
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.BOOKING_CHANGED,
        titles=("تغير حجزك", "Your booking has changed"),
        texts=(
            f"الحجز {facts['booking_number']} يبدأ في {starts_on}، عدد المسافرين {travelers}، وسعره {price}.",
            f"{facts['booking_number']} starts on {starts_on}, for {travelers}, at {price}.",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_AMENDED,
            {
                "booking_number": facts["booking_number"],
                "trip_name": in_language(facts),
                "starts_on": date.fromisoformat(starts_on),
                "travelers": travelers,
                "total": price,
                "fee": amount(event, "fee"),
                "refund": amount(event, "refund"),
            },
        ),
    )


def amendment_awaits_payment(event: Event, _use: Dependencies) -> Message:
    """The seats are held, and the change is made once its difference is paid."""
    due, until = amount(event, "due"), on_the_wall(datetime.fromisoformat(event["expires_at"]))
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.BOOKING_CHANGED,
        titles=("تعديل حجزك ينتظر الدفع", "Your change waits for its payment"),
        texts=(
            f"ادفع {due} حتى {until} بتوقيت القاهرة لإتمام التعديل؛ وحتى ذلك تبقى رحلتك كما هي.",
            f"Pay {due} until {until}, Cairo time; till then your trip stays as it is.",
        ),
        link=_link(event),
    )


def amendment_lapsed(event: Event, _use: Dependencies) -> Message:
    """A change was not paid in time."""
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.BOOKING_CHANGED,
        titles=("انتهت مهلة دفع التعديل", "Your change was not paid in time"),
        texts=("لم يتم التعديل، ورحلتك كما كانت.", "It was not made; your trip is as it was."),
        link=_link(event),
    )


def amendment_called_off(event: Event, _use: Dependencies) -> Message:
    """The departure that a change would have led to does not take place as it was offered."""
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.BOOKING_CHANGED,
        titles=("تعذر تعديل حجزك", "Your change cannot be made"),
        texts=(
            "الرحلة التي اخترتها لن تقام في موعدها، ولم يؤخذ منك شيء مقابل التعديل؛ ورحلتك كما كانت.",
            "The departure that you chose does not take place then, and nothing was taken for the change;"
            " your trip is as it was.",
        ),
        link=_link(event),
    )


def replaced(event: Event, use: Dependencies) -> Message:
    """The payment came late, and the trip was kept."""
    facts = _facts(event, use)
    former = use.queries.messaging.booking_facts(UUID(event["replaced_id"]))
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.BOOKING_CHANGED,
        titles=("وصلت دفعتك متأخرة واحتفظنا برحلتك", "Your payment came late; we kept your trip"),
        texts=(
            f"حجزنا لك {facts['name_ar']} من جديد بالسعر نفسه ({facts['booking_number']}).",
            f"We booked {facts['name_en']} for you again at the same price ({facts['booking_number']}).",
        ),
        link=_link(event),
        mail=Mail(
            MailName.BOOKING_REPLACED,
            {
                "booking_number": facts["booking_number"],
                "replaced_number": former["booking_number"],
                "package_name": in_language(facts),
                "starts_on": facts["start_date"],
            },
        ),
    )


def _facts(event: Event, use: Dependencies) -> Row:
    return use.queries.messaging.booking_facts(UUID(event["booking_id"]))


def _link(event: Event) -> Link:
    return LinkType.BOOKING, UUID(event["booking_id"])
