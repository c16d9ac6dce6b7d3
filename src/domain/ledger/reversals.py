"""Reversals: a posted journal is never changed; another takes it back, in whole or in any sequence of parts.

Each part is shared among the journal's accounts by what is left of them (largest remainder), so no account ever
gives or gets more than it did, and the last part leaves nothing (guarantees M4, M6). Amounts are minor units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.ledger.accounts import CHART, PAYEE_KINDS, USER_KINDS, AccountKind, AccountRef, Standing
from domain.ledger.debts import debt_of, give_up
from domain.ledger.journal import Entry, InsufficientBalance, JournalType, ReversalRefused
from domain.shared.errors import Conflict, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money, allocate

BY_HAND: Final = frozenset(
    {JournalType.ADJUSTMENT, JournalType.BONUS, JournalType.FEE, JournalType.TRANSFER, JournalType.WRITE_OFF}
)
"""What staff may reverse: nothing else accounts for it. Whatever belongs to a payment, a trip or a payout is taken
back where that is."""
_PARTNERS: Final = PAYEE_KINDS | {AccountKind.AGENT_DEPOSIT}


class NotReversedByHand(Conflict):
    """Something else accounts for the movement, and has to take it back."""

    code = "not_reversed_by_hand"


class ReversalAboveLimit(Conflict):
    """One person would take back more than they may adjust alone: an adjustment waits for a second person."""

    code = "reversal_above_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReversed(DomainEvent):
    """A journal was taken back, in whole or in part."""

    name: ClassVar[str] = "ledger.journal_reversed"
    journal_id: UUID
    reversal_id: UUID
    journal_type: str
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedJournal:
    """A journal in the books: what it moved, account by account, and what reversals have moved since.

    Credits are above zero. What an owner could not give any more stands in `taken_back` as their debt.
    """

    id: UUID
    journal_type: JournalType
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str
    moved: Mapping[AccountRef, int]
    taken_back: Mapping[AccountRef, int]
    reverses: UUID | None = None


def refuse_by_hand(posted: PostedJournal, *, by: UUID) -> None:
    """Raises NotReversedByHand where something else accounts for it, OwnRequest where it moved one's own accounts."""
    # What is owed to a payee is adjusted back: a payout takes entries, and a plain reversal leaves none. What an
    # agent paid in may be spent, and its credit is not to be turned into money in the wallet.
    is_partners = any(account.kind in _PARTNERS for account in posted.moved)
    if posted.reverses is None and (posted.journal_type not in BY_HAND or is_partners):
        raise NotReversedByHand(journal_type=posted.journal_type)
    if any(account.owner == by for account in posted.moved):
        raise OwnRequest()


def refuse_above(posted: PostedJournal, limits: Mapping[str, int]) -> None:
    """Raises ReversalAboveLimit where more was taken back, in all, on people's accounts than one person moves alone.

    `limits` are those of adjustments, by unit; nothing in units that are not named.
    """
    for unit in {account.currency for account in posted.taken_back}:
        of_people = [m for account, m in posted.taken_back.items() if account.owner and account.currency == unit]
        most = max(sum(m for m in of_people if m > 0), -sum(m for m in of_people if m < 0))
        if most > limits.get(unit, 0):
            raise ReversalAboveLimit()


