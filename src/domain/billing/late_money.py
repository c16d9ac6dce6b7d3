"""Money that came after its booking had expired, and could not take the seats again: its owner's choice, made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict
from domain.shared.events import DomainEvent
from domain.shared.money import Money


class NoLateMoney(Conflict):
    """No late money of this booking waits for a choice: none came, or it was decided."""

    code = "no_late_money"


class Hindrance(StrEnum):
    """Why money that came late did not take its booking's place again."""

    SOLD_OUT = "SOLD_OUT"
    CLOSED = "CLOSED"
    """The departure is not on sale any more, or is on another date."""
    BEGUN = "BEGUN"
    BOOKED_AGAIN = "BOOKED_AGAIN"
    """The customer has booked the same departure since, or took another one with other late money."""
    PROMOTION_GONE = "PROMOTION_GONE"
    """Its voucher or offer is used up since."""
    BALANCE_GONE = "BALANCE_GONE"
    """Points, credit or wallet money that was to pay a part of it are spent since."""
    WRONG_AMOUNT = "WRONG_AMOUNT"
    """Less or more came than was asked for, or another currency."""
    PAID_ALREADY = "PAID_ALREADY"
    """Other money was late too, and paid it."""


class LateChoice(StrEnum):
    """What its owner wants done with it."""

    WALLET = "WALLET"
    REFUND = "REFUND"
    """Back to where it came from."""
    DEPARTURE = "DEPARTURE"
    """Another departure of the same package or activity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMoneyOffered(DomainEvent):
    """A customer has a choice to make, until its time is over."""

    name: ClassVar[str] = "billing.late_money_offered"
    receipt_id: UUID
    booking_id: UUID
    user_id: UUID


@dataclass(eq=False, kw_only=True)
class LateMoney(Aggregate):
    """The choice about the money of one receipt; `amount` is all of it, and lies in suspense while it waits."""

    receipt_id: UUID
    booking_id: UUID
    amount: Money
    hindrance: Hindrance
    offered_at: datetime
    choose_until: datetime
    choice: LateChoice | None = None
    chosen_at: datetime | None = None
    chosen_by: UUID | None = None
    """None where nobody chose in time."""
    rebooked_id: UUID | None = None
    """The booking that it was used for."""

    @classmethod
    def offer(
        cls,
        *,
        receipt_id: UUID,
        booking_id: UUID,
        user_id: UUID,
        amount: Money,
        hindrance: Hindrance,
        choose_until: datetime,
        at: datetime,
    ) -> LateMoney:
        """Let its owner choose."""
        late = cls(
            receipt_id=receipt_id,
            booking_id=booking_id,
            amount=amount,
            hindrance=hindrance,
            offered_at=at,
            choose_until=choose_until,
        )
        late.record(LateMoneyOffered(at=at, receipt_id=receipt_id, booking_id=booking_id, user_id=user_id))
        return late

    def choose(self, choice: LateChoice, *, by: UUID | None, at: datetime, rebooked_id: UUID | None = None) -> None:
        """Once. Raises NoLateMoney."""
        if self.choice is not None:
            raise NoLateMoney()
        self.choice, self.chosen_by, self.chosen_at = choice, by, at
        self.rebooked_id = rebooked_id
