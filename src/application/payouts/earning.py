"""Earning: a completed trip is shared between vendor, agent and the company, and refunds take their parts back.

Locks are those of the callers, in the one order: the booking, …, then ledger accounts, all at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from application.payouts.books import EARNED_BY, account_of, entries_of, left_of
from application.ports import UnitOfWork
from domain.ledger.accounts import AccountRef
from domain.ledger.journal import Journal, JournalType
from domain.payouts.earnings import (
    Earning,
    EarningAccrued,
    EarningReversed,
    ItemSplit,
    Payee,
    Share,
    SharedItem,
    bring_in_line,
    by_payee,
    fallen,
    released_at,
    risen,
    split,
    taken_from,
)
from domain.payouts.payables import PayableEntry, PayableKind
from domain.sales.agreed import FrozenShares
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage

REFERENCE: Final = "BOOKING"
_UNTAXED: Final = Percentage(0)
_WORDS: Final = {
    PayeeType.VENDOR: ("حصة المورد من الحجز", "Vendor's share of booking"),
    PayeeType.AGENT: ("عمولة الحجز", "Commission of booking"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnBooking:
    """A trip was completed; `commission_tax` is withheld from its agent."""

    booking_id: UUID
    release_days: int
    commission_tax: Percentage


def earn_booking(command: EarnBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Share what is paid for a completed trip and has not gone back by now; once, however often it is asked for."""
    with uow:
        booking = uow.bookings.get(command.booking_id)
        if not uow.earnings.of_booking(booking.id):
            _accrue(command, booking, uow=uow, at=clock.now(), new_id=new_id)
        uow.commit()


