"""Exchange rates as staff set them, and transfers between a customer's own wallets at one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from application.ledger.locks import lock_owned
from application.ledger.owed import refuse_what_is_owed
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.debts import debt_of
from domain.ledger.journal import Journal, JournalType
from domain.ledger.transfers import WalletTransfer, WalletTransferred
from domain.pricing.exchange import ExchangeRate, ExchangeRateSet, RateMoved, plain
from domain.shared.clock import Clock, business_date
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Currency, Money

REFERENCE: Final = "WALLET_TRANSFER"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRate:
    """From `valid_from` on, or from now on, one unit of `source` is worth `rate` units of `target`."""

    source: Currency
    target: Currency
    rate: Decimal
    valid_from: datetime | None
    actor_id: UUID


def set_rate(command: SetRate, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Add a rate; those before it stay. Its id. Raises InvalidValue for one dated back, or of one currency."""
    now = clock.now()
    if command.valid_from is not None and command.valid_from < now:
        raise InvalidValue("a rate is never dated back", pointer="/valid_from", code="out_of_range")
    rate = ExchangeRate(
        id=new_id(),
        source=command.source,
        target=command.target,
        rate=command.rate,
        valid_from=command.valid_from or now,
    )
    with uow:
        uow.exchange.add_rate(rate, by=command.actor_id, at=now)
        uow.publish(
            ExchangeRateSet(at=now, rate_id=rate.id, from_currency=rate.source.code, to_currency=rate.target.code)
        )
        uow.audit.add(
            actor=command.actor_id,
            action="exchange.manage",
            resource_type="EXCHANGE_RATE",
            resource_id=rate.id,
            changes={"before": {}, "after": dict(rate.shown)},
            at=now,
        )
        uow.commit()
    return rate.id


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferBetweenWallets:
    """A customer changes money of theirs at the rate that they saw."""

    user_id: UUID
    amount: Money
    target: Currency
    rate_id: UUID


def transfer_between_wallets(command: TransferBetweenWallets, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Change the amount; the transfer's id.

    Raises RateNotFound, RateMoved where another rate holds by now, OwnRate to whoever set it, ConversionTooSmall,
    MoneyOwed, InsufficientBalance.
    """
    now = clock.now()
    if not command.amount.is_positive:
        raise InvalidValue("a transfer moves more than nothing", pointer="/amount", code="out_of_range")
    with uow:
        rate = uow.exchange.newest_rate(command.amount.currency.code, command.target.code, at=now)
        if rate.id != command.rate_id:
            raise RateMoved(rate)
        rate.refuse_own(command.user_id)
        made = WalletTransfer(
            id=new_id(),
            transfer_number=document_number("TR", business_date(now).year, uow.exchange.next_transfer_serial()),
            user_id=command.user_id,
            sent=command.amount,
            received=rate.convert(command.amount),
            rate_id=rate.id,
            journal_id=new_id(),
            created_at=now,
        )
        wallet, other = (accounts.wallet(command.user_id, unit.code) for unit in (rate.source, rate.target))
        lock_owned({wallet, debt_of(wallet), other}, uow=uow)
        refuse_what_is_owed(wallet, command.amount.minor, uow=uow)
        uow.ledger.post([_journal(made, rate)])
        uow.exchange.add_transfer(made)
        uow.publish(WalletTransferred(at=now, transfer_id=made.id, rate_id=made.rate_id, journal_id=made.journal_id))
        uow.commit()
    return made.id


def _journal(made: WalletTransfer, rate: ExchangeRate) -> Journal:
    return Journal(
        id=made.journal_id,
        journal_type=JournalType.TRANSFER,
        idempotency_key=f"transfer:{made.id}",
        reference_type=REFERENCE,
        reference_id=made.id,
        description_ar=f"تحويل {made.transfer_number} بسعر {plain(rate.rate)}",
        description_en=f"Transfer {made.transfer_number} at {plain(rate.rate)}",
        occurred_at=made.created_at,
        entries=made.entries,
    )
