"""Voucher credit lapses with its owner: it was the company's gift, and nobody else may spend it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.identifiers import NewId
from domain.shared.money import EXPONENTS

REFERENCE: Final = "ERASURE"


def lapse_voucher_credit(user_id: UUID, *, erasure_id: UUID, uow: UnitOfWork, at: datetime, new_id: NewId) -> bool:
    """Book a person's credit in every currency as income, within the caller's transaction; their rows may go then.

    False, and nothing is booked, while some of it is set aside.
    """
    standing = uow.ledger.lock(accounts.voucher_credit(user_id, code) for code in EXPONENTS)
    if any(stands.held_minor for stands in standing.values()):
        return False
    left = {account: stands.balance_minor for account, stands in standing.items() if stands.balance_minor}
    if not left:
        return True
    income = AccountKind.EXPIRY_INCOME
    lapsed = Journal(
        id=new_id(),
        journal_type=JournalType.EXPIRED,
        idempotency_key=f"voucher_credit:{erasure_id}",
        reference_type=REFERENCE,
        reference_id=erasure_id,
        description_ar="رصيد قسائم انتهى بمحو صاحبه",
        description_en="Voucher credit lapsed with its owner",
        occurred_at=at,
        entries=tuple(
            entry
            for account, minor in left.items()
            for entry in transfer(account, accounts.platform(income, account.currency), minor)
        ),
    )
    uow.ledger.post([lapsed])
    return True
