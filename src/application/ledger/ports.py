"""Repositories of what is asked of wallets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.adjustments import Adjustment
from domain.ledger.transfers import WalletTransfer
from domain.ledger.withdrawals import Withdrawal
from domain.pricing.exchange import ExchangeRate


class Withdrawals(Protocol):
    """Withdrawals; where their money goes is kept encrypted."""

    def next_serial(self) -> int: ...

    def add(self, withdrawal: Withdrawal) -> None:
        """After its hold."""
        ...

    def get(self, withdrawal_id: UUID, *, owner: UUID | None = None) -> Withdrawal:
        """The withdrawal, locked; of nobody but its owner where one is given. Raises WithdrawalNotFound."""
        ...

    def save(self, withdrawal: Withdrawal) -> None: ...


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot of points, and what is left of it."""

    id: UUID
    remaining: int


class Adjustments(Protocol):
    """Adjustments, and the lots that those of points take from."""

    def next_serial(self) -> int: ...

    def add(self, adjustment: Adjustment) -> None: ...

    def get(self, adjustment_id: UUID) -> Adjustment:
        """The adjustment, locked. Raises AdjustmentNotFound."""
        ...

    def save(self, adjustment: Adjustment) -> None: ...

    def open_lots(self, user_id: UUID, *, at: datetime) -> Sequence[OpenLot]:
        """Lots that have points left and have not expired, soonest-expiring first; under the account's lock."""
        ...

    def take_from_lots(self, journal_id: UUID, points: Mapping[UUID, int]) -> None:
        """What a posted journal takes from each lot."""
        ...


class Exchange(Protocol):
    """Rates, and transfers that were made at them."""

    def add_rate(self, rate: ExchangeRate, *, by: UUID, at: datetime) -> None: ...

    def newest_rate(self, source: str, target: str, *, at: datetime) -> ExchangeRate:
        """The newest rate that is valid at an instant. Raises RateNotFound."""
        ...

    def next_transfer_serial(self) -> int: ...

    def add_transfer(self, transfer: WalletTransfer) -> None:
        """After its journal."""
        ...
