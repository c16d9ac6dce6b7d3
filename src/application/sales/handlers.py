"""What happens when events of sales arrive: people are told, seats that came back are offered, manifests drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from application.sales.manifests import draw_manifest
from application.sales.operation_work import Hands, work_off
from application.sales.waiting import serve_waiting_list
from domain.messaging.notifications import LinkType, NotificationType
from domain.operations.settings import MOVED_FREE_DAYS, WAITING_OFFER_HOURS
from domain.sales.bookings import BookingStatus
from domain.sales.waiting import WaitingStatus
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import Money

Event = Mapping[str, Any]
_MINUTES: Final = "%Y-%m-%d %H:%M"


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


def notify_request_lapsed(event: Event, use: Dependencies) -> None:
    """In the app: nobody priced it before its day was over."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    _tell(
        event,
        use,
        titles=("انتهى طلب رحلتك", "Your request has ended"),
        messages=(
            f"مر موعد الطلب {facts['booking_number']} قبل أن نعرض له سعرا. يمكنك طلب موعد آخر.",
            f"The day of {facts['booking_number']} passed before it had a price. You can ask for another.",
        ),
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


def notify_amendment_called_off(event: Event, use: Dependencies) -> None:
    """In the app: the departure that it would have led to does not take place as it was offered."""
    _tell(
        event,
        use,
        titles=("تعذر تعديل حجزك", "Your change cannot be made"),
        messages=(
            "الرحلة التي اخترتها لن تقام في موعدها، ولم يؤخذ منك شيء مقابل التعديل؛ ورحلتك كما كانت.",
            "The departure that you chose does not take place then, and nothing was taken for the change;"
            " your trip is as it was.",
        ),
    )


def _in_cairo(at: datetime) -> str:
    return f"{at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}"


def serve_freed(event: Event, use: Dependencies) -> None:
    """Seats of a departure came back: they are offered to its line."""
    _serve(UUID(event["departure_id"]), use)


def serve_reopened(event: Event, use: Dependencies) -> None:
    """A departure is on sale again: what it has is offered to its line."""
    _serve(UUID(event["departure_id"]), use)


def serve_cancelled(event: Event, use: Dependencies) -> None:
    """A departure does not take place: its line ends."""
    _serve(UUID(event["departure_id"]), use)


def serve_freed_pool(event: Event, use: Dependencies) -> None:
    """A pool has seats again: the lines of all its departures, each in a transaction of its own."""
    with use.new_uow() as uow:
        departures = uow.waiting_list.lines_of_pool(UUID(event["pool_id"]))
    for departure_id in departures:
        _serve(departure_id, use)


def _serve(departure_id: UUID, use: Dependencies) -> None:
    offer_for = timedelta(hours=use.system_settings.value(WAITING_OFFER_HOURS))
    serve_waiting_list(departure_id, uow=use.new_uow(), clock=use.clock, offer_for=offer_for)


def work_off_operation(event: Event, use: Dependencies) -> None:
    """A departure is to be cancelled or moved: its bookings, one by one; the job goes on with the rest."""
    work_off(UUID(event["operation_id"]), hands=hands_of(use))


def hands_of(use: Dependencies) -> Hands:
    """What mass operations are worked off with, as staff have set it."""
    return Hands(
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        free_for=timedelta(days=use.system_settings.value(MOVED_FREE_DAYS)),
    )


def notify_booking_moved(event: Event, use: Dependencies) -> None:
    """In the app: the trip is on another date, why, and until when it can be cancelled for nothing."""
    facts = use.queries.departure_operations.moved_facts(UUID(event["booking_id"]), UUID(event["operation_id"]))
    free = facts["free_cancellation_until"]
    free_ar = f" يمكنك الإلغاء دون رسوم حتى {_in_cairo(free)} بتوقيت القاهرة." if free else ""
    free_en = f" You may cancel for nothing until {_in_cairo(free)}, Cairo time." if free else ""
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("تغير موعد رحلتك", "Your trip has another date"),
        messages=(
            f"نقل الحجز {facts['booking_number']} إلى {facts['start_date']}. {facts['reason_ar']}{free_ar}",
            f"Booking {facts['booking_number']} was moved to {facts['start_date']}. {facts['reason_en']}{free_en}",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_moved(event: Event, use: Dependencies) -> None:
    """By mail: the trip is on another date, why, and until when it can be cancelled for nothing."""
    facts = use.queries.departure_operations.moved_facts(UUID(event["booking_id"]), UUID(event["operation_id"]))
    free = facts["free_cancellation_until"]
    mail(
        use,
        MailName.BOOKING_MOVED,
        facts,
        about=f"booking-moved-{event['booking_id']}-{event['operation_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "trip_name": facts[f"name_{facts['locale']}"],
            "starts_on": facts["start_date"],
            "ends_on": facts["end_date"],
            "reason": facts[f"reason_{facts['locale']}"],
            "free_until": _in_cairo(free) if free else "—",
        },
    )


