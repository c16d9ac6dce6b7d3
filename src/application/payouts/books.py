"""How the books say what somebody earns: a cost of the company's, owed to the payee and to the state."""

from __future__ import annotations

from typing import Final

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, JournalType
from domain.ledger.reversals import PostedJournal
from domain.payouts.earnings import Payee, Share
from domain.shared.money import Currency, Money
from domain.shared.payees import PayeeType

PAYABLE: Final = {PayeeType.VENDOR: AccountKind.VENDOR_PAYABLE, PayeeType.AGENT: AccountKind.AGENT_PAYABLE}
"""What payees are owed on."""
PAYEE_TYPES: Final = {kind: payee_type for payee_type, kind in PAYABLE.items()}
_COST: Final = {PayeeType.VENDOR: AccountKind.VENDOR_SHARES, PayeeType.AGENT: AccountKind.AGENT_COMMISSIONS}
EARNED_BY: Final = {PayeeType.VENDOR: JournalType.EARNING, PayeeType.AGENT: JournalType.COMMISSION}
"""The journals by which they earn."""


def account_of(payee: Payee, unit: str) -> AccountRef:
    """What somebody is owed in a currency."""
    return AccountRef(PAYABLE[payee.payee_type], unit, payee.id)


def entries_of(payee: Payee, share: Share) -> tuple[Entry, ...]:
    """The legs by which somebody earns a share; below zero, by which it is taken back."""
    unit = share.amount.currency.code
    legs = (
        Entry(accounts.platform(_COST[payee.payee_type], unit), -share.amount.minor),
        Entry(account_of(payee, unit), share.payable.minor),
        Entry(accounts.platform(AccountKind.TAX_OWED, unit), share.tax.minor),
    )
    return tuple(leg for leg in legs if leg.amount_minor)


def left_of(journal: PostedJournal, payee: Payee, currency: Currency) -> Share:
    """What reversals have left of the journal that a payee earned by."""

    def left(account: AccountRef) -> Money:
        return Money(journal.moved.get(account, 0) + journal.taken_back.get(account, 0), currency)

    tax = left(accounts.platform(AccountKind.TAX_OWED, currency.code))
    return Share(amount=left(account_of(payee, currency.code)) + tax, tax=tax)
