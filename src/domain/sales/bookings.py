"""Bookings: from the seat that is held to the trip that is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, FieldFault, IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class BookingNotFound(NotFound):
    """There is no such booking, or it is not the viewer's."""

    code = "booking_not_found"


class NothingToPay(Conflict):
    """The booking is paid already, or is over."""

    code = "nothing_to_pay"


class BalanceDue(Conflict):
    """A trip is over when it is paid; `due` is missing."""

    code = "balance_due"


class OverrideReasonNeeded(RuleBroken):
    """Ahead of its dates, a trip is started or completed only with a reason."""

    code = "override_reason_required"


class BookingStatus(StrEnum):
    """The life of a booking."""

    DRAFT = "DRAFT"
    """Asked for, not priced yet."""
    PENDING_PAYMENT = "PENDING_PAYMENT"
    """Priced; seats are held until the hold expires."""
    CONFIRMED = "CONFIRMED"
    """The money is in."""
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class BookingPaymentStatus(StrEnum):
    """How much of the booking is paid, apart from where the trip stands."""

    UNPAID = "UNPAID"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class BookingSource(StrEnum):
    """Through whom a booking came, as the guide computes it."""

    SELF = "SELF"
    ADMIN = "ADMIN"
    AGENT = "AGENT"


class HoldStatus(StrEnum):
    """A hold leaves ACTIVE exactly once."""

    ACTIVE = "ACTIVE"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


