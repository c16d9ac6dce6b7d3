"""Refunds: what goes back to a customer, in parts, each the way that its money came.

A part is one try under one reference of ours. What a provider says of it only ever grows (`Told`), so readings may
come in any order and number; a part that came to nothing is never tried again itself, another takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.billing.payments import Payment
from domain.billing.tenders import RefundAboveCapture, Tender
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money, total


class RefundNotFound(NotFound):
    """There is no such refund, or it is not the viewer's."""

    code = "refund_not_found"


class PaymentDisputed(Conflict):
    """The customer's bank questions the charge: until it decides, nothing is refunded."""

    code = "payment_disputed"


class RefundKeyReused(Conflict):
    """This idempotency key asked for another refund."""

    code = "idempotency_key_reused"


class RefundReferenceTaken(Conflict):
    """Another refund has this reference of the provider's."""

    code = "refund_reference_taken"


class RefundPreviewStale(Conflict):
    """The preview is over, or the refund would do something else by now."""

    code = "refund_preview_stale"


class Destination(StrEnum):
    """Where money goes that came from outside; a customer's own balances always get their own back."""

    ORIGINAL = "ORIGINAL"
    WALLET = "WALLET"


class Origin(StrEnum):
    """Who asked for a refund."""

    STAFF = "STAFF"
    SYSTEM = "SYSTEM"
    """A rule of ours: a cancellation, a decision about money in suspense."""
    PROVIDER = "PROVIDER"
    """Somebody on the provider's own dashboard; a reading told of it."""


class Way(StrEnum):
    """How a part goes back."""

    OWN = "OWN"
    """In our own books, at once."""
    PROVIDER = "PROVIDER"
    """The provider is asked."""
    OPERATOR = "OPERATOR"
    """A person does it on the provider's dashboard, and confirms it."""


class RefundStatus(StrEnum):
    """Where a refund, or a part of it, stands."""

    REQUESTED = "REQUESTED"
    """Wanted and stored; nobody has been asked."""
    SUBMITTED = "SUBMITTED"
    """Sent to the provider, who decides."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """Refused, or sent back by the customer's bank after it had succeeded."""
    UNKNOWN = "UNKNOWN"
    """The provider may or may not have acted; read back, never repeated blindly."""
    AWAITING_OPERATOR = "AWAITING_OPERATOR"


_S = RefundStatus
NEXT: Final = {
    # A reading may tell of a request before the answer to it does.
    _S.REQUESTED: {_S.SUBMITTED, _S.SUCCEEDED, _S.FAILED},
    # Back to REQUESTED where it is certain that nothing was sent.
    _S.SUBMITTED: {_S.REQUESTED, _S.UNKNOWN, _S.SUCCEEDED, _S.FAILED},
    _S.UNKNOWN: {_S.SUBMITTED, _S.SUCCEEDED, _S.FAILED},
    _S.AWAITING_OPERATOR: {_S.SUBMITTED, _S.SUCCEEDED, _S.FAILED},
    # The bank may send back what had succeeded.
    _S.SUCCEEDED: {_S.FAILED},
    # Only where a reading knows of what an answer had refused.
    _S.FAILED: {_S.SUBMITTED, _S.SUCCEEDED},
}

WORST_FIRST: Final = (
    # Money may have moved and nobody knows: before all else.
    _S.UNKNOWN,
    # Waits for a person, and goes on waiting until one comes.
    _S.AWAITING_OPERATOR,
    # Came to nothing, and needs a decision.
    _S.FAILED,
    # Goes on by itself.
    _S.REQUESTED,
    _S.SUBMITTED,
    _S.SUCCEEDED,
)
"""A refund stands where the first of these stands that any of its parts has: what needs somebody is seen first."""


class Told(StrEnum):
    """What a provider has said of a part so far; it only ever moves down this list, whatever order readings have."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """After PENDING or after SUCCEEDED; no provider lets one that failed succeed."""

    def is_news_after(self, known: Told | None) -> bool:
        return known is None or _RANK[self] > _RANK[known]


_RANK: Final = {told: rank for rank, told in enumerate(Told)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(DomainEvent):
    """Staff or a rule of ours wants money to go back; its parts for the provider wait to be submitted."""

    name: ClassVar[str] = "billing.refund_requested"
    refund_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFound(DomainEvent):
    """A reading told of a refund that nobody here asked for."""

    name: ClassVar[str] = "billing.refund_found"
    refund_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSucceeded(DomainEvent):
    name: ClassVar[str] = "billing.refund_succeeded"
    refund_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPartSucceeded(DomainEvent):
    """A part of it is done, and another is not."""

    name: ClassVar[str] = "billing.refund_part_succeeded"
    refund_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(DomainEvent):
    """`was_returned`: it had succeeded, and the customer's bank sent it back."""

    name: ClassVar[str] = "billing.refund_failed"
    refund_id: UUID
    payment_id: UUID
    user_id: UUID
    was_returned: bool


