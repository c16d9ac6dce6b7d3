"""How a payout ends in the books: its money arrives, or is owed again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from domain.partners.partners import PayoutMethod
from domain.payouts.payouts import REFERENCE, Payout, PayoutStatus
from domain.shared.errors import IllegalTransition
from domain.shared.identifiers import NewId
from domain.shared.payees import PayeeType

BANK: Final = "BANK"
"""The clearing account of the bank that pays out."""

_LABELS = {
    "paid": ("وصلت المستحقات {number}", "Payout {number} paid"),
    "bank_returned": ("أعاد البنك المستحقات {number}", "Payout {number} sent back by the bank"),
    "returned": ("إعادة المستحقات {number}", "Payout {number} returned"),
}
_PAYABLE = {PayeeType.VENDOR: AccountKind.VENDOR_PAYABLE, PayeeType.AGENT: AccountKind.AGENT_PAYABLE}


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends payouts within one unit of work; the payout is locked there, and saved."""

    uow: UnitOfWork
    at: datetime
    new_id: NewId

    def pay(self, payout: Payout, *, provider_reference: str | None = None, bank_reference: str | None = None) -> None:
        """It arrived: out of transit to the wallet, the bank or the provider. Raises IllegalTransition."""
        legs = transfer(_in_transit(payout), _target(payout), payout.amount)
        journal = self._journal(payout, JournalType.PAYOUT, "paid", legs)
        payout.pay(
            journal_id=journal.id, at=self.at, provider_reference=provider_reference, bank_reference=bank_reference
        )
        self._save(payout, journal)

    def fail(self, payout: Payout, *, failure_code: str, reason: str | None = None) -> None:
        """It was refused: its amount is owed again, released at once. Raises IllegalTransition."""
        journal = self._back(payout)
        payout.fail(journal_id=journal.id, failure_code=failure_code, reason=reason, at=self.at)
        self._give_back(payout, journal)

    def cancel(self, payout: Payout, *, reason: str) -> None:
        """Staff take it back: its amount is owed again, released at once. Raises IllegalTransition."""
        journal = self._back(payout)
        payout.cancel(journal_id=journal.id, reason=reason, at=self.at)
        self._give_back(payout, journal)

    def drop(self, payout: Payout, *, failure_code: str) -> None:
        """It is not to be sent after all: its amount is owed again, released at once. Raises IllegalTransition."""
        journal = self._back(payout)
        payout.drop(journal_id=journal.id, failure_code=failure_code, at=self.at)
        self._give_back(payout, journal)

    def send_back(self, payout: Payout, *, reason: str | None) -> None:
        """The bank sent it back after it was paid: both journals that moved it are reversed, and it is owed again.

        Raises IllegalTransition, also where no bank was asked.
        """
        if payout.method != PayoutMethod.BANK_TRANSFER:
            raise IllegalTransition(current=payout.status, wanted=PayoutStatus.RETURNED)
        legs = transfer(_target(payout), _in_transit(payout), payout.amount)
        paid = self._journal(payout, JournalType.REVERSAL, "bank_returned", legs, reverses=payout.paid_journal_id)
        journal = self._back(payout)
        payout.send_back(journal_id=journal.id, reason=reason, at=self.at)
        self.uow.ledger.post([paid])
        self._give_back(payout, journal)

    def _back(self, payout: Payout) -> Journal:
        legs = transfer(_in_transit(payout), _payable(payout), payout.amount)
        return self._journal(payout, JournalType.REVERSAL, "returned", legs, reverses=payout.journal_id)

    def _give_back(self, payout: Payout, journal: Journal) -> None:
        self._save(payout, journal)
        self.uow.payouts.owe_again(payout, entry_id=self.new_id(), journal_id=journal.id, at=self.at)

    def _save(self, payout: Payout, journal: Journal) -> None:
        self.uow.ledger.post([journal])
        self.uow.payouts.save(payout)

    def _journal(
        self,
        payout: Payout,
        kind: JournalType,
        step: str,
        entries: Iterable[Entry],
        *,
        reverses: UUID | None = None,
    ) -> Journal:
        arabic, english = (label.format(number=payout.payout_number) for label in _LABELS[step])
        return Journal(
            id=self.new_id(),
            journal_type=kind,
            idempotency_key=f"payout:{payout.id}:{step}",
            reference_type=REFERENCE,
            reference_id=payout.id,
            description_ar=arabic,
            description_en=english,
            occurred_at=self.at,
            entries=tuple(entries),
            reverses=reverses,
        )


def _in_transit(payout: Payout) -> AccountRef:
    return accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, payout.amount.currency.code)


def _payable(payout: Payout) -> AccountRef:
    return AccountRef(_PAYABLE[payout.payee_type], payout.amount.currency.code, payout.payee_id)


def _target(payout: Payout) -> AccountRef:
    unit = payout.amount.currency.code
    if payout.method == PayoutMethod.WALLET:
        return accounts.wallet(payout.payee_id, unit)
    return accounts.clearing(BANK if payout.method == PayoutMethod.BANK_TRANSFER else payout.method, unit)


def audit_decision(uow: UnitOfWork, payout: Payout, *, before: str, actor: UUID, at: datetime) -> None:
    """Note what somebody said that became of a payout."""
    uow.audit.add(
        actor=actor,
        action="payouts.process",
        resource_type=REFERENCE,
        resource_id=payout.id,
        changes={
            "before": {"status": before},
            "after": {"status": payout.status},
            "amount": str(payout.amount),
            "bank_reference": payout.bank_reference,
            "reason": payout.reason,
        },
        at=at,
    )
