"""Tenders: the parts in which one payment is paid, each from where its money comes, each given back to there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from domain.shared.errors import IllegalTransition, InvalidValue, RuleBroken
from domain.shared.money import Money, total


class RefundAboveCapture(RuleBroken):
    """More would be given back than was taken, and not given back yet."""

    code = "refund_above_capture"


class TenderKind(StrEnum):
    """Where a part of a payment comes from; in the order in which parts are kept, and their accounts read."""

    WALLET = "WALLET"
    VOUCHER_CREDIT = "VOUCHER_CREDIT"
    """Credit that the company gave: it pays like the wallet, and is never paid out."""
    POINTS = "POINTS"
    AGENT_CREDIT = "AGENT_CREDIT"
    """The deposit account of the agent who made the booking, down to its credit limit; always all of a payment."""
    GATEWAY = "GATEWAY"
    """Everything from outside: a provider, a bank, the cash desk."""


OWN_KINDS: Final = frozenset({TenderKind.WALLET, TenderKind.VOUCHER_CREDIT, TenderKind.POINTS})
"""What a customer pays from balances that are kept here."""

KEPT_HERE: Final = OWN_KINDS | {TenderKind.AGENT_CREDIT}
"""What is taken from accounts of ours, and goes back to them at once."""


class TenderStatus(StrEnum):
    """Where a part stands."""

    PLANNED = "PLANNED"
    """Wanted; of a customer's own balance it is set aside by a hold."""
    CAPTURED = "CAPTURED"
    """Taken, together with all other parts of its payment."""
    RELEASED = "RELEASED"
    """Not wanted any more, and free again."""


NEXT: Final = {
    TenderStatus.PLANNED: {TenderStatus.CAPTURED, TenderStatus.RELEASED},
    TenderStatus.CAPTURED: set(),
    TenderStatus.RELEASED: set(),
}


@dataclass(eq=False, kw_only=True)
class Tender:
    """One part. `refunding` is asked back and not decided; with `refunded` it never passes the amount (guarantee M8).

    `method` is the customer's word for it (the guide's payment methods), `points` how many a POINTS part takes,
    `owner_id` the agent whose AGENT_CREDIT it is; all else is the payer's.
    """

    id: UUID
    payment_id: UUID
    position: int
    kind: TenderKind
    method: str
    amount: Money
    points: int | None = None
    owner_id: UUID | None = None
    hold_id: UUID | None = None
    status: TenderStatus = TenderStatus.PLANNED
    journal_id: UUID | None = None
    refunding: Money
    refunded: Money
    updated_at: datetime

    @property
    def is_own(self) -> bool:
        """Whether it comes from an account that is kept here."""
        return self.kind in KEPT_HERE

    @property
    def refundable(self) -> Money:
        """What may still be asked back."""
        if self.status is not TenderStatus.CAPTURED:
            return Money(0, self.amount.currency)
        return self.amount - self.refunded - self.refunding

    def capture(self, *, journal_id: UUID, at: datetime) -> None:
        """Taken by this journal."""
        self._move_to(TenderStatus.CAPTURED, at=at)
        self.journal_id = journal_id

    def release(self, *, at: datetime) -> None:
        """Its payment is not wanted any more; whoever calls ends the hold."""
        self._move_to(TenderStatus.RELEASED, at=at)

    def ask_back(self, amount: Money, *, at: datetime) -> None:
        """Set a part aside for a refund. Raises RefundAboveCapture."""
        if not amount.is_positive or amount > self.refundable:
            raise RefundAboveCapture(refundable=str(self.refundable))
        self.refunding += amount
        self.updated_at = at

    def keep(self, amount: Money, *, at: datetime) -> None:
        """A refund that was asked for came to nothing."""
        self._refuse_beyond(amount, self.refunding)
        self.refunding -= amount
        self.updated_at = at

    def give_back(self, amount: Money, *, at: datetime) -> None:
        """A refund that was asked for is done."""
        self._refuse_beyond(amount, self.refunding)
        self.refunding -= amount
        self.refunded += amount
        self.updated_at = at

    def take_back(self, amount: Money, *, at: datetime) -> None:
        """A refund that was done came back: the money is here again, and may be asked back again."""
        self._refuse_beyond(amount, self.refunded)
        self.refunded -= amount
        self.updated_at = at

    def _refuse_beyond(self, amount: Money, limit: Money) -> None:
        if not amount.is_positive or amount > limit:
            raise ValueError("no refund was this large")

    def _move_to(self, status: TenderStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a customer wants to pay from one place; `points` for POINTS, whose worth is `amount`."""

    kind: TenderKind
    amount: Money
    points: int | None = None


def rest_after(parts: Sequence[Part], amount: Money) -> Money:
    """What is left to be paid by the payment's method. Raises InvalidValue where the parts do not fit the amount."""
    for position, part in enumerate(parts):
        pointer = f"/tenders/{position}"
        if part.kind not in OWN_KINDS:
            raise InvalidValue("not a balance of one's own", pointer=f"{pointer}/type", code="method_not_offered")
        if part.amount.currency != amount.currency:
            raise InvalidValue("another currency than the payment's", pointer=f"{pointer}/amount", code="currency")
        if not part.amount.is_positive:
            raise InvalidValue("a part is above zero", pointer=f"{pointer}/amount", code="out_of_range")
    if len({part.kind for part in parts}) != len(parts):
        raise InvalidValue("each balance once", pointer="/tenders", code="duplicate")
    rest = amount - total((part.amount for part in parts), amount.currency.code)
    if rest.minor < 0:
        raise InvalidValue("the parts are more than is to be paid", pointer="/tenders", code="out_of_range")
    return rest


def money_in(tenders: Iterable[Tender], currency: str) -> Money:
    """What of the captured parts is money, not points."""
    return total((t.amount for t in tenders if t.kind is not TenderKind.POINTS), currency)


class Unsplit(Protocol):
    """What a payment says of itself as a whole."""

    id: UUID
    provider: str | None
    amount: Money
    updated_at: datetime

    @property
    def payment_method(self) -> str: ...


def sole_tender(payment: Unsplit) -> Tender:
    """The one tender that a payment is which names none: the release before this one wrote no tenders."""
    kind = TenderKind.GATEWAY if payment.provider is not None else TenderKind.WALLET
    return Tender(
        id=payment.id,
        payment_id=payment.id,
        position=0,
        kind=kind,
        method=payment.payment_method,
        amount=payment.amount,
        refunding=Money(0, payment.amount.currency),
        refunded=Money(0, payment.amount.currency),
        updated_at=payment.updated_at,
    )
