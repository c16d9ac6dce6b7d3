"""What payroll needs of its rows. Whatever has to do with all payouts of a batch is done set-wise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.payouts.batches import Batch, BatchPayees, BatchPeriod
from domain.payouts.payouts import Payout, PayoutStatus
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a batch takes: every free entry of these payees that is released by the cut-off.

    `minima` are minor units by currency; `at` is the instant that bank accounts have to be usable at.
    """

    payees: BatchPayees
    cut_off: datetime
    minima: Mapping[str, int]
    at: datetime


@dataclass(frozen=True, slots=True)
class Filled:
    """How much a batch took: payouts, their entries, and payees that were left out, of them out of balance."""

    payouts: int
    entries: int
    left_out: int
    out_of_balance: int


@dataclass(frozen=True, slots=True)
class ToPost:
    """A payout whose money is to leave the payable account."""

    payout_id: UUID
    payout_number: str
    account: AccountRef
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Due:
    """A payout that is to be looked at."""

    payout_id: UUID
    batch_id: UUID
    status: PayoutStatus


@dataclass(frozen=True, slots=True)
class ToBank:
    """One payout as the bank is told of it; `destination` has the keys of `partner_bank_accounts`."""

    payout_number: str
    key: str
    amount: Money
    destination: Mapping[str, str]


class PayoutBatches(Protocol):
    """Batches. Locks are taken in one order: the batch, its payouts, their profiles, the payable accounts sorted."""

    def next_serial(self) -> int: ...

    def wait_for_turn(self) -> None:
        """One builder at a time: two would take the same entries, and the second be refused."""
        ...

    def add(self, batch: Batch) -> bool:
        """Whether it is new: the schedule makes one for each period, however many schedulers there are."""
        ...

    def fill(self, batch: Batch, selection: Selection) -> Filled:
        """Take entries, with payouts, links and those left out, in one statement; events are not written."""
        ...

    def get(self, batch_id: UUID) -> Batch:
        """The batch, locked. Raises BatchNotFound."""
        ...

    def save(self, batch: Batch) -> None: ...

    def last_scheduled(self, period: BatchPeriod, payees: BatchPayees) -> Batch | None:
        """The schedule's newest one, not locked."""
        ...

    def cancel_payouts(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        """Cancel every payout of a draft, and free its entries; how many there were."""
        ...

    def lock_accounts(self, batch_id: UUID) -> None:
        """Lock every payable account of a draft's payouts, sorted."""
        ...

    def drop_unborne(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        """Cancel the payouts that their accounts, locked, do not bear, and free their entries; how many."""
        ...

    def drop_inactive(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        """Cancel the payouts of payees whose profiles, kept as they are from here on, are not active any more, and
        free their entries; how many.
        """
        ...

    def drop_questioned(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        """Cancel the payouts of which a bank questions a part since they were drawn up, and free their entries; how
        many.
        """
        ...

    def to_post(self, batch_id: UUID, *, after: UUID | None, limit: int) -> Sequence[ToPost]:
        """Payouts of a draft whose money has not left, by id."""
        ...

    def posted(self, journals: Mapping[UUID, UUID]) -> None:
        """Say which journal took each payout's money."""
        ...

    def dispatch(self, batch_id: UUID, *, at: datetime, driven_at: datetime) -> None:
        """Begin to send a batch: bank transfers are in its file from here on, an event goes out for each payout."""
        ...

    def is_over(self, batch_id: UUID) -> bool:
        """Whether none of its payouts is open."""
        ...

    def waiting(self) -> Sequence[UUID]:
        """Approved batches that nobody has begun to send."""
        ...

    def finished(self) -> Sequence[UUID]:
        """Batches in processing none of whose payouts is open."""
        ...

    def has_unsent_transfers(self, batch_id: UUID) -> bool:
        """Whether bank transfers of it are still to be sent: then its bank file is not complete."""
        ...

    def bank_transfers(self, batch_id: UUID) -> Sequence[ToBank]:
        """Every payout that is in the batch's bank file, by number, whatever became of it since."""
        ...


class Payouts(Protocol):
    """Payouts one by one."""

    def get(self, payout_id: UUID) -> Payout:
        """The payout, locked. Raises PayoutNotFound."""
        ...

    def in_batch(self, batch_id: UUID, name: str) -> Payout | None:
        """A batch's payout by its number or its key, locked."""
        ...

    def inactive(self, batch_id: UUID) -> Sequence[Payout]:
        """A batch's payouts that are PENDING and whose payees are not active, locked; the profiles of all that are
        PENDING are kept as they are.
        """
        ...

    def has_active_payee(self, payout: Payout) -> bool:
        """Whether its payee may be paid; their profile is kept as it is."""
        ...

    def save(self, payout: Payout) -> None: ...

    def owe_again(self, payout: Payout, *, entry_id: UUID, journal_id: UUID, at: datetime) -> None:
        """Write what came back as a payable entry, released at once."""
        ...

    def due(self, *, at: datetime, limit: int) -> Sequence[Due]:
        """Those to be sent, or asked after, by now; of batches that are being processed."""
        ...
