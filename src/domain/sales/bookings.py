"""Bookings: from the seat that is held to the trip that is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from domain.sales.agreed import (
    NOBODYS,
    BookedPrice,
    BookingItem,
    BookingSource,
    FrozenShares,
    Parties,
    RewardTerms,
    Trip,
)
from domain.sales.amendments import (
    Amendment,
    AmendmentAwaitsPayment,
    AmendmentLapsed,
    AmendmentNotOffered,
    AmendmentStatus,
    AmendmentWaits,
    value_of,
)
from domain.sales.booking_errors import (
    BalanceDue,
    NothingToPay,
    OverrideReasonNeeded,
    TooEarly,
    TripStarted,
)
from domain.sales.booking_events import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingMissed,
    BookingMoved,
    BookingPlaced,
    BookingPriced,
    BookingRefunded,
    BookingReplaced,
    BookingRequested,
    BookingStarted,
    RequestLapsed,
)
from domain.sales.booking_states import NEXT, BookingPaymentStatus, BookingStatus, StatusChange
from domain.sales.cancellation import EVERYTHING, AppliedTier, CancellationTerms, Settlement
from domain.sales.holds import CodeTerms, Hold, HoldStatus
from domain.sales.instalments import Instalment, Standing, asked_now, next_due, rescheduled, standings
from domain.sales.travelers import TravelersFixed
from domain.shared.aggregate import Aggregate
from domain.shared.clock import business_date
from domain.shared.errors import FieldFault, IllegalTransition, OwnRequest
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage

NEVER_PRICED: Final = "its day passed without a price"
"""Why the system ends a request that nobody priced."""

LAPSES_AFTER: Final = timedelta(days=1)
"""How long after its beginning a trip that was asked for is over: till then it may be asked for another day."""

OUT_OF_TIME: Final = "payment time ran out"
"""Why the system ends a booking that nobody paid."""

PAID_AT_ONCE_WITHIN: Final = timedelta(minutes=1)
"""What replaces an expired booking waits for its money no longer: it is there already."""


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
    free_cancellation_until: datetime | None = None
    """Until when everything comes back, whatever the terms say: the company moved it."""
    kept_amount: Money
    """What the company has earned of a booking that was cancelled; never more than has not gone back."""
    overpaid_amount: Money
    """What was paid beyond the price since amendments lowered it: it goes back as refunds."""
    amendment_fees: Money
    """What of the price amendments cost: the terms of cancelling give nothing of it back."""
    amended_times: int = 0
    rewards: RewardTerms
    cancellation_terms: CancellationTerms
    customer_info: dict[str, str]
    special_requests: str
    replaces_booking_id: UUID | None = None
    """The expired booking whose trip this is, for money that came late."""
    cancellation_reason: str | None = None
    cancelled_by_user_id: UUID | None = None
    cancelled_at: datetime | None = None
    no_show_at: datetime | None = None
    """When staff recorded that the customer did not come."""
    created_at: datetime
    updated_at: datetime
    version: int = 1
    """What `If-Match` names; the database counts it."""
    items: list[BookingItem] = field(default_factory=list)
    instalments: tuple[Instalment, ...] = ()
    """By when which part of the price is due, the deposit first; none where nothing but the hold limits it."""
    hold: Hold | None
    """None until it has a price."""
    amendment: Amendment | None = None
    """One that waits for its money."""

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
        instalments: Sequence[Instalment] = (),
        rewards: RewardTerms,
        cancellation_terms: CancellationTerms,
        customer_info: dict[str, str],
        special_requests: str,
        hold_expires_at: datetime,
        at: datetime,
    ) -> Booking:
        """A booking whose seats are held until `hold_expires_at`, and never beyond the trip's start.

        One that costs nothing is confirmed at once.

        Where there are instalments, the first is what confirms it.
        """
        booking = cls._begun(
            booking_id=booking_id,
            booking_number=booking_number,
            parties=parties,
            trip=trip,
            price=price,
            rewards=rewards,
            cancellation_terms=cancellation_terms,
            customer_info=customer_info,
            special_requests=special_requests,
            at=at,
        )
        booking._log(None, BookingStatus.PENDING_PAYMENT, by=parties.created_by_user_id, reason="placed", at=at)
        booking._await_money(price, items, _deposit(price, deposit, instalments), instalments, hold_expires_at, at)
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
            booking_id=booking_id,
            booking_number=booking_number,
            parties=parties,
            trip=trip,
            price=unpriced,
            rewards=rewards,
            cancellation_terms=cancellation_terms,
            customer_info=customer_info,
            special_requests=special_requests,
            at=at,
        )
        booking._log(None, BookingStatus.DRAFT, by=parties.created_by_user_id, reason="requested", at=at)
        booking.record(BookingRequested(at=at, booking_id=booking_id, user_id=parties.user_id))
        return booking

    def placed_again(self, *, booking_id: UUID, booking_number: str, new_id: NewId, at: datetime) -> Booking:
        """The same trip, price and terms as a booking of its own, for money that came after this one expired.

        It is to be paid in the transaction that makes it. Raises IllegalTransition unless this one expired unpaid.
        """
        if not self.has_expired:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.PENDING_PAYMENT)
        parties = Parties(
            user_id=self.user_id,
            agent_id=self.agent_id,
            created_by_user_id=self.created_by_user_id,
            source=self.booking_source,
        )
        booking = self._begun(
            booking_id=booking_id,
            booking_number=booking_number,
            parties=parties,
            trip=self.trip,
            price=self.price,
            rewards=self.rewards,
            cancellation_terms=self.cancellation_terms,
            customer_info=self.customer_info,
            special_requests=self.special_requests,
            at=at,
        )
        booking.replaces_booking_id = self.id
        booking._log(None, BookingStatus.PENDING_PAYMENT, by=None, reason="late payment", at=at)
        items = [replace(item, id=new_id()) for item in self.items]
        booking._await_money(self.price, items, self.deposit_amount, self.instalments, at + PAID_AT_ONCE_WITHIN, at)
        booking.record(BookingPlaced(at=at, booking_id=booking_id, user_id=self.user_id))
        booking.record(BookingReplaced(at=at, booking_id=booking_id, replaced_id=self.id, user_id=self.user_id))
        return booking

    @classmethod
    def _begun(
        cls,
        *,
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
            kept_amount=nothing,
            overpaid_amount=nothing,
            amendment_fees=nothing,
            rewards=rewards,
            cancellation_terms=cancellation_terms,
            customer_info=customer_info,
            special_requests=special_requests,
            created_at=at,
            updated_at=at,
            hold=None,
        )

    def change_request(
        self,
        *,
        trip: Trip,
        customer_info: dict[str, str],
        special_requests: str,
        by: UUID,
        at: datetime,
    ) -> None:
        """The customer asks for something else, as long as nobody has priced it."""
        if self.status is not BookingStatus.DRAFT:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.DRAFT)
        self.trip = trip
        self.customer_info = customer_info
        self.special_requests = special_requests
        self._note(by=by, reason="changed", at=at)

    def make_offer(
        self,
        price: BookedPrice,
        items: Sequence[BookingItem],
        *,
        rewards: RewardTerms,
        cancellation_terms: CancellationTerms,
        instalments: Sequence[Instalment] = (),
        hold_expires_at: datetime,
        by: UUID,
        at: datetime,
    ) -> None:
        """People price what was asked for; it can be paid until the time is over, in instalments or all at once.

        An offer that waits for its money is made anew in the same way; the caller cancels its open payments. The sale
        is now: the buyer's plan and the terms of cancelling of today are what is frozen (trap 28).
        """
        if self._is_open_offer:
            self._note(by=by, reason="priced again", at=at)
        else:
            self._move_to(BookingStatus.PENDING_PAYMENT, by=by, reason="priced", at=at)
        self.rewards, self.cancellation_terms = rewards, cancellation_terms
        nothing = Money(0, price.final_amount.currency)
        # The request was counted in another currency, perhaps.
        self.paid_amount = self.points_paid_amount = self.refunded_amount = nothing
        self.kept_amount = self.overpaid_amount = self.amendment_fees = nothing
        deposit = _deposit(price, EVERYTHING, instalments)
        self._await_money(price, items, deposit, instalments, hold_expires_at, at).begun_at = at
        self.record(BookingPriced(at=at, booking_id=self.id, user_id=self.user_id))
        self._confirm_if_free(by=by, at=at)

    def lapse(self, *, at: datetime) -> None:
        """Its day is over, and nobody has priced it. Raises IllegalTransition for any other."""
        if not self.is_lapsed(at=at):
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CANCELLED)
        self._end(by=None, reason=NEVER_PRICED, at=at)
        self.record(RequestLapsed(at=at, booking_id=self.id, user_id=self.user_id))

    def is_lapsed(self, *, at: datetime) -> bool:
        """Whether it is still without a price when its day is over."""
        return self.status is BookingStatus.DRAFT and self.trip.starts_at + LAPSES_AFTER <= at

    @property
    def takes_offer(self) -> bool:
        """Whether people may price it: it was asked for, and nothing is paid of it."""
        return self.status is BookingStatus.DRAFT or self._is_open_offer

    @property
    def _is_open_offer(self) -> bool:
        return self.trip.is_on_request and self.is_awaiting_deposit and self.paid_amount.is_zero

    def _await_money(
        self,
        price: BookedPrice,
        items: Sequence[BookingItem],
        deposit: Money,
        instalments: Sequence[Instalment],
        hold_expires_at: datetime,
        at: datetime,
    ) -> Hold:
        if instalments and sum((each.amount for each in instalments[1:]), instalments[0].amount) != price.final_amount:
            raise ValueError("instalments are all of the price")
        self.status = BookingStatus.PENDING_PAYMENT
        self.price = price
        self.items = list(items)
        self.instalments = tuple(instalments)
        self.deposit_amount = deposit
        self.hold = Hold(
            departure_id=self.trip.departure_id,
            seats=self.trip.seats_held,
            status=HoldStatus.ACTIVE,
            expires_at=min(hold_expires_at, self.trip.starts_at),
        )
        self.updated_at = at
        return self.hold

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
    def payment_deadline(self) -> datetime | None:
        """Until when what waits for money can be paid, the booking or its amendment; None where nothing ends."""
        return self.waiting.expires_at if self.waiting is not None else self.hold_expires_at

    @property
    def seats_kept(self) -> int:
        """Seats of its departure that are its own now, held or paid."""
        kept = self.hold is not None and self.hold.status in (HoldStatus.ACTIVE, HoldStatus.CAPTURED)
        return self.hold.seats if self.hold is not None and kept and self.cancelled_at is None else 0

    @property
    def amount_due(self) -> Money:
        """What is still to be paid; nothing once the booking is over."""
        if self.status in (BookingStatus.CANCELLED, BookingStatus.REFUNDED):
            return Money(0, self.final_amount.currency)
        due = self.final_amount + self.overpaid_amount - self.paid_amount
        return due + self.waiting.difference if self.waiting is not None else due

    @property
    def paid_for_trip(self) -> Money:
        """What was paid of the trip as it is: what amendments made too much is not of it, wherever it is."""
        return self.paid_amount - self.overpaid_amount

    @property
    def is_free(self) -> bool:
        """Whether the trip as it is was had for nothing."""
        return self.paid_for_trip.is_zero

    def bonus_left(self, back: Percentage) -> int:
        """What stays of the bonus points of a trip that was free, where so much of it is given back; rounded down."""
        kept = EVERYTHING.hundredths - back.hundredths
        return self.rewards.bonus_points * kept // EVERYTHING.hundredths

    def refunded_of_trip(self, refunded: Money) -> Money:
        """How much of all that has gone back is of the trip as it is: what was paid beyond its price goes first."""
        return max(refunded - self.overpaid_amount, Money(0, refunded.currency))

    @property
    def waiting(self) -> Amendment | None:
        """The amendment that money would carry out now."""
        return self.amendment if self.status is BookingStatus.CONFIRMED else None

    @property
    def smallest_payment(self) -> Money:
        """The least that may be paid at once: all that an amendment costs more; else what is missing of the deposit;
        after that, any part of what is due.
        """
        if self.waiting is not None:
            return self.waiting.difference
        missing = self.deposit_amount - self.paid_amount
        return missing if missing.is_positive else min(Money(1, missing.currency), self.amount_due)

    def asked_now(self, *, today: date) -> Money:
        """What a payment is of that says no amount: what is due by its instalments, or the next; else all.

        An amendment that waits comes first.
        """
        if not self.instalments or self.amendment is not None:
            return self.amount_due
        return asked_now(self.instalments, self.paid_amount, today=today)

    def standings(self, *, today: date) -> tuple[Standing, ...]:
        """Its instalments on a day, and what is paid of each."""
        is_over = self.status in (BookingStatus.CANCELLED, BookingStatus.REFUNDED)
        return standings(self.instalments, self.paid_amount, today=today, is_over=is_over)

    def oldest_owed(self, *, today: date) -> Standing | None:
        """The oldest instalment that is not paid; None where nothing is owed."""
        return next_due(self.standings(today=today))

    def ensure_payable(self, *, at: datetime) -> None:
        """Raises NothingToPay unless the booking waits for money, and its seats are its own or still held."""
        deadline = self.payment_deadline
        held_no_more = deadline is not None and at >= deadline
        if held_no_more or not self.accepts(self.smallest_payment, at=at):
            raise NothingToPay(status=self.status)

    @property
    def is_awaiting_deposit(self) -> bool:
        """Unpaid, and its seats have not been given back."""
        return self.status is BookingStatus.PENDING_PAYMENT and self.hold_expires_at is not None

    @property
    def has_expired(self) -> bool:
        """Whether its time to pay ran out; it was never paid then."""
        is_over = self.hold is not None and self.hold.status is HoldStatus.EXPIRED
        return is_over and self.status is BookingStatus.CANCELLED

    def began_unpaid(self, *, at: datetime) -> bool:
        """Whether it still waits for its deposit when its trip begins: money that comes then is late."""
        return self.is_awaiting_deposit and at >= self.trip.starts_at

    def takes_money(self, *, at: datetime) -> bool:
        """Whether something is due, and its seats are its own or still held for a trip before it."""
        if self.began_unpaid(at=at):
            return False
        has_seats = self.is_awaiting_deposit or self.status in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
        return has_seats and self.amount_due.is_positive

    def accepts(self, amount: Money, *, at: datetime) -> bool:
        """Whether money that came in can still do what it was meant for; an offer may have been in another currency."""
        is_of_price = amount.currency == self.final_amount.currency
        return is_of_price and self.takes_money(at=at) and self.smallest_payment <= amount <= self.amount_due

    def receive(self, amount: Money, *, in_points: Money, by: UUID | None, at: datetime) -> None:
        """Money is in, `in_points` of it paid with points; the deposit makes the seats the customer's."""
        if not self.takes_money(at=at) or self.hold is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CONFIRMED)
        if not self.accepts(amount, at=at):
            raise ValueError("a booking takes no more than is due, and its deposit at once")
        if self.waiting is not None:
            self._become(self.waiting, by=by, at=at)
        self.paid_amount += amount
        self.points_paid_amount += in_points
        self.payment_status = self._payment_status()
        self.updated_at = at
        if self.status is BookingStatus.PENDING_PAYMENT:
            self._confirm(self.hold, by=by, reason="paid", at=at)

    def confirm(self, *, by: UUID, at: datetime) -> None:
        """Staff confirm what settling has not: the deposit is in, or nothing is to be paid.

        Raises BalanceDue with what is missing of the deposit.
        """
        if not self.is_awaiting_deposit or self.hold is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CONFIRMED)
        if self.paid_amount < self.deposit_amount:
            raise BalanceDue(due=str(self.deposit_amount - self.paid_amount))
        self.payment_status = self._payment_status()
        self._confirm(self.hold, by=by, reason="confirmed", at=at)

    def _confirm(self, hold: Hold, *, by: UUID | None, reason: str, at: datetime) -> None:
        self._move_to(BookingStatus.CONFIRMED, by=by, reason=reason, at=at)
        hold.capture()
        self.record(BookingConfirmed(at=at, booking_id=self.id, user_id=self.user_id))

    @property
    def shares(self) -> FrozenShares:
        """What was frozen at its sale; all of a booking is of one vendor, so an amendment keeps it."""
        return self.items[0].shares if self.items else NOBODYS

    @property
    def shared_amount(self) -> Money:
        """What vendor, agent and the company share: all that is paid and has not gone back of a completed trip.

        Of one that was cancelled the company keeps its fee alone, and of one that was refunded nothing is left.
        """
        if self.status is not BookingStatus.COMPLETED:
            return Money(0, self.paid_amount.currency)
        return self.paid_amount - self.refunded_amount

    @property
    def expected_amount(self) -> Money:
        """What is shared if a trip that is sold is completed as it stands: its price, less what went back of it."""
        nothing = Money(0, self.final_amount.currency)
        if self.status not in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS):
            return nothing
        return max(self.final_amount - max(self.refunded_amount - self.overpaid_amount, nothing), nothing)

    def earned_of(self, amount: Money) -> Money:
        """How much of an amount that is about to go back the company had earned: it is taken out of that first.

        Of a cancelled booking, what it does not keep goes back before anything that it keeps.
        """
        if self.status is BookingStatus.COMPLETED:
            return amount
        left = self.paid_amount - self.refunded_amount - amount
        return max(self.kept_amount - left, Money(0, amount.currency))

    def give_back(self, amount: Money, *, at: datetime) -> None:
        """So much more of what was paid has gone back to the customer; one that is over ends as REFUNDED with all."""
        if self.status is not BookingStatus.COMPLETED:
            self.kept_amount -= self.earned_of(amount)
        self._refunded(self.refunded_amount + amount, at)
        self._end_if_refunded(at)

    @property
    def ends_without_money(self) -> bool:
        """Whether it is over once all that was paid for it has gone back; one that waits for money is sold with it."""
        return self.status in (BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)

    @property
    def has_lost_its_money(self) -> bool:
        """Whether it is sold, and all that was paid for it has gone back; what was overpaid paid for nothing."""
        is_sold = self.status in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
        return is_sold and self.paid_amount > self.overpaid_amount and self.refunded_amount == self.paid_amount

    def take_back(self, amount: Money, *, at: datetime) -> None:
        """A refund that was done came back from the customer's bank: owed to them again, whatever the status."""
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
        is_paid = self.paid_amount == self.final_amount + self.overpaid_amount
        return BookingPaymentStatus.PAID if is_paid else BookingPaymentStatus.PARTIALLY_PAID

    def keep_for_code(self, terms: CodeTerms, *, at: datetime) -> None:
        """A payment code is about to be opened: keep the seats that it pays while it lives, within the terms.

        What waits for no money keeps them anyway, and what ran out is not kept again.
        """
        kept, deadline = self._kept_by_codes, self.payment_deadline
        if kept is None or deadline is None or at >= deadline:
            return
        kept.extend(min(at + terms.life, self._last_end_of_codes(terms)))
        self.updated_at = at

    def follow_codes(self, ends_at: datetime | None, terms: CodeTerms, *, at: datetime) -> None:
        """The last of its codes ends at another time than was asked for; None where none is left."""
        kept = self._kept_by_codes
        if kept is None:
            return
        kept.follow(min(ends_at, self._last_end_of_codes(terms)) if ends_at is not None else None)
        self.updated_at = at

    @property
    def _kept_by_codes(self) -> Hold | Amendment | None:
        """What a code pays that is opened now, and what would end without it."""
        return self.waiting or (self.hold if self.is_awaiting_deposit else None)

    def _last_end_of_codes(self, terms: CodeTerms) -> datetime:
        if self.waiting is not None:
            starts_at = min(self.trip.starts_at, self.waiting.trip.starts_at)
            return terms.last_end(sold_at=self.waiting.requested_at, starts_at=starts_at)
        priced_at = self.hold.begun_at if self.hold is not None else None
        return terms.last_end(sold_at=priced_at or self.created_at, starts_at=self.trip.starts_at)

    def expire(self, *, at: datetime) -> None:
        """The time to pay is over; the caller gives seats, voucher and points back in the same transaction."""
        if not self.is_awaiting_deposit or self.hold is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CANCELLED)
        self._end(by=None, reason=OUT_OF_TIME, at=at)
        self.hold.expire()
        self.record(BookingExpired(at=at, booking_id=self.id, user_id=self.user_id))

    @property
    def uses_promotions(self) -> bool:
        """Whether its price counts on a voucher or an offer, or one of them promises something beside it."""
        reduced = any(line["kind"] in ("OFFER", "VOUCHER") for line in self.price.lines)
        promised = self.rewards.bonus_points > 0 or self.rewards.bonus_cashback is not None
        is_given = any(item.price.is_zero for item in self.items[1:])
        return reduced or promised or is_given

    @property
    def is_unpaid(self) -> bool:
        """Whether it waits for a price or for money: cancelling it takes nothing from anybody."""
        return self.status in (BookingStatus.DRAFT, BookingStatus.PENDING_PAYMENT)

    def refund_terms(self, *, decided: Percentage | None, at: datetime) -> AppliedTier:
        """What cancelling now gives back: by the terms that were agreed, or what staff `decided` instead.

        Raises TripStarted once the trip has begun, IllegalTransition for one that is over. Only staff, who decide,
        cancel after that: where a trip did not take place, or its customer did not come and owes the rest.
        """
        if BookingStatus.CANCELLED not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CANCELLED)
        if self.is_unpaid:
            return AppliedTier(refund=EVERYTHING)
        if decided is not None:
            return AppliedTier(refund=decided)
        if self.status is BookingStatus.IN_PROGRESS or at > self.trip.starts_at:
            raise TripStarted(status=self.status)
        if self.free_cancellation_until is not None and at <= self.free_cancellation_until:
            return AppliedTier(refund=EVERYTHING)
        return self.cancellation_terms.applied(at=at, starts_at=self.trip.starts_at, time_zone=self.trip.time_zone)

    def move(
        self, trip: Trip, *, operation_id: UUID, free_until: datetime | None, by: UUID | None, reason: str, at: datetime
    ) -> None:
        """The company moves it to another departure, at the price that was agreed.

        Until `free_until` its customer may cancel for nothing. The caller moves its seats in the same transaction.
        Raises IllegalTransition unless it has seats and a trip before it.
        """
        movable = (BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED)
        if self.status not in movable or self.hold is None or self.trip.departure_id is None:
            raise IllegalTransition(current=self.status, wanted=BookingStatus.CONFIRMED)
        self._log(self.status, self.status, by=by, reason=reason, at=at)
        self.trip = trip
        self.hold.departure_id = trip.departure_id
        self.hold.end_by(trip.starts_at)
        self._plan_again(at)
        self.free_cancellation_until = free_until
        self.updated_at = at
        self.record(BookingMoved(at=at, booking_id=self.id, user_id=self.user_id, operation_id=operation_id))

    def cancel(self, settlement: Settlement, *, by: UUID | None, reason: str, at: datetime) -> None:
        """Not wanted any more; the caller gives back what it took, in the same transaction."""
        self._end(by=by, reason=reason, at=at)
        if self.hold is not None and self.hold.status is HoldStatus.ACTIVE:
            self.hold.release()
        self.kept_amount = settlement.kept
        self.record(
            BookingCancelled(
                at=at,
                booking_id=self.id,
                user_id=self.user_id,
                currency=settlement.kept.currency.code,
                to_original_minor=settlement.to_original.minor,
                to_wallet_minor=settlement.to_wallet.minor,
                to_voucher_credit_minor=settlement.to_voucher_credit.minor,
                in_points_minor=settlement.in_points.minor,
                kept_minor=settlement.kept.minor,
                to_agent_minor=settlement.to_agent.minor,
                points=settlement.points,
                points_restored=settlement.points_restored,
                refunded_before_minor=self.refunded_amount.minor,
            )
        )
        self._end_if_refunded(at)

    def _end_if_refunded(self, at: datetime) -> None:
        """Once; what a bank sends back afterwards is owed again, and the payment status alone says so."""
        is_over = self.status in (BookingStatus.CANCELLED, BookingStatus.COMPLETED)
        if is_over and self.paid_amount.is_positive and self.refunded_amount == self.paid_amount:
            self._move_to(BookingStatus.REFUNDED, by=None, reason="refunded", at=at)
            self.record(BookingRefunded(at=at, booking_id=self.id, user_id=self.user_id))

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

    def miss(self, *, today: date, reason: str, by: UUID, at: datetime) -> None:
        """The customer did not come. The trip goes on without them and the money stays; it can be recorded once.

        Raises TooEarly before its first day.
        """
        if self.no_show_at is not None or self.status not in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS):
            raise IllegalTransition(current=self.status, wanted="NO_SHOW")
        if today < self.start_date:
            raise TooEarly(starts_on=self.start_date.isoformat())
        if self.status is BookingStatus.CONFIRMED:
            self._move_to(BookingStatus.IN_PROGRESS, by=by, reason=f"no-show: {reason}", at=at)
        else:
            self._note(by=by, reason=f"no-show: {reason}", at=at)
        self.no_show_at = at
        self.record(BookingMissed(at=at, booking_id=self.id, user_id=self.user_id))

    def rename_travelers(self, *, by: UUID, at: datetime) -> None:
        """Who travels was written down anew; the history says that, and no names or numbers.

        Raises TravelersFixed once the trip has begun, was cancelled or is over, AmendmentWaits while one might name
        others.
        """
        self._refuse_waiting()
        if self.status not in _TRAVELERS_OPEN or at >= self.trip.starts_at:
            raise TravelersFixed(current=self.status)
        self._note(by=by, reason="travellers changed", at=at)

    def ensure_amendable(self, *, at: datetime) -> None:
        """Raises IllegalTransition unless it is confirmed, TripStarted, AmendmentWaits."""
        if self.status is not BookingStatus.CONFIRMED:
            raise IllegalTransition(current=self.status, wanted="AMENDED")
        if at >= self.trip.starts_at:
            raise TripStarted(status=self.status)
        self._refuse_waiting()

    def ensure_priced_by(self, person: UUID | None) -> None:
        """What people priced is amended by people who price, None for nobody, and by nobody for themselves.

        Raises AmendmentNotOffered, OwnRequest.
        """
        if person is None:
            raise AmendmentNotOffered(reason="priced_by_people")
        if person == self.user_id:
            raise OwnRequest()

    def given_up_for(self, trip: Trip, price: BookedPrice) -> Money:
        """What of the old trip another one gives up: all of it on another departure, or where it begins at another
        time and is of none; else what it is smaller by.

        Never more than was paid for it and has not gone back, with points at what they paid.
        """
        value, nothing = value_of(self.price), Money(0, self.final_amount.currency)
        lost = value if self.trip.is_left_for(trip) else max(value - value_of(price), nothing)
        at_stake = self.paid_amount - self.refunded_amount - self.amendment_fees + self.price.points_worth
        return max(min(lost, at_stake), nothing)

    def overpaid_at(self, price: Money) -> Money:
        """What would be paid beyond another price."""
        return max(self.paid_amount - self.overpaid_amount - price, Money(0, price.currency))

    def amend(self, amendment: Amendment, *, by: UUID, at: datetime) -> None:
        """Be what the amendment says: nothing more is to be paid for it. The caller moves seats, points and money."""
        self.ensure_amendable(at=at)
        if amendment.difference.is_positive:
            raise ValueError("what costs more waits for its money")
        self._become(amendment, by=by, at=at)
        self.payment_status = self._payment_status()

    def await_amendment(self, amendment: Amendment, *, by: UUID, at: datetime) -> None:
        """Stay as it is until the difference is paid; the caller has taken the seats that are held for it."""
        self.ensure_amendable(at=at)
        if amendment.expires_at is None or not amendment.difference.is_positive:
            raise ValueError("an amendment that waits costs more, and waits until an hour")
        self.amendment = amendment
        self._note(by=by, reason="amendment waits for its payment", at=at)
        self.record(
            AmendmentAwaitsPayment(
                at=at,
                booking_id=self.id,
                user_id=self.user_id,
                amendment_id=amendment.id,
                currency=self.final_amount.currency.code,
                due_minor=amendment.difference.minor,
                expires_at=amendment.expires_at.isoformat(),
            )
        )

    def drop_amendment(self, status: AmendmentStatus, *, by: UUID | None, at: datetime) -> Amendment:
        """The old trip stands; the caller gives back the seats that were held."""
        amendment, self.amendment = self.amendment, None
        if amendment is None:
            raise IllegalTransition(current=self.status, wanted=status)
        amendment.resolve(status, at=at)
        self._note(by=by, reason=f"amendment {status.lower()}", at=at)
        if status is AmendmentStatus.LAPSED:
            self.record(AmendmentLapsed(at=at, booking_id=self.id, user_id=self.user_id, amendment_id=amendment.id))
        return amendment

    def _become(self, amendment: Amendment, *, by: UUID | None, at: datetime) -> None:
        if self.hold is None:
            raise ValueError("a confirmed booking has its seats")
        self.overpaid_amount += self.overpaid_at(amendment.price.final_amount)
        self.trip, self.price, self.items = amendment.trip, amendment.price, list(amendment.items)
        self.rewards = amendment.rewards
        self.hold = replace(self.hold, departure_id=amendment.trip.departure_id, seats=amendment.trip.seats_held)
        self._plan_again(at)
        self.amendment_fees += amendment.fee
        self.amended_times += 1
        self.amendment = None
        amendment.resolve(AmendmentStatus.APPLIED, at=at)
        self._note(by=by, reason="amended", at=at)
        self.record(amendment.applied_event(self.user_id, at))

    def _plan_again(self, at: datetime) -> None:
        """Instalments are of the trip as it is by now."""
        if self.instalments:
            today = business_date(at)
            self.instalments = rescheduled(self.instalments, self.final_amount, starts_on=self.start_date, today=today)
        self.deposit_amount = min(self.deposit_amount, self.final_amount)

    def _refuse_waiting(self) -> None:
        if self.amendment is not None:
            raise AmendmentWaits(expires_at=self.amendment.expires_at)

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

    def _note(self, *, by: UUID | None, reason: str, at: datetime) -> None:
        """A step in the history that leaves the status as it is."""
        self._log(self.status, self.status, by=by, reason=reason, at=at)
        self.updated_at = at

    def _log(
        self, old: BookingStatus | None, new: BookingStatus, *, by: UUID | None, reason: str, at: datetime
    ) -> None:
        change = StatusChange(
            from_status=old, to_status=new, changed_by_user_id=by, change_reason=reason, changed_at=at
        )
        self.__dict__.setdefault("_changes", []).append(change)


_TRAVELERS_OPEN = (BookingStatus.DRAFT, BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED)


def _needs_reason(*, early: bool, reason: str | None) -> None:
    if early and not (reason and reason.strip()):
        fault = FieldFault("/override_reason", "required", "needed ahead of the travel dates")
        raise OverrideReasonNeeded(faults=(fault,))


def _deposit(price: BookedPrice, deposit: Percentage, instalments: Sequence[Instalment]) -> Money:
    """What confirms it: the first instalment, or the share of a price that has none."""
    return instalments[0].amount if instalments else deposit.of(price.final_amount)