NEXT = {
    BookingStatus.DRAFT: {BookingStatus.PENDING_PAYMENT, BookingStatus.CANCELLED},
    BookingStatus.PENDING_PAYMENT: {BookingStatus.CONFIRMED, BookingStatus.CANCELLED},
    BookingStatus.CONFIRMED: {BookingStatus.IN_PROGRESS, BookingStatus.CANCELLED},
    BookingStatus.IN_PROGRESS: {BookingStatus.COMPLETED},
    BookingStatus.COMPLETED: {BookingStatus.REFUNDED},
    BookingStatus.CANCELLED: {BookingStatus.REFUNDED},
    BookingStatus.REFUNDED: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPlaced(DomainEvent):
    name: ClassVar[str] = "sales.booking_placed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingConfirmed(DomainEvent):
    name: ClassVar[str] = "sales.booking_confirmed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingExpired(DomainEvent):
    name: ClassVar[str] = "sales.booking_expired"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingStarted(DomainEvent):
    name: ClassVar[str] = "sales.booking_started"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCompleted(DomainEvent):
    name: ClassVar[str] = "sales.booking_completed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One step of the machine: who, when and why; None as actor is the system itself."""

    from_status: str | None
    to_status: str
    changed_by_user_id: UUID | None
    change_reason: str
    changed_at: datetime


@dataclass(eq=False, kw_only=True)
class BookingItem:
    """One thing in a booking; `tax` and `discount` are its own shares, so that refunds are exact."""

    id: UUID
    booking_type: str
    item_name_ar: str
    item_name_en: str
    quantity: int
    unit_price: Money
    total_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveler:
    """One person of the party; the document number is stored encrypted."""

    first_name: str
    last_name: str
    birth_date: date | None = None
    document_number: str | None = field(default=None, repr=False)
    document_expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerms:
    """What the buyer's plan gives, frozen when the booking is placed (points in hundredths, ×1.50 is 150)."""

    tier_code: str
    points_multiplier: int
    cashback_rate: Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedPrice:
    """The amounts of the quote that the booking was placed at; they never change."""

    lines: tuple[dict[str, object], ...]
    base_amount: Money
    discount_amount: Money
    voucher_discount: Money
    tax_amount: Money
    tax_rate: Percentage
    final_amount: Money


@dataclass(eq=False, kw_only=True)
class Hold:
    """Seats kept for a booking until it is paid or its time is over; leaves ACTIVE exactly once."""

    departure_id: UUID
    seats: int
    status: HoldStatus
    expires_at: datetime

    def capture(self) -> None:
        """Paid: the seats stay taken."""
        self._resolve(HoldStatus.CAPTURED)

    def expire(self) -> None:
        """Not paid in time: the caller gives the seats back in the same transaction."""
        self._resolve(HoldStatus.EXPIRED)

    def _resolve(self, status: HoldStatus) -> None:
        if self.status is not HoldStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status


@dataclass(eq=False, kw_only=True)
class Booking(Aggregate):
    """A customer's booking of a package on a departure."""

    id: UUID
    booking_number: str
    user_id: UUID
    agent_id: UUID | None
    created_by_user_id: UUID
    booking_source: BookingSource
    booking_type: str
    package_id: UUID | None
    departure_id: UUID | None
    status: BookingStatus
    payment_status: BookingPaymentStatus
    price_lines: list[dict[str, object]]
    base_amount: Money
    discount_amount: Money
    voucher_discount: Money
    tax_amount: Money
    tax_rate: Percentage
    final_amount: Money
    deposit_amount: Money
    """How much of the price confirms the booking; all of it where nothing else was agreed."""
    paid_amount: Money
    points_paid_amount: Money
    """What of the paid amount points paid: it earns no points again."""
    refunded_amount: Money
    tier_code: str
    points_multiplier: int
    cashback_rate: Percentage
    customer_info: dict[str, str]
    special_requests: str
    start_date: date
    end_date: date
    travelers_count: int
    cancellation_reason: str | None
    cancelled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    items: list[BookingItem] = field(default_factory=list)
    hold: Hold

    @classmethod
    def place(
        cls,
        *,
        booking_id: UUID,
        item_id: UUID,
        booking_number: str,
        user_id: UUID,
        agent_id: UUID | None,
        created_by_user_id: UUID,
        booking_source: BookingSource,
        package_id: UUID,
        departure_id: UUID,
        item_name_ar: str,
        item_name_en: str,
        unit_price: Money,
        price: BookedPrice,
        deposit: Percentage,
        rewards: RewardTerms,
        customer_info: dict[str, str],
        special_requests: str,
        start_date: date,
        end_date: date,
        travelers_count: int,
        hold_expires_at: datetime,
        at: datetime,
    ) -> Booking:
        """A booking whose seats are held until `hold_expires_at`; it waits for its money."""
        booking = cls(
            id=booking_id,
            booking_number=booking_number,
            user_id=user_id,
            agent_id=agent_id,
            created_by_user_id=created_by_user_id,
            booking_source=booking_source,
            booking_type="PACKAGE",
            package_id=package_id,
            departure_id=departure_id,
            status=BookingStatus.PENDING_PAYMENT,
            payment_status=BookingPaymentStatus.UNPAID,
            price_lines=list(price.lines),
            base_amount=price.base_amount,
            discount_amount=price.discount_amount,
            voucher_discount=price.voucher_discount,
            tax_amount=price.tax_amount,
            tax_rate=price.tax_rate,
            final_amount=price.final_amount,
            deposit_amount=deposit.of(price.final_amount),
            paid_amount=Money(0, price.final_amount.currency),
            points_paid_amount=Money(0, price.final_amount.currency),
            refunded_amount=Money(0, price.final_amount.currency),
            tier_code=rewards.tier_code,
            points_multiplier=rewards.points_multiplier,
            cashback_rate=rewards.cashback_rate,
            customer_info=customer_info,
            special_requests=special_requests,
            start_date=start_date,
            end_date=end_date,
            travelers_count=travelers_count,
            hold=Hold(
                departure_id=departure_id,
                seats=travelers_count,
                status=HoldStatus.ACTIVE,
                expires_at=hold_expires_at,
            ),
            cancellation_reason=None,
            cancelled_at=None,
            created_at=at,
            updated_at=at,
            items=[
                BookingItem(
                    id=item_id,
                    booking_type="PACKAGE",
                    item_name_ar=item_name_ar,
                    item_name_en=item_name_en,
                    quantity=travelers_count,
                    unit_price=unit_price,
                    total_price=price.final_amount,
                )
            ],
        )
        booking._log(None, BookingStatus.PENDING_PAYMENT, by=created_by_user_id, reason="placed", at=at)
        booking.record(BookingPlaced(at=at, booking_id=booking_id, user_id=user_id))
        return booking

    @property
    def hold_expires_at(self) -> datetime | None:
        """Until when the seats are kept unpaid; None once that is decided."""
        return self.hold.expires_at if self.hold.status is HoldStatus.ACTIVE else None

    @property
    def amount_due(self) -> Money:
        """What is still to be paid; nothing once the booking is over."""
        if self.status in (BookingStatus.CANCELLED, BookingStatus.REFUNDED):
            return Money(0, self.final_amount.currency)
        return self.final_amount - self.paid_amount

    @property
    def smallest_payment(self) -> Money:
        """The least that may be paid at once: what is missing of the deposit; after that, any part of what is due."""
        missing = self.deposit_amount - self.paid_amount
        return missing if missing.is_positive else min(Money(1, missing.currency), self.amount_due)

    def ensure_payable(self, *, at: datetime) -> None:
        """Raises NothingToPay unless the booking waits for money, and its seats are its own or still held."""
        held_no_more = self.is_awaiting_deposit and at >= self.hold.expires_at
        if held_no_more or not self.accepts(self.smallest_payment):
            raise NothingToPay(status=self.status)

    @property
    def is_awaiting_deposit(self) -> bool:
        """Unpaid, and its seats have not been given back."""
        return self.status is BookingStatus.PENDING_PAYMENT and self.hold.status is HoldStatus.ACTIVE

    @property
    def takes_money(self) -> bool:
        """Whether something is due, and its seats are its own or still held."""
        has_seats = self.is_awaiting_deposit or self.status in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
        return has_seats and self.amount_due.is_positive

    def accepts(self, amount: Money) -> bool:
        """Whether money that came in can still do what it was meant for."""
        return self.takes_money and self.smallest_payment <= amount <= self.amount_due

    def receive(self, amount: Money, *, in_points: Money, by: UUID | None, at: datetime) -> None:
        """Money is in, `in_points` of it paid with points; the deposit makes the seats the customer's."""
        if not self.takes_money:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CONFIRMED)
        if not self.accepts(amount):
            raise ValueError("a booking takes no more than is due, and its deposit at once")
        self.paid_amount += amount
        self.points_paid_amount += in_points
        self.payment_status = self._payment_status()
        self.updated_at = at
        if self.status is not BookingStatus.PENDING_PAYMENT:
            return
        self._move_to(BookingStatus.CONFIRMED, by=by, reason="paid", at=at)
        self.hold.capture()
        self.record(BookingConfirmed(at=at, booking_id=self.id, user_id=self.user_id))

    def give_back(self, amount: Money, *, at: datetime) -> None:
        """So much more of what was paid has gone back to the customer."""
        self._refunded(self.refunded_amount + amount, at)

    def take_back(self, amount: Money, *, at: datetime) -> None:
        """A refund that was done came back from the customer's bank."""
        self._refunded(self.refunded_amount - amount, at)

    def _refunded(self, amount: Money, at: datetime) -> None:
        if not Money(0, amount.currency) <= amount <= self.paid_amount:
            raise ValueError("no more goes back than was paid")
        self.refunded_amount = amount
        self.payment_status = self._payment_status()
        self.updated_at = at

    def _payment_status(self) -> BookingPaymentStatus:
        if self.refunded_amount.is_positive:
            whole = self.refunded_amount == self.paid_amount
            return BookingPaymentStatus.REFUNDED if whole else BookingPaymentStatus.PARTIALLY_REFUNDED
        return (
            BookingPaymentStatus.PAID if self.paid_amount == self.final_amount else BookingPaymentStatus.PARTIALLY_PAID
        )

    def expire(self, *, at: datetime) -> None:
        """The time to pay is over; the caller gives the seats back in the same transaction."""
        if not self.is_awaiting_deposit:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CANCELLED)
        self._move_to(BookingStatus.CANCELLED, by=None, reason="payment time ran out", at=at)
        self.cancellation_reason = "payment time ran out"
        self.cancelled_at = at
        self.hold.expire()
        self.record(BookingExpired(at=at, booking_id=self.id, user_id=self.user_id))

    def start(self, *, today: date, override_reason: str | None, by: UUID, at: datetime) -> None:
        """The trip begins. Raises OverrideReasonNeeded before its first day when no reason is given."""
        _needs_reason(early=today < self.start_date, reason=override_reason)
        self._move_to(BookingStatus.IN_PROGRESS, by=by, reason=override_reason or "started", at=at)
        self.record(BookingStarted(at=at, booking_id=self.id, user_id=self.user_id))

    def complete(self, *, today: date, override_reason: str | None, by: UUID, at: datetime) -> None:
        """The trip is over. Raises OverrideReasonNeeded before its last day when no reason is given.

        Raises BalanceDue while a part of the price is not paid.
        """
        if self.status is BookingStatus.IN_PROGRESS and self.amount_due.is_positive:
            raise BalanceDue(due=str(self.amount_due))
        _needs_reason(early=today < self.end_date, reason=override_reason)
        self._move_to(BookingStatus.COMPLETED, by=by, reason=override_reason or "completed", at=at)
        self.record(BookingCompleted(at=at, booking_id=self.id, user_id=self.user_id))

    def pull_changes(self) -> list[StatusChange]:
        """The steps made since the last pull, for the status history."""
        changes: list[StatusChange] = self.__dict__.pop("_changes", [])
        return changes

    def _move_to(self, status: BookingStatus, *, by: UUID | None, reason: str, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self._log(self.status, status, by=by, reason=reason, at=at)
        self.status = status
        self.updated_at = at

    def _log(
        self, old: BookingStatus | None, new: BookingStatus, *, by: UUID | None, reason: str, at: datetime
    ) -> None:
        change = StatusChange(
            from_status=old, to_status=new, changed_by_user_id=by, change_reason=reason, changed_at=at
        )
        self.__dict__.setdefault("_changes", []).append(change)


def _needs_reason(*, early: bool, reason: str | None) -> None:
    if early and not (reason and reason.strip()):
        fault = FieldFault("/override_reason", "required", "needed ahead of the travel dates")
        raise OverrideReasonNeeded(faults=(fault,))


def source_of(*, creator: UUID, customer: UUID, agent: UUID | None, creator_is_staff: bool) -> BookingSource:
    """Through whom a booking came (guide §8, `get_booking_source`)."""
    if creator == customer:
        return BookingSource.SELF
    if agent is not None:
        return BookingSource.AGENT
    return BookingSource.ADMIN if creator_is_staff else BookingSource.SELF
