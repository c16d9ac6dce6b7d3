"""Whatever order, number and loss of a provider's webhooks: one state, one Σ, and its books are ours (P9).

Over the real gateways, by HTTP. A provider does things in its own order and a webhook tells of each, at once, later,
twice or never; then the reconciler comes. `ALTAYAR_ORDERS` is how many orders are drawn of all that there are.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from uuid import UUID

import pytest

from application.billing.webhooks import ReceiveWebhook, process_webhook, receive_webhook
from config.settings import Settings
from domain.billing.payments import PaymentMethod
from domain.catalogue.departures import Departure
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.transaction import Database
from tests.builders import egp
from tests.conftest import MovableClock
from tests.faults.whole import IS_WHOLE
from tests.integration.permutations import (
    NEEDS,
    Happening,
    Outcome,
    outcome,
    schedules,
    snapshots,
)
from tests.integration.providers import (
    PROVIDERS,
    FawaterkHouse,
    Letter,
    RealProvider,
    StripeHouse,
    a_provider,
    held_at,
    known_of,
)
from tests.integration.refunding import Counter
from tests.integration.shop import Shop

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.usefixtures("refund_promises")]

H = Happening
ORDERS = int(os.environ.get("ALTAYAR_ORDERS", "8" if IS_WHOLE else "4"))
MOMENTS = 5
"""Of the fifteen ways to tell of three things, in `make test`; `make faults` tells in every one."""
PRICE = egp("1000.00")
FIRST = UUID(int=0)

SMALL = {
    "a refund that succeeds unheard": (H.PAID, H.REFUNDED, H.REFUNDED_AGAIN),
    "a refund that fails": (H.PAID, H.REFUNDED_AGAIN, H.REFUND_FAILED),
    "a second try": (H.FAILED, H.PAID, H.REFUNDED),
    "paid twice": (H.PAID, H.PAID_AGAIN, H.REFUNDED),
    "a dispute that is lost": (H.PAID, H.DISPUTE_OPENED, H.DISPUTE_LOST),
    "a dispute that is won": (H.PAID, H.DISPUTE_OPENED, H.DISPUTE_WON),
}
TRIED = {
    "stripe": ("a refund that fails", "a dispute that is lost", "a dispute that is won"),
    "fawaterk-v2": ("a refund that succeeds unheard", "paid twice"),
    "fawaterk-v3": ("a refund that fails", "a second try"),
}
"""What every moment is tried of; all of it happens in every drawn order, too."""


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealProvider]:
    with a_provider(request.param, tmp_path) as listening:
        yield listening


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock, provider: RealProvider) -> Iterator[Running]:
    started = bootstrap(provider.configured(settings), database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def wave(running: Running, provider: StripeHouse | FawaterkHouse, clock: MovableClock) -> Wave:
    shop = Shop.selling_through(running, provider.name)
    provider.shop = shop
    return Wave(shop, provider, clock, shop.a_departure(seats=5_000))


@dataclass
class Wave:
    """Payments to which the same things happen; when all are through, the reconciler comes for all of them."""

    shop: Shop
    provider: StripeHouse | FawaterkHouse
    clock: MovableClock
    departure: Departure
    payments: list[tuple[UUID, UUID]] = field(default_factory=list)
    """With their bookings."""
    last_event: UUID = FIRST

    def a_payment(self) -> UUID:
        booking = self.shop.book(self.shop.a_customer(), self.departure)
        payment_id = self.shop.pay(booking.user_id, booking.id)
        self.payments.append((payment_id, booking.id))
        return payment_id

    def happens(self, payment_id: UUID, happening: Happening) -> list[Letter]:
        self.provider.happens(payment_id, happening, PRICE)
        return self.provider.letters()

    def deliver(self, letter: Letter) -> None:
        """It arrives, and a worker looks into it."""
        use = self.shop.use
        command = ReceiveWebhook(
            provider=self.provider.name,
            body=letter.body,
            headers=self.provider.headers(letter),
            address="127.0.0.1",
        )
        receive_webhook(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)
        published = self.shop.database.rows(
            "SELECT id, payload FROM outbox_events WHERE name = 'billing.webhook_received' AND id > %s ORDER BY id",
            (self.last_event,),
        )
        for row in published:
            self.last_event = row["id"]
            process_webhook(
                UUID(row["payload"]["webhook_id"]),
                new_uow=use.new_uow,
                gateways=use.gateways,
                clock=use.clock,
                new_id=use.new_id,
                live=use.live,
            )

    def reconcile(self) -> None:
        """While bookings are held, for what was never told; days later, for what happened since.

        What people or banks had not decided is decided now, and nobody is told.
        """
        self.provider.decide()
        for later in (timedelta(minutes=5), timedelta(days=2), timedelta(days=3)):
            self.clock.offset += later
            self.shop.reconcile(limit=5_000, budget=timedelta(minutes=5))
            Counter(self.shop).drive()

    def ends(self) -> set[Outcome]:
        """How they ended; the provider's books and ours say the same of each, and of all."""
        self.reconcile()
        for payment_id, _ in self.payments:
            assert known_of(self.shop, payment_id) == self.provider.known(payment_id)
        assert held_at(self.shop) == self.provider.held()
        return {outcome(self.shop, payment_id, booking_id) for payment_id, booking_id in self.payments}


