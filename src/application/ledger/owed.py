"""What a wallet holds and its owner owes: it pays for trips, and does not leave."""

from __future__ import annotations

from application.ports import UnitOfWork
from domain.ledger.accounts import AccountRef
from domain.ledger.debts import debt_of, refuse_owed


def refuse_what_is_owed(wallet: AccountRef, amount_minor: int, *, uow: UnitOfWork, set_aside_minor: int = 0) -> None:
    """Hold what leaves a wallet to what its owner does not owe in its currency; the wallet stays locked.

    `set_aside_minor` is what a hold of its own keeps of the wallet for it. Raises MoneyOwed.
    """
    debt = debt_of(wallet)
    standing = uow.ledger.lock([wallet, debt])
    refuse_owed(
        amount_minor,
        available_minor=standing[wallet].available_minor + set_aside_minor,
        owed_minor=-standing[debt].balance_minor,
    )
