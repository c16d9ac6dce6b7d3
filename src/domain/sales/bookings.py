"""Bookings: from the seat that is held to the trip that is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.sales.agreed import BookedPrice, BookingItem, BookingSource, Parties, RewardTerms, Trip
from domain.sales.cancellation import CancellationTerms
from domain.sales.holds import Hold, HoldStatus
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


class PriceMoved(Conflict):
    """The price is not what the customer was shown; `new_total` is what it is now (trap 40)."""

    code = "price_moved"


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


OUT_OF_TIME: Final = "payment time ran out"
"""Why the system ends a booking that nobody paid."""

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
class BookingRequested(DomainEvent):
    """A customer asks for a trip that people price."""

    name: ClassVar[str] = "sales.booking_requested"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPriced(DomainEvent):
    """What was asked for has its price, and waits for its money."""

    name: ClassVar[str] = "sales.booking_priced"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelled(DomainEvent):
    """Somebody cancelled it, before it was paid or after."""

    name: ClassVar[str] = "sales.booking_cancelled"
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
class Booking(Aggregate):
    """A customer's booking: of a departure in the catalogue, or of what people priced for them."""

    id: UUID
    booking_number: str
    user_id: UUID
    agent_id: UUID | None
    created_by_user_id: UUID
    booking_source: BookingSource
    trip: Trip
    status: BookingStatus
    payment_status: BookingPaymentStatus
    price: BookedPrice
    deposit_amount: Money
    """How much of the price confirms the booking; all of it where nothing else was agreed."""
    paid_amount: Money
    points_paid_amount: Money
    """What of the paid amount points paid: it earns no points again."""
    refunded_amount: Money
    rewards: RewardTerms
    cancellation_terms: CancellationTerms
    customer_info: dict[str, str]
    special_requests: str
    cancellation_reason: str | None = None
    cancelled_by_user_id: UUID | None = None
    cancelled_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    items: list[BookingItem] = field(default_factory=list)
    hold: Hold | None
    """None until it has a price."""

    @classmethod
    def place(
        cls,
        *,
        booking_id: UUID,
        booking_number: str,
        parties: Parties,
        trip: Trip,
        price: BookedPrice,
        items: Sequence[BookingItem],
        deposit: Percentage,
        rewards: RewardTerms,
        cancellation_terms: CancellationTerms,
        customer_info: dict[str, str],
        special_requests: str,
        hold_expires_at: datetime,
        at: datetime,
    ) -> Booking:
        """A booking whose seats are held until `hold_expires_at`; one that costs nothing is confirmed at once."""
        booking = cls._begun(
            booking_id, booking_number, parties, trip, price, rewards, cancellation_terms, customer_info,
            special_requests, at,
        )  # fmt: skip
        booking._log(None, BookingStatus.PENDING_PAYMENT, by=parties.created_by_user_id, reason="placed", at=at)
        booking._await_money(price, items, deposit, hold_expires_at, at)
        booking.record(BookingPlaced(at=at, booking_id=booking_id, user_id=parties.user_id))
        booking._confirm_if_free(by=parties.created_by_user_id, at=at)
        return booking

    @classmethod
    def request(
        cls,
        *,
        booking_id: UUID,
        booking_number: str,
        parties: Parties,
        trip: Trip,
        unpriced: BookedPrice,
        rewards: RewardTerms,
        cancellation_terms: CancellationTerms,
        customer_info: dict[str, str],
        special_requests: str,
        at: datetime,
    ) -> Booking:
        """What a customer asks for: a draft of no price, until people make an offer."""
        booking = cls._begun(
            booking_id, booking_number, parties, trip, unpriced, rewards, cancellation_terms, customer_info,
            special_requests, at,
        )  # fmt: skip
        booking._log(None, BookingStatus.DRAFT, by=parties.created_by_user_id, reason="requested", at=at)
        booking.record(BookingRequested(at=at, booking_id=booking_id, user_id=parties.user_id))
        return booking

    @classmethod
    def _begun(
        cls,
        booking_id: UUID,
        booking_number: str,
        parties: Parties,
        trip: Trip,
        price: BookedPrice,
        rewards: RewardTerms,
        cancellation_terms: CancellationTerms,
        customer_info: dict[str, str],
        special_requests: str,
        at: datetime,
    ) -> Booking:
        nothing = Money(0, price.final_amount.currency)
        return cls(
            id=booking_id,
            booking_number=booking_number,
            user_id=parties.user_id,
            agent_id=parties.agent_id,
            created_by_user_id=parties.created_by_user_id,
            booking_source=parties.source,
            trip=trip,
            status=BookingStatus.DRAFT,
            payment_status=BookingPaymentStatus.UNPAID,
            price=price,
            deposit_amount=nothing,
            paid_amount=nothing,
            points_paid_amount=nothing,
            refunded_amount=nothing,
            rewards=rewards,
            cancellation_terms=cancellation_terms,
            customer_info=customer_info,
            special_requests=special_requests,
            created_at=at,
            updated_at=at,
            hold=None,
        )

    def make_offer(
        self,
        price: BookedPrice,
        items: Sequence[BookingItem],
        *,
        trip: Trip,
        deposit: Percentage,
        hold_expires_at: datetime,
        by: UUID,
        at: datetime,
    ) -> None:
        """People price what was asked for; it can be paid until the time is over."""
        self._move_to(BookingStatus.PENDING_PAYMENT, by=by, reason="priced", at=at)
        self.trip = trip
        self._await_money(price, items, deposit, hold_expires_at, at)
        self.record(BookingPriced(at=at, booking_id=self.id, user_id=self.user_id))
        self._confirm_if_free(by=by, at=at)

    def _await_money(
        self,
        price: BookedPrice,
        items: Sequence[BookingItem],
        deposit: Percentage,
        hold_expires_at: datetime,
        at: datetime,
    ) -> None:
        self.status = BookingStatus.PENDING_PAYMENT
        self.price = price
        self.items = list(items)
        self.deposit_amount = deposit.of(price.final_amount)
        self.hold = Hold(
            departure_id=self.trip.departure_id,
            seats=self.trip.seats if self.trip.departure_id is not None else 0,
            status=HoldStatus.ACTIVE,
            expires_at=hold_expires_at,
        )
        self.updated_at = at

    def _confirm_if_free(self, *, by: UUID, at: datetime) -> None:
        """What vouchers and points pay in full needs no money."""
        if not self.final_amount.is_zero or self.hold is None:
            return
        self.payment_status = BookingPaymentStatus.PAID
        self._confirm(self.hold, by=by, reason="nothing to pay", at=at)

    @property
    def final_amount(self) -> Money:
        return self.price.final_amount

    @property
    def start_date(self) -> date:
        return self.trip.start_date

    @property
    def end_date(self) -> date:
        return self.trip.end_date

    @property
    def hold_expires_at(self) -> datetime | None:
        """Until when it may be paid, and its seats are kept unpaid; None once that is decided."""
        return self.hold.expires_at if self.hold is not None and self.hold.status is HoldStatus.ACTIVE else None

    @property
    def seats_kept(self) -> int:
        """Seats of its departure that are its own now, held or paid."""
        kept = self.hold is not None and self.hold.status in (HoldStatus.ACTIVE, HoldStatus.CAPTURED)
        is_over = self.status in (BookingStatus.CANCELLED, BookingStatus.REFUNDED)
        return self.hold.seats if self.hold is not None and kept and not is_over else 0

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
        deadline = self.hold_expires_at
        held_no_more = self.is_awaiting_deposit and deadline is not None and at >= deadline
        if held_no_more or not self.accepts(self.smallest_payment):
            raise NothingToPay(status=self.status)

    @property
    def is_awaiting_deposit(self) -> bool:
        """Unpaid, and its seats have not been given back."""
        return self.status is BookingStatus.PENDING_PAYMENT and self.hold_expires_at is not None

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
        if not self.takes_money or self.hold is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CONFIRMED)
        if not self.accepts(amount):
            raise ValueError("a booking takes no more than is due, and its deposit at once")
        self.paid_amount += amount
        self.points_paid_amount += in_points
        self.payment_status = self._payment_status()
        self.updated_at = at
        if self.status is BookingStatus.PENDING_PAYMENT:
            self._confirm(self.hold, by=by, reason="paid", at=at)

    def _confirm(self, hold: Hold, *, by: UUID | None, reason: str, at: datetime) -> None:
        self._move_to(BookingStatus.CONFIRMED, by=by, reason=reason, at=at)
        hold.capture()
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
        """The time to pay is over; the caller gives seats, voucher and points back in the same transaction."""
        if not self.is_awaiting_deposit or self.hold is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CANCELLED)
        self._end(by=None, reason=OUT_OF_TIME, at=at)
        self.hold.expire()
        self.record(BookingExpired(at=at, booking_id=self.id, user_id=self.user_id))

    def cancel(self, *, by: UUID | None, reason: str, at: datetime) -> None:
        """Not wanted any more; the caller gives back what it took, in the same transaction."""
        self._end(by=by, reason=reason, at=at)
        if self.hold is not None and self.hold.status is HoldStatus.ACTIVE:
            self.hold.release()
        self.record(BookingCancelled(at=at, booking_id=self.id, user_id=self.user_id))

    def _end(self, *, by: UUID | None, reason: str, at: datetime) -> None:
        self._move_to(BookingStatus.CANCELLED, by=by, reason=reason, at=at)
        self.cancellation_reason = reason
        self.cancelled_by_user_id = by
        self.cancelled_at = at

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