def notify_seats_offered(event: Event, use: Dependencies) -> None:
    """In the app: seats are kept, and until when."""
    facts = use.queries.waiting.facts(UUID(event["entry_id"]))
    if facts["status"] != WaitingStatus.OFFERED:
        return
    until = _on_the_wall(facts["offer_expires_at"], facts["time_zone"])
    _notify(
        use,
        facts,
        titles=("مقاعد متاحة لك", "Seats for you"),
        messages=(
            f"حجزنا لك مقاعد ({facts['seats']}) في {facts['name_ar']} يوم {facts['starts_on']}. احجز قبل {until}.",
            f"We are keeping {facts['seats']} seats of {facts['name_en']} on {facts['starts_on']} for you. "
            f"Book before {until}.",
        ),
    )


def mail_seats_offered(event: Event, use: Dependencies) -> None:
    """By mail: seats are kept, and until when."""
    facts = use.queries.waiting.facts(UUID(event["entry_id"]))
    if facts["status"] != WaitingStatus.OFFERED:
        return
    mail(
        use,
        MailName.SEATS_OFFERED,
        facts,
        about=f"seats-offered-{event['entry_id']}",
        shown={
            "item_name": facts[f"name_{facts['locale']}"],
            "starts_on": facts["starts_on"],
            "seats": facts["seats"],
            "until": _on_the_wall(facts["offer_expires_at"], facts["time_zone"]),
        },
    )


def notify_seat_offer_lapsed(event: Event, use: Dependencies) -> None:
    """In the app: an offer was not taken in time."""
    facts = use.queries.waiting.facts(UUID(event["entry_id"]))
    _notify(
        use,
        facts,
        titles=("انتهى عرض المقاعد", "Your seats were not booked in time"),
        messages=(
            f"لم تحجز المقاعد في {facts['name_ar']} يوم {facts['starts_on']} في الوقت المحدد، فعرضت على غيرك.",
            f"The seats of {facts['name_en']} on {facts['starts_on']} were not booked in time and went to others.",
        ),
    )


def notify_waiting_ended(event: Event, use: Dependencies) -> None:
    """In the app: there is nothing to wait for any more."""
    facts = use.queries.waiting.facts(UUID(event["entry_id"]))
    ended_ar, ended_en = _ENDED[WaitingStatus(facts["status"])]
    _notify(
        use,
        facts,
        titles=("انتهى الانتظار", "You are waiting no longer"),
        messages=(
            f"{facts['name_ar']} يوم {facts['starts_on']}: {ended_ar}",
            f"{facts['name_en']} on {facts['starts_on']}: {ended_en}",
        ),
    )


def mail_waiting_ended(event: Event, use: Dependencies) -> None:
    """By mail: the departure that somebody waits for does not take place; that one has begun needs no mail."""
    facts = use.queries.waiting.facts(UUID(event["entry_id"]))
    if facts["status"] != WaitingStatus.CANCELLED:
        return
    shown = {"item_name": facts[f"name_{facts['locale']}"], "starts_on": facts["starts_on"]}
    mail(use, MailName.WAITING_ENDED, facts, about=f"waiting-ended-{event['entry_id']}", shown=shown)


_ENDED: Final = {
    WaitingStatus.CANCELLED: ("ألغيت الرحلة.", "the departure was cancelled."),
    WaitingStatus.EXPIRED: ("لم تتوفر مقاعد قبل موعدها.", "no seats came free before it began."),
}


def _on_the_wall(at: datetime, time_zone: str) -> str:
    """An instant as the clocks of the departure's place show it."""
    return at.astimezone(ZoneInfo(time_zone)).strftime(_MINUTES)


def _notify(use: Dependencies, facts: Mapping[str, Any], *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    package_id = facts["package_id"]
    link = (LinkType.PACKAGE, package_id) if package_id is not None else (LinkType.NONE, None)
    notify(use, facts["user_id"], NotificationType.SYSTEM, titles=titles, messages=messages, link=link)


def _tell(event: Event, use: Dependencies, *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    link = (LinkType.BOOKING, UUID(event["booking_id"]))
    notify(use, UUID(event["user_id"]), NotificationType.SYSTEM, titles=titles, messages=messages, link=link)


def _of_event(event: Event, name: str) -> Money:
    return Money.of(event[f"{name}_minor"], event["currency"])
