"""The chart of accounts: what kinds there are, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

POINTS_UNIT: Final = "PTS"
"""The unit of points in the ledger, beside the ISO 4217 currencies; it has no decimals."""

_NAMESPACE: Final = UUID("6c3a3f0e-6b8d-5d0b-9a55-1c1f5f0e7a10")


class AccountKind(StrEnum):
    """Credits are positive: what the company owes. An asset or an expense therefore sums below zero."""

    # A person's own: chained entries, a running balance, never below zero.
    WALLET = "WALLET"
    """Money the customer may spend or ask back."""
    POINTS = "POINTS"
    CASHBACK = "CASHBACK"
    """Cashback promised, not yet in the wallet."""

    # The platform's: summed, never locked.
    PROVIDER_CLEARING = "PROVIDER_CLEARING"
    """Money a payment provider holds for the company; one per provider."""
    SUSPENSE = "SUSPENSE"
    """Money that came in and belongs to nothing yet: late, twice, short or unknown."""
    CUSTOMER_PREPAYMENTS = "CUSTOMER_PREPAYMENTS"
    """Paid for trips that are not completed."""
    BOOKING_REVENUE = "BOOKING_REVENUE"
    MEMBERSHIP_REVENUE = "MEMBERSHIP_REVENUE"
    POINTS_ISSUED = "POINTS_ISSUED"
    CASHBACK_COST = "CASHBACK_COST"


USER_KINDS: Final = frozenset({AccountKind.WALLET, AccountKind.POINTS, AccountKind.CASHBACK})


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Names one account; `owner` for a person's, `provider` for a clearing account."""

    kind: AccountKind
    currency: str
    owner: UUID | None = None
    provider: str = ""

    def __post_init__(self) -> None:
        if (self.kind in USER_KINDS) != (self.owner is not None):
            raise ValueError(f"{self.kind} {'needs' if self.kind in USER_KINDS else 'has no'} owner")

    @property
    def id(self) -> UUID:
        """Derived from the name (UUIDv5), so that an account is found without looking it up."""
        return _platform_id(self) if self.owner is None else _account_id(self)


def _account_id(ref: AccountRef) -> UUID:
    return uuid5(_NAMESPACE, f"{ref.kind}|{ref.currency}|{ref.owner or ''}|{ref.provider}")


_platform_id = lru_cache(maxsize=512)(_account_id)


def wallet(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.WALLET, currency, owner)


def points(owner: UUID) -> AccountRef:
    return AccountRef(AccountKind.POINTS, POINTS_UNIT, owner)


def cashback(owner: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.CASHBACK, currency, owner)


def clearing(provider: str, currency: str) -> AccountRef:
    return AccountRef(AccountKind.PROVIDER_CLEARING, currency, provider=provider)


def platform(kind: AccountKind, currency: str) -> AccountRef:
    return AccountRef(kind, currency)
