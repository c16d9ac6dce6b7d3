"""Payouts: one payee's sum in one currency, on its way out, arrived, or back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, NotFound, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.payees import PayeeType


class PayoutNotFound(NotFound):
    """There is no such payout."""

    code = "payout_not_found"


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    PENDING = "PENDING"
    """Not sent yet."""
    SENT = "SENT"
    """The intent to send is stored: asked of the provider, or in the bank's file. Never sent again."""
    PAID = "PAID"
    FAILED = "FAILED"
    """Refused; its money is owed again."""
    UNKNOWN = "UNKNOWN"
    """Nobody knows whether it was carried out: read back, or decided by a person (guarantee P3)."""
    CANCELLED = "CANCELLED"
    """Staff took it back before it was carried out, the balance no longer bore it at the approval, or its payee was
    not active any more when it was to be sent."""
    RETURNED = "RETURNED"
    """A bank sent it back after it was paid; its money is owed again."""


_S = PayoutStatus
NEXT = {
    _S.PENDING: {_S.SENT, _S.PAID, _S.FAILED, _S.CANCELLED},
    _S.SENT: {_S.PAID, _S.FAILED, _S.UNKNOWN},
    # Back to SENT only when the provider was read and knows nothing of it; the key stays the same.
    _S.UNKNOWN: {_S.SENT, _S.PAID, _S.FAILED, _S.CANCELLED},
    _S.PAID: {_S.RETURNED},
    _S.FAILED: set[PayoutStatus](),
    _S.CANCELLED: set[PayoutStatus](),
    _S.RETURNED: set[PayoutStatus](),
}

REFERENCE: Final = "PAYOUT"
"""How journals and the audit log name a payout."""

OPEN: Final = frozenset({_S.PENDING, _S.SENT, _S.UNKNOWN})
"""While a payout is open its money is neither the payee's nor gone."""

NOT_BORNE: Final = "balance_fell"
QUESTIONED: Final = "disputed"
NOT_ACTIVE: Final = "not_active"
BANK_RETURNED: Final = "bank_returned"
DRAFT_DROPPED: Final = "batch_cancelled"
BY_STAFF: Final = "cancelled_by_staff"
"""Our own words for why a payout is over without being paid; banks and providers have theirs."""


_KEY: Final = re.compile(r"po[_-]([0-9a-f]{32})")


def key_of(payout_id: UUID) -> str:
    """A payout's name at providers."""
    return f"po_{payout_id.hex}"


def bank_key_of(payout_id: UUID) -> str:
    """Its name at banks: 35 characters, as many as ISO 20022 allows, all of which SEPA's banks read."""
    return f"po-{payout_id.hex}"


def id_in(key: str) -> UUID | None:
    """The payout that a key names, a provider's or a bank's; None where it is none."""
    match = _KEY.fullmatch(key)
    return None if match is None else UUID(match.group(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutDispatched(DomainEvent):
    """Its batch is being processed: whoever hears it sends it."""

    name: ClassVar[str] = "payouts.payout_dispatched"
    payout_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSent(DomainEvent):
    name: ClassVar[str] = "payouts.payout_sent"
    payout_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPaid(DomainEvent):
    name: ClassVar[str] = "payouts.payout_paid"
    payout_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFailed(DomainEvent):
    """Refused, taken back by staff, or sent back by the bank: its amount is owed again."""

    name: ClassVar[str] = "payouts.payout_failed"
    payout_id: UUID


@dataclass(eq=False, kw_only=True)
class Payout(Aggregate):
    """One payee's sum. `journal_id` took it out of the payable account when its batch was approved.

    `method` is the profile's. `next_try_at` is when it is looked at again; while it is being sent, until when it is
    nobody else's.
    """

    id: UUID
    payout_number: str
    batch_id: UUID
    payee_id: UUID
    payee_type: PayeeType
    method: str
    stripe_account: str | None
    amount: Money
    status: PayoutStatus
    journal_id: UUID | None
    created_at: datetime
    attempts: int = 0
    version: int = 1
    next_try_at: datetime | None = None
    provider_reference: str | None = None
    bank_reference: str | None = None
    failure_code: str | None = None
    reason: str | None = None
    paid_journal_id: UUID | None = None
    return_journal_id: UUID | None = None
    decided_by: UUID | None = None
    sent_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def key(self) -> str:
        """The name that it has at providers, the same for every try (guarantees J7, P2)."""
        return key_of(self.id)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def send(self, *, until: datetime, at: datetime) -> None:
        """Store the intent to send it; nobody else touches it until then. Raises IllegalTransition."""
        self._move_to(PayoutStatus.SENT)
        self.attempts += 1
        self.next_try_at = until
        if self.sent_at is None:
            self.sent_at = at
            self.record(PayoutSent(at=at, payout_id=self.id))

    def doubt(self, *, again_at: datetime | None) -> None:
        """Nobody knows what came of it; without an instant a person has to look. Raises IllegalTransition."""
        if self.status is not PayoutStatus.UNKNOWN:
            self._move_to(PayoutStatus.UNKNOWN)
        self.next_try_at = again_at

    def await_answer(self, *, again_at: datetime, provider_reference: str) -> None:
        """The provider has it and has not carried it out yet."""
        self.provider_reference = provider_reference or self.provider_reference
        self.next_try_at = again_at

    def pay(
        self,
        *,
        journal_id: UUID,
        at: datetime,
        provider_reference: str | None = None,
        bank_reference: str | None = None,
    ) -> None:
        """It arrived. Raises IllegalTransition."""
        self._close(PayoutStatus.PAID, at)
        self.paid_journal_id = journal_id
        self.provider_reference = provider_reference or self.provider_reference
        self.bank_reference = bank_reference
        self.record(PayoutPaid(at=at, payout_id=self.id))

    def fail(self, *, journal_id: UUID, failure_code: str, reason: str | None, at: datetime) -> None:
        """It was refused; `journal_id` gave the money back. Raises IllegalTransition."""
        self._close(PayoutStatus.FAILED, at)
        self._returned(journal_id, failure_code, reason, at)

    def cancel(self, *, journal_id: UUID, reason: str, at: datetime) -> None:
        """Staff take it back before it is carried out; `journal_id` gave the money back. Raises IllegalTransition."""
        self._close(PayoutStatus.CANCELLED, at)
        self._returned(journal_id, BY_STAFF, reason, at)

    def drop(self, *, journal_id: UUID, failure_code: str, at: datetime) -> None:
        """It is not to be sent after all; `journal_id` gave the money back. Raises IllegalTransition."""
        self._close(PayoutStatus.CANCELLED, at)
        self._returned(journal_id, failure_code, None, at)

    def send_back(self, *, journal_id: UUID, reason: str | None, at: datetime) -> None:
        """The bank sent it back after it was paid; `journal_id` gave the money back. Raises IllegalTransition."""
        self._close(PayoutStatus.RETURNED, at)
        self._returned(journal_id, BANK_RETURNED, reason, at)

    def decided(self, *, by: UUID) -> None:
        """A person says what came of it. Raises OwnRequest about one's own money."""
        if by == self.payee_id:
            raise OwnRequest()
        self.decided_by = by

    def _returned(self, journal_id: UUID, failure_code: str, reason: str | None, at: datetime) -> None:
        self.return_journal_id, self.failure_code, self.reason = journal_id, failure_code, reason
        self.record(PayoutFailed(at=at, payout_id=self.id))

    def _close(self, status: PayoutStatus, at: datetime) -> None:
        self._move_to(status)
        self.closed_at, self.next_try_at = at, None

    def _move_to(self, status: PayoutStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
