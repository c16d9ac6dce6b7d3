"""What happens when money went into suspense for a booking that had expired, and what its customer is told."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from application.sales.late_money import TakeLateMoney, take_late_money
from domain.billing.late_money import Hindrance
from domain.messaging.notifications import LinkType, NotificationType
from domain.operations.settings import LATE_CHOICE_DAYS
from domain.shared.clock import business_date
from domain.shared.money import Money

Event = Mapping[str, Any]

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


def rebook_late_money(event: Event, use: Dependencies) -> None:
    """Take the seats again with money that came late, or let its owner choose."""
    command = TakeLateMoney(
        receipt_id=UUID(event["receipt_id"]),
        choose_within=timedelta(days=use.system_settings.value(LATE_CHOICE_DAYS)),
    )
    take_late_money(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


def notify_booking_replaced(event: Event, use: Dependencies) -> None:
    """In the app: the payment came late, and the trip was kept."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("وصلت دفعتك متأخرة واحتفظنا برحلتك", "Your payment came late; we kept your trip"),
        messages=(
            f"حجزنا لك {facts['name_ar']} من جديد بالسعر نفسه ({facts['booking_number']}).",
            f"We booked {facts['name_en']} for you again at the same price ({facts['booking_number']}).",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_booking_replaced(event: Event, use: Dependencies) -> None:
    """By mail: the payment came late, and the trip was kept."""
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    replaced = use.queries.messaging.booking_facts(UUID(event["replaced_id"]))
    mail(
        use,
        MailName.BOOKING_REPLACED,
        facts,
        about=f"booking-replaced-{event['booking_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "replaced_number": replaced["booking_number"],
            "package_name": facts[f"name_{facts['locale']}"],
            "starts_on": facts["start_date"],
        },
    )


def notify_late_money(event: Event, use: Dependencies) -> None:
    """In the app: money came too late, and its owner chooses."""
    facts = use.queries.messaging.late_money_facts(UUID(event["receipt_id"]))
    amount, why = Money.of(facts["amount_minor"], facts["currency"]), _WHY[facts["hindrance"]]
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("وصلت دفعتك متأخرة", "Your payment came too late"),
        messages=(
            f"وصل {amount} بعد انتهاء مهلة الحجز {facts['booking_number']}: {why['ar']}. "
            f"اختر حتى {_last_day(facts)}: إلى محفظتك أو إعادته إلى حيث أتى.",
            f"{amount} came after the time to pay booking {facts['booking_number']} was over: {why['en']}. "
            f"Choose until {_last_day(facts)}: into your wallet, or back to where it came from.",
        ),
        link=(LinkType.BOOKING, UUID(event["booking_id"])),
    )


def mail_late_money(event: Event, use: Dependencies) -> None:
    """By mail: money came too late, and its owner chooses."""
    facts = use.queries.messaging.late_money_facts(UUID(event["receipt_id"]))
    mail(
        use,
        MailName.LATE_MONEY,
        facts,
        about=f"late-money-{event['receipt_id']}",
        shown={
            "booking_number": facts["booking_number"],
            "amount": Money.of(facts["amount_minor"], facts["currency"]),
            "why": _WHY[facts["hindrance"]][facts["locale"]],
            "choose_until": _last_day(facts),
        },
    )


def _last_day(facts: Mapping[str, Any]) -> date:
    until: datetime = facts["choose_until"]
    return business_date(until)
