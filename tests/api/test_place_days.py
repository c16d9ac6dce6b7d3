"""Days are counted where a trip begins: what is sold, paid, started and completed, by HTTP (product.md, section 0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from application.sales.expiry import expire_bookings
from domain.billing.sandbox import LATE_BY
from domain.shared.clock import local_date
from infrastructure.clock import new_id
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

FAR_ZONES = ["Asia/Tokyo", "Asia/Dubai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
A_MINUTE = timedelta(minutes=1)
BOOKINGS = "/api/v1/bookings"


@dataclass(frozen=True)
class Abroad:
    """A package of two days whose place is elsewhere; its departures begin there at 09:00."""

    shop: Shop
    clock: MovableClock
    zone: str
    package_id: str
    day: date
    """Three days from now, there."""

    @classmethod
    def opened(cls, shop: Shop, clock: MovableClock, zone: str) -> Abroad:
        package = shop.package(time_zone=zone, duration_days=2, duration_nights=1)
        return cls(shop, clock, zone, package["id"], local_date(clock.now(), zone) + timedelta(days=3))

    def departure(self, seats: int = 2, *, days_later: int = 0, start_time: str = "09:00") -> Offer:
        starts_on = self.day + timedelta(days=days_later)
        body = {"starts_on": starts_on.isoformat(), "capacity": seats, "start_time": start_time}
        made = self.shop.post(self.departures, self.admin, body)
        return Offer(self.package_id, self.shop.done(made, 201)["id"])

    def at(self, hour: int = 0, minute: int = 0, *, day: date | None = None) -> datetime:
        """When the clocks there show this; on the first day unless said otherwise."""
        return datetime.combine(day or self.day, time(hour, minute), ZoneInfo(self.zone))

    def go_to(self, instant: datetime) -> None:
        self.clock.offset += instant - self.clock.now()

    @property
    def departures(self) -> str:
        return f"/api/v1/packages/{self.package_id}/departures"

    @property
    def admin(self) -> Person:
        return self.shop.again(self.shop.admin)

    def listed(self) -> list[str]:
        return [row["id"] for row in self.shop.done(self.shop.get(self.departures))["items"]]

    def found(self, asked: str) -> list[str]:
        return [row["id"] for row in self.shop.done(self.shop.get(f"/api/v1/packages?{asked}"))["items"]]

    def next_departure(self) -> str | None:
        shown: str | None = self.shop.done(self.shop.get(f"/api/v1/packages/{self.package_id}"))["next_departure"]
        return shown


Open = Callable[[str], Abroad]


@pytest.fixture
def abroad(shop: Shop, clock: MovableClock) -> Open:
    return lambda zone: Abroad.opened(shop, clock, zone)


def confirmed(shop: Shop, customer: Person, offer: Offer) -> Json:
    booking = shop.book(customer, offer, travelers=1)
    shop.take_payment(shop.pay(customer, booking))
    return shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))


class TestSales:
    @pytest.mark.parametrize("zone", FAR_ZONES)
    def test_seats_are_sold_until_the_first_day_begins_there(
        self, shop: Shop, sign_up: SignUp, abroad: Open, zone: str
    ) -> None:
        place = abroad(zone)
        offer, day = place.departure(), place.day.isoformat()
        place.go_to(place.at() - A_MINUTE)

        assert place.listed() == [offer.departure_id]
        assert place.found(f"from={day}&to={day}") == [place.package_id]
        assert place.found("sort=departure") == [place.package_id]
        assert place.next_departure() == day
        customer = sign_up()
        assert shop.done(shop.post("/api/v1/quotes", customer, offer.booking(1)))["seats_left"] == 2
        assert shop.book(customer, offer, travelers=1)["status"] == "PENDING_PAYMENT"

        place.go_to(place.at())

        assert place.listed() == place.found(f"from={day}&to={day}") == place.found("sort=departure") == []
        assert place.next_departure() is None
        for path in (BOOKINGS, "/api/v1/quotes"):
            problem(shop.post(path, shop.again(customer), offer.booking(1)), 409, "departure_closed")
        path = f"/api/v1/departures/{offer.departure_id}"
        shop.done(shop.post(f"{path}/close", place.admin))
        problem(shop.post(f"{path}/reopen", place.admin), 409, "departure_closed")

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
    def test_nobody_is_moved_to_what_is_sold_no_more(
        self, shop: Shop, sign_up: SignUp, abroad: Open, zone: str
    ) -> None:
        place, customer = abroad(zone), sign_up()
        soon, later = place.departure(), place.departure(days_later=20)
        booking = confirmed(shop, customer, later)
        preview, move = f"{BOOKINGS}/{booking['id']}/amendments/preview", {"departure_id": soon.departure_id}
        order = f"/api/v1/admin/departures/{later.departure_id}"
        place.go_to(place.at() - A_MINUTE)
        assert shop.done(shop.post(preview, shop.again(customer), move))["seats_taken"] == 1

        place.go_to(place.at())

        problem(shop.post(preview, shop.again(customer), move), 409, "departure_closed")
        body = {"target_departure_id": soon.departure_id, "reason_ar": "عطل في المركب", "reason_en": "The boat broke"}
        problem(shop.post(f"{order}/move", place.admin, body), 409, "departure_closed")

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
    def test_a_line_ends_when_sales_do(self, shop: Shop, sign_up: SignUp, abroad: Open, zone: str) -> None:
        place, waiting = abroad(zone), sign_up()
        offer = place.departure()
        shop.book(sign_up(), offer)
        line, path = f"/api/v1/departures/{offer.departure_id}/waiting-list", f"/api/v1/departures/{offer.departure_id}"
        place.go_to(place.at() - A_MINUTE)
        waiting = shop.again(waiting)
        entry = shop.done(shop.post(line, waiting, {"seats": 1}), 201)
        shop.done(shop.client.patch(path, json={"capacity": 3}, headers=place.admin.headers))
        shop.deliver_events()
        seen = f"/api/v1/waiting-list-entries/{entry['id']}"
        offered = shop.done(shop.get(seen, waiting))
        assert (offered["status"], datetime.fromisoformat(offered["offer_expires_at"])) == ("OFFERED", place.at())

        place.go_to(place.at())

        problem(shop.post(line, sign_up(), {"seats": 1}), 409, "departure_closed")
        body = offer.booking(1, waiting_list_entry_id=entry["id"])
        assert shop.post(BOOKINGS, shop.again(waiting), body).status_code == 409

    @pytest.mark.parametrize("zone", FAR_ZONES)
    def test_departures_are_planned_from_the_place_s_tomorrow_on(self, shop: Shop, abroad: Open, zone: str) -> None:
        place = abroad(zone)
        today = local_date(place.clock.now(), zone)
        for days, status in ((0, 422), (1, 201)):
            body = {"starts_on": (today + timedelta(days=days)).isoformat(), "capacity": 5}
            assert shop.post(place.departures, shop.admin, body).status_code == status


class TestHolds:
    @pytest.fixture
    def keeps_long(self, shop: Shop) -> None:
        path = "/api/v1/admin/settings/booking.hold_minutes"
        shop.done(shop.client.put(path, json={"value": 7 * 24 * 60}, headers=shop.admin.headers))

    @pytest.mark.usefixtures("keeps_long")
    @pytest.mark.parametrize("is_swept", [False, True])
    def test_a_trip_that_began_is_paid_no_more_and_its_money_waits_for_a_choice(
        self, shop: Shop, sign_up: SignUp, abroad: Open, is_swept: bool
    ) -> None:
        place, customer = abroad("Asia/Dubai"), sign_up()
        booking = shop.book(customer, place.departure())
        assert datetime.fromisoformat(booking["hold_expires_at"]) == place.at(9)
        payment = shop.pay(customer, booking)
        assert datetime.fromisoformat(payment["checkout"]["expires_at"]) <= place.at(9)

        place.go_to(place.at(9) + LATE_BY)
        customer = shop.again(customer)
        asked = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "CREDIT_CARD", "provider": "SANDBOX"}
        problem(shop.post("/api/v1/payments", customer, asked), 409, "nothing_to_pay")
        use = shop.running.dependencies
        if is_swept:
            assert expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=new_id, grace=timedelta()) == 1
        shop.take_payment(payment, "late")

        owner = shop.again(customer)
        assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", owner))["status"] == "CANCELLED"
        [late] = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}/late-payment", owner))["items"]
        assert (late["status"], late["hindrance"], late["amount"]["amount"]) == ("WAITING", "BEGUN", "2000.00")
        assert expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=new_id, grace=timedelta()) == 0
        shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/late-payment", owner, {"choice": "WALLET"}))
        assert shop.done(shop.get("/api/v1/wallet?currency=EGP", owner))["balance"]["amount"] == "2000.00"

    @pytest.mark.usefixtures("keeps_long")
    def test_a_hold_ends_with_the_trip_that_a_booking_is_moved_to(
        self, shop: Shop, sign_up: SignUp, abroad: Open
    ) -> None:
        place, customer = abroad("Asia/Dubai"), sign_up()
        soon, later = place.departure(), place.departure(days_later=20)
        booking = shop.book(customer, later)
        body = {"target_departure_id": soon.departure_id, "reason_ar": "عطل في المركب", "reason_en": "The boat broke"}
        shop.done(shop.post(f"/api/v1/admin/departures/{later.departure_id}/move", shop.admin, body), 202)
        shop.deliver_events(draw=True)

        shown = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))

        assert shown["start_date"] == place.day.isoformat()
        assert datetime.fromisoformat(shown["hold_expires_at"]) == place.at(9)

    def test_money_that_comes_late_finds_no_seats_on_the_day_itself(
        self, shop: Shop, sign_up: SignUp, abroad: Open
    ) -> None:
        place, customer = abroad("Asia/Tokyo"), sign_up()
        offer = place.departure()
        booking = shop.book(customer, offer)
        payment = shop.pay(customer, booking)
        place.go_to(place.at() + A_MINUTE)
        use = shop.running.dependencies
        assert expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=new_id) == 1

        shop.take_payment(payment, "late")

        owner = shop.again(customer)
        path = f"{BOOKINGS}/{booking['id']}/late-payment"
        [late] = shop.done(shop.get(path, owner))["items"]
        assert late["hindrance"] == "CLOSED"
        problem(shop.get(f"{path}/departures/{offer.departure_id}", owner), 409, "departure_closed")


class TestTrips:
    @pytest.mark.parametrize("zone", FAR_ZONES)
    def test_a_trip_begins_and_is_over_by_the_days_there(
        self, shop: Shop, sign_up: SignUp, abroad: Open, zone: str
    ) -> None:
        place = abroad(zone)
        booking = confirmed(shop, sign_up(), place.departure(start_time="00:00"))
        last_day = place.day + timedelta(days=1)
        assert booking["end_date"] == last_day.isoformat()
        path = f"{BOOKINGS}/{booking['id']}"

        for verb, day, status in (("start", place.day, "IN_PROGRESS"), ("complete", last_day, "COMPLETED")):
            place.go_to(place.at(day=day) - A_MINUTE)
            problem(shop.post(f"{path}/{verb}", place.admin, {}), 422, "override_reason_required")
            place.go_to(place.at(day=day) + A_MINUTE)
            assert shop.done(shop.post(f"{path}/{verb}", place.admin, {}))["status"] == status
