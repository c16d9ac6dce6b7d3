"""Deaths and broken networks while money goes back, and while a checkout is opened that may be opened again.

Over the real gateways: whatever is lost, the reconciler and the job of refunds end with the provider's books in ours,
and the money has moved once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests

from application.billing.refund_submission import drive_refunds, submit_refund
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from infrastructure.payment.http import TOTAL_SECONDS
from tests.builders import egp
from tests.conftest import MovableClock
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.faults.processes import Mortals
from tests.faults.whole import whole
from tests.integration.permutations import FIRST_REFUND, Happening
from tests.integration.providers import (
    PROVIDERS,
    FawaterkHouse,
    StripeHouse,
    a_provider,
    held_at,
    known_of,
)
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop

pytestmark = pytest.mark.database

KEY = "asked-for-again"
PRICE = egp("1000.00")
GOES_BACK = egp("300.00")
only_stripe = pytest.mark.parametrize("house", ["stripe"], indirect=True)


def by_stripe_and(other: str) -> pytest.MarkDecorator:
    """At two providers; `make test` tries the same use cases at Stripe alone."""
    return pytest.mark.parametrize("house", ["stripe", pytest.param(other, marks=whole)], indirect=True)


DEATHS = {
    "request_refund.before_commit": ([], 0),
    "request_refund.after_commit": (["REQUESTED"], 0),
    "claim.before_commit": (["REQUESTED"], 0),
    "claim.after_commit": (["SUBMITTED"], 0),
    "refund.before_call": (["SUBMITTED"], 0),
    "refund.after_answer": (["SUBMITTED"], 1),
    "answered.before_commit": (["SUBMITTED"], 1),
}
"""Where a refund dies: where its parts stand then, and how many refunds the provider has."""

DEATHS_OF_THE_JOB = (
    "read.before_call",
    "read.after_answer",
    "settle_attempt.before_commit",
    "settle_attempt.after_commit",
)


@pytest.fixture(params=PROVIDERS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StripeHouse | FawaterkHouse]:
    with a_provider(request.param, tmp_path) as listening:
        yield listening


@pytest.fixture
def proxy(house: StripeHouse | FawaterkHouse) -> Iterator[FaultProxy]:
    with FaultProxy(urlsplit(house.server.address).port or 0) as standing:
        yield standing


@pytest.fixture
def settings(settings: Settings, house: StripeHouse | FawaterkHouse, proxy: FaultProxy) -> Settings:
    """The provider is reached by the proxy alone."""
    return house.configured(settings, f"http://127.0.0.1:{proxy.port}")


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock) -> Iterator[Running]:
    started = bootstrap(settings, database=database, clock=clock)
    yield started
    started.close()


@dataclass(frozen=True)
class Office:
    """A paid booking of EGP 1,000.00, of which EGP 300.00 go back."""

    shop: Shop
    house: StripeHouse | FawaterkHouse
    clock: MovableClock
    payment_id: UUID

    def refund(self, running: Running | None = None) -> UUID:
        """Staff ask for it, again under the same key where they heard nothing; a worker sends it."""
        shop = self.shop if running is None else Shop.selling_through(running, self.house.name)
        refund_id = Counter(shop).ask(self.payment_id, GOES_BACK, key=KEY)
        use = shop.use
        submit_refund(refund_id, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id)
        return refund_id

    def drive(self, running: Running) -> None:
        """The job of refunds, in another process, at this test's time."""
        use = running.dependencies
        drive_refunds(new_uow=use.new_uow, gateways=use.gateways, clock=self.clock, new_id=use.new_id, live=use.live)

    def parts(self) -> list[str]:
        rows = self.shop.database.rows("SELECT status FROM refund_parts ORDER BY position")
        return [row["status"] for row in rows]

    def later(self) -> None:
        """Hours pass, in which the reconciler and the job of refunds come, and people at the provider decide."""
        for minutes in (3, 15, 60, 60, 60):
            self.clock.offset += timedelta(minutes=minutes)
            self.shop.reconcile()
            Counter(self.shop).drive()
            self.house.decide()

    def assert_money_moved_once(self) -> None:
        theirs = self.house.known(self.payment_id)
        assert [(minor, state) for _, minor, state in theirs.refunds] == [(FIRST_REFUND, "SUCCEEDED")]
        assert known_of(self.shop, self.payment_id) == theirs
        assert held_at(self.shop) == self.house.held() == PRICE.minor - FIRST_REFUND
        assert self.shop.status_of(self.payment_id) == "PARTIALLY_REFUNDED"


@pytest.fixture
def shop(running: Running, house: StripeHouse | FawaterkHouse) -> Shop:
    house.shop = Shop.selling_through(running, house.name)
    return house.shop


@pytest.fixture
def office(shop: Shop, house: StripeHouse | FawaterkHouse, clock: MovableClock) -> Office:
    booking = shop.book(shop.a_customer())
    payment_id = shop.pay(booking.user_id, booking.id)
    house.happens(payment_id, Happening.PAID, PRICE)
    shop.look(payment_id)
    return Office(shop, house, clock, payment_id)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_refund_promises(addresses) == []


@by_stripe_and("fawaterk-v3")
@pytest.mark.parametrize("point", DEATHS)
def test_a_death_while_money_goes_back_moves_it_once(office: Office, mortals: Mortals, point: str) -> None:
    mortals.dies_doing(point, office.refund)
    parts, sent = DEATHS[point]
    assert (office.parts(), len(office.house.known(office.payment_id).refunds)) == (parts, sent)
    office.refund()
    office.later()
    office.assert_money_moved_once()


