"""Ready-made domain things: tests say what matters to them, the rest is ordinary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from domain.billing.payments import AttemptStatus, Payment, PaymentAttempt, PaymentMethod, PaymentStatus, PaymentType
from domain.billing.tenders import Tender, TenderKind, TenderStatus, sole_tender
from domain.catalogue.activities import Activity, ActivityCategory
from domain.catalogue.departures import Departure, DepartureStatus
from domain.catalogue.package_details import PackageCategory
from domain.catalogue.packages import Package
from domain.catalogue.publication import ItemStatus
from domain.identity.users import User
from domain.ledger import accounts
from domain.ledger.cashback import CashbackRecord, CashbackStatus
from domain.ledger.journal import Entry, Journal, JournalType
from domain.ledger.points import PointsLot, PointsTerms
from domain.sales.agreed import BookedPrice, BookingItem, BookingSource, BookingType, Parties, RewardTerms, Trip
from domain.sales.booking_states import BookingPaymentStatus, BookingStatus
from domain.sales.bookings import Booking
from domain.sales.cancellation import ALWAYS, CancellationTerms
from domain.sales.holds import Hold, HoldStatus
from domain.sales.instalments import Instalment
from domain.shared.clock import start_of_business_day
from domain.shared.email import Email
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""Noon in Cairo on an ordinary day."""
TODAY = date(2026, 11, 23)
_serials = count(1)


def egp(amount: str) -> Money:
    return Money.parse(amount, "EGP")


def a_user(*, email: str | None = None, locale: str = "en", at: datetime = NOON) -> User:
    return User.register(
        user_id=new_id(),
        email=Email(email or f"{new_id().hex}@example.com"),
        password_hash="$2b$04$not.a.password",
        first_name="Mona",
        last_name="Adel",
        phone=None,
        locale=locale,
        at=at,
    )


