"""Earnings: what is paid for a completed trip is shared by its vendor, its agent and the company, to the minor unit.

What is earned is a function of what is paid and has not gone back (`split`). A refund moves the difference between two
values of that function, at the rates that were frozen at the sale, so that refunds in any order and of any size end in
the same sums, and refunds of everything in nothing (guarantees M6, M9; docs/earnings.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from domain.shared.clock import start_of_business_day
from domain.shared.events import DomainEvent
from domain.shared.money import Money, total
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningAccrued(DomainEvent):
    """A trip was completed, or money that had gone back came again: somebody is owed so much more by it."""

    name: ClassVar[str] = "payouts.earning_accrued"
    booking_id: UUID
    payee_id: UUID
    payee_type: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningReversed(DomainEvent):
    """Money of a completed trip went back: somebody is owed so much less by it."""

    name: ClassVar[str] = "payouts.earning_reversed"
    booking_id: UUID
    payee_id: UUID
    payee_type: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Payee:
    """Somebody in one of the trades in which people are paid."""

    payee_type: PayeeType
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What somebody earns, `tax` of it withheld."""

    amount: Money
    tax: Money

    @property
    def payable(self) -> Money:
        return self.amount - self.tax

    def __add__(self, other: Share) -> Share:
        return Share(amount=self.amount + other.amount, tax=self.tax + other.tax)

    def __sub__(self, other: Share) -> Share:
        return Share(amount=self.amount - other.amount, tax=self.tax - other.tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedItem:
    """An item of a booking, its price, and the rates that were frozen at its sale; None where nobody earns so."""

    item_id: UUID
    price: Money
    vendor_rate: Percentage | None
    agent_rate: Percentage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSplit:
    """How the part of what is paid that falls to an item is shared; the company has what the others have not."""

    item_id: UUID
    base: Money
    vendor: Money
    agent: Money
    """Out of the company's part, and never more than that; `tax` is withheld from it."""
    tax: Money

    @property
    def platform(self) -> Money:
        return self.base - self.vendor - self.agent

    def share(self, payee_type: PayeeType) -> Share:
        if payee_type is PayeeType.AGENT:
            return Share(amount=self.agent, tax=self.tax)
        return Share(amount=self.vendor, tax=Money(0, self.vendor.currency))


def split(amount: Money, items: Sequence[SharedItem], *, commission_tax: Percentage) -> tuple[ItemSplit, ...]:
    """Share an amount by the items' frozen rates: to each item in proportion to its price (largest remainder), there
    the vendor's rate of that, the agent's rate of it as far as the company's part goes, and the company the rest.
    """
    weights = [item.price.minor for item in items]
    if not any(weights):
        return tuple(_item_split(item, Money(0, amount.currency), commission_tax) for item in items)
    parts = amount.allocate(weights)
    return tuple(_item_split(item, part, commission_tax) for item, part in zip(items, parts, strict=True))


def _item_split(item: SharedItem, part: Money, commission_tax: Percentage) -> ItemSplit:
    nothing = Money(0, part.currency)
    vendor = item.vendor_rate.of(part) if item.vendor_rate is not None else nothing
    agent = min(item.agent_rate.of(part), part - vendor) if item.agent_rate is not None else nothing
    return ItemSplit(item_id=item.item_id, base=part, vendor=vendor, agent=agent, tax=commission_tax.of(agent))


def released_at(completed_at: datetime, *, ends_on: date, release_days: int) -> datetime:
    """From when what a trip earned is paid out: its completion, or the first day in Cairo after so many days since its
    last one, if that is later. With no days nothing is held back.
    """
    if release_days == 0:
        return completed_at
    return max(completed_at, start_of_business_day(ends_on + timedelta(days=release_days + 1)))


@dataclass(kw_only=True)
class Earning:
    """What one payee earns by one item of a booking. `amount` and `tax` are all that was ever posted for them,
    `reversed_amount` and `reversed_tax` all that was taken back since; what stands is the difference.

    `base` is the part of what was paid at the accrual. `journal_id` is None while nothing was earned.
    """

    id: UUID
    booking_id: UUID
    booking_item_id: UUID
    payee: Payee
    rate: Percentage
    tax_rate: Percentage
    base: Money
    amount: Money
    tax: Money
    reversed_amount: Money
    reversed_tax: Money
    journal_id: UUID | None
    earned_at: datetime
    released_at: datetime

    @property
    def standing(self) -> Share:
        return Share(amount=self.amount - self.reversed_amount, tax=self.tax - self.reversed_tax)

    def become(self, target: Share) -> Share:
        """Stand at what it is worth now; by how much that is more, or less."""
        change = target - self.standing
        self.amount += _above(change.amount)
        self.reversed_amount += _above(-change.amount)
        self.tax += _above(change.tax)
        self.reversed_tax += _above(-change.tax)
        return change


def _above(amount: Money) -> Money:
    return max(amount, Money(0, amount.currency))


def bring_in_line(earnings: Iterable[Earning], splits: Sequence[ItemSplit]) -> dict[Payee, Share]:
    """Let earnings stand at what the items are worth now; by how much each payee has more, or less, where anything
    changes for them.
    """
    by_item = {each.item_id: each for each in splits}
    changes: dict[Payee, Share] = {}
    for earning in earnings:
        change = earning.become(by_item[earning.booking_item_id].share(earning.payee.payee_type))
        before = changes.get(earning.payee)
        changes[earning.payee] = change if before is None else before + change
    return {payee: change for payee, change in changes.items() if not (change.amount.is_zero and change.tax.is_zero)}


def risen(change: Share) -> Share:
    """What of a change is owed beside what was: the payee's part and the state's go each their own way."""
    payable, tax = _above(change.payable), _above(change.tax)
    return Share(amount=payable + tax, tax=tax)


def fallen(change: Share) -> Share:
    """What of a change is not owed any more."""
    return risen(Share(amount=-change.amount, tax=-change.tax))


def taken_from(journals: Iterable[tuple[UUID, Share]], share: Share) -> tuple[tuple[UUID, Share], ...]:
    """Out of which journals a share is taken back, and how much of each: `journals` are the payee's, newest first, with
    what is left of them.
    """
    wanted, taken = share, []
    for journal_id, left in journals:
        payable, tax = min(left.payable, wanted.payable), min(left.tax, wanted.tax)
        part = Share(amount=payable + tax, tax=tax)
        if part.amount.is_positive:
            taken.append((journal_id, part))
            wanted = wanted - part
    if not wanted.amount.is_zero:
        raise ValueError("no more is taken back than was earned")
    return tuple(taken)


def by_payee(earnings: Iterable[Earning]) -> dict[Payee, list[Earning]]:
    """A payee's earnings side by side: one journal says them all."""
    found: defaultdict[Payee, list[Earning]] = defaultdict(list)
    for earning in earnings:
        found[earning.payee].append(earning)
    return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesLost:
    """What vendor and agent earn less of a booking, tax included, when its money goes back or its trip is cancelled."""

    vendor: Money
    agent: Money


def shares_lost(before: Money, after: Money, items: Sequence[SharedItem]) -> SharesLost:
    """How much less falls to them where less is shared."""
    was, is_now = (split(amount, items, commission_tax=Percentage(0)) for amount in (before, after))
    unit = before.currency.code
    vendor, agent = (
        total((each.share(of).amount for each in was), unit) - total((each.share(of).amount for each in is_now), unit)
        for of in (PayeeType.VENDOR, PayeeType.AGENT)
    )
    return SharesLost(vendor=vendor, agent=agent)
