"""An agent's deposit account: paid into from its wallet, taken back out of, and how far below zero it may stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.ledger.locks import lock_owned
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.partners.credit import CreditLimit
from domain.partners.partners import Partner, PartnerNotFound, PartnerStatus, PartnerSuspendedNow
from domain.shared.clock import Clock
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.payees import PayeeType

REFERENCE: Final = "AGENT_DEPOSIT"
_IN: Final = ("إيداع في حساب الوكيل", "Paid into the agent's deposit account")
_OUT: Final = ("سحب من حساب إيداع الوكيل", "Taken out of the agent's deposit account")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDeposit:
    """An agent moves money of its own between its wallet and its deposit account; the key is one for each time."""

    partner_id: UUID
    user_id: UUID
    amount: Money
    key: str


def pay_in(command: MoveDeposit, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Out of the wallet; the same key moves nothing twice.

    Raises PartnerNotFound, InvalidValue, InsufficientBalance.
    """
    with uow:
        _refuse_strangers(command, uow=uow)
        _move(command, _wallet(command), _deposit(command), _IN, uow=uow, clock=clock, new_id=new_id)
        uow.commit()


def take_out(command: MoveDeposit, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Into the wallet, of what is above zero: what is owed is no money to take.

    Raises PartnerNotFound, PartnerSuspendedNow, InvalidValue, InsufficientBalance.
    """
    with uow:
        if _refuse_strangers(command, uow=uow) is PartnerStatus.SUSPENDED:
            raise PartnerSuspendedNow()
        _move(command, _deposit(command), _wallet(command), _OUT, uow=uow, clock=clock, new_id=new_id)
        uow.commit()


def _refuse_strangers(command: MoveDeposit, *, uow: UnitOfWork) -> PartnerStatus:
    status = uow.partners.status_of_agent(command.user_id)
    if status is None:
        raise PartnerNotFound()
    if not command.amount.is_positive:
        raise InvalidValue("more than nothing is moved", pointer="/amount", code="out_of_range")
    return status


def _move(
    command: MoveDeposit,
    source: AccountRef,
    target: AccountRef,
    words: tuple[str, str],
    *,
    uow: UnitOfWork,
    clock: Clock,
    new_id: NewId,
) -> None:
    """What is not there is refused by the ledger, so that a key that was used is told apart before the balance is."""
    lock_owned({source, target}, uow=uow)
    journal = Journal(
        id=new_id(),
        journal_type=JournalType.TRANSFER,
        idempotency_key=f"agent-deposit:{command.key}",
        reference_type=REFERENCE,
        reference_id=command.partner_id,
        description_ar=words[0],
        description_en=words[1],
        occurred_at=clock.now(),
        entries=transfer(source, target, command.amount),
    )
    uow.ledger.post([journal])


def _wallet(command: MoveDeposit) -> AccountRef:
    return accounts.wallet(command.user_id, command.amount.currency.code)


def _deposit(command: MoveDeposit) -> AccountRef:
    return accounts.agent_deposit(command.user_id, command.amount.currency.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCredit:
    """From now on an agent's deposit account may stand so far below zero."""

    partner_id: UUID
    actor_id: UUID
    limit: Money
    reason: str


def grant_credit(command: GrantCredit, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Grant, raise, lower or end an agent's credit in a currency; the limit's id.

    Raises PartnerNotFound, OwnRequest, InvalidValue.
    """
    now = clock.now()
    with uow:
        partner = uow.partners.get(command.partner_id, payee_type=PayeeType.AGENT)
        granted = CreditLimit.grant(
            limit_id=new_id(),
            partner_id=partner.id,
            partner_user_id=partner.user_id,
            limit=command.limit,
            reason=command.reason,
            by=command.actor_id,
            at=now,
        )
        before = uow.partners.credit_limit(partner.user_id, command.limit.currency)
        uow.partners.add_credit_limit(granted)
        _audit(granted, partner, before, uow=uow)
        uow.commit()
    return granted.id


def _audit(granted: CreditLimit, partner: Partner, before: Money, *, uow: UnitOfWork) -> None:
    uow.audit.add(
        actor=granted.set_by,
        action="agents.credit",
        resource_type="PARTNER",
        resource_id=partner.id,
        changes={
            "before": {"limit": str(before)},
            "after": {"limit": str(granted.limit)},
            "reason": granted.reason,
        },
        at=granted.valid_from,
    )
