"""The books as a few dictionaries: what the ledger has to say after whatever was done to it.

Written from the guarantees (M3 to M9), not from the code under test: it shares only names of accounts with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import Entry, Journal

GUARDED = {AccountKind.WALLET, AccountKind.POINTS, AccountKind.CASHBACK}
GRACE = timedelta(days=30)


@dataclass
class Lot:
    id: UUID
    owner: UUID
    journal_id: UUID
    remaining: int
    ends_at: datetime


@dataclass
class Hold:
    id: UUID
    account: AccountRef
    amount: int
    status: str = "ACTIVE"
    captured: int = 0


@dataclass
class Movement:
    """A posted journal, what its reversals moved, and what it took from lots that they have not given back."""

    entries: tuple[Entry, ...]
    reverses: UUID | None = None
    taken_back: Counter[AccountRef] = field(default_factory=Counter)
    missing: Counter[UUID] = field(default_factory=Counter)

    def value(self, unit: str) -> int:
        return sum(max(minor, 0) for account, minor in self.moved.items() if account.currency == unit)

    @property
    def moved(self) -> Counter[AccountRef]:
        return summed(self.entries)

    def reversed_value(self, unit: str) -> int:
        """Seen from the side that reversals give to: nothing there ever becomes a debt."""
        return sum(
            minor for account, minor in self.taken_back.items() if account.currency == unit and self.moved[account] < 0
        )

    @property
    def is_paid_with_points(self) -> bool:
        """Whether it moved money, and points besides; and is no reversal."""
        return self.reverses is None and len({entry.account.currency for entry in self.entries}) > 1

    @property
    def gave_somebody(self) -> bool:
        """Whether somebody has something by it; and is no reversal."""
        return self.reverses is None and any(
            account.kind in GUARDED and minor > 0 for account, minor in self.moved.items()
        )

    def left(self, unit: str) -> int:
        return self.value(unit) - self.reversed_value(unit)


class Model:
    """Balances, holds and lots of an example's people."""

    def __init__(self) -> None:
        self.balances: Counter[AccountRef] = Counter()
        self.entries: Counter[AccountRef] = Counter()
        self.movements: dict[UUID, Movement] = {}
        self.holds: dict[UUID, Hold] = {}
        self.lots: dict[UUID, Lot] = {}

    def held(self, account: AccountRef) -> int:
        return sum(hold.amount for hold in self.holds.values() if hold.account == account and hold.status == "ACTIVE")

    def available(self, account: AccountRef) -> int:
        return self.balances[account] - self.held(account)

    def owed(self, owner: UUID, unit: str) -> int:
        return -self.balances[accounts.debt(owner, unit)]

    def has_enough_for(self, journals: Iterable[Journal]) -> bool:
        """Whether no account would fall below what is held of it on the way."""
        balances = Counter(self.balances)
        for entry in (entry for journal in journals for entry in journal.entries):
            balances[entry.account] += entry.amount_minor
            is_guarded = entry.account.kind in GUARDED and entry.amount_minor < 0
            if is_guarded and balances[entry.account] < self.held(entry.account):
                return False
        return True

    def post(self, journal_id: UUID, entries: Sequence[Entry], reverses: UUID | None = None) -> None:
        self.movements[journal_id] = Movement(tuple(entries), reverses)
        for entry in entries:
            self.balances[entry.account] += entry.amount_minor
            self.entries[entry.account] += 1

    def take(self, journal_id: UUID, owner: UUID, points: int, *, first: UUID | None = None) -> None:
        """A journal's points leave the lots: that which came with `first`, then those that end soonest."""
        lots = [lot for lot in self.lots.values() if lot.owner == owner]
        for lot in sorted(lots, key=lambda lot: (lot.journal_id != first, lot.ends_at, lot.id)):
            part = min(lot.remaining, points)
            lot.remaining -= part
            points -= part
            if part:
                self.movements[journal_id].missing[lot.id] = part
        assert points == 0

    def give_back(self, journal_id: UUID, points: int, *, at: datetime) -> None:
        """The lots that a journal took from get points back, the one that ends last first."""
        missing = self.movements[journal_id].missing
        for lot in sorted(self.lots.values(), key=lambda lot: (lot.ends_at, lot.id), reverse=True):
            part = min(missing[lot.id], points)
            if part:
                missing[lot.id] -= part
                lot.remaining += part
                points -= part
                lot.ends_at = at + GRACE if lot.ends_at <= at else lot.ends_at
        assert points == 0

    def reverse(self, journal_id: UUID, reversal_id: UUID, entries: Sequence[Entry], *, at: datetime) -> None:
        """Take a reversal as it was posted, once it is what a reversal may be."""
        original = self.movements[journal_id]
        before = {account: self.available(account) for account in summed(entries)}
        owed_by = [entry.account.owner for entry in entries if _is_new_debt(entry, original)]
        original.taken_back.update(summed(entries))
        for account, minor in original.taken_back.items():
            if account.kind is not AccountKind.CUSTOMER_DEBT and minor:
                assert minor * original.moved[account] < 0, "a reversal moves back what was moved"
                assert abs(minor) <= abs(original.moved[account]), "and no more than that"
        self.post(reversal_id, entries, journal_id)
        for account in before:
            if account.kind in GUARDED and account.owner in owed_by and original.moved[account] > 0:
                assert self.available(account) == 0, "what is there is taken before anything is owed"
        self._move_lots(journal_id, reversal_id, entries, at=at)

    def _move_lots(self, journal_id: UUID, reversal_id: UUID, entries: Sequence[Entry], *, at: datetime) -> None:
        for entry in entries:
            if entry.account.kind is AccountKind.POINTS and entry.account.owner is not None:
                if entry.amount_minor > 0:
                    self.give_back(journal_id, entry.amount_minor, at=at)
                else:
                    self.take(reversal_id, entry.account.owner, -entry.amount_minor, first=journal_id)

    def is_whole_again(self, journal_id: UUID) -> bool:
        """Whether all legs came back, those that became debts apart, and every lot that gave."""
        movement = self.movements[journal_id]
        owing = {account.owner for account in movement.taken_back if account.kind is AccountKind.CUSTOMER_DEBT}
        back = all(
            movement.taken_back[account] == -minor
            for account, minor in movement.moved.items()
            if account.kind is not AccountKind.CUSTOMER_DEBT and not (account.owner in owing and minor > 0)
        )
        return back and not any(movement.missing.values())

    def in_lots(self, owner: UUID) -> int:
        return sum(lot.remaining for lot in self.lots.values() if lot.owner == owner)

    def points_due_back(self, journal_id: UUID, unit: str) -> int:
        """Points that all reversals together have to have given back: in proportion to the money, rounded down."""
        movement = self.movements[journal_id]
        return movement.value(POINTS_UNIT) * movement.reversed_value(unit) // movement.value(unit)


def _is_new_debt(entry: Entry, original: Movement) -> bool:
    """Whether a reversal made somebody owe what the journal itself had nothing to do with."""
    return (
        entry.account.kind is AccountKind.CUSTOMER_DEBT
        and entry.amount_minor < 0
        and original.moved[entry.account] == 0
    )


def summed(entries: Iterable[Entry]) -> Counter[AccountRef]:
    counted: Counter[AccountRef] = Counter()
    for entry in entries:
        counted[entry.account] += entry.amount_minor
    return counted


def by_unit(entries: Iterable[Entry]) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.account.currency] += entry.amount_minor
    return dict(sums)