@by_stripe_and("fawaterk-v2")
@pytest.mark.parametrize("point", DEATHS_OF_THE_JOB)
def test_a_death_of_the_job_that_asks_after_a_lost_answer_moves_money_once(
    office: Office, mortals: Mortals, point: str
) -> None:
    office.house.server.script(office.house.refunding[0], "cut_after")
    office.refund()
    assert office.parts() == ["UNKNOWN"]
    office.clock.offset += timedelta(minutes=15)
    mortals.dies_doing(point, office.drive)
    office.later()
    office.assert_money_moved_once()


@by_stripe_and("fawaterk-v2")
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_500", "error_500_after", "half_json", "html"])
def test_an_answer_that_says_nothing_leaves_doubt_and_money_moves_once(office: Office, fault: str) -> None:
    office.house.server.script(office.house.refunding[0], fault)
    office.refund()
    assert office.parts() == ["UNKNOWN"]
    office.refund()
    office.later()
    office.assert_money_moved_once()


@pytest.mark.parametrize("mode", [Mode.EAT_REPLY, Mode.CUT])
def test_a_reply_that_was_eaten_is_found_by_reading(office: Office, proxy: FaultProxy, mode: Mode) -> None:
    proxy.become(mode, only=office.house.refunding[1])
    office.refund()
    assert office.parts() == ["UNKNOWN"]
    proxy.become(Mode.PASS)
    office.later()
    office.assert_money_moved_once()
    assert office.house.server.calls(office.house.refunding[0]) == 1


@pytest.mark.slow
@by_stripe_and("fawaterk-v3")
def test_a_black_hole_takes_ten_seconds_and_no_money(office: Office, proxy: FaultProxy) -> None:
    proxy.become(Mode.BLACK_HOLE, only=office.house.refunding[1])
    began = time.monotonic()
    office.refund()
    assert time.monotonic() - began < TOTAL_SECONDS + 4
    assert office.parts() == ["UNKNOWN"]
    proxy.become(Mode.PASS)
    office.later()
    office.assert_money_moved_once()


def test_where_nobody_listens_nothing_was_sent_and_the_job_sends_it(office: Office, proxy: FaultProxy) -> None:
    proxy.become(Mode.REFUSE)
    office.refund()
    assert office.parts() == ["REQUESTED"]
    proxy.become(Mode.PASS)
    office.later()
    office.assert_money_moved_once()


# Opening a checkout again where the provider answers the same one


@dataclass(frozen=True)
class Opening:
    """A booking that its customer wants to pay."""

    shop: Shop
    house: StripeHouse
    customer: UUID
    booking: UUID

    def pay(self, running: Running | None = None) -> UUID:
        shop = self.shop if running is None else Shop.selling_through(running, self.house.name)
        return shop.pay(self.customer, self.booking, key=KEY)

    def assert_it_opens_and_is_paid_once(self) -> None:
        payment_id = self.pay()
        (session,) = self.house.server.books.all("checkout.session")
        attempt = self.shop.row("SELECT status, provider_reference, checkout_url FROM payment_attempts")
        assert (attempt["status"], attempt["provider_reference"]) == ("OPEN", session["id"])
        assert requests.get(attempt["checkout_url"], timeout=5).status_code == 200
        self.house.happens(payment_id, Happening.PAID, PRICE)
        self.shop.look(payment_id)
        assert known_of(self.shop, payment_id) == self.house.known(payment_id)
        assert self.shop.status_of(payment_id) == "PAID"


@pytest.fixture
def opening(shop: Shop, house: StripeHouse) -> Opening:
    booking = shop.book(shop.a_customer())
    return Opening(shop, house, booking.user_id, booking.id)


@only_stripe
@pytest.mark.parametrize("by", ["the reconciler", "the customer"])
@pytest.mark.parametrize(
    "point", ["create_checkout.before_call", "create_checkout.after_answer", "keep_checkout.before_commit"]
)
def test_a_death_while_stripe_opens_a_page_opens_it_once(
    opening: Opening, mortals: Mortals, clock: MovableClock, point: str, by: str
) -> None:
    mortals.dies_doing(point, opening.pay)
    assert opening.shop.row("SELECT status FROM payment_attempts")["status"] == "CREATED"
    if by == "the reconciler":
        clock.offset += timedelta(minutes=3)
        assert opening.shop.reconcile().repeated == 1
    opening.assert_it_opens_and_is_paid_once()


@only_stripe
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_500", "error_500_after"])
def test_a_page_whose_answer_was_lost_is_asked_for_again_and_opens(
    opening: Opening, clock: MovableClock, fault: str
) -> None:
    opening.house.server.script("checkout/sessions/create", fault)
    opening.pay()
    assert opening.shop.row("SELECT status FROM payment_attempts")["status"] == "UNKNOWN"
    clock.offset += timedelta(minutes=3)
    assert opening.shop.reconcile().repeated == 1
    opening.assert_it_opens_and_is_paid_once()


@only_stripe
def test_a_page_whose_reply_was_eaten_opens_for_the_customer(
    opening: Opening, clock: MovableClock, proxy: FaultProxy
) -> None:
    proxy.become(Mode.EAT_REPLY)
    opening.pay()
    proxy.become(Mode.PASS)
    clock.offset += timedelta(minutes=3)
    assert opening.shop.reconcile().repeated == 1
    opening.assert_it_opens_and_is_paid_once()
