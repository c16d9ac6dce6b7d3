"""The statement of a payout: what it consists of, where it went, and what stayed owed beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.payouts.payables import PayableKind
from domain.payouts.payouts import PayoutStatus
from domain.shared.errors import RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.payees import PayeeType


class PayoutNotApproved(RuleBroken):
    """Its batch is a draft still, or was dropped as one: no money has left, and nothing is stated."""

    code = "payout_not_approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutStatementRequested(DomainEvent):
    name: ClassVar[str] = "payouts.statement_requested"
    statement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFigures:
    """What stands above and below a payout's entries; all of it but `status` and what tells of its end is frozen.

    `sums` are the payout's amount by kind of entry; `carried` is what its account held when the payout had left it:
    entries that were not released, or came while the batch was drawn up, and go out with a later one.
    """

    payout_id: UUID
    payout_number: str
    batch_number: str
    cut_off: datetime
    payee_id: UUID
    payee_type: PayeeType
    payee_name: str
    payee_email: str
    status: PayoutStatus
    amount: Money
    carried: Money
    destination: str
    bank_reference: str | None
    sent_at: datetime | None
    closed_at: datetime | None
    sums: Mapping[PayableKind, Money]
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLine:
    """One entry that a payout took; below zero it was taken back, and went off the payout."""

    occurred_at: datetime
    kind: PayableKind
    booking_number: str | None
    reason_ar: str
    reason_en: str
    amount: Money

    def reason(self, language: str) -> str:
        return self.reason_ar if language == "ar" else self.reason_en


def storage_key(statement_id: UUID) -> str:
    """Where a payout's drawn statement lies; what is erased of a person knows the same rule."""
    return f"payout-statements/{statement_id}.pdf"
