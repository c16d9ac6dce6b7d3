"""Things that come in the wrong order or at once: money after a cancellation, a webhook ahead of our own call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations
from uuid import UUID

import pytest

from app import create_app
from domain.shared.errors import DomainError
from domain.shared.payees import PayeeType
from infrastructure.bootstrap import Running
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.faults.till import WEBHOOKS, Till
from tests.faults.waiting import until
from tests.integration.cancelling import Desk
from tests.integration.earning import Partners
from tests.integration.payroll import Payroll
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once
from tests.integration.tenders import egp

pytestmark = pytest.mark.database

RATE = "70"
ACTS = ("refund", "cancel", "pay out")


@pytest.fixture
def shop(running: Running) -> Shop:
    return Shop.opened(running)


def test_a_webhook_that_comes_before_our_own_create_call_returned_settles_its_payment_once(
    till: Till, proxy: FaultProxy
) -> None:
    proxy.become(Mode.SLOW, seconds=8.0)
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(till.ask)
        (invoice,) = until(till.invoices)
        proxy.become(Mode.PASS)
        till.fawaterk.pay(invoice)
        told = create_app(running=till.running).test_client()
        answer = told.post(WEBHOOKS, data=till.webhook(invoice), content_type="application/json")
        assert (answer.status_code, answer.json["status"]) == (200, "accepted")
        assert not asked.done(), "our own call is still under way"
        till.look_into_webhooks()
        assert asked.result().status_code == 201
    till.look_into_webhooks()
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000
    assert len(till.invoices()) == 1


def test_money_that_is_paid_after_the_cancellation_confirms_nothing_and_waits_for_its_owner(shop: Shop) -> None:
    customer = shop.a_customer()
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    Desk(shop).cancel(booking.id, by=customer, owner=customer)
    shop.charge(payment_id, booking.final_amount)
    for _ in range(3):
        shop.look(payment_id)
    assert shop.booking(booking.id)["status"] == "CANCELLED"
    assert shop.booking(booking.id)["hold_status"] in ("RELEASED", "EXPIRED")
    assert shop.receipts(payment_id) == [(booking.final_amount.minor, "EGP", "SUSPENSE", "LATE")]
    assert len(shop.attention()) == 1


@pytest.mark.parametrize("is_over", [False, True], ids=["before the trip", "after it"])
def test_a_refund_a_cancellation_and_a_payout_at_the_same_moment_give_away_nothing_twice(
    shop: Shop, running: Running, is_over: bool
) -> None:
    for order in permutations(ACTS):
        vendor = shop.a_customer()
        partners, payroll = Partners(shop), Payroll.of(running)
        partners.agreed(vendor, PayeeType.VENDOR, RATE)
        customer = shop.a_customer()
        booking = shop.a_paid_booking(customer, shop.a_departure(vendor=vendor, price=egp(100_000)))
        payment = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
        if is_over:
            partners.travel(booking)
        acts = {
            "refund": partial(_refund, Counter(shop), payment),
            "cancel": partial(Desk(shop).cancel, booking.id, by=customer, owner=customer),
            "pay out": partial(_pay_out, payroll),
        }
        for answer in all_at_once([acts[name] for name in order]):
            assert answer is None or isinstance(answer, DomainError), answer
        for refund in Counter(shop).of_payment(payment):
            Counter(shop).submit(refund["id"])
        row = shop.row("SELECT amount_minor, refund_amount_minor FROM payments WHERE id = %s", payment)
        assert 0 < row["refund_amount_minor"] <= row["amount_minor"]
        assert sum(one.amount.minor for one in Counter(shop).book(payment).refunds.values()) <= row["amount_minor"]


def _refund(counter: Counter, payment: UUID) -> None:
    counter.ask(payment, egp(40_000))


def _pay_out(payroll: Payroll) -> None:
    """A batch of whatever is released at this moment, approved."""
    made = payroll.make(minima={}).batch_id
    payroll.approve(made)
