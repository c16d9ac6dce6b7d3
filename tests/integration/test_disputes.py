"""Disputes: frozen while open, taken back where lost, and never more than refunds leave (product.md §8)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from application.billing.deciding import DecideSuspense
from application.billing.payments import WantedPart
from application.billing.ports import DisputeState, ProviderRefused, RefundState
from application.billing.suspense import ApplySuspense, apply_suspense, put_into_wallet
from domain.billing.payments import PaymentMethod, PaymentType
from domain.billing.refunds import Destination, PaymentDisputed
from domain.billing.tenders import TenderKind
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from infrastructure.database.transaction import Row
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import egp
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once

pytestmark = pytest.mark.usefixtures("refund_promises")

CLEARING = accounts.clearing("SCRIPTED", "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
PRICE = 100_000


@pytest.fixture
def paid(shop: Shop, customer: UUID) -> UUID:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    return payment_id


def tell(shop: Shop, counter: Counter, payment_id: UUID, state: DisputeState, amount: str = "1000.00") -> None:
    counter.dispute(payment_id, egp(amount), state)
    shop.look(payment_id)


def the_dispute(shop: Shop) -> Row:
    return shop.row("SELECT * FROM disputes")


def told(shop: Shop) -> list[str]:
    rows = shop.database.rows("SELECT name FROM outbox_events WHERE name LIKE 'billing.dispute%%' ORDER BY id")
    return [row["name"].removeprefix("billing.dispute_") for row in rows]


def test_while_it_is_open_nothing_is_refunded_and_nothing_has_moved(shop: Shop, counter: Counter, paid: UUID) -> None:
    waiting = counter.ask(paid, egp("100.00"))
    tell(shop, counter, paid, DisputeState.OPEN)
    tell(shop, counter, paid, DisputeState.OPEN)

    with pytest.raises(PaymentDisputed):
        counter.ask(paid, egp("100.00"))
    with pytest.raises(PaymentDisputed):
        counter.preview(paid)
    counter.submit(waiting)
    assert (counter.status(waiting), shop.gateway.asked_refunds) == ("REQUESTED", [])
    assert counter.balances(CLEARING, PREPAID) == [-PRICE, PRICE]
    assert told(shop) == ["opened"]


def test_won_everything_goes_on(shop: Shop, counter: Counter, paid: UUID) -> None:
    tell(shop, counter, paid, DisputeState.OPEN)
    tell(shop, counter, paid, DisputeState.WON)
    tell(shop, counter, paid, DisputeState.OPEN)
    assert the_dispute(shop)["status"] == "WON"
    counter.refund(paid)
    assert counter.balances(CLEARING, PREPAID) == [0, 0]
    assert told(shop) == ["opened", "won"]


def test_lost_the_money_goes_back_to_the_bank_with_what_it_earned(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    for _ in range(3):
        tell(shop, counter, paid, DisputeState.LOST)
    assert (the_dispute(shop)["taken_minor"], shop.status_of(paid)) == (PRICE, "REFUNDED")
    assert counter.balances(CLEARING, PREPAID, accounts.points(customer)) == [0, 0, 0]
    kinds = shop.database.rows("SELECT journal_type FROM ledger_journals WHERE reference_type = 'DISPUTE'")
    assert [row["journal_type"] for row in kinds] == ["DISPUTE"]
    assert told(shop) == ["opened", "lost"]


def test_lost_only_what_refunds_have_left_is_taken(shop: Shop, counter: Counter, paid: UUID) -> None:
    counter.refund(paid, egp("300.00"))
    tell(shop, counter, paid, DisputeState.LOST)
    assert the_dispute(shop)["taken_minor"] == 70_000
    assert counter.balances(CLEARING, PREPAID, SUSPENSE) == [0, 0, 0]


def test_a_refund_that_is_told_of_later_takes_its_part_from_the_dispute(
    shop: Shop, counter: Counter, paid: UUID
) -> None:
    tell(shop, counter, paid, DisputeState.LOST)
    counter.on_dashboard(paid, egp("300.00"))
    shop.look(paid)
    assert (the_dispute(shop)["taken_minor"], counter.tenders(paid)) == (70_000, {"GATEWAY": (0, PRICE)})
    assert counter.balances(CLEARING, PREPAID, SUSPENSE) == [0, 0, 0]

    counter.on_dashboard(paid, egp("300.00"), state=RefundState.FAILED)
    shop.look(paid)
    assert the_dispute(shop)["taken_minor"] == PRICE


def test_a_request_that_was_never_sent_gives_way_to_a_lost_dispute(shop: Shop, counter: Counter, paid: UUID) -> None:
    waiting = counter.ask(paid, egp("400.00"))
    tell(shop, counter, paid, DisputeState.LOST)
    assert counter.status(waiting) == "FAILED"
    assert the_dispute(shop)["taken_minor"] == PRICE


def test_a_lost_dispute_takes_revenue_of_a_completed_trip_back(shop: Shop, counter: Counter, paid: UUID) -> None:
    booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", paid)["booking_id"]
    shop.travel(booking_id, shop.a_customer())
    tell(shop, counter, paid, DisputeState.LOST, "600.00")
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, 40_000, -40_000]


def test_a_lost_deposit_that_is_spent_becomes_debt(shop: Shop, counter: Counter, customer: UUID) -> None:
    deposit = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("500.00"))
    shop.charge(deposit, egp("500.00"))
    shop.look(deposit)
    booking = shop.book(customer, shop.a_departure(price=egp("400.00")))
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    tell(shop, counter, deposit, DisputeState.LOST, "500.00")

    wallet, debt = accounts.wallet(customer, "EGP"), accounts.debt(customer, "EGP")
    assert counter.balances(wallet, debt, CLEARING) == [0, -40_000, 0]


def test_only_the_card_part_is_disputed(shop: Shop, counter: Counter, customer: UUID) -> None:
    shop.fill_wallet(customer, egp("400.00"))
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id, parts=(WantedPart(kind=TenderKind.WALLET, amount=egp("400.00")),))
    shop.charge(payment_id, egp("600.00"))
    shop.look(payment_id)
    tell(shop, counter, payment_id, DisputeState.LOST, "600.00")
    assert counter.tenders(payment_id) == {"WALLET": (0, 0), "GATEWAY": (0, 60_000)}
    counter.refund(payment_id)
    assert counter.balances(accounts.wallet(customer, "EGP"), PREPAID) == [40_000, 0]


def test_money_in_suspense_that_the_bank_takes_is_gone_from_there(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, egp("900.00"))
    shop.look(payment_id)
    assert counter.balances(SUSPENSE) == [90_000]
    tell(shop, counter, payment_id, DisputeState.LOST, "900.00")
    tell(shop, counter, payment_id, DisputeState.LOST, "900.00")
    assert counter.balances(SUSPENSE, CLEARING) == [0, 0]


def item_of(shop: Shop) -> tuple[str, str | None]:
    item = shop.row("SELECT status, resolution FROM suspense_items")
    return item["status"], item["resolution"]


def test_what_the_bank_took_of_suspense_waits_for_nobody_and_a_refund_that_is_told_of_later_has_it(
    shop: Shop, counter: Counter, customer: UUID
) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, egp("900.00"))
    shop.look(payment_id)
    tell(shop, counter, payment_id, DisputeState.LOST, "900.00")
    assert item_of(shop) == ("RESOLVED", "DISPUTED")

    counter.on_dashboard(payment_id, egp("900.00"))
    for _ in range(2):
        shop.look(payment_id)

    # Nothing is there that staff could give away a second time.
    assert item_of(shop) == ("RESOLVED", "DISPUTED")
    assert counter.balances(SUSPENSE, CLEARING) == [0, 0]
    assert the_dispute(shop)["taken_from_suspense_minor"] == 0


# Beyond the tender ------------------------------------------------------------------------------------------


def taken(shop: Shop) -> tuple[int, int, int]:
    """From the tender, from suspense, from the wallet."""
    row = the_dispute(shop)
    return row["taken_minor"], row["taken_from_suspense_minor"], row["taken_from_wallet_minor"]


def decide(shop: Shop, act: Callable[..., object], command: object) -> None:
    act(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)


def decision(shop: Shop) -> DecideSuspense:
    receipt = shop.row("SELECT receipt_id FROM suspense_items WHERE status = 'OPEN'")["receipt_id"]
    return DecideSuspense(receipt_id=receipt, actor_id=shop.a_customer(), reason="they called us")


def test_what_was_refunded_to_the_wallet_is_taken_from_there(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    wallet, debt = accounts.wallet(customer, "EGP"), accounts.debt(customer, "EGP")
    counter.refund(paid, egp("600.00"), destination=Destination.WALLET)
    spent = shop.book(customer, shop.a_departure(price=egp("100.00")))
    shop.pay(customer, spent.id, method=PaymentMethod.WALLET)

    for _ in range(3):
        tell(shop, counter, paid, DisputeState.LOST)

    assert taken(shop) == (40_000, 0, 60_000)
    assert counter.balances(CLEARING, wallet, debt) == [0, 0, -10_000]
    assert shop.attention() == []


def test_a_refund_at_the_bank_that_is_told_of_later_gives_the_wallet_its_part_again(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    counter.refund(paid, destination=Destination.WALLET)
    tell(shop, counter, paid, DisputeState.LOST)
    assert taken(shop) == (0, 0, PRICE)

    counter.on_dashboard(paid, egp("300.00"))
    for _ in range(2):
        shop.look(paid)

    assert taken(shop) == (0, 0, 70_000)
    assert counter.balances(CLEARING, accounts.wallet(customer, "EGP"), SUSPENSE) == [0, 30_000, -30_000]


def test_only_the_charge_that_is_disputed_is_taken_where_two_came(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.charge(paid, egp("1000.00"))
    shop.look(paid)
    counter.refund(paid, egp("300.00"))
    tell(shop, counter, paid, DisputeState.LOST)
    assert taken(shop) == (70_000, 0, 0)
    assert counter.balances(SUSPENSE) == [PRICE]
    assert shop.attention() == ["SUSPENSE_TWICE", "DISPUTE_PARTLY_BOOKED"]


def test_both_charges_are_taken_where_the_bank_takes_both(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.charge(paid, egp("1000.00"))
    shop.look(paid)
    for _ in range(2):
        tell(shop, counter, paid, DisputeState.LOST, "2000.00")
    assert taken(shop) == (PRICE, PRICE, 0)
    assert item_of(shop) == ("RESOLVED", "DISPUTED")
    assert counter.balances(SUSPENSE, CLEARING, PREPAID) == [0, 0, 0]


def test_a_second_charge_that_went_to_the_wallet_is_taken_from_there(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    shop.charge(paid, egp("1000.00"))
    shop.look(paid)
    decide(shop, put_into_wallet, decision(shop))
    tell(shop, counter, paid, DisputeState.LOST, "2000.00")
    assert taken(shop) == (PRICE, 0, PRICE)
    assert counter.balances(SUSPENSE, CLEARING, accounts.wallet(customer, "EGP")) == [0, 0, 0]


def test_of_money_that_was_applied_the_tender_gives_its_part_and_the_wallet_what_was_over(
    shop: Shop, counter: Counter, customer: UUID
) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, egp("1030.00"))
    shop.look(payment_id)
    decide(shop, apply_suspense, ApplySuspense(decision=decision(shop)))

    for _ in range(2):
        tell(shop, counter, payment_id, DisputeState.LOST, "1030.00")

    assert taken(shop) == (PRICE, 0, 3_000)
    assert (shop.status_of(payment_id), counter.tenders(payment_id)) == ("REFUNDED", {"GATEWAY": (0, PRICE)})
    wallet, debt = accounts.wallet(customer, "EGP"), accounts.debt(customer, "EGP")
    assert counter.balances(CLEARING, PREPAID, SUSPENSE, wallet, debt) == [0, 0, 0, 0, 0]


def test_a_suspended_charge_whose_refund_became_wallet_money_is_taken_from_there(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    shop.charge(paid, egp("1000.00"))
    shop.look(paid)
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
    refund_id = counter.refund_suspense(decision(shop).receipt_id, egp("1000.00"))
    counter.submit(refund_id)
    counter.to_wallet(refund_id)

    tell(shop, counter, paid, DisputeState.LOST, "2000.00")

    assert taken(shop) == (PRICE, 0, PRICE)
    assert counter.balances(SUSPENSE, CLEARING, accounts.wallet(customer, "EGP")) == [0, 0, 0]


def test_a_lost_dispute_that_is_told_of_many_times_at_once_takes_once(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    counter.refund(paid, egp("600.00"), destination=Destination.WALLET)
    counter.dispute(paid, egp("1000.00"), DisputeState.LOST)
    assert all_at_once([lambda: shop.look(paid)] * 6) == [None] * 6
    assert taken(shop) == (40_000, 0, 60_000)
    assert counter.balances(CLEARING, accounts.wallet(customer, "EGP")) == [0, 0]


def test_whoever_dies_before_the_commit_has_taken_nothing_and_the_next_takes_all(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = accounts.wallet(customer, "EGP")
    counter.refund(paid, egp("600.00"), destination=Destination.WALLET)
    counter.dispute(paid, egp("1000.00"), DisputeState.LOST)

    def die(uow: SqlUnitOfWork) -> None:
        uow.flush()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SqlUnitOfWork, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            shop.look(paid)
    assert shop.database.rows("SELECT 1 FROM disputes") == []
    assert counter.balances(CLEARING, wallet) == [-PRICE, 60_000]

    shop.look(paid)
    assert taken(shop) == (40_000, 0, 60_000)
    assert counter.balances(CLEARING, wallet) == [0, 0]
