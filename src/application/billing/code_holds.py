"""Seats that are kept as long as a payment code lives: extended before it is opened, then as its provider says.

They are those of a booking that waits for its money, or of an amendment that does.

Locks are taken in one order: the booking, its payments, their holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.operations.ports import SystemSettings
from application.ports import UnitOfWork
from domain.billing.payments import AWAITED, Payment, PaymentMethod
from domain.operations.settings import CODE_HOURS, LONGEST_HOLD_HOURS
from domain.sales.bookings import Booking
from domain.sales.holds import CodeTerms

CODES: Final = frozenset(
    {
        PaymentMethod.FAWRY,
        PaymentMethod.AMAN,
        PaymentMethod.MASARY,
        PaymentMethod.BANK_TRANSFER,
        PaymentMethod.CASH,
    }
)
"""Methods that are paid at a counter or a bank, hours or days after their code was given; a card is paid at once."""


def code_terms(values: SystemSettings) -> CodeTerms:
    """The company's figures, as staff chose them."""
    return CodeTerms(
        life=timedelta(hours=values.value(CODE_HOURS)), longest=timedelta(hours=values.value(LONGEST_HOLD_HOURS))
    )


def pays_by_code(payment: Payment) -> bool:
    """Whether it is of a booking, and what its provider takes is paid by a code."""
    tender = payment.gateway_tender
    return payment.booking_id is not None and tender is not None and tender.method in CODES


def keep_seats(payment: Payment, terms: CodeTerms, *, uow: UnitOfWork, at: datetime) -> None:
    """Keep the seats of a booking, locked, or of its amendment, as long as the code will live that is asked for."""
    if payment.booking_id is not None and pays_by_code(payment):
        booking = uow.bookings.get(payment.booking_id)
        booking.keep_for_code(terms, at=at)
        _write_down(booking, uow)


def follow_codes(booking_id: UUID, terms: CodeTerms, *, uow: UnitOfWork, at: datetime) -> None:
    """Keep the seats of a booking, locked, until the last of its open codes ends, as their providers say."""
    booking = uow.bookings.get(booking_id)
    ends = [end for payment in uow.payments.pending_of(booking_id) for end in _ends_of(payment, booking)]
    booking.follow_codes(max(ends, default=None), terms, at=at)
    _write_down(booking, uow)


def _write_down(booking: Booking, uow: UnitOfWork) -> None:
    """An amendment that waits is written by those who change it, its booking by the unit of work."""
    if booking.waiting is not None:
        uow.bookings.keep_amendment(booking.waiting)


def _ends_of(payment: Payment, booking: Booking) -> Iterator[datetime]:
    """When its checkouts end; a card's never keeps seats longer than they are kept."""
    kept_until = booking.payment_deadline
    for attempt in payment.attempts:
        if attempt.status not in AWAITED or attempt.expires_at is None:
            continue
        yield attempt.expires_at if pays_by_code(payment) or kept_until is None else min(attempt.expires_at, kept_until)
