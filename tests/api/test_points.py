"""Points by HTTP: what one has, why, what it pays, and what one is told."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from infrastructure.bootstrap import Running
from tests.api.mailbox import mails_to
from tests.api.shop import Json, Shop, SignUp
from tests.builders import egp
from tests.conftest import MovableClock, Person
from tests.integration.loyalty import DAY, YEAR, Loyalty
from tests.integration.outbox import SetClock
from workers.jobs import JOBS
from workers.schedule import run_once

pytestmark = pytest.mark.database


@pytest.fixture
def loyalty(running: Running) -> Loyalty:
    """Whatever has no route of its own, at the time that the API has."""
    return Loyalty(running.database, SetClock(running.dependencies.clock.now()))


def pages(shop: Shop, path: str, person: Person, **query: object) -> Iterator[Json]:
    cursor = ""
    while True:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = shop.done(shop.get(f"{path}?{asked}{cursor}", person))
        yield page
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def choose(shop: Shop, key: str, value: object) -> None:
    """Staff change a setting."""
    admin = shop.admin.headers
    answer = shop.client.put(f"/api/v1/admin/settings/{key}", json={"value": value}, headers=admin)
    assert answer.status_code == 200, answer.text


def test_points_are_shown_with_what_they_are_worth(shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
    customer = sign_up()
    loyalty.earn(customer.user_id, 1_000, at=loyalty.clock.now() - YEAR + 10 * DAY)
    loyalty.earn(customer.user_id, 555)
    loyalty.hold(customer.user_id, 400)

    shown = shop.done(shop.get("/api/v1/points", customer))

    assert shown == {
        "balance": 1_555,
        "available": 1_155,
        "expiring_soon": 1_000,
        "debt": 0,
        "value": {"amount": "11.55", "currency": "EGP"},
    }
    in_others = {code: shop.done(shop.get(f"/api/v1/points?currency={code}", customer)) for code in ("KWD", "JPY")}
    assert [each["value"]["amount"] for each in in_others.values()] == ["11.550", "11"]


def test_what_has_ended_is_no_longer_available_before_it_is_taken(
    shop: Shop, sign_up: SignUp, loyalty: Loyalty
) -> None:
    customer = sign_up()
    loyalty.earn(customer.user_id, 70, at=loyalty.clock.now() - YEAR)
    loyalty.earn(customer.user_id, 30)

    shown = shop.done(shop.get("/api/v1/points", customer))

    assert (shown["balance"], shown["available"], shown["expiring_soon"]) == (100, 30, 0)


def test_a_debt_of_points_is_shown(shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
    customer = sign_up()
    loyalty.earn(customer.user_id, 100, key="earned")
    loyalty.redeem(customer.user_id, 90)
    loyalty.claw_back(customer.user_id, "earned", paid=egp("1.00"), refunded=egp("1.00"))

    shown = shop.done(shop.get("/api/v1/points", customer))

    assert (shown["balance"], shown["debt"]) == (0, 90)


def test_another_unit_than_the_companys_is_refused(shop: Shop, sign_up: SignUp) -> None:
    answer = shop.get("/api/v1/points?currency=PTS", sign_up())

    assert answer.status_code == 422


def test_staff_say_what_earns_points_and_what_they_are_worth(shop: Shop, sign_up: SignUp) -> None:
    customer, offer = sign_up(), shop.offer()
    choose(shop, "ledger.money_units_per_point", 4)
    choose(shop, "ledger.points_per_money_unit", 50)
    choose(shop, "ledger.points_expiring_soon_days", 365)

    quote = shop.done(shop.post("/api/v1/quotes", customer, offer.booking()))
    shop.take_payment(shop.pay(customer, shop.book(customer, offer)))
    shown = shop.done(shop.get("/api/v1/points", customer))

    assert quote["expected_points"] == 500
    assert (shown["balance"], shown["value"]["amount"], shown["expiring_soon"]) == (500, "10.00", 500)


def test_lots_tell_what_they_came_from(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))

    (lot,) = shop.done(shop.get("/api/v1/points/lots", customer))["items"]

    assert (lot["points"], lot["remaining"], lot["in_grace"]) == (200, 200, False)
    assert (lot["journal_type"], lot["reference_type"]) == ("EARNED", "BOOKING")
    assert (lot["reference_id"], lot["reference_number"]) == (booking["id"], booking["booking_number"])


def test_lots_are_paged_soonest_ending_first_and_spent_ones_left_out(
    shop: Shop, sign_up: SignUp, loyalty: Loyalty
) -> None:
    customer = sign_up()
    for points, day in ((10, 3), (20, 1), (30, 2), (40, 2)):
        loyalty.earn(customer.user_id, points, at=loyalty.clock.now() - day * DAY)
    loyalty.redeem(customer.user_id, 25)

    left = [lot["remaining"] for page in pages(shop, "/api/v1/points/lots", customer, limit=1) for lot in page["items"]]
    every = [
        lot["remaining"]
        for page in pages(shop, "/api/v1/points/lots", customer, limit=2, all="true")
        for lot in page["items"]
    ]

    assert left == [15, 40, 20]
    assert every == [0, *left]


def test_the_balance_is_explained_to_the_last_point(shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))
    loyalty.earn(customer.user_id, 300)
    spent = loyalty.redeem(customer.user_id, 450, worth=egp("4.50"))
    loyalty.reverse(spent, egp("1.20"))

    (page,) = pages(shop, "/api/v1/points/explain", customer)

    assert page["balance"] == page["explained"] == sum(lot["remaining"] for lot in page["items"]) == 170
    for lot in page["items"]:
        assert lot["points"] - lot["taken"] + lot["given_back"] == lot["remaining"]
        assert sum(each["points"] for each in lot["movements"]) == lot["remaining"] - lot["points"]
        assert len(lot["movements"]) == lot["movements_count"]
    (lot,) = page["items"]
    assert [(each["points"], each["journal_type"]) for each in lot["movements"]] == [
        (120, "REVERSAL"),
        (-150, "REDEEMED"),
    ]
    assert (lot["reference_number"], lot["movements"][1]["journal_id"]) == (booking["booking_number"], str(spent))


def test_the_explanation_is_paged_by_lot_and_says_the_whole_balance_on_each(
    shop: Shop, sign_up: SignUp, loyalty: Loyalty
) -> None:
    customer = sign_up()
    for points in (10, 20, 30):
        loyalty.earn(customer.user_id, points)

    found = list(pages(shop, "/api/v1/points/explain", customer, limit=2))

    assert [(page["balance"], page["explained"], len(page["items"])) for page in found] == [(60, 60, 2), (60, 60, 1)]


def test_nothing_is_explained_by_nothing(shop: Shop, sign_up: SignUp) -> None:
    shown = shop.done(shop.get("/api/v1/points/explain", sign_up()))

    assert shown == {"balance": 0, "explained": 0, "items": [], "next_cursor": None}


def test_staff_see_a_customers_points_as_they_do(shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
    customer, finance = sign_up(), sign_up("EMPLOYEE", "FINANCE")
    loyalty.earn(customer.user_id, 100)
    loyalty.redeem(customer.user_id, 30)

    for part in ("", "/entries", "/lots", "/explain"):
        theirs = shop.done(shop.get(f"/api/v1/admin/points/{customer.user_id}{part}", finance))
        assert theirs | {"next_cursor": None} == shop.done(shop.get(f"/api/v1/points{part}", customer)) | {
            "next_cursor": None
        }
        assert shop.get(f"/api/v1/admin/points/{uuid4()}{part}", finance).status_code == 404


# What one is told -------------------------------------------------------------------------------------


def told(shop: Shop, person: Person) -> list[tuple[str, str]]:
    notes = shop.done(shop.get("/api/v1/notifications", person))["items"]
    return [(note["notification_type"], note["message_en"]) for note in notes]


def test_who_earned_points_is_told_in_the_app(shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
    customer = sign_up()
    loyalty.earn(customer.user_id, 100, key="earned")
    loyalty.redeem(customer.user_id, 100)
    loyalty.claw_back(customer.user_id, "earned", paid=egp("1.00"), refunded=egp("1.00"))
    loyalty.earn(customer.user_id, 130)

    shop.deliver_events()

    assert told(shop, customer) == [
        ("POINTS_EARNED", "Points earned: 130. Paid off your debt of points: 100."),
        ("POINTS_EARNED", "Points earned: 100."),
    ]


def test_who_lets_points_expire_is_told_before_by_mail_and_then_in_the_app(
    shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock, loyalty: Loyalty
) -> None:
    customer = sign_up(locale="ar")
    loyalty.earn(customer.user_id, 100, at=loyalty.clock.now() - YEAR + 5 * DAY)
    loyalty.earn(customer.user_id, 40)
    ends_on = business_date(loyalty.clock.now() + 5 * DAY)
    shop.deliver_events()

    assert run_once(JOBS["points.remind"], running)
    shop.deliver_events()
    clock.offset += 5 * DAY
    assert run_once(JOBS["points.expire"], running)
    shop.deliver_events()

    customer = shop.again(customer)
    assert told(shop, customer)[:2] == [
        ("SYSTEM", "Points expired: 100."),
        ("SYSTEM", f"Points that end: 100, from {ends_on}."),
    ]
    assert shop.done(shop.get("/api/v1/points", customer))["balance"] == 40
    *_, mail = mails_to(customer.email, running.settings.home)
    assert mail.subject == "نقاطك توشك على الانتهاء"
    assert "100" in mail.text
