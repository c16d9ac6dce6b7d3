"""What the ledger's use cases need from outside, beside the posting path."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.ledger.adjustments import Adjustment
from domain.ledger.cashback import CashbackRecord, CashbackStatus
from domain.ledger.lots import LotEntry, OpenLot
from domain.ledger.points import Earning, PointsTerms
from domain.ledger.transfers import WalletTransfer
from domain.ledger.withdrawals import Withdrawal
from domain.pricing.exchange import ExchangeRate


@dataclass(frozen=True, slots=True)
class DueCashback:
    """A record whose time has come; what was promised to somebody who was erased since goes to nobody."""

    record: CashbackRecord
    owner_is_erased: bool


class CashbackRecords(Protocol):
    """Cashback records; whoever decides about one holds its row's lock, before any lock of the ledger's."""

    def add(self, record: CashbackRecord) -> None:
        """Keep a promise whose journal is posted."""
        ...

    def get(self, cashback_id: UUID) -> CashbackRecord:
        """The record, locked. Raises CashbackNotFound."""
        ...

    def of_booking(self, booking_id: UUID) -> CashbackRecord | None:
        """The record of a booking, locked; None where it promised none."""
        ...

    def due(self, statuses: Collection[CashbackStatus], *, at: datetime, limit: int) -> Sequence[UUID]:
        """Records in these states that are eligible at an instant, longest first; not locked."""
        ...

    def lock_due(
        self, cashback_ids: Sequence[UUID], statuses: Collection[CashbackStatus], *, at: datetime
    ) -> Sequence[DueCashback]:
        """Those of them that are still due, locked; left out are those that somebody else holds now.

        Their owners cannot be erased before the unit of work ends.
        """
        ...

    def save(self, records: Sequence[CashbackRecord]) -> None:
        """Store what verbs changed, after the journals that they name were posted; one step of status at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Reminder:
    """What a person is told of: points that end within `days`, the first of them at `ends_at`."""

    user_id: UUID
    days: int
    points: int
    ends_at: datetime


class Points(Protocol):
    """Lots of points. Whoever takes from them or gives back holds the lock of the person's points account."""

    @property
    def terms(self) -> PointsTerms:
        """The company's figures, as they are now."""
        ...

    def posted(self, key: str) -> UUID | None:
        """The journal that was posted under an idempotency key."""
        ...

    def open_lots(self, user_id: UUID, *, ending_after: datetime | None) -> Sequence[OpenLot]:
        """Lots with something left; only those that live on after an instant, where one is given."""
        ...

    def record(self, done: Mapping[UUID, Sequence[LotEntry]]) -> None:
        """Write what journals did to lots, by journal; one that was posted before under another id is left out.

        Raises ReversalRefused, here or at commit, where more would be given back to a lot than was taken.
        """
        ...

    def earning(self, key: str) -> Earning | None:
        """What the EARNED journal of this idempotency key gave, and what was taken back of it since."""
        ...

    def owners_of_ending(
        self, *, since: datetime | None, until: datetime, behind: UUID | None, limit: int
    ) -> Sequence[UUID]:
        """People with something left in lots that end by an instant, and after another where one is given.

        By id, behind one of them: a walk over everybody.
        """
        ...

    def ended_lots(self, owners: Sequence[UUID], *, at: datetime) -> Mapping[UUID, Sequence[OpenLot]]:
        """The lots of people that have ended with something left, by person."""
        ...

    def remind(self, owners: Sequence[UUID], stages: Sequence[timedelta], *, at: datetime) -> Sequence[Reminder]:
        """Note that people are told of each of their lots that ends soon; what they are to be told.

        A lot belongs to the nearest stage that it ends within, and each of its ends is noted once per stage,
        whoever notes at the same time. Nothing is told to whoever has no account any more.
        """
        ...


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


class Adjustments(Protocol):
    """Adjustments by staff."""

    def next_serial(self) -> int: ...

    def add(self, adjustment: Adjustment) -> None: ...

    def done_alone(self, account: AccountRef, *, by: UUID, gives: bool, since: datetime) -> int:
        """What somebody gave an account, or took from it, since then without a second person; not below zero."""
        ...

    def get(self, adjustment_id: UUID) -> Adjustment:
        """The adjustment, locked. Raises AdjustmentNotFound."""
        ...

    def save(self, adjustment: Adjustment) -> None: ...


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