@dataclass(eq=False, kw_only=True)
class RefundPart:
    """One try to give back one amount. `tender_id` is the tender that it is of, `receipt_id` the money in suspense;
    neither for what a provider gave back beyond everything that is known here.

    `points` go back with a part of a POINTS tender. `hold_id` sets aside what a deposit's refund takes from the wallet.
    """

    id: UUID
    refund_id: UUID
    position: int
    tender_id: UUID | None
    receipt_id: UUID | None
    attempt_id: UUID | None
    way: Way
    amount: Money
    points: int | None = None
    status: RefundStatus
    merchant_reference: str
    provider: str | None = None
    provider_refund_reference: str | None = None
    told: Told | None = None
    error_code: str | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    submitted_at: datetime | None = None
    updated_at: datetime
    hold_id: UUID | None = None
    journal_id: UUID | None = None
    return_journal_id: UUID | None = None
    replaced_by: UUID | None = None

    @property
    def is_replaced(self) -> bool:
        return self.replaced_by is not None

    @property
    def is_at_provider(self) -> bool:
        """Whether the provider was, or may have been, asked and has not said how it ends."""
        return self.status in (RefundStatus.SUBMITTED, RefundStatus.UNKNOWN)

    @property
    def is_open(self) -> bool:
        """Whether its amount is still set aside."""
        return self.status not in (RefundStatus.SUCCEEDED, RefundStatus.FAILED)

    def move_to(self, status: RefundStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


def reference_of(part_id: UUID) -> str:
    """Our reference of a part: what the provider keeps, and what makes a repeated request one refund."""
    return f"rf_{part_id.hex}"


@dataclass(eq=False, kw_only=True)
class Refund(Aggregate):
    """Money of one payment that goes back. Its parts change through it, so that its status follows theirs."""

    id: UUID
    refund_number: str
    payment_id: UUID
    user_id: UUID
    amount: Money
    reason: str
    destination: Destination
    origin: Origin
    requested_by: UUID | None
    idempotency_key: str
    status: RefundStatus
    created_at: datetime
    updated_at: datetime
    succeeded_at: datetime | None = None
    parts: list[RefundPart] = field(default_factory=list)

    def asked_for(self, *, at: datetime) -> None:
        """All parts are there: tell of the refund."""
        happened = RefundFound if self.origin is Origin.PROVIDER else RefundRequested
        self.record(happened(at=at, refund_id=self.id, payment_id=self.payment_id, user_id=self.user_id))
        self._follow(at)

    def part(self, part_id: UUID) -> RefundPart:
        found = next((part for part in self.parts if part.id == part_id), None)
        if found is None:
            raise RefundNotFound()
        return found

    @property
    def living_parts(self) -> list[RefundPart]:
        """Those in whose place no other was tried."""
        return [part for part in self.parts if not part.is_replaced]

    def submit(self, part: RefundPart, *, until: datetime, at: datetime) -> None:
        """It is about to be sent; nobody else sends it, or asks after it, before `until`."""
        part.move_to(RefundStatus.SUBMITTED, at=at)
        part.tries += 1
        part.submitted_at = part.submitted_at or at
        part.next_try_at = until
        self._follow(at)

    def not_sent(self, part: RefundPart, *, error_code: str, again_at: datetime, at: datetime) -> None:
        """It is certain that the provider saw nothing; it is sent again later."""
        if part.status is not RefundStatus.SUBMITTED or part.told is not None:
            return
        part.move_to(RefundStatus.REQUESTED, at=at)
        part.error_code, part.next_try_at = error_code, again_at
        self._follow(at)

    def in_doubt(self, part: RefundPart, *, error_code: str, again_at: datetime, at: datetime) -> None:
        """Nobody knows what became of the request; unless a reading was quicker."""
        if part.status is not RefundStatus.SUBMITTED or part.told is not None:
            return
        part.move_to(RefundStatus.UNKNOWN, at=at)
        part.error_code, part.next_try_at = error_code, again_at
        self._follow(at)

    def pending(self, part: RefundPart, *, at: datetime) -> None:
        """The provider has it, and decides later."""
        if part.status is not RefundStatus.SUBMITTED:
            part.move_to(RefundStatus.SUBMITTED, at=at)
        part.submitted_at, part.error_code = part.submitted_at or at, None
        self._follow(at)

    def done(self, part: RefundPart, *, journal_id: UUID, at: datetime) -> None:
        """The money went back, by this journal."""
        part.move_to(RefundStatus.SUCCEEDED, at=at)
        part.journal_id, part.error_code = journal_id, None
        self._follow(at)
        if self.status is not RefundStatus.SUCCEEDED:
            self.record(RefundPartSucceeded(at=at, refund_id=self.id, payment_id=self.payment_id, user_id=self.user_id))

    def failed(self, part: RefundPart, *, error_code: str, at: datetime) -> None:
        """Nothing went back. Whoever calls frees what was set aside."""
        part.move_to(RefundStatus.FAILED, at=at)
        part.error_code = error_code
        self._follow(at)

    def returned(self, part: RefundPart, *, error_code: str, journal_id: UUID, at: datetime) -> None:
        """The money went back and came again, by this journal; it has to be given back in another way."""
        part.move_to(RefundStatus.FAILED, at=at)
        part.error_code, part.return_journal_id = error_code, journal_id
        self._follow(at, was_returned=True)

    def replace(self, part: RefundPart, successor: RefundPart, *, at: datetime) -> None:
        """Another part is tried in the place of one that came to nothing. Raises IllegalTransition."""
        if part.status is not RefundStatus.FAILED or part.is_replaced:
            raise IllegalTransition(current=part.status, wanted=successor.status)
        part.replaced_by = successor.id
        self.parts.append(successor)
        self._follow(at)

    def _follow(self, at: datetime, *, was_returned: bool = False) -> None:
        """Stand where the parts stand, and say so once."""
        standing = {part.status for part in self.living_parts}
        status = next(worst for worst in WORST_FIRST if worst in standing)
        self.updated_at = at
        if status is self.status:
            return
        self.status = status
        if status is RefundStatus.SUCCEEDED:
            self.succeeded_at = at
            self.record(RefundSucceeded(at=at, refund_id=self.id, payment_id=self.payment_id, user_id=self.user_id))
        if status is RefundStatus.FAILED:
            self.record(
                RefundFailed(
                    at=at,
                    refund_id=self.id,
                    payment_id=self.payment_id,
                    user_id=self.user_id,
                    was_returned=was_returned,
                )
            )


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a refund is given back to one tender."""

    tender: Tender
    amount: Money


def refundable(tenders: Iterable[Tender], currency: str) -> Money:
    """All that can still be asked back."""
    return total((tender.refundable for tender in tenders), currency)


def shares_of(amount: Money | None, tenders: Sequence[Tender], currency: str) -> list[Share]:
    """Split a refund over the tenders, in proportion to what each has left (guarantee M6); None is all of it.

    By largest remainder: the shares sum to the amount, none is above what its tender has left, and any sequence of
    refunds ends at exactly the whole. Raises RefundAboveCapture, or InvalidValue for nothing or another currency.
    """
    left = refundable(tenders, currency)
    wanted = left if amount is None else amount
    if wanted.currency != left.currency:
        raise InvalidValue("another currency than the payment's", pointer="/amount", code="currency")
    if amount is not None and not amount.is_positive:
        raise InvalidValue("a refund is above zero", pointer="/amount", code="out_of_range")
    if not wanted.is_positive or wanted > left:
        raise RefundAboveCapture(refundable=str(left))
    parts = wanted.allocate([tender.refundable.minor for tender in tenders])
    return [Share(tender, part) for tender, part in zip(tenders, parts, strict=True) if part.is_positive]


def newest_first(amount: Money, payments: Iterable[Payment]) -> list[tuple[Payment, Money]]:
    """Part a refund over several settled payments, the newest first, each as far as it goes.

    So there are the fewest refunds, of charges that providers still refund, and what is kept is what was paid first:
    the deposit. Raises RefundAboveCapture.
    """
    left, parts = amount, []
    for payment in sorted(payments, key=lambda each: (each.paid_at or each.created_at, each.id), reverse=True):
        part = min(refundable(payment.tenders, amount.currency.code), left)
        if part.is_positive:
            parts.append((payment, part))
            left -= part
    if left.is_positive:
        raise RefundAboveCapture(refundable=str(amount - left))
    return parts