def _accrue(command: EarnBooking, booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    splits = split(booking.shared_amount, shared_items(booking), commission_tax=command.commission_tax)
    completed_at = uow.earnings.completed_at(booking.id)
    released = released_at(completed_at, ends_on=booking.end_date, release_days=command.release_days)
    earnings = list(_begun(command, booking, splits, released=released, at=at, new_id=new_id))
    changes = bring_in_line(earnings, splits)
    posting = _Posting(booking, key="accrued", at=at, new_id=new_id)
    for payee, change in changes.items():
        journal = posting.rise(payee, change, released)
        for earning in by_payee(earnings)[payee]:
            earning.journal_id = journal.id
    posting.post(uow)
    uow.earnings.add(earnings)
    posting.record(uow)


def _begun(
    command: EarnBooking,
    booking: Booking,
    splits: Sequence[ItemSplit],
    *,
    released: datetime,
    at: datetime,
    new_id: NewId,
) -> Iterator[Earning]:
    """An earning of nothing yet for each item and whoever earns by it."""
    for item, part in zip(booking.items, splits, strict=True):
        nothing = Money(0, part.base.currency)
        for payee, rate in _payees_of(booking, item.shares):
            yield Earning(
                id=new_id(),
                booking_id=booking.id,
                booking_item_id=item.id,
                payee=payee,
                rate=rate,
                tax_rate=command.commission_tax if payee.payee_type is PayeeType.AGENT else _UNTAXED,
                base=part.base,
                amount=nothing,
                tax=nothing,
                reversed_amount=nothing,
                reversed_tax=nothing,
                journal_id=None,
                earned_at=at,
                released_at=released,
            )


def _payees_of(booking: Booking, shares: FrozenShares) -> Iterator[tuple[Payee, Percentage]]:
    if shares.vendor_id is not None and shares.vendor_rate is not None:
        yield Payee(PayeeType.VENDOR, shares.vendor_id), shares.vendor_rate
    if booking.agent_id is not None and shares.agent_rate is not None:
        yield Payee(PayeeType.AGENT, booking.agent_id), shares.agent_rate


def shared_items(booking: Booking) -> list[SharedItem]:
    """A booking's items as they are shared."""
    return [
        SharedItem(
            item_id=item.id,
            price=item.total_price,
            vendor_rate=item.shares.vendor_rate,
            agent_rate=item.shares.agent_rate if booking.agent_id is not None else None,
        )
        for item in booking.items
    ]


def payee_accounts(booking: Booking) -> set[AccountRef]:
    """What its vendor and its agent are owed on: refunds of a completed trip move them."""
    unit = booking.final_amount.currency.code
    return {account_of(payee, unit) for item in booking.items for payee, _ in _payees_of(booking, item.shares)}


def follow_refund(booking: Booking, *, key: str, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Money of a booking went back, or came again: what was earned by it follows, inside the caller's transaction.

    Called when the booking counts it; the key is one for each time. Nothing happens before the trip was shared: what
    is left then is what will be.
    """
    if booking.status not in (BookingStatus.COMPLETED, BookingStatus.REFUNDED):
        return
    earnings = uow.earnings.of_booking(booking.id)
    if not earnings:
        return
    splits = split(booking.shared_amount, shared_items(booking), commission_tax=_tax_rate(earnings))
    changes = bring_in_line(earnings, splits)
    posting = _Posting(booking, key=key, at=at, new_id=new_id)
    for payee, change in changes.items():
        more, less, released = risen(change), fallen(change), max(at, earnings[0].released_at)
        if less.amount.is_positive:
            posting.fall(payee, less, _journals_of(payee, booking, uow), released)
        if more.amount.is_positive:
            journal = posting.rise(payee, more, released)
            for earning in by_payee(earnings)[payee]:
                earning.journal_id = earning.journal_id or journal.id
    posting.post(uow)
    uow.earnings.save(earnings)
    posting.record(uow)


def _tax_rate(earnings: Iterable[Earning]) -> Percentage:
    """What was withheld when the trip was shared; one rate for all of it."""
    return next((each.tax_rate for each in earnings if each.payee.payee_type is PayeeType.AGENT), _UNTAXED)


def _journals_of(payee: Payee, booking: Booking, uow: UnitOfWork) -> Iterator[tuple[UUID, Share]]:
    """The journals that a payee earned by, newest first, with what is left of each."""
    for journal_id in uow.reversals.posted_for(EARNED_BY[payee.payee_type], REFERENCE, booking.id):
        yield journal_id, left_of(uow.reversals.get(journal_id).journal, payee, booking.final_amount.currency)


@dataclass(frozen=True, slots=True)
class _Posting:
    """What is about to be posted for one booking: its journals, and what they leave to be paid out."""

    booking: Booking
    key: str
    at: datetime
    new_id: NewId
    journals: list[Journal] = field(default_factory=list)
    entries: list[PayableEntry] = field(default_factory=list)
    events: list[EarningAccrued | EarningReversed] = field(default_factory=list)

    def rise(self, payee: Payee, share: Share, released: datetime) -> Journal:
        """Somebody earns so much."""
        key = f"earning:{self.booking.id}:{payee.payee_type}:{payee.id}:{self.key}"
        journal = self._journal(EARNED_BY[payee.payee_type], payee, share, key=key)
        self._owe(payee, share.payable, journal, PayableKind.EARNED, released)
        self.events.append(EarningAccrued(**self._told(payee, share)))
        return journal

    def fall(
        self,
        payee: Payee,
        share: Share,
        journals: Iterable[tuple[UUID, Share]],
        released: datetime,
    ) -> None:
        """Somebody earns so much less, out of the journals that they earned it by."""
        for journal_id, part in taken_from(journals, share):
            back = Share(amount=-part.amount, tax=-part.tax)
            key = f"reversal:{journal_id}:{self.key}"
            journal = self._journal(JournalType.REVERSAL, payee, back, key=key, reverses=journal_id)
            self._owe(payee, back.payable, journal, PayableKind.REVERSED, released)
        self.events.append(EarningReversed(**self._told(payee, share)))

    def post(self, uow: UnitOfWork) -> None:
        if self.journals:
            uow.ledger.post(self.journals)

    def record(self, uow: UnitOfWork) -> None:
        """What is to be paid out, and what is told of it, once the journals are posted."""
        uow.earnings.record(self.entries)
        for event in self.events:
            uow.publish(event)

    def _journal(
        self, journal_type: JournalType, payee: Payee, share: Share, *, key: str, reverses: UUID | None = None
    ) -> Journal:
        words_ar, words_en = _WORDS[payee.payee_type]
        before_ar, before_en = ("عكس: ", "Reversal: ") if reverses is not None else ("", "")
        journal = Journal(
            id=self.new_id(),
            journal_type=journal_type,
            idempotency_key=key,
            reference_type=REFERENCE,
            reference_id=self.booking.id,
            description_ar=f"{before_ar}{words_ar} {self.booking.booking_number}",
            description_en=f"{before_en}{words_en} {self.booking.booking_number}",
            occurred_at=self.at,
            entries=entries_of(payee, share),
            reverses=reverses,
        )
        self.journals.append(journal)
        return journal

    def _owe(self, payee: Payee, amount: Money, journal: Journal, kind: PayableKind, released: datetime) -> None:
        if amount.is_zero:
            return
        self.entries.append(
            PayableEntry(
                id=self.new_id(),
                payee_id=payee.id,
                payee_type=payee.payee_type,
                kind=kind,
                account_id=account_of(payee, amount.currency.code).id,
                journal_id=journal.id,
                booking_id=self.booking.id,
                amount=amount,
                released_at=released,
                occurred_at=self.at,
            )
        )

    def _told(self, payee: Payee, share: Share) -> dict[str, Any]:
        return {
            "at": self.at,
            "booking_id": self.booking.id,
            "payee_id": payee.id,
            "payee_type": payee.payee_type.value,
            "amount_minor": share.payable.minor,
            "currency": share.amount.currency.code,
        }
