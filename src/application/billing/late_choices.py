"""What customers choose about money that came too late for their bookings: once, like staff's own decisions.

Locks are taken in one order: the booking, the payment, the items in suspense, then ledger accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.billing.deciding import DecideSuspense
from application.billing.ports import Gateways
from application.billing.refunds import RefundSuspense, refund_suspense
from application.billing.suspense import put_into_wallet, refund_to_payer
from application.billing.suspense_ports import SuspenseRefund
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.late_money import LateChoice, LateMoney, NoLateMoney
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.shared.clock import Clock
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId

ACTION: Final = "payments.late_choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseForLateMoney:
    """A customer says what becomes of all late money of a booking that waits for their choice."""

    booking_id: UUID
    user_id: UUID
    choice: LateChoice
    """WALLET or REFUND; another departure is booked by `application.sales.late_departures`."""


def choose_for_late_money(
    command: ChooseForLateMoney, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> None:
    """Put the money into the wallet, or send it back to where it came from.

    Raises BookingNotFound for a stranger's, NoLateMoney where nothing waits, or somebody was quicker, PaymentDisputed.
    """
    doing = _Doing(new_uow, gateways, clock, new_id)
    with new_uow() as uow:
        _, waiting = waiting_for(command.booking_id, command.user_id, uow=uow)
        # All at once: the wallet that the first goes into is not locked before the payment of the next.
        uow.payments.of_booking(command.booking_id)
        for late in waiting:
            late.choose(command.choice, by=command.user_id, at=clock.now())
            uow.late_money.save(late)
        uow.flush()
        for late in waiting:
            doing.carry_out(late)
        uow.commit()


def waiting_for(booking_id: UUID, user_id: UUID, *, uow: UnitOfWork) -> tuple[Booking, Sequence[LateMoney]]:
    """A booking, locked, and the money that waits for its owner's choice. Raises BookingNotFound, NoLateMoney."""
    booking = uow.bookings.get(booking_id)
    if booking.user_id != user_id:
        raise BookingNotFound()
    waiting = uow.late_money.waiting_of(booking_id)
    if not waiting:
        raise NoLateMoney()
    return booking, waiting


def settle_unchosen(
    *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, limit: int = 500
) -> int:
    """Put late money into the wallets of those who did not choose in time; of how many bookings."""
    with new_uow() as uow:
        overdue = uow.late_money.overdue(at=clock.now(), limit=limit)
    doing = _Doing(new_uow, gateways, clock, new_id)
    return sum(doing.settle_unchosen(booking_id) for booking_id in overdue)


def _is_disputed(late: LateMoney, uow: UnitOfWork) -> bool:
    """Whether a bank questions it: then it waits on."""
    return uow.disputes.is_open(uow.suspense.payment_of(late.receipt_id))


@dataclass(frozen=True, slots=True)
class _Doing:
    """Choices carried out, each as part of the transaction that stores it."""

    new_uow: NewUnitOfWork
    gateways: Gateways
    clock: Clock
    new_id: NewId

    def settle_unchosen(self, booking_id: UUID) -> bool:
        """In a transaction of its own; what somebody works on at this moment is left to the next run."""
        now = self.clock.now()
        try:
            with self.new_uow() as uow:
                uow.bookings.get(booking_id)
                uow.payments.of_booking(booking_id)
                waiting = uow.late_money.waiting_of(booking_id)
                over = [late for late in waiting if late.choose_until <= now and not _is_disputed(late, uow)]
                for late in over:
                    late.choose(LateChoice.WALLET, by=None, at=now)
                    uow.late_money.save(late)
                    self.carry_out(late)
                uow.commit()
        except Conflict:
            return False
        return bool(over)

    def carry_out(self, late: LateMoney) -> None:
        """Raises IllegalTransition where staff have decided meanwhile."""
        decision = DecideSuspense(
            receipt_id=late.receipt_id,
            actor_id=late.chosen_by,
            reason="the customer's choice" if late.chosen_by is not None else "nobody chose in time",
            is_owners=late.chosen_by is not None,
            action=ACTION,
        )
        if late.choice is LateChoice.WALLET:
            put_into_wallet(decision, uow=self.new_uow(), clock=self.clock, new_id=self.new_id)
        else:
            self._refund(decision)

    def _refund(self, decision: DecideSuspense) -> None:
        uow = self.new_uow()

        def give_back(refund: SuspenseRefund) -> UUID:
            command = RefundSuspense(
                receipt_id=refund.receipt_id,
                amount=refund.amount,
                reason=refund.reason,
                actor_id=refund.actor_id,
                idempotency_key=refund.idempotency_key,
            )
            return refund_suspense(command, uow=uow, gateways=self.gateways, clock=self.clock, new_id=self.new_id)

        key = f"late:{decision.receipt_id}"
        refund_to_payer(
            decision, idempotency_key=key, uow=uow, clock=self.clock, new_id=self.new_id, give_back=give_back
        )