def moments(count: int) -> Iterator[list[tuple[str, int]]]:
    """Every way in which so many things happen in order and each is told of once, at any moment after it."""

    def further(done: int, untold: frozenset[int]) -> Iterator[list[tuple[str, int]]]:
        if done == count and not untold:
            yield []
        if done < count:
            yield from ([("happens", done), *rest] for rest in further(done + 1, untold | {done}))
        for place in untold:
            yield from ([("told", place), *rest] for rest in further(done, untold - {place}))

    return further(0, frozenset())


def possible_orders(provider: RealProvider, how_many: int, seed: int) -> list[tuple[Happening, ...]]:
    """Orders, drawn at random, in which everything happens there that can."""
    chance = random.Random(seed)
    return [_an_order(provider, chance) for _ in range(how_many)]


def _an_order(provider: RealProvider, chance: random.Random) -> tuple[Happening, ...]:
    order: list[Happening] = []
    while len(order) < len(provider.tells):
        waiting = [it for it in provider.tells if it not in order and NEEDS[it] <= set(order)]
        if H.FAILED in waiting and not provider.is_possible([*order, H.PAID, H.FAILED]):
            # Else it could not happen any more.
            waiting = [it for it in waiting if it is not H.PAID]
        order.append(chance.choice([it for it in waiting if provider.is_possible([*order, it])]))
    return tuple(order)


def test_every_moment_is_tried() -> None:
    assert [len(list(moments(count))) for count in (1, 2, 3)] == [1, 3, 15]


@pytest.mark.parametrize(
    ("provider", "small"),
    [(name, small) for name, smalls in TRIED.items() for small in smalls],
    indirect=["provider"],
)
def test_told_of_at_whatever_moment_a_few_things_end_in_one_state(wave: Wave, small: str) -> None:
    happenings = SMALL[small]
    plans = list(moments(len(happenings)))
    for plan in plans if IS_WHOLE else random.Random(small).sample(plans, min(len(plans), MOMENTS)):
        payment_id = wave.a_payment()
        letters: dict[int, Sequence[Letter]] = {}
        for step, place in plan:
            if step == "happens":
                letters[place] = wave.happens(payment_id, happenings[place])
            else:
                for letter in letters[place]:
                    wave.deliver(letter)
    unheard = wave.a_payment()
    for happening in happenings:
        wave.happens(unheard, happening)
    assert len(wave.ends()) == 1


