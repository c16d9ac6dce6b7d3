"""Withdrawals from the request to the bank's answer.

Locks are taken in one order: the withdrawal, then its hold, then the wallet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from application.ledger import holds
from application.ledger.owed import refuse_what_is_owed
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, Journal, JournalNotFound, JournalType, transfer
from domain.ledger.withdrawals import EmailNotVerified, Withdrawal, WithdrawalStatus, refuse_below
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money

REFERENCE: Final = "WITHDRAWAL"
BANK: Final = "BANK"
"""The clearing account of the bank that pays withdrawals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawal:
    """A customer asks for money back; `least` is the smallest amount paid out, None where any is."""

    user_id: UUID
    amount: Money
    destination: str
    least: Money | None


def request_withdrawal(command: RequestWithdrawal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Set the amount aside until staff decide; the withdrawal's id.

    Raises EmailNotVerified, WithdrawalTooSmall, MoneyOwed, InsufficientBalance.
    """
    now, withdrawal_id = clock.now(), new_id()
    with uow:
        if uow.users.get(command.user_id).email_verified_at is None:
            raise EmailNotVerified()
        refuse_below(command.least, command.amount)
        wallet = accounts.wallet(command.user_id, command.amount.currency.code)
        refuse_what_is_owed(wallet, command.amount.minor, uow=uow)
        withdrawal = Withdrawal.request(
            withdrawal_id=withdrawal_id,
            number=document_number("WD", business_date(now).year, uow.withdrawals.next_serial()),
            user_id=command.user_id,
            amount=command.amount,
            destination=command.destination,
            hold_id=_set_aside(command, withdrawal_id, uow=uow, clock=clock, new_id=new_id),
            at=now,
        )
        uow.withdrawals.add(withdrawal)
        _audit(uow, withdrawal, "wallets.withdraw", before=None, actor=command.user_id, clock=clock)
        uow.commit()
    return withdrawal_id


def _set_aside(
    command: RequestWithdrawal, withdrawal_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> UUID:
    aside = holds.SetAside(
        account=accounts.wallet(command.user_id, command.amount.currency.code),
        amount_minor=command.amount.minor,
        reference_type=REFERENCE,
        reference_id=withdrawal_id,
        expires_at=None,
    )
    return holds.hold(aside, uow=uow, clock=clock, new_id=new_id)


def cancel_withdrawal(withdrawal_id: UUID, *, owner: UUID, uow: UnitOfWork, clock: Clock) -> None:
    """Its owner thinks again; the amount is free. Raises WithdrawalNotFound or IllegalTransition."""
    with uow:
        withdrawal = uow.withdrawals.get(withdrawal_id, owner=owner)
        before = withdrawal.status
        withdrawal.cancel(at=clock.now())
        holds.release(withdrawal.hold_id, uow=uow, clock=clock)
        uow.withdrawals.save(withdrawal)
        _audit(uow, withdrawal, "wallets.cancel", before=before, actor=owner, clock=clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideWithdrawal:
    """What staff do with a withdrawal; `words` is the bank's reference, or the reason."""

    withdrawal_id: UUID
    actor_id: UUID
    words: str = ""


def approve_withdrawal(command: DecideWithdrawal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Take the amount out of the wallet, on its way to the bank. Raises OwnRequest, IllegalTransition or MoneyOwed."""
    with uow:
        withdrawal = uow.withdrawals.get(command.withdrawal_id)
        before = withdrawal.status
        journal = _journal(withdrawal, JournalType.WITHDRAWAL, "approved", _out(withdrawal), clock=clock, new_id=new_id)
        withdrawal.approve(journal_id=journal.id, by=command.actor_id, at=clock.now())
        _refuse_what_is_owed(withdrawal, uow)
        holds.capture(withdrawal.hold_id, journal, uow=uow, clock=clock)
        uow.withdrawals.save(withdrawal)
        _audit(uow, withdrawal, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def _refuse_what_is_owed(withdrawal: Withdrawal, uow: UnitOfWork) -> None:
    """It was not owed when it was asked for; what was taken back since may be."""
    held = uow.ledger.get_hold(withdrawal.hold_id)
    refuse_what_is_owed(held.account, withdrawal.amount.minor, uow=uow, set_aside_minor=held.amount_minor)


def reject_withdrawal(command: DecideWithdrawal, *, uow: UnitOfWork, clock: Clock) -> None:
    """Refuse it; the amount is free. Raises OwnRequest or IllegalTransition."""
    with uow:
        withdrawal = uow.withdrawals.get(command.withdrawal_id)
        before = withdrawal.status
        withdrawal.reject(reason=command.words, by=command.actor_id, at=clock.now())
        holds.release(withdrawal.hold_id, uow=uow, clock=clock)
        uow.withdrawals.save(withdrawal)
        _audit(uow, withdrawal, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def pay_withdrawal(command: DecideWithdrawal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The bank carried it out, under the reference in `words`. Raises OwnRequest or IllegalTransition."""
    with uow:
        withdrawal = uow.withdrawals.get(command.withdrawal_id)
        before, unit = withdrawal.status, withdrawal.amount.currency.code
        withdrawal.pay(bank_reference=command.words, by=command.actor_id, at=clock.now())
        legs = transfer(_in_transit(unit), accounts.clearing(BANK, unit), withdrawal.amount)
        uow.ledger.post([_journal(withdrawal, JournalType.PAYOUT, "paid", legs, clock=clock, new_id=new_id)])
        uow.withdrawals.save(withdrawal)
        _audit(uow, withdrawal, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def return_withdrawal(command: DecideWithdrawal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The bank sent it back, also after it was paid: what moved it out of the wallet is reversed.

    Raises OwnRequest or IllegalTransition.
    """
    with uow:
        withdrawal = uow.withdrawals.get(command.withdrawal_id)
        before = withdrawal.status
        legs = [Entry(entry.account, -entry.amount_minor) for entry in _out(withdrawal)]
        journal = _journal(withdrawal, JournalType.REVERSAL, "returned", legs, clock=clock, new_id=new_id)
        withdrawal.send_back(reason=command.words, journal_id=journal.id, by=command.actor_id, at=clock.now())
        if before is WithdrawalStatus.PAID:
            uow.ledger.post([_paid_back(withdrawal, uow=uow, clock=clock, new_id=new_id)])
        uow.ledger.post([journal])
        uow.withdrawals.save(withdrawal)
        _audit(uow, withdrawal, "wallets.approve", before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def _paid_back(withdrawal: Withdrawal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Journal:
    """What reverses the journal by which the bank had paid it."""
    paid = uow.reversals.made_by(_key(withdrawal, "paid"))
    if paid is None:
        raise JournalNotFound()
    unit = withdrawal.amount.currency.code
    legs = transfer(accounts.clearing(BANK, unit), _in_transit(unit), withdrawal.amount)
    return replace(
        _journal(withdrawal, JournalType.REVERSAL, "bank_returned", legs, clock=clock, new_id=new_id), reverses=paid.id
    )


def _in_transit(unit: str) -> AccountRef:
    return accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, unit)


def _out(withdrawal: Withdrawal) -> tuple[Entry, Entry]:
    unit = withdrawal.amount.currency.code
    return transfer(accounts.wallet(withdrawal.user_id, unit), _in_transit(unit), withdrawal.amount)


def _key(withdrawal: Withdrawal, step: str) -> str:
    return f"withdrawal:{withdrawal.id}:{step}"


_LABELS = {
    JournalType.WITHDRAWAL: ("سحب من المحفظة {number}", "Withdrawal {number}"),
    JournalType.PAYOUT: ("تحويل السحب {number} إلى البنك", "Withdrawal {number} paid by the bank"),
    JournalType.REVERSAL: ("إعادة السحب {number} من البنك", "Withdrawal {number} returned by the bank"),
}


def _journal(
    withdrawal: Withdrawal, kind: JournalType, step: str, entries: Iterable[Entry], *, clock: Clock, new_id: NewId
) -> Journal:
    arabic, english = (label.format(number=withdrawal.withdrawal_number) for label in _LABELS[kind])
    return Journal(
        id=new_id(),
        journal_type=kind,
        idempotency_key=_key(withdrawal, step),
        reference_type=REFERENCE,
        reference_id=withdrawal.id,
        description_ar=arabic,
        description_en=english,
        occurred_at=clock.now(),
        entries=tuple(entries),
        reverses=withdrawal.journal_id if kind is JournalType.REVERSAL else None,
    )


def _audit(
    uow: UnitOfWork, withdrawal: Withdrawal, action: str, *, before: str | None, actor: UUID, clock: Clock
) -> None:
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type=REFERENCE,
        resource_id=withdrawal.id,
        changes={
            "before": {"status": before},
            "after": {"status": withdrawal.status},
            "amount": str(withdrawal.amount),
            "reason": withdrawal.reason,
            "bank_reference": withdrawal.bank_reference,
        },
        at=clock.now(),
    )
