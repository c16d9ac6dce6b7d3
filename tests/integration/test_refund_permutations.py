"""Whatever order and number readings come in, one state and one Σ (P9): refunds, failures and disputes included."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from uuid import UUID

import pytest

from application.billing.ports import RefundState
from domain.catalogue.departures import Departure
from domain.shared.money import Money
from infrastructure.bootstrap import bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import egp
from tests.conftest import MovableClock, _settings
from tests.integration.permutations import (
    EVERYTHING,
    Happening,
    Outcome,
    ScriptedProvider,
    feasible_orders,
    feasible_sample,
    outcome,
    schedules,
    snapshots,
)
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop

H = Happening
EXAMPLES = int(os.environ.get("ALTAYAR_ORDERS", "15"))
"""How many orders are tried of all that there are; as many as one has time for."""
ABOUT_MONEY = (H.PAID, H.REFUNDED, H.REFUNDED_AGAIN, H.REFUND_FAILED, H.DISPUTE_OPENED, H.DISPUTE_LOST)


@pytest.fixture(scope="module")
def shop(module_addresses: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home: Path = tmp_path_factory.mktemp("permutations")
    url = module_addresses.owner.render_as_string(hide_password=False)
    running = bootstrap(
        _settings(url, "redis://unused", home), database=Database(module_addresses.app), clock=MovableClock()
    )
    yield Shop.opened(running)
    running.close()
    assert broken_refund_promises(module_addresses) == []


@pytest.fixture(scope="module")
def departure(shop: Shop) -> Departure:
    return shop.a_departure(seats=5_000)


def some(orders: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """A sample, the same in every run."""
    return random.Random(23).sample(orders, min(2 * EXAMPLES, len(orders)))


def a_payment(shop: Shop, departure: Departure) -> tuple[UUID, UUID]:
    booking = shop.book(shop.a_customer(), departure)
    return shop.pay(booking.user_id, booking.id), booking.id


def after(
    shop: Shop, departure: Departure, order: tuple[Happening, ...], places: list[int] | tuple[int, ...]
) -> Outcome:
    """What is known in the end of a payment to which all of this happened, its readings settled in this order."""
    payment_id, booking_id = a_payment(shop, departure)
    charge = price_of(shop, payment_id)
    readings = snapshots(ScriptedProvider(Counter(shop)), payment_id, order, charge)
    for place in places:
        shop.settle(payment_id, readings[place])
    return outcome(shop, payment_id, booking_id)


def price_of(shop: Shop, payment_id: UUID) -> Money:
    return shop.gateway.books[shop.attempt_of(payment_id).provider_reference].request.amount


def test_every_order_of_the_readings_of_money_ends_in_one_state(shop: Shop, departure: Departure) -> None:
    natural = (H.CREATED, *ABOUT_MONEY)
    ends = {after(shop, departure, natural, places) for places in some(list(permutations(range(1, len(natural)))))}
    assert len(ends) == 1, ends
    end = ends.pop()
    assert end.payment == (("REFUNDED", 100_000),)
    assert end.refunds == ((20_000, "FAILED", "PROVIDER"), (30_000, "SUCCEEDED", "PROVIDER"))
    assert end.disputes == (("LOST", 100_000, 70_000, 0, 0),)
    assert end.sums == ()


def test_everything_that_can_happen_in_any_order_and_number_ends_in_one_state(shop: Shop, departure: Departure) -> None:
    orders = feasible_sample(EVERYTHING, how_many=2 * EXAMPLES, seed=23)
    ends = {
        after(shop, departure, order, places)
        for order, places in zip(orders, schedules(len(EVERYTHING), how_many=len(orders), seed=7), strict=True)
    }
    assert len(ends) == 1, ends
    assert ends.pop().receipts == ((100_000, "SETTLED", None), (100_000, "SUSPENSE", "TWICE"))


@pytest.mark.parametrize("verdict", [H.DISPUTE_WON, H.DISPUTE_LOST])
def test_a_verdict_and_refunds_in_every_order_end_in_one_state(
    shop: Shop, departure: Departure, verdict: Happening
) -> None:
    happenings = (H.CREATED, H.PAID, H.REFUNDED, H.DISPUTE_OPENED, verdict)
    ends = {
        after(shop, departure, order, places)
        for order in feasible_orders(happenings)
        for places in schedules(len(order), how_many=3, seed=order.index(verdict))
    }
    assert len(ends) == 1, ends
    refunded = 100_000 if verdict is H.DISPUTE_LOST else 30_000
    assert ends.pop().payment[0][1:] == (refunded,)  # type: ignore[index]


def test_readings_that_know_of_a_success_and_those_that_do_not_end_with_the_same_money(
    shop: Shop, departure: Departure
) -> None:
    """A refund that succeeded and came back: rewards that were taken stay taken, so only the money is the same."""
    ends = set()
    for places in permutations(range(4)):
        payment_id, booking_id = a_payment(shop, departure)
        counter, charge = Counter(shop), price_of(shop, payment_id)
        provider = ScriptedProvider(counter)
        readings = snapshots(provider, payment_id, (H.PAID, H.REFUNDED_AGAIN), charge)
        for state in (RefundState.SUCCEEDED, RefundState.FAILED):
            counter.on_dashboard(payment_id, egp("200.00"), name=f"re_2_{payment_id}", state=state)
            readings.append(provider.reading(payment_id))
        for place in places:
            shop.settle(payment_id, readings[place])
        end = outcome(shop, payment_id, booking_id)
        ends.add(replace(end, sums=tuple(row for row in end.sums if row[1] == "EGP")))
    assert len(ends) == 1, ends
    assert ends.pop().payment == (("PAID", 0),)
