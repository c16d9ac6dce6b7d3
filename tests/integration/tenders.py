"""Customers with balances of their own, and what became of the parts of their payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import pytest

from application.billing.cancelling import CancelPayment, cancel_open_payment
from application.billing.splits import WantedPart
from application.ledger.holds import expire_holds
from application.ledger.points import EarnPoints, earn_points
from application.sales.expiry import expire_bookings
from domain.billing.tenders import TenderKind
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import transfer
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.billing.repositories import SqlPayments
from infrastructure.database.ledger.points import SqlPoints
from infrastructure.database.ledger.repositories import SqlLedger
from infrastructure.database.membership.repositories import SqlMemberships
from infrastructure.database.sales.repositories import SqlBookings
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.integration.shop import Shop

PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
DISCOUNTS = accounts.platform(AccountKind.DISCOUNTS, "EGP")
CLEARING = accounts.clearing("SCRIPTED", "EGP")
PRICE = 100_000
RICH = {"wallet": 50_000, "credit": 50_000, "points": 50_000}


def egp(minor: int) -> Money:
    return Money.of(minor, "EGP")


def from_wallet(minor: int) -> WantedPart:
    return WantedPart(kind=TenderKind.WALLET, amount=egp(minor))


def from_credit(minor: int) -> WantedPart:
    return WantedPart(kind=TenderKind.VOUCHER_CREDIT, amount=egp(minor))


def from_points(points: int) -> WantedPart:
    """A point pays one minor unit."""
    return WantedPart(kind=TenderKind.POINTS, points=points)


SPLITS = {
    "wallet and card": (from_wallet(30_000),),
    "voucher credit and card": (from_credit(40_000),),
    "points and card": (from_points(25_000),),
    "points, wallet and card": (from_points(20_000), from_wallet(30_000)),
    "everything": (from_wallet(10_000), from_points(20_000), from_credit(50_000)),
}


def a_rich_customer(shop: Shop, *, wallet: int = 0, credit: int = 0, points: int = 0) -> UUID:
    customer = shop.a_customer()
    if wallet:
        shop.fill_wallet(customer, egp(wallet))
    if credit:
        give_credit(shop, customer, credit)
    if points:
        give_points(shop, customer, points)
    return customer


def give_credit(shop: Shop, customer: UUID, minor: int) -> None:
    source = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
    shop.post(*transfer(source, accounts.voucher_credit(customer, "EGP"), minor))


def give_points(shop: Shop, customer: UUID, points: int) -> None:
    command = EarnPoints(
        user_id=customer,
        key=new_id().hex,
        reference_type="TEST",
        reference_id=new_id(),
        description_ar="نقاط",
        description_en="Points",
        points=points,
    )
    with shop.use.new_uow() as uow:
        earn_points(command, uow=uow, at=shop.use.clock.now(), new_id=new_id)
        uow.commit()


def owned(customer: UUID) -> tuple[AccountRef, AccountRef, AccountRef]:
    """Wallet, voucher credit, points."""
    return accounts.wallet(customer, "EGP"), accounts.voucher_credit(customer, "EGP"), accounts.points(customer)


def balances(shop: Shop, customer: UUID) -> tuple[int, ...]:
    """What wallet, voucher credit and points hold."""
    return tuple(shop.balance(account) for account in owned(customer))


def available(shop: Shop, customer: UUID) -> tuple[int, ...]:
    """What of wallet, voucher credit and points is not set aside."""
    with shop.use.new_uow() as uow:
        standing = uow.ledger.lock(owned(customer))
    return tuple(standing[account].available_minor for account in owned(customer))


def parts_of(shop: Shop, payment_id: UUID) -> list[tuple[str, int, str, str | None]]:
    """Each part: its kind, minor units, status, and its hold's status."""
    rows = shop.database.rows(
        """SELECT t.kind, t.amount_minor, t.status, h.status AS hold FROM payment_tenders t
           LEFT JOIN balance_holds h ON h.id = t.hold_id WHERE t.payment_id = %s ORDER BY t.position""",
        (payment_id,),
    )
    return [(row["kind"], row["amount_minor"], row["status"], row["hold"]) for row in rows]


def asked(shop: Shop, payment_id: UUID) -> Money:
    """What the provider was asked to take."""
    return shop.gateway.books[shop.attempt_of(payment_id).provider_reference].request.amount


def pay_card(shop: Shop, payment_id: UUID) -> None:
    """The customer pays at the provider what it asks for, and it is told."""
    shop.charge(payment_id, asked(shop, payment_id))
    shop.look(payment_id)


def cancel(shop: Shop, payment_id: UUID, customer: UUID) -> None:
    command = CancelPayment(payment_id=payment_id, user_id=customer)
    cancel_open_payment(command, uow=shop.use.new_uow(), clock=shop.use.clock)


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def end_holds(shop: Shop) -> int:
    return expire_holds(uow=shop.use.new_uow(), clock=shop.use.clock)


class Killed(Exception):
    """The process is gone."""


_STEPS = (
    (SqlPayments, ("add", "get", "by_key", "pending_of", "target_of", "add_receipt", "next_serial")),
    (SqlLedger, ("post", "lock", "add_hold", "get_hold", "resolve_hold", "add_lot")),
    (SqlPoints, ("open_lots", "record", "posted")),
    (SqlBookings, ("get", "flush", "keep_amendment", "replace_travelers")),
    (SqlMemberships, ("get", "active_of")),
    (SqlUnitOfWork, ("commit",)),
)


@contextmanager
def killed_at(step: int) -> Iterator[list[str]]:
    """Kill whoever comes to this step of all calls to repositories, before the call; what was called until then."""
    called: list[str] = []

    def watched(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(call)
        def step_of(*args: Any, **named: Any) -> Any:
            called.append(name)
            if len(called) == step:
                raise Killed(name)
            return call(*args, **named)

        return step_of

    with pytest.MonkeyPatch.context() as patch:
        for owner, names in _STEPS:
            for name in names:
                patch.setattr(owner, name, watched(getattr(owner, name), f"{owner.__name__}.{name}"))
        yield called