@dataclass(frozen=True, slots=True)
class _Leg:
    """One holder's part of a side, and what is left of it; each account beside what is left of itself."""

    left: int
    accounts: tuple[tuple[AccountRef, int], ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a journal moved in one unit: its value, and the legs of both sides, which always have as much left."""

    value: int
    credits: tuple[_Leg, ...]
    debits: tuple[_Leg, ...]

    @property
    def left(self) -> int:
        return sum(leg.left for leg in self.credits)

    def in_proportion(self, reversed_then: int, of: int) -> int:
        """What goes back now, so that in all it is this proportion of the value, rounded down."""
        return min(max(self.value * reversed_then // of - (self.value - self.left), 0), self.left)


def reversing(posted: PostedJournal, part: Money | None = None) -> tuple[Entry, ...]:
    """Entries that take back all that is left of a journal, or a part of its value in one of its units.

    Of another unit (points beside money) goes back what is in proportion, rounded down; the last part takes the
    rest. Raises ReversalRefused for a reversal, and for more than is left.
    """
    units = _units(posted)
    if posted.reverses is not None or not any(unit.left for unit in units.values()):
        raise ReversalRefused()
    shares = _shares(units, part)
    return tuple(
        entry
        for name, unit in units.items()
        for legs, sign in ((unit.credits, -1), (unit.debits, 1))
        for entry in _share_out(shares[name], legs, sign)
    )


def with_debts(
    entries: Iterable[Entry], available: Mapping[AccountRef, int], *, allows_debt: bool
) -> tuple[Entry, ...]:
    """The entries as they can be posted: what an owner's account cannot give becomes their debt, if that is allowed.

    `available` is what each account may give, below zero for a debt. Raises InsufficientBalance, or
    ReversalRefused where a debt was paid off meanwhile.
    """
    sums: defaultdict[AccountRef, int] = defaultdict(int)
    for entry in entries:
        for leg in _possible(entry, available, allows_debt=allows_debt):
            sums[leg.account] += leg.amount_minor
    return tuple(Entry(account, minor) for account, minor in sums.items() if minor)


def _possible(entry: Entry, available: Mapping[AccountRef, int], *, allows_debt: bool) -> tuple[Entry, ...]:
    account, minor = entry.account, entry.amount_minor
    if account.kind is AccountKind.CUSTOMER_DEBT and minor > -available.get(account, 0):
        raise ReversalRefused()
    if minor > 0 or CHART[account.kind].standing is not Standing.NEVER_BELOW_ZERO:
        return (entry,)
    there = available.get(account, 0)
    if there < -minor and not allows_debt:
        raise InsufficientBalance()
    return give_up(account, -minor, available_minor=there)


def _shares(units: Mapping[str, _Unit], part: Money | None) -> dict[str, int]:
    """How much of each unit is taken back."""
    if part is None:
        return {name: unit.left for name, unit in units.items()}
    measure = units.get(part.currency.code)
    if measure is None or not 0 < part.minor <= measure.left:
        raise ReversalRefused()
    if part.minor == measure.left:
        return {name: unit.left for name, unit in units.items()}
    reversed_then = measure.value - measure.left + part.minor
    return {
        name: part.minor if unit is measure else unit.in_proportion(reversed_then, measure.value)
        for name, unit in units.items()
    }


def _share_out(share: int, legs: tuple[_Leg, ...], sign: int) -> Iterable[Entry]:
    if not share:
        return
    for leg, part in zip(legs, allocate(share, [leg.left for leg in legs]), strict=True):
        if part:
            minors = allocate(part, [left for _, left in leg.accounts])
            yield from (Entry(account, sign * m) for (account, _), m in zip(leg.accounts, minors, strict=True) if m)


def _units(posted: PostedJournal) -> dict[str, _Unit]:
    names = dict.fromkeys(account.currency for account in posted.moved)
    return {
        name: _Unit(
            sum(minor for account, minor in posted.moved.items() if account.currency == name and minor > 0),
            _legs(posted, name, 1),
            _legs(posted, name, -1),
        )
        for name in names
    }


def _legs(posted: PostedJournal, unit: str, sign: int) -> tuple[_Leg, ...]:
    """One side of a unit: a leg for each account of the platform, and one for all accounts of each owner."""
    holders: defaultdict[object, list[AccountRef]] = defaultdict(list)
    for account, minor in posted.moved.items():
        if account.currency == unit and minor * sign > 0:
            holders[account.owner or account].append(account)
    return tuple(_leg(posted, accounts, sign) for accounts in holders.values())


def _leg(posted: PostedJournal, accounts: list[AccountRef], sign: int) -> _Leg:
    own = [(account, sign * (posted.moved[account] + posted.taken_back.get(account, 0))) for account in accounts]
    left = sum(minor for _, minor in own)
    owner = accounts[0]
    if sign > 0 and owner.kind in USER_KINDS and debt_of(owner) not in posted.moved:
        left += posted.taken_back.get(debt_of(owner), 0)
    return _Leg(left, tuple((account, max(minor, 0)) for account, minor in own))
