"""Erasing a person: asked for, waited with, carried out once no money is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.errors import Conflict, NotFound
from domain.shared.events import DomainEvent

NOBODYS_DOMAIN: Final = "erased.invalid"
"""Where the addresses of erased people end (RFC 2606 §2): no mail goes there."""


class Blocker(StrEnum):
    """What keeps a person from being erased, whoever asks."""

    WALLET = "WALLET"
    """There is money in the wallet."""
    BOOKINGS = "BOOKINGS"
    """A booking waits for its payment, is confirmed for a day to come, or under way."""
    PAYMENTS = "PAYMENTS"
    """A payment may still come in, or nobody knows whether it did."""
    WITHDRAWALS = "WITHDRAWALS"
    """A withdrawal waits for a decision, or for the bank."""
    ADJUSTMENTS = "ADJUSTMENTS"
    """An adjustment waits for a second person."""
    EARNINGS = "EARNINGS"
    """A vendor or an agent is owed something, owes it, or will be owed it when trips are over."""
    PAYOUTS = "PAYOUTS"
    """Money is on its way to a vendor or an agent."""
    AGENT_DEPOSIT = "AGENT_DEPOSIT"
    """An agent's deposit account holds something, or owes it."""


class ErasureBlocked(Conflict):
    """Money is open: `reasons` names what."""

    code = "erasure_blocked"

    def __init__(self, reasons: Sequence[str] = ()) -> None:
        super().__init__(reasons=", ".join(reasons))
        self.reasons = tuple(reasons)


class ErasureAlreadyRequested(Conflict):
    """The person waits to be erased."""

    code = "erasure_already_requested"


class ErasureNotFound(NotFound):
    """Nobody asked for this person's erasure, or it cannot be withdrawn any more."""

    code = "erasure_not_found"


class AccountErased(Conflict):
    """The person was erased: nothing new may be kept about them."""

    code = "account_erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErased(DomainEvent):
    name: ClassVar[str] = "privacy.person_erased"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One person's erasure; `erased_at` is when the rows were, before the files followed."""

    id: UUID
    user_id: UUID
    requested_by_user_id: UUID | None
    reason: str
    requested_at: datetime
    due_at: datetime
    erased_at: datetime | None = None
    objects: tuple[str, ...] = ()
