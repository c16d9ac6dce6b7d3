"""What a payment can pay: a booking, a membership, a wallet deposit; each knows what its money does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.billing.revenue import revenue, take_revenue_back
from application.ledger.cashback import ClawBackCashback, claw_back_cashback
from application.membership.memberships import has_running
from application.payouts.earning import follow_refund, payee_accounts, shared_items
from application.ports import UnitOfWork
from application.sales.booking_points import (
    REFERENCE,
    bonus_at_stake,
    earn_booking_points,
    points_at_stake,
    take_points_back,
)
from application.sales.giving_back import carry_out, end_without_money, leave_trip, lock_departures
from domain.billing.payments import Payment, PaymentType
from domain.billing.tenders import money_in
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import JournalType
from domain.membership.memberships import AlreadySubscribed, SubscriptionNotFound, SubscriptionStatus
from domain.payouts.earnings import SharesLost, shares_lost
from domain.sales.agreed import FrozenRate
from domain.sales.booking_errors import BookingNotFound, NothingToPay
from domain.sales.booking_states import BookingStatus
from domain.shared.clock import Clock, business_date
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Currency, Money


@dataclass(frozen=True, slots=True)
class Rewards:
    """What a payment earned, or a part of that."""

    points: int
    cashback: Money
    partners: SharesLost
    """What of it vendor and agent earned."""

    @classmethod
    def none(cls, currency: Currency) -> Rewards:
        nothing = Money(0, currency)
        return cls(points=0, cashback=nothing, partners=SharesLost(vendor=nothing, agent=nothing))


class Payable(Protocol):
    """Something that money is taken for, locked while it is held here; orders will be one more.

    `payment_type` says what paying it is. `account`, `journal_type`, `reference_*`: where its money goes in the ledger.
    """

    payment_type: PaymentType
    journal_type: JournalType
    reference_type: str
    reference_id: UUID
    label_ar: str
    label_en: str

    @property
    def account(self) -> AccountRef: ...

    @property
    def exchange(self) -> FrozenRate | None:
        """What its price was converted with, which points are worth by; None where it is in its own currency."""
        ...

    @property
    def deadline(self) -> datetime | None:
        """Until when it can be paid; None where nothing limits that."""
        ...

    @property
    def moves(self) -> tuple[AccountRef, ...]:
        """The owned accounts that `fulfil` moves beside the payment's own: all are locked at once, in one order."""
        ...

    def accepts(self, amount: Money) -> bool:
        """Whether money that came in can still do what it was meant for."""
        ...

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        """What its owner has to pay. Raises NotFound for a stranger, NothingToPay when there is nothing."""
        ...

    def smallest_payment(self, due: Money) -> Money:
        """The least that may be paid at once of what is due: all of it, unless parts are agreed."""
        ...

    def usual_payment(self, due: Money, *, at: datetime) -> Money:
        """What is asked of what is due where the customer says no amount."""
        ...

    def fulfil(self, payment: Payment, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """Do what being paid means. The payment's tenders are captured, itself it is not settled yet."""
        ...

    @property
    def partners(self) -> frozenset[AccountRef]:
        """What vendors and agents are owed on that `give_back` and `take_back` move, beside the payer's accounts."""
        ...

    def lock_rewards(self, *, uow: UnitOfWork) -> None:
        """Lock what being paid promised, which `give_back` takes: its lock comes before those of ledger accounts."""
        ...

    def give_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        """So much of what the payment paid is about to go back: take back in proportion what being paid did.

        Called before `account` is debited and before the payment counts it. The key is one for each time.
        """
        ...

    def take_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        """What had gone back came again, and is in `account`: be as before, but for rewards that were taken back."""
        ...

    @property
    def ends_without_money(self) -> bool:
        """Whether it is over when the last of its money has gone back."""
        ...

    @property
    def has_lost_its_money(self) -> bool:
        """Whether it is about to be ended by `let_go`; payments that wait for more of it are cancelled before."""
        ...

    def lock_taken(self, *, uow: UnitOfWork) -> None:
        """Lock what it took and would let go of, which comes before the locks of payments."""
        ...

    def let_go(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """Money has gone back: end what has lost all of it. Called when everything counts it, with its last locks."""
        ...

    def rewards_at_stake(self, amount: Money, *, uow: UnitOfWork) -> Rewards:
        """What `give_back` of an amount would take of what being paid earned."""
        ...


class BookingPayable:
    """Money for a booking is the customer's until the trip is over, so it waits as a prepayment."""

    payment_type = PaymentType.BOOKING
    journal_type = JournalType.PAYMENT
    reference_type = REFERENCE

    def __init__(self, booking_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        self._booking, self._at = uow.bookings.get(booking_id), at
        if self._booking.amendment is not None:
            uow.departures.get_all(self._booking.amendment.departures)
        self.reference_id = booking_id
        self.label_ar = f"دفع الحجز {self._booking.booking_number}"
        self.label_en = f"Payment of booking {self._booking.booking_number}"

    def customer_of(self, agent_id: UUID) -> UUID:
        """Whose booking it is, where this agent made it for them. Raises BookingNotFound."""
        if self._booking.agent_id != agent_id or self._booking.user_id == agent_id:
            raise BookingNotFound()
        return self._booking.user_id

    @property
    def exchange(self) -> FrozenRate | None:
        return self._booking.price.exchange

    @property
    def deadline(self) -> datetime | None:
        return self._booking.payment_deadline

    @property
    def account(self) -> AccountRef:
        unit = self._booking.final_amount.currency.code
        return accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit)

    @property
    def moves(self) -> tuple[AccountRef, ...]:
        """The points that it earns, or the debt that they pay off."""
        return accounts.points(self._booking.user_id), accounts.debt(self._booking.user_id, POINTS_UNIT)

    def accepts(self, amount: Money) -> bool:
        return self._booking.accepts(amount, at=self._at)

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        if self._booking.user_id != owner:
            raise BookingNotFound()
        self._booking.ensure_payable(at=at)
        return self._booking.amount_due

    def smallest_payment(self, due: Money) -> Money:
        return self._booking.smallest_payment

    def usual_payment(self, due: Money, *, at: datetime) -> Money:
        return self._booking.asked_now(today=business_date(at))

    def fulfil(self, payment: Payment, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """Confirm the booking, or carry out what waits; once all is paid, give the points that it earns."""
        booking = self._booking
        amendment = booking.waiting
        travelers = amendment.travelers if amendment is not None else None
        in_points = payment.amount - money_in(payment.tenders, payment.amount.currency.code)
        booking.receive(payment.amount, in_points=in_points, by=None, at=at)
        if amendment is not None:
            leave_trip(amendment.before_trip, amendment.trip, uow=uow, at=at)
            carry_out(amendment, booking, travelers, uow=uow, at=at, new_id=new_id)
        if not booking.amount_due.is_positive:
            earn_booking_points(booking, uow=uow, at=at, new_id=new_id)

    @property
    def partners(self) -> frozenset[AccountRef]:
        if self._booking.status is not BookingStatus.COMPLETED:
            return frozenset()
        return frozenset(payee_accounts(self._booking))

    def lock_rewards(self, *, uow: UnitOfWork) -> None:
        uow.cashback.of_booking(self._booking.id)

    def give_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        booking, now = self._booking, clock.now()
        refunded = booking.refunded_amount + amount
        claw_back_cashback(
            ClawBackCashback(
                booking_id=booking.id, refunded=booking.refunded_of_trip(refunded), of=booking.paid_for_trip
            ),
            uow=uow,
            clock=clock,
            new_id=new_id,
        )
        earned = booking.earned_of(amount)
        if earned.is_positive:
            take_revenue_back(booking, earned, key=key, uow=uow, at=now, new_id=new_id)
        take_points_back(booking, refunded, key=f"points:refund:{key}", uow=uow, at=now, new_id=new_id)
        booking.give_back(amount, at=now)
        follow_refund(booking, key=key, uow=uow, at=now, new_id=new_id)

    def take_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        booking, now = self._booking, clock.now()
        booking.take_back(amount, at=now)
        if booking.status is BookingStatus.COMPLETED:
            earned_again = revenue(booking, amount, key=f"revenue:returned:{key}", journal_id=new_id(), at=now)
            uow.ledger.post([earned_again])
        follow_refund(booking, key=f"returned:{key}", uow=uow, at=now, new_id=new_id)

    @property
    def ends_without_money(self) -> bool:
        return self._booking.ends_without_money

    @property
    def has_lost_its_money(self) -> bool:
        return self._booking.has_lost_its_money

    def lock_taken(self, *, uow: UnitOfWork) -> None:
        if self._booking.ends_without_money:
            lock_departures(self._booking, uow=uow)

    def let_go(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """However it ended, the benefit of its promotions is gone with the last of its money (trap 31)."""
        if self._booking.has_lost_its_money:
            end_without_money(self._booking, uow=uow, at=at, new_id=new_id)
        if self._booking.status is BookingStatus.REFUNDED:
            uow.promotions.release(self._booking.id, at=at)

    def rewards_at_stake(self, amount: Money, *, uow: UnitOfWork) -> Rewards:
        booking = self._booking
        refunded, paid = booking.refunded_amount + amount, booking.paid_for_trip
        of_trip, promised = booking.refunded_of_trip(refunded), booking.rewards.bonus_points
        record, shared = uow.cashback.of_booking(booking.id), booking.shared_amount
        return Rewards(
            points=points_at_stake(booking, refunded, uow=uow)
            + bonus_at_stake(booking, promised=promised, paid=paid, refunded=of_trip, uow=uow),
            cashback=record.to_claw_back(of_trip, of=paid) if record is not None else Money(0, amount.currency),
            partners=shares_lost(shared, max(shared - amount, Money(0, amount.currency)), shared_items(booking)),
        )


class MembershipPayable:
    """A membership's year: bought, or renewed by whoever has or had it. It is earned when it is sold."""

    journal_type = JournalType.PAYMENT
    reference_type = "MEMBERSHIP"
    exchange = None
    deadline = None
    moves: tuple[AccountRef, ...] = ()
    ends_without_money = False
    has_lost_its_money = False

    def __init__(self, subscription_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        self._subscription = subscription = uow.memberships.get(subscription_id)
        self._today = business_date(at)
        if subscription.expire(on=self._today, at=at):
            uow.memberships.flush()
        self._is_renewal = subscription.status is not SubscriptionStatus.PENDING_PAYMENT
        self._price = uow.memberships.plan_of(subscription).price if self._is_renewal else subscription.price
        self._has_another = has_running(subscription.user_id, besides=subscription.id, uow=uow, at=at)
        self._is_done = False
        self.reference_id = subscription_id
        self.payment_type = PaymentType.MEMBERSHIP_RENEWAL if self._is_renewal else PaymentType.MEMBERSHIP_PURCHASE
        words = ("تجديد العضوية", "Renewal of membership") if self._is_renewal else ("عضوية", "Membership")
        self.label_ar, self.label_en = (f"{word} {subscription.membership_number}" for word in words)

    @property
    def account(self) -> AccountRef:
        return accounts.platform(AccountKind.MEMBERSHIP_REVENUE, self._price.currency.code)

    def accepts(self, amount: Money) -> bool:
        """Once in a transaction: whoever pays a second time at the same moment did not mean two years."""
        return not self._is_done and not self._has_another and self._subscription.takes_payment(on=self._today)

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        if self._subscription.user_id != owner:
            raise SubscriptionNotFound()
        if self._has_another:
            raise AlreadySubscribed()
        if not self._subscription.takes_payment(on=self._today):
            raise NothingToPay(status=self._subscription.status)
        return self._price

    def smallest_payment(self, due: Money) -> Money:
        return due

    def usual_payment(self, due: Money, *, at: datetime) -> Money:
        return due

    def fulfil(self, payment: Payment, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        self._is_done = True
        if payment.payment_type is PaymentType.MEMBERSHIP_RENEWAL:
            self._subscription.renew(on=self._today, at=at)
        else:
            self._subscription.activate(on=self._today, at=at)

    @property
    def partners(self) -> frozenset[AccountRef]:
        return frozenset()

    def lock_rewards(self, *, uow: UnitOfWork) -> None:
        """A membership promises nothing."""

    def give_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        """Only a refund of everything ends the year that it paid."""
        if payment.refund_amount + amount == payment.amount:
            is_only = not uow.payments.pays_another_year(payment)
            self._subscription.lose_year(is_only=is_only, on=self._today, at=clock.now())

    def take_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        if payment.refund_amount == payment.amount:
            is_only = not uow.payments.pays_another_year(payment)
            self._subscription.regain_year(
                is_only=is_only, has_another=self._has_another, on=self._today, at=clock.now()
            )

    def lock_taken(self, *, uow: UnitOfWork) -> None:
        """A membership takes nothing from anybody."""

    def let_go(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """`give_back` has ended its year."""

    def rewards_at_stake(self, amount: Money, *, uow: UnitOfWork) -> Rewards:
        return Rewards.none(amount.currency)


class DepositPayable:
    """A deposit is the customer's own money: it goes straight to their wallet."""

    payment_type = PaymentType.WALLET_DEPOSIT
    journal_type = JournalType.DEPOSIT
    reference_type = "PAYMENT"
    exchange = None
    deadline = None
    moves: tuple[AccountRef, ...] = ()
    ends_without_money = False
    has_lost_its_money = False

    def __init__(self, payment: Payment) -> None:
        self._payment = payment
        self.reference_id = payment.id
        self.label_ar = f"إيداع في المحفظة {payment.payment_number}"
        self.label_en = f"Wallet deposit {payment.payment_number}"

    @property
    def account(self) -> AccountRef:
        return accounts.wallet(self._payment.user_id, self._payment.amount.currency.code)

    def accepts(self, amount: Money) -> bool:
        return True

    def amount_due(self, *, owner: UUID, at: datetime) -> Money:
        return self._payment.amount

    def smallest_payment(self, due: Money) -> Money:
        return due

    def usual_payment(self, due: Money, *, at: datetime) -> Money:
        return due

    def fulfil(self, payment: Payment, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """The journal that settles the payment is all that a deposit does."""

    @property
    def partners(self) -> frozenset[AccountRef]:
        return frozenset()

    def lock_rewards(self, *, uow: UnitOfWork) -> None:
        """A deposit promises nothing."""

    def give_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        """The journal that takes it out of the wallet is all."""

    def take_back(
        self, amount: Money, *, payment: Payment, key: str, uow: UnitOfWork, clock: Clock, new_id: NewId
    ) -> None:
        """The journal that puts it into the wallet again is all."""

    def lock_taken(self, *, uow: UnitOfWork) -> None:
        """A deposit takes nothing from anybody."""

    def let_go(self, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
        """There is nothing but the money."""

    def rewards_at_stake(self, amount: Money, *, uow: UnitOfWork) -> Rewards:
        return Rewards.none(amount.currency)


_BY_ID: dict[PaymentType, Callable[..., Payable]] = {
    PaymentType.BOOKING: BookingPayable,
    PaymentType.MEMBERSHIP_PURCHASE: MembershipPayable,
    PaymentType.MEMBERSHIP_RENEWAL: MembershipPayable,
}


def lock_payable(
    payment_type: PaymentType, payable_id: UUID | None, *, uow: UnitOfWork, at: datetime
) -> Payable | None:
    """Lock what is to be paid; None for a deposit, which is nothing but its payment. Raises NotFound."""
    if payment_type is PaymentType.WALLET_DEPOSIT:
        return None
    if payable_id is None:
        raise InvalidValue("what is to be paid has an id", pointer="/payable/id", code="required")
    return _BY_ID[payment_type](payable_id, uow=uow, at=at)
