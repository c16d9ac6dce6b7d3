"""What the proofs of the ledger share: a payment of every kind of leg, and what reversing it must bring back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.holds import BalanceHold
from domain.ledger.journal import Entry, Journal, JournalType
from domain.ledger.reversals import PostedJournal
from domain.shared.money import EXPONENTS
from infrastructure.clock import new_id
from tests.builders import NOON, a_journal

UNITS = st.sampled_from(["JPY", "EGP", "KWD"])
"""Of 0, 2 and 3 decimals."""
assert [EXPONENTS[unit] for unit in ("JPY", "EGP", "KWD")] == [0, 2, 3]


def a_mixed_payment(
    owner: UUID, unit: str, *, wallet: int, card: int, points: int = 0, points_value: int = 0, provider: str = "CARDS"
) -> Journal:
    """A payment out of a wallet, at a provider and by points, whatever of them is more than nothing."""
    entries = (
        Entry(accounts.wallet(owner, unit), -wallet),
        Entry(accounts.clearing(provider, unit), -card),
        Entry(accounts.platform(AccountKind.DISCOUNTS, unit), -points_value),
        Entry(accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit), wallet + card + points_value),
        Entry(accounts.points(owner), -points),
        Entry(accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT), points),
    )
    return a_journal(*(entry for entry in entries if entry.amount_minor), journal_type=JournalType.PAYMENT)


def a_hold(account: AccountRef, amount: int) -> BalanceHold:
    """An hour from noon, for nothing in particular."""
    return BalanceHold(
        id=new_id(),
        account=account,
        amount_minor=amount,
        reference_type="TEST",
        reference_id=UUID(int=1),
        created_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    )


def posted(journal: Journal) -> PostedJournal:
    """A journal as it stands in the books before anything was taken back of it."""
    return PostedJournal(
        id=journal.id,
        journal_type=journal.journal_type,
        reference_type=journal.reference_type,
        reference_id=journal.reference_id,
        description_ar=journal.description_ar,
        description_en=journal.description_en,
        moved=sums(journal.entries),
        taken_back={},
        reverses=journal.reverses,
    )


def after(journal: PostedJournal, *reversals: tuple[Entry, ...]) -> PostedJournal:
    """The same journal after these reversals of it."""
    entries = [entry for reversal in reversals for entry in reversal]
    before = [Entry(account, minor) for account, minor in journal.taken_back.items()]
    return replace(journal, taken_back=sums([*before, *entries]))


def sums(entries: list[Entry] | tuple[Entry, ...]) -> dict[AccountRef, int]:
    """What each account gets of all entries; nothing for those that come out even."""
    counted: Counter[AccountRef] = Counter()
    for entry in entries:
        counted[entry.account] += entry.amount_minor
    return {account: minor for account, minor in counted.items() if minor}
