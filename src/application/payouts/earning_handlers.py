"""What happens when a trip was completed, and when somebody earned by it: shares are posted, payees are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import notify
from application.payouts.earning import EarnBooking, earn_booking
from domain.messaging.notifications import LinkType, NotificationType
from domain.operations.settings import COMMISSION_TAX_PERCENT, RELEASE_DAYS
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage

Event = Mapping[str, Any]

_ACCRUED: Final = {
    PayeeType.VENDOR: ("استحققت حصة من رحلة", "You earned a share of a trip"),
    PayeeType.AGENT: ("استحققت عمولة", "You earned a commission"),
}
_REVERSED: Final = {
    PayeeType.VENDOR: ("استردت حصة من رحلة", "A share of a trip was taken back"),
    PayeeType.AGENT: ("استردت عمولة", "A commission was taken back"),
}


def earn_completed_booking(event: Event, use: Dependencies) -> None:
    """A trip is over: what is paid for it is shared with its vendor and its agent."""
    settings = use.system_settings
    command = EarnBooking(
        booking_id=UUID(event["booking_id"]),
        release_days=settings.value(RELEASE_DAYS),
        commission_tax=Percentage(settings.value(COMMISSION_TAX_PERCENT) * 100),
    )
    earn_booking(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)


def notify_earning_accrued(event: Event, use: Dependencies) -> None:
    """In the app, to the payee: so much is owed to them by a booking."""
    number, amount = _about(event, use)
    _tell(
        event,
        use,
        titles=_ACCRUED[PayeeType(event["payee_type"])],
        messages=(f"أضيف {amount} إلى مستحقاتك عن الحجز {number}.", f"{amount} is owed to you by booking {number}."),
    )


def notify_earning_reversed(event: Event, use: Dependencies) -> None:
    """In the app, to the payee: money went back to the customer, and their part of it with it."""
    number, amount = _about(event, use)
    _tell(
        event,
        use,
        titles=_REVERSED[PayeeType(event["payee_type"])],
        messages=(
            f"رد مبلغ من الحجز {number} إلى عميله، فخصم {amount} من مستحقاتك.",
            f"Money of booking {number} went back to its customer: {amount} was taken off what is owed to you.",
        ),
    )


def _about(event: Event, use: Dependencies) -> tuple[str, Money]:
    facts = use.queries.messaging.booking_facts(UUID(event["booking_id"]))
    return facts["booking_number"], Money.of(event["amount_minor"], event["currency"])


def _tell(event: Event, use: Dependencies, *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    # No link: the booking is the customer's, and a vendor may not open it.
    payee = UUID(event["payee_id"])
    notify(use, payee, NotificationType.SYSTEM, titles=titles, messages=messages, link=(LinkType.NONE, None))
