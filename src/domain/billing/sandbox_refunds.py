"""What the sandbox gives back, disputes and pays out: how it ends is written in the amount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.errors import Conflict
from domain.shared.money import Money

REFUND_TAKES: Final = timedelta(minutes=1)
"""How long a refund is pending that does not end at once."""

_PENDING_ENDINGS: Final = frozenset({1, 3})
_FAILING_ENDINGS: Final = frozenset({2, 3})


class NothingToDispute(Conflict):
    """Nothing was charged, or the dispute is over."""

    code = "nothing_to_dispute"


class SandboxRefundState(StrEnum):
    """What has become of a refund."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class SandboxDisputeState(StrEnum):
    """What the customer's bank says."""

    OPEN = "OPEN"
    WON = "WON"
    """The merchant keeps the money."""
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRefund:
    """One part of a charge that is given back; whether it fails is settled with its amount."""

    id: UUID
    checkout_id: UUID
    merchant_reference: str
    amount: Money
    fails: bool
    settles_at: datetime
    created_at: datetime

    @classmethod
    def asked(
        cls, *, refund_id: UUID, checkout_id: UUID, merchant_reference: str, amount: Money, at: datetime
    ) -> SandboxRefund:
        """By the last two digits of its minor units: 01 is pending, then done; 02 fails; 03 is pending, then fails."""
        ending = amount.minor % 100
        return cls(
            id=refund_id,
            checkout_id=checkout_id,
            merchant_reference=merchant_reference,
            amount=amount,
            fails=ending in _FAILING_ENDINGS,
            settles_at=at + REFUND_TAKES if ending in _PENDING_ENDINGS else at,
            created_at=at,
        )

    def state_at(self, at: datetime) -> SandboxRefundState:
        if at < self.settles_at:
            return SandboxRefundState.PENDING
        return SandboxRefundState.FAILED if self.fails else SandboxRefundState.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxDispute:
    """A customer's bank questions everything that a checkout charged."""

    checkout_id: UUID
    state: SandboxDisputeState


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxTransfer:
    """Money that was sent on to a payee; done at once."""

    id: UUID
    merchant_reference: str
    destination: str
    amount: Money


def next_dispute(
    known: SandboxDispute | None, state: SandboxDisputeState, *, checkout_id: UUID, is_charged: bool
) -> SandboxDispute:
    """A dispute begins OPEN and is won or lost once. Raises NothingToDispute."""
    begins = known is None and state is SandboxDisputeState.OPEN
    ends = known is not None and known.state is SandboxDisputeState.OPEN and state is not SandboxDisputeState.OPEN
    if not is_charged or not (begins or ends):
        raise NothingToDispute(current=known.state if known is not None else None)
    return SandboxDispute(checkout_id=checkout_id, state=state)