def a_package(
    *,
    price: Money | None = None,
    tax_rate: str = "14",
    tax_inclusive: bool = True,
    status: ItemStatus = ItemStatus.ACTIVE,
    created_by: UUID | None = None,
    **changes: Any,
) -> Package:
    package_id = new_id()
    values: dict[str, Any] = {
        "id": package_id,
        "slug": f"nile-{package_id.hex}",
        "name_ar": "رحلة نيلية",
        "name_en": "Nile cruise",
        "description_ar": "أربعة أيام بين الأقصر وأسوان",
        "description_en": "Four days between Luxor and Aswan",
        "category": PackageCategory.FAMILY,
        "base_price": price or egp("1000.00"),
        "tax_rate": Percentage.parse(tax_rate),
        "tax_inclusive": tax_inclusive,
        "duration_days": 4,
        "duration_nights": 3,
        "min_travelers": 1,
        "max_travelers": 50,
        "destinations": ["Luxor", "Aswan"],
        "is_featured": False,
        "display_order": 0,
        "status": status,
        "created_by_user_id": created_by or new_id(),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Package(**{**values, **changes})


def an_activity(*, status: ItemStatus = ItemStatus.ACTIVE, **details: Any) -> Activity:
    """A complete activity of three hours, for one to twenty."""
    decided: dict[str, Any] = {
        "name_ar": "غوص",
        "name_en": "Diving",
        "description_ar": "غطستان مع مرشد",
        "description_en": "Two dives with a guide",
        "category": ActivityCategory.SPORTS,
        "price": egp("900.00"),
        "duration_hours": 3,
        "location": "Hurghada",
        "min_participants": 1,
        "max_participants": 20,
        **details,
    }
    values = {
        "id": new_id(),
        "slug": f"diving-{new_id().hex}",
        "created_by_user_id": new_id(),
        "created_at": NOON,
        "updated_at": NOON,
        **decided,
    }
    return Activity(status=status, **values)


def a_departure(
    *,
    package_id: UUID | None = None,
    activity_id: UUID | None = None,
    capacity: int = 10,
    taken: int = 0,
    starts_on: date | None = None,
    status: DepartureStatus = DepartureStatus.OPEN,
) -> Departure:
    begins = starts_on or TODAY + timedelta(days=30)
    departure = Departure.plan(
        departure_id=new_id(),
        package_id=None if activity_id else package_id or new_id(),
        activity_id=activity_id,
        starts_on=begins,
        ends_on=begins + timedelta(days=3),
        capacity=capacity,
        at=NOON,
    )
    departure.seats_taken = taken
    departure.status = status
    return departure


_PAID = {
    BookingStatus.CONFIRMED,
    BookingStatus.IN_PROGRESS,
    BookingStatus.COMPLETED,
    BookingStatus.REFUNDED,
}


def a_trip(
    *, starts_on: date = TODAY + timedelta(days=1), ends_on: date = TODAY + timedelta(days=3), travelers: int = 2
) -> Trip:
    """A package on a departure, from midnight in Cairo."""
    return Trip(
        booking_type=BookingType.PACKAGE,
        package_id=new_id(),
        departure_id=new_id(),
        start_date=starts_on,
        end_date=ends_on,
        starts_at=start_of_business_day(starts_on),
        time_zone="Africa/Cairo",
        travelers_count=travelers,
        seats=travelers,
    )


def a_price(amount: Money) -> BookedPrice:
    """A price without tax, discount or fee."""
    nothing = Money(0, amount.currency)
    return BookedPrice(
        lines=(),
        base_amount=amount,
        discount_amount=nothing,
        voucher_discount=nothing,
        tax_amount=nothing,
        fee_amount=nothing,
        tax_rate=Percentage(0),
        final_amount=amount,
        points_worth=nothing,
    )


def an_item(amount: Money, *, quantity: int = 1) -> BookingItem:
    """One thing that costs all of an amount."""
    nothing = Money(0, amount.currency)
    return BookingItem(
        id=new_id(),
        booking_type=BookingType.PACKAGE,
        item_name_ar="رحلة نيلية",
        item_name_en="Nile cruise",
        quantity=quantity,
        unit_price=amount,
        price=amount,
        discount=nothing,
        tax=nothing,
        fee=nothing,
        total_price=amount,
    )


def a_booking(
    *,
    status: BookingStatus = BookingStatus.PENDING_PAYMENT,
    price: Money | None = None,
    hold_expires_at: datetime | None = None,
    cashback: str = "0",
    deposit: Percentage = Percentage(10_000),  # noqa: B008 - frozen
    instalments: Sequence[Instalment] = (),
    starts_on: date = TODAY + timedelta(days=1),
    ends_on: date = TODAY + timedelta(days=3),
    terms: CancellationTerms = ALWAYS,
) -> Booking:
    """A booking in a state that its own verbs lead to: paid and captured, or cancelled because its hold ran out."""
    amount, user_id, serial = price or egp("1000.00"), new_id(), next(_serials)
    booking = Booking.place(
        booking_id=new_id(),
        booking_number=f"BK-2026-{serial:06d}",
        parties=Parties(user_id=user_id, agent_id=None, created_by_user_id=user_id, source=BookingSource.SELF),
        trip=a_trip(starts_on=starts_on, ends_on=ends_on),
        price=a_price(amount),
        items=[an_item(amount)],
        deposit=deposit,
        instalments=instalments,
        rewards=RewardTerms(tier_code="GUEST", points_multiplier=100, cashback_rate=Percentage.parse(cashback)),
        cancellation_terms=terms,
        customer_info={},
        special_requests="",
        hold_expires_at=hold_expires_at or NOON + timedelta(minutes=15),
        at=NOON,
    )
    booking.status = status
    if status in _PAID:
        booking.paid_amount, booking.payment_status = amount, BookingPaymentStatus.PAID
        hold_of(booking).status = HoldStatus.CAPTURED
    if status is BookingStatus.CANCELLED:
        hold_of(booking).status = HoldStatus.EXPIRED
    booking.pull_events()
    booking.pull_changes()
    return booking


def hold_of(booking: Booking) -> Hold:
    """The hold that a priced booking has."""
    assert booking.hold is not None
    return booking.hold


def a_payment(
    *,
    amount: Money | None = None,
    status: PaymentStatus = PaymentStatus.PENDING,
    provider: str | None = "SCRIPTED",
    booking_id: UUID | None = None,
) -> Payment:
    owed = amount or egp("1000.00")
    payment = Payment(
        id=new_id(),
        payment_number=f"PAY-2026-{next(_serials):06d}",
        user_id=new_id(),
        payment_type=PaymentType.BOOKING,
        booking_id=booking_id or new_id(),
        subscription_id=None,
        amount=owed,
        payment_method=PaymentMethod.CREDIT_CARD,
        provider=provider,
        status=status,
        idempotency_key=new_id().hex,
        success_url=None,
        cancel_url=None,
        refund_amount=Money(0, owed.currency),
        paid_at=NOON if status in _EVER_PAID else None,
        created_at=NOON,
        updated_at=NOON,
    )
    payment.tenders.append(sole_tender(payment))
    return payment


_EVER_PAID = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)