def test_everything_in_any_order_told_of_late_twice_or_never_ends_in_one_state(wave: Wave) -> None:
    chance = random.Random(23)
    for order in possible_orders(wave.provider, ORDERS, seed=23):
        payment_id, unsent = wave.a_payment(), list[Letter]()
        for happening in order:
            unsent += wave.happens(payment_id, happening)
            for letter in chance.sample(unsent, min(len(unsent), chance.randint(0, 2))):
                wave.deliver(letter)
                if chance.random() < 0.7:
                    unsent.remove(letter)
        chance.shuffle(unsent)
        for letter in unsent[: chance.randint(0, len(unsent))]:
            wave.deliver(letter)
    ends = wave.ends()
    assert len(ends) == 1, ends
    end = ends.pop()
    assert end.refunds == ((20_000, "FAILED", "PROVIDER"), (30_000, "SUCCEEDED", "PROVIDER"))
    if wave.provider.name == "STRIPE":
        assert (end.payment, end.disputes) == ((("PARTIALLY_REFUNDED", 80_000),), (("LOST", 50_000, 50_000, 0, 0),))
    else:
        assert end.payment == (("PARTIALLY_REFUNDED", 30_000),)
        assert end.receipts == ((100_000, "SETTLED", None), (100_000, "SUSPENSE", "TWICE"))


def test_readings_of_every_moment_settled_in_any_order_end_in_one_state(wave: Wave) -> None:
    """Two workers read, and the one that read first settles last."""
    few = (H.PAID, H.REFUNDED_AGAIN, H.REFUND_FAILED)
    for places in permutations(range(len(few))):
        settle_readings(wave, few, places)
    assert len(wave.ends()) == 1
    wave.payments.clear()
    wave.clock.offset = timedelta()
    orders = possible_orders(wave.provider, ORDERS // 2, seed=7)
    for order, places in zip(orders, schedules(len(wave.provider.tells), how_many=len(orders), seed=7), strict=True):
        settle_readings(wave, order, places)
    assert len(wave.ends()) == 1


def settle_readings(wave: Wave, order: Sequence[Happening], places: Sequence[int]) -> None:
    payment_id = wave.a_payment()
    readings = snapshots(wave.provider, payment_id, order, PRICE)
    for place in places:
        wave.shop.settle(payment_id, readings[place])


@pytest.mark.parametrize("provider", ["stripe"], indirect=True)
def test_two_checkouts_of_one_booking_that_are_both_paid_end_in_one_sum(wave: Wave) -> None:
    """What a page that is paid once can be instead of paid twice; whichever is heard of first settles."""
    for order in random.Random(5).sample(list(permutations(range(4))), 8):
        booking = wave.shop.book(wave.shop.a_customer(), wave.departure)
        letters = []
        methods = (PaymentMethod.CREDIT_CARD, PaymentMethod.DEBIT_CARD)
        pair = [wave.shop.pay(booking.user_id, booking.id, method=method) for method in methods]
        wave.payments += [(payment_id, booking.id) for payment_id in pair]
        for payment_id in pair:
            told = wave.happens(payment_id, H.PAID)
            letters += [it for it in told if b"session.completed" in it.body or b"intent.succeeded" in it.body]
        for place in order:
            wave.deliver(letters[place])
    ends = wave.ends()
    assert {(end.receipts, end.booking) for end in ends} == {
        (((100_000, "SETTLED", None),), (("CONFIRMED", "PAID", 100_000, 0),)),
        (((100_000, "SUSPENSE", "LATE"),), (("CONFIRMED", "PAID", 100_000, 0),)),
    }
    assert len(ends) == 2


@pytest.mark.parametrize("provider", ["stripe", "fawaterk-v3"], indirect=True)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_refund_of_ours_whose_answer_was_lost_is_known_by_its_webhooks(wave: Wave, *, newest_first: bool) -> None:
    """Before anybody asks after it; and it is not taken for one that was made on the dashboard."""
    payment_id, counter = wave.a_payment(), Counter(wave.shop)
    for letter in wave.happens(payment_id, H.PAID):
        wave.deliver(letter)
    wave.provider.server.script(wave.provider.refunding[0], "cut_after")
    refund_id = counter.refund(payment_id, egp("300.00"))
    assert counter.status(refund_id) == "UNKNOWN"
    wave.provider.decide()
    letters = wave.provider.letters()
    for letter in reversed(letters) if newest_first else letters:
        wave.deliver(letter)
    assert counter.status(refund_id) == "SUCCEEDED"
    (end,) = wave.ends()
    assert end.refunds == ((30_000, "SUCCEEDED", "STAFF"),)
