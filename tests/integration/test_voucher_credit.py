"""Voucher credit pays, is never paid out, and lapses with its owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from application.billing.checkouts import CHECKOUT_LIFETIME, HELD_BEYOND
from application.ledger.transfers import SetRate, TransferBetweenWallets, set_rate, transfer_between_wallets
from application.ledger.withdrawals import RequestWithdrawal, request_withdrawal
from application.privacy.erasure import CloseAccount, carry_out_erasure, close_account
from domain.billing.payments import PaymentType
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import InsufficientBalance, transfer
from domain.shared.money import currency
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import MovableClock
from tests.integration.shop import Shop, broken_promises
from tests.integration.tenders import (
    a_rich_customer,
    available,
    balances,
    egp,
    end_holds,
    from_credit,
)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def test_it_is_never_paid_out(shop: Shop) -> None:
    customer = a_rich_customer(shop, credit=50_000)
    with shop.use.new_uow() as uow:
        uow.users.get(customer).verify_email(at=shop.use.clock.now())
        uow.commit()
    command = RequestWithdrawal(user_id=customer, amount=egp(100), destination="EG38", least=None)

    with pytest.raises(InsufficientBalance):
        request_withdrawal(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

    assert available(shop, customer) == (0, 50_000, 0)


def test_it_is_never_changed_into_another_currency(shop: Shop) -> None:
    customer, staff = a_rich_customer(shop, credit=50_000), shop.a_customer()
    rate = set_rate(
        SetRate(source=currency("EGP"), target=currency("USD"), rate=Decimal("0.02"), valid_from=None,
                actor_id=staff),
        uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id,
    )  # fmt: skip
    command = TransferBetweenWallets(user_id=customer, amount=egp(10_000), target=currency("USD"), rate_id=rate)

    with pytest.raises(InsufficientBalance):
        transfer_between_wallets(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

    assert balances(shop, customer) == (0, 50_000, 0)


# With its owner ---------------------------------------------------------------------------------------


def leave(shop: Shop, customer: UUID) -> UUID:
    """Close the account; the erasure that is due at once."""
    use = shop.use
    command = CloseAccount(user_id=customer, grace=timedelta())
    close_account(command, uow=use.new_uow(), clock=use.clock, new_id=new_id)
    return UUID(str(shop.row("SELECT id FROM erasures WHERE user_id = %s", customer)["id"]))


def carry_out(shop: Shop, erasure_id: UUID) -> bool:
    use = shop.use
    return carry_out_erasure(erasure_id, new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id)


def test_it_lapses_with_its_owner_and_is_booked_as_income_in_each_currency(shop: Shop) -> None:
    customer = a_rich_customer(shop, credit=50_000)
    dinars = accounts.voucher_credit(customer, "KWD")
    shop.post(*transfer(accounts.platform(AccountKind.ADJUSTMENTS, "KWD"), dinars, 1_500))
    erasure = leave(shop, customer)

    assert carry_out(shop, erasure)
    assert carry_out(shop, erasure)

    assert (balances(shop, customer), shop.balance(dinars)) == ((0, 0, 0), 0)
    lapsed = [shop.balance(accounts.platform(AccountKind.EXPIRY_INCOME, unit)) for unit in ("EGP", "KWD")]
    assert lapsed == [50_000, 1_500]
    [journal] = shop.database.rows("SELECT reference_id FROM ledger_journals WHERE journal_type = 'EXPIRED'")
    assert journal["reference_id"] == erasure


def test_money_in_the_wallet_keeps_both(shop: Shop) -> None:
    customer = a_rich_customer(shop, wallet=1, credit=50_000)

    assert not carry_out(shop, leave(shop, customer))

    assert balances(shop, customer) == (1, 50_000, 0)


def test_credit_that_an_ended_checkout_still_holds_waits_for_the_hold(shop: Shop, clock: MovableClock) -> None:
    customer = a_rich_customer(shop, credit=50_000)
    membership = shop.subscribe(customer)
    shop.pay(customer, membership, kind=PaymentType.MEMBERSHIP_PURCHASE, parts=(from_credit(50_000),))
    erasure = leave(shop, customer)
    clock.offset += CHECKOUT_LIFETIME + timedelta(minutes=1)

    assert not carry_out(shop, erasure)
    assert shop.row("SELECT blocked_by FROM erasures WHERE id = %s", erasure)["blocked_by"] == ["PAYMENTS"]
    assert balances(shop, customer) == (0, 50_000, 0)
    clock.offset += HELD_BEYOND
    assert end_holds(shop) == 1

    assert carry_out(shop, erasure)
    assert balances(shop, customer) == (0, 0, 0)
