"""What a customer owes after something was taken back that was already spent, and how later earnings pay it off.

A debt lives in an account of its own (CUSTOMER_DEBT, never above zero), so that wallets and points never fall
below zero (guarantee M9). Amounts are minor units, or points.
"""

from __future__ import annotations

from domain.ledger.accounts import AccountRef, debt
from domain.ledger.journal import Entry
from domain.shared.errors import RuleBroken


class MoneyOwed(RuleBroken):
    """The wallet holds it, and its owner owes it: it is kept until the debt is paid off."""

    code = "money_owed"


def debt_of(account: AccountRef) -> AccountRef:
    """The debt beside an owned account, in the same unit."""
    if account.owner is None:
        raise ValueError(f"{account.kind} belongs to nobody, and nobody owes it")
    return debt(account.owner, account.currency)


def refuse_owed(amount_minor: int, *, available_minor: int, owed_minor: int) -> None:
    """Raises MoneyOwed where an account that bears the amount would be left with less than its owner owes."""
    if available_minor - owed_minor < amount_minor <= available_minor:
        raise MoneyOwed()


def earn(source: AccountRef, target: AccountRef, amount_minor: int, *, owed_minor: int) -> tuple[Entry, ...]:
    """Legs that give an owner something: first their debt is paid off, the rest reaches the account."""
    repaid = min(owed_minor, amount_minor)
    return _legs(
        (source, -amount_minor),
        (debt_of(target), repaid),
        (target, amount_minor - repaid),
    )


def take_back(target: AccountRef, source: AccountRef, amount_minor: int, *, available_minor: int) -> tuple[Entry, ...]:
    """Legs that take something back from its owner's account: what is not there becomes debt."""
    return (*give_up(source, amount_minor, available_minor=available_minor), *_legs((target, amount_minor)))


def give_up(source: AccountRef, amount_minor: int, *, available_minor: int) -> tuple[Entry, ...]:
    """The owner's legs alone of `take_back`."""
    taken = min(available_minor, amount_minor)
    return _legs((source, -taken), (debt_of(source), taken - amount_minor))


def _legs(*amounts: tuple[AccountRef, int]) -> tuple[Entry, ...]:
    return tuple(Entry(account, minor) for account, minor in amounts if minor)