def a_tender(
    amount: Money | None = None,
    *,
    kind: TenderKind = TenderKind.GATEWAY,
    status: TenderStatus = TenderStatus.CAPTURED,
    points: int | None = None,
) -> Tender:
    owed = amount or egp("1000.00")
    return Tender(
        id=new_id(),
        payment_id=new_id(),
        position=0,
        kind=kind,
        method="CREDIT_CARD" if kind is TenderKind.GATEWAY else kind,
        amount=owed,
        points=points,
        status=status,
        journal_id=new_id() if status is TenderStatus.CAPTURED else None,
        refunding=Money(0, owed.currency),
        refunded=Money(0, owed.currency),
        updated_at=NOON,
    )


def an_attempt(*, status: AttemptStatus = AttemptStatus.CREATED, expires_at: datetime | None = None) -> PaymentAttempt:
    attempt = a_payment().new_attempt(
        attempt_id=new_id(), expires_at=NOON + timedelta(minutes=30), locale="en", at=NOON
    )
    attempt.status, attempt.expires_at = status, expires_at
    return attempt


def a_journal(*entries: Entry, key: str | None = None, **changes: Any) -> Journal:
    """A deposit of its entries; 100 minor units from clearing to somebody's wallet where none are given."""
    journal_id = new_id()
    journal = Journal(
        id=journal_id,
        journal_type=JournalType.DEPOSIT,
        idempotency_key=key or f"test:{journal_id}",
        reference_type="TEST",
        reference_id=UUID(int=1),
        description_ar="اختبار",
        description_en="Test",
        occurred_at=NOON,
        entries=entries
        or (Entry(accounts.clearing("SCRIPTED", "EGP"), -100), Entry(accounts.wallet(new_id(), "EGP"), 100)),
    )
    return replace(journal, **changes)


def a_lot(*, user_id: UUID, journal_id: UUID, points: int = 100, **changes: Any) -> PointsLot:
    """Points earned at noon, for a year."""
    lot = PointsLot(
        id=new_id(),
        user_id=user_id,
        journal_id=journal_id,
        points=points,
        earned_at=NOON,
        expires_at=NOON + PointsTerms().lifetime,
    )
    return replace(lot, **changes)


def a_cashback_record(
    *,
    status: CashbackStatus = CashbackStatus.PENDING,
    paid: Money | None = None,
    rate: str = "5",
    eligible_at: datetime = NOON + timedelta(days=7),
) -> CashbackRecord:
    """A record in a state that its own verbs lead to, each as early as it may be."""
    record = CashbackRecord.promise(
        cashback_id=new_id(),
        user_id=new_id(),
        booking_id=new_id(),
        booking_number=f"BK-2026-{next(_serials):06d}",
        paid=paid or egp("1000.00"),
        rate=Percentage.parse(rate),
        amount=Percentage.parse(rate).of(paid or egp("1000.00")),
        eligible_at=eligible_at,
        journal_id=new_id(),
        at=NOON,
    )
    if status in (CashbackStatus.APPROVED, CashbackStatus.CREDITED):
        record.approve(by=new_id(), at=NOON)
    if status is CashbackStatus.CREDITED:
        record.credit(journal_id=new_id(), repaid=Money(0, record.remaining.currency), at=eligible_at)
    if status is CashbackStatus.CANCELLED:
        record.cancel(reason="a test", at=NOON)
    record.pull_events()
    return record
