"""The sandbox: a payment provider of our own that takes no money, whose customers say what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, InvalidValue, NotFound
from domain.shared.events import DomainEvent
from domain.shared.identifiers import NewId
from domain.shared.money import Money

LATE_BY: Final = timedelta(minutes=6)
"""How long after its end a late checkout is paid: longer than seats are kept for money on its way."""


class CheckoutNotFound(NotFound):
    """The sandbox gave out no such address, or is not enabled."""

    code = "checkout_not_found"


class CheckoutDecided(Conflict):
    """The customer decided before; `current` is what they chose."""

    code = "checkout_decided"


class CheckoutExpired(Conflict):
    """The time to pay on the page is over; money can only be late now."""

    code = "checkout_expired"


class Outcome(StrEnum):
    """What a customer of the sandbox makes happen."""

    PAID = "paid"
    """One charge of the whole amount, at once."""
    DECLINED = "declined"
    """No charge; the checkout cannot be paid any more."""
    LATE = "late"
    """One charge of the whole amount, after the checkout's end."""
    TWICE = "twice"
    """Two charges of the whole amount, at once."""
    SHORT = "short"
    """One charge of half the amount."""
    NEVER = "never"
    """Nothing: the customer leaves, no webhook is sent, the checkout stays open for another choice."""


class NoticeType(StrEnum):
    """What the sandbox's webhooks tell."""

    PAID = "checkout.paid"
    DECLINED = "checkout.declined"
    REFUND = "refund.updated"
    DISPUTE = "dispute.updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOutcomeChosen(DomainEvent):
    """One webhook is to be sent; an outcome of two charges is two of these."""

    name: ClassVar[str] = "billing.sandbox_outcome_chosen"
    checkout_id: UUID
    notice_id: UUID
    """What it tells of: a charge, a refund, or the checkout where nothing was charged; the same at every delivery."""
    notice_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCharge:
    """Money that the sandbox says it took; one that lies in the future has not happened."""

    id: UUID
    position: int
    amount: Money
    charged_at: datetime


@dataclass(eq=False, kw_only=True)
class SandboxCheckout(Aggregate):
    """One page that waits for its customer; `expires_at` is when it stops being payable in time."""

    id: UUID
    merchant_reference: str
    amount: Money
    description: str
    locale: str
    success_url: str
    cancel_url: str
    webhook_url: str
    expires_at: datetime
    created_at: datetime
    outcome: Outcome | None = None
    decided_at: datetime | None = None
    """When the outcome took effect; None for a late one until its money is there."""
    charges: list[SandboxCharge] = field(default_factory=list)

    def choose(self, outcome: Outcome, *, at: datetime, new_id: NewId) -> None:
        """The customer's choice; the same one again changes nothing.

        Raises CheckoutDecided, CheckoutExpired, or InvalidValue where half the amount is no money.
        """
        if outcome is self.outcome:
            return
        if self.is_decided:
            raise CheckoutDecided(current=self.outcome)
        if self.has_expired(at) and outcome is not Outcome.LATE:
            raise CheckoutExpired()
        charged_at = max(at, self.expires_at + LATE_BY) if outcome is Outcome.LATE else at
        self.charges = [
            SandboxCharge(id=new_id(), position=position, amount=amount, charged_at=charged_at)
            for position, amount in enumerate(self._charged_by(outcome))
        ]
        self.outcome = outcome
        if outcome is not Outcome.NEVER and charged_at <= at:
            self.take_effect(at=at)

    def take_effect(self, *, at: datetime) -> None:
        """The outcome is a fact now: the merchant is told of every charge, or that there is none."""
        self.decided_at = at
        notices = [(charge.id, NoticeType.PAID) for charge in self.charges] or [(self.id, NoticeType.DECLINED)]
        for notice_id, notice_type in notices:
            self.record(
                SandboxOutcomeChosen(at=at, checkout_id=self.id, notice_id=notice_id, notice_type=notice_type.value)
            )

    @property
    def is_decided(self) -> bool:
        """Whether no other choice can be made; a customer who left without paying may come back."""
        return self.outcome not in (None, Outcome.NEVER)

    @property
    def return_url(self) -> str:
        """Where the customer goes after their choice."""
        return self.cancel_url if self.outcome in (Outcome.DECLINED, Outcome.NEVER) else self.success_url

    def has_expired(self, at: datetime) -> bool:
        return at >= self.expires_at

    def charged_until(self, at: datetime) -> tuple[Money, ...]:
        """Every charge that has happened by an instant."""
        return tuple(charge.amount for charge in self.charges if charge.charged_at <= at)

    def is_over(self, at: datetime) -> bool:
        """Whether no money came and none will."""
        return self.outcome is Outcome.DECLINED or (not self.is_decided and self.has_expired(at))

    def _charged_by(self, outcome: Outcome) -> Sequence[Money]:
        if outcome in (Outcome.DECLINED, Outcome.NEVER):
            return ()
        if outcome is Outcome.TWICE:
            return (self.amount, self.amount)
        return (self._half(),) if outcome is Outcome.SHORT else (self.amount,)

    def _half(self) -> Money:
        half = self.amount.allocate([1, 1])[1]
        if not half.is_positive:
            raise InvalidValue(f"half of {self.amount} is no money", pointer="/outcome", code="amount_too_small")
        return half
