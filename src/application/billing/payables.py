"""What a payment can pay: a booking, a membership, a wallet deposit; each knows what its money does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ledger.points import EarnPoints, earn_points
from application.ports import UnitOfWork
from domain.billing.payments import Payment, PaymentType
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import JournalType
from domain.membership.memberships import AlreadySubscribed, SubscriptionNotFound, SubscriptionStatus
from domain.sales.bookings import BookingNotFound, NothingToPay
from domain.shared.clock import business_date
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money


class Payable(Protocol):
    """Something that money is taken for, locked while it is held here.

    `accepts_money`: can money that came in still do what it was meant for. `account`, `journal_type`,
    `reference_*`: where it goes in the ledger. `fulfil`: does what being paid means.
    """

    journal_type: JournalType
    reference_type: str
    reference_id: UUID
    label_ar: str
    label_en: str

    @property
    def accepts_money(self) -> bool: ...

    @property
    def account(self) -> AccountRef: ...

    @property
    def deadline(self) -> datetime | None:
        """Until when it can be paid; None where nothing limits that."""
        ...

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        """What its owner has to pay. Raises NotFound for a stranger, NothingToPay when there is nothing."""
        ...

    def fulfil(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None: ...


def booking_points_key(booking_id: UUID) -> str:
    """What the points that a booking earned are found by, to take them back with a refund."""
    return f"points:booking:{booking_id}"


class BookingPayable:
    """Money for a booking is the customer's until the trip is over, so it waits as a prepayment."""

    journal_type = JournalType.PAYMENT
    reference_type = "BOOKING"

    def __init__(self, booking_id: UUID, *, uow: UnitOfWork) -> None:
        self._booking = uow.bookings.get(booking_id)
        self.reference_id = booking_id
        self.label_ar = f"دفع الحجز {self._booking.booking_number}"
        self.label_en = f"Payment of booking {self._booking.booking_number}"

    @property
    def accepts_money(self) -> bool:
        return self._booking.accepts_money

    @property
    def deadline(self) -> datetime | None:
        return self._booking.hold_expires_at

    @property
    def account(self) -> AccountRef:
        unit = self._booking.final_amount.currency.code
        return accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit)

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        if self._booking.user_id != owner:
            raise BookingNotFound()
        self._booking.ensure_payable(at=at)
        return self._booking.amount_due

    def fulfil(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """Confirm the booking and give the points that its price earns."""
        booking = self._booking
        booking.confirm_paid(booking.amount_due, by=None, at=at)
        earned = EarnPoints(
            user_id=booking.user_id,
            key=booking_points_key(booking.id),
            reference_type=self.reference_type,
            reference_id=booking.id,
            description_ar=f"نقاط مكتسبة من الحجز {booking.booking_number}",
            description_en=f"Points earned from booking {booking.booking_number}",
            points=uow.points.terms.earned_by(booking.paid_amount, booking.points_multiplier),
        )
        earn_points(earned, uow=uow, at=at, new_id=new_id)


class MembershipPayable:
    """A membership is earned when it is sold: it cannot be given back."""

    journal_type = JournalType.PAYMENT
    reference_type = "MEMBERSHIP"

    def __init__(self, subscription_id: UUID, *, uow: UnitOfWork) -> None:
        self._subscription = uow.memberships.get(subscription_id)
        self._is_member = uow.memberships.has_active(self._subscription.user_id)
        self.reference_id = subscription_id
        self.label_ar = f"اشتراك العضوية {self._subscription.membership_number}"
        self.label_en = f"Membership {self._subscription.membership_number}"

    @property
    def accepts_money(self) -> bool:
        """Not beside another membership: of two that were asked for, the first that is paid becomes active."""
        return self._subscription.status is SubscriptionStatus.PENDING_PAYMENT and not self._is_member

    @property
    def deadline(self) -> datetime | None:
        return None

    @property
    def account(self) -> AccountRef:
        return accounts.platform(AccountKind.MEMBERSHIP_REVENUE, self._subscription.price.currency.code)

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        if self._subscription.user_id != owner:
            raise SubscriptionNotFound()
        if self._subscription.status is not SubscriptionStatus.PENDING_PAYMENT:
            raise NothingToPay(status=self._subscription.status)
        if self._is_member:
            raise AlreadySubscribed()
        return self._subscription.price

    def fulfil(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        self._subscription.activate(on=business_date(at), at=at)


class DepositPayable:
    """A deposit is the customer's own money: it goes straight to their wallet."""

    journal_type = JournalType.DEPOSIT
    reference_type = "PAYMENT"
    accepts_money = True

    def __init__(self, payment: Payment) -> None:
        self._payment = payment
        self.reference_id = payment.id
        self.label_ar = f"إيداع في المحفظة {payment.payment_number}"
        self.label_en = f"Wallet deposit {payment.payment_number}"

    @property
    def deadline(self) -> datetime | None:
        return None

    @property
    def account(self) -> AccountRef:
        return accounts.wallet(self._payment.user_id, self._payment.amount.currency.code)

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        return self._payment.amount

    def fulfil(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """The journal that settles the payment is all that a deposit does."""


_BY_ID: dict[PaymentType, Callable[..., Payable]] = {
    PaymentType.BOOKING: BookingPayable,
    PaymentType.MEMBERSHIP_PURCHASE: MembershipPayable,
}


def lock_payable(payment_type: PaymentType, payable_id: UUID | None, *, uow: UnitOfWork) -> Payable | None:
    """Lock what is to be paid; None for a deposit, which is nothing but its payment. Raises NotFound."""
    if payment_type is PaymentType.WALLET_DEPOSIT:
        return None
    if payable_id is None:
        raise InvalidValue("what is to be paid has an id", pointer="/payable/id", code="required")
    return _BY_ID[payment_type](payable_id, uow=uow)
