"""How the money of cashback moves: from its cost to its owner's account, on to the wallet, and back."""

from __future__ import annotations

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.cashback import CashbackRecord
from domain.ledger.debts import earn, take_back
from domain.ledger.journal import Entry, transfer
from domain.shared.money import Money


def cost_of(record: CashbackRecord) -> AccountRef:
    return accounts.platform(AccountKind.CASHBACK_COST, record.unit)


def owed_on(record: CashbackRecord) -> AccountRef:
    """Where what is promised waits, with all else that its owner was promised in the currency."""
    return accounts.cashback(record.user_id, record.unit)


def wallet_of(record: CashbackRecord) -> AccountRef:
    return accounts.wallet(record.user_id, record.unit)


def promising(record: CashbackRecord) -> tuple[Entry, ...]:
    """Legs that put what is promised on its owner's account."""
    return transfer(cost_of(record), owed_on(record), record.cashback_amount)


def taking_back_promise(record: CashbackRecord, part: Money) -> tuple[Entry, ...]:
    """Legs that take back a part of what is promised and not credited."""
    return transfer(owed_on(record), cost_of(record), part)


def crediting(record: CashbackRecord, *, owed_minor: int) -> tuple[Entry, ...]:
    """Legs that pay off what the owner owes, and put the rest into the wallet."""
    return earn(owed_on(record), wallet_of(record), record.remaining.minor, owed_minor=owed_minor)


def taking_from_wallet(record: CashbackRecord, part: Money, *, available_minor: int) -> tuple[Entry, ...]:
    """Legs that take back a part of what was credited; what was spent of it becomes debt."""
    return take_back(cost_of(record), wallet_of(record), part.minor, available_minor=available_minor)
