"""The posting path, what is seen under its locks, and the seals of its days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.ledger.holds import BalanceHold
from domain.ledger.journal import Journal
from domain.ledger.points import PointsLot
from domain.ledger.seals import Seal


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account holds, in minor units, and how much of it is set aside by holds."""

    balance_minor: int
    held_minor: int

    @property
    def available_minor(self) -> int:
        return self.balance_minor - self.held_minor


class Ledger(Protocol):
    """The posting path, and what has to be seen under the accounts' locks before something is posted."""

    def post(self, journals: Sequence[Journal]) -> None:
        """Post journals; one whose key was posted before is skipped.

        Raises InsufficientBalance, JournalKeyReused or ReversalRefused, here or at commit; then nothing was posted.
        """
        ...

    def lock(self, accounts: Iterable[AccountRef]) -> Mapping[AccountRef, Standing]:
        """Lock owned accounts, in one order, until the unit of work ends; how each of them stands.

        One that never moved stands at nothing, and is not locked: whoever first moves it waits for the other.
        """
        ...

    def add_hold(self, hold: BalanceHold) -> None:
        """Set an amount aside. Raises InsufficientBalance, here or at commit."""
        ...

    def get_hold(self, hold_id: UUID) -> BalanceHold:
        """The hold, locked. Raises HoldNotFound."""
        ...

    def resolve_hold(self, hold: BalanceHold) -> None:
        """Store how a hold ended; before the journal of its capture is posted."""
        ...

    def due_holds(self, *, before: datetime, limit: int) -> Sequence[BalanceHold]:
        """ACTIVE holds whose time was over before an instant, with their accounts locked.

        Without those that somebody else is ending at this moment.
        """
        ...

    def add_lot(self, lot: PointsLot) -> None: ...


class Seals(Protocol):
    """The auditor's marks on the ledger's days."""

    def seal_next_day(self) -> Seal | None:
        """Seal the oldest day in Cairo that is over and not sealed, once whoever asks; None when there is none.

        What a seal says follows from the rows alone. It waits for whoever was writing when it was asked.
        """
        ...
