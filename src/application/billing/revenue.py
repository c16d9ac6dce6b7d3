"""What a completed trip earned, and how a refund takes it back: money is refunded out of prepayments, so it is moved
there first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from application.ledger.reversals import Reverse, reverse_within
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.sales.bookings import Booking
from domain.shared.identifiers import NewId
from domain.shared.money import Money

_REFERENCE: Final = "BOOKING"


def revenue(booking: Booking, amount: Money, *, key: str, journal_id: UUID, at: datetime) -> Journal:
    """The journal by which an amount that was prepaid for a trip is earned."""
    unit = amount.currency.code
    return Journal(
        id=journal_id,
        journal_type=JournalType.REVENUE,
        idempotency_key=key,
        reference_type=_REFERENCE,
        reference_id=booking.id,
        description_ar=f"إيراد الحجز {booking.booking_number}",
        description_en=f"Revenue of booking {booking.booking_number}",
        occurred_at=at,
        entries=transfer(
            accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit),
            accounts.platform(AccountKind.BOOKING_REVENUE, unit),
            amount,
        ),
    )


def take_revenue_back(
    booking: Booking, amount: Money, *, key: str, uow: UnitOfWork, at: datetime, new_id: NewId
) -> None:
    """Reverse so much of what a completed trip earned, newest journal first.

    There are several where a refund came back and was earned again.
    """
    earned = accounts.platform(AccountKind.BOOKING_REVENUE, amount.currency.code)
    wanted = amount.minor
    for journal_id in uow.reversals.posted_for(JournalType.REVENUE, _REFERENCE, booking.id):
        journal = uow.reversals.get(journal_id).journal
        part = min(journal.moved.get(earned, 0) + journal.taken_back.get(earned, 0), wanted)
        if part > 0:
            command = Reverse(journal_id=journal_id, idempotency_key=key, part=Money(part, amount.currency))
            reverse_within(command, uow=uow, at=at, new_id=new_id)
            wanted -= part
