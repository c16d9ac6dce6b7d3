"""Codes that keep seats, and money that comes after its booking expired, by HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.sales.expiry import expire_bookings
from infrastructure.clock import new_id
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

TOO_LATE = timedelta(minutes=37)


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up("CUSTOMER")


def expire(shop: Shop, clock: MovableClock) -> None:
    clock.offset = TOO_LATE
    assert expire_bookings(new_uow=shop.running.dependencies.new_uow, clock=clock, new_id=new_id) == 1


def booking_of(shop: Shop, booking_id: str, person: Person) -> Json:
    return shop.done(shop.get(f"/api/v1/bookings/{booking_id}", person))


def notices(shop: Shop, person: Person) -> list[str]:
    return [row["title"] for row in shop.done(shop.get("/api/v1/notifications", person))["items"]]


def test_a_code_keeps_the_seats_until_the_booking_and_the_code_say(shop: Shop, customer: Person) -> None:
    booking = shop.book(customer, shop.offer())

    payment = shop.pay(customer, booking, method="FAWRY")

    until = booking_of(shop, booking["id"], customer)["hold_expires_at"]
    assert payment["checkout"]["expires_at"] == until
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_money_that_comes_late_keeps_the_trip_while_there_are_seats(
    shop: Shop, customer: Person, clock: MovableClock
) -> None:
    booking = shop.book(customer, shop.offer())
    payment = shop.pay(customer, booking)
    expire(shop, clock)

    shop.take_payment(payment, "late")

    owner = shop.again(customer)
    old = booking_of(shop, booking["id"], owner)
    new = booking_of(shop, old["replaced_by_booking_id"], owner)
    assert (old["status"], old["replaces_booking_id"]) == ("CANCELLED", None)
    assert (new["status"], new["payment_status"], new["replaces_booking_id"]) == ("CONFIRMED", "PAID", old["id"])
    assert (new["final_amount"], new["lines"]) == (old["final_amount"], old["lines"])
    assert [item["total_price"] for item in new["items"]] == [item["total_price"] for item in old["items"]]
    [invoice] = shop.done(shop.get("/api/v1/invoices", owner))["items"]
    assert invoice["booking_id"] == new["id"]
    assert "Your payment came late; we kept your trip" in notices(shop, owner)
    assert shop.done(shop.get(f"/api/v1/bookings/{old['id']}/late-payment", owner))["items"] == []
    assert shop.done(shop.get("/api/v1/admin/payments/attention", shop.again(shop.admin)))["items"] == []


class TestAChoice:
    @pytest.fixture
    def booking(self, shop: Shop, customer: Person, clock: MovableClock) -> Json:
        """A booking whose money came when somebody else had its seats."""
        offer: Offer = shop.offer(seats=2)
        booking = shop.book(customer, offer)
        payment = shop.pay(customer, booking)
        expire(shop, clock)
        shop.book(shop.again(shop.admin), offer)
        shop.take_payment(payment, "late")
        return booking

    def test_is_told_made_once_and_seen_by_staff(
        self, shop: Shop, customer: Person, booking: Json, sign_up: SignUp
    ) -> None:
        owner, path = shop.again(customer), f"/api/v1/bookings/{booking['id']}/late-payment"
        [late] = shop.done(shop.get(path, owner))["items"]
        assert (late["status"], late["hindrance"], late["choice"]) == ("WAITING", "SOLD_OUT", None)
        assert late["amount"] == {"amount": "2000.00", "currency": "EGP"}
        assert "Your payment came too late" in notices(shop, owner)
        staff = shop.again(shop.admin)
        [seen] = shop.done(shop.get("/api/v1/admin/payments/attention", staff))["items"]
        assert (seen["reason"], seen["detail"]) == ("SUSPENSE_LATE", "SOLD_OUT")

        stranger = sign_up("CUSTOMER")
        problem(shop.get(path, stranger), 404, "booking_not_found")
        problem(shop.post(path, stranger, {"choice": "WALLET"}), 404, "booking_not_found")
        problem(shop.post(path, staff, {"choice": "WALLET"}), 404, "booking_not_found")
        problem(shop.post(f"/api/v1/bookings/{uuid4()}/late-payment", owner, {"choice": "WALLET"}), 404,
                "booking_not_found")  # fmt: skip
        for body in ({}, {"choice": "GIFT"}, {"choice": None}, {"choice": "WALLET", "amount": 1}):
            assert shop.post(path, owner, body).status_code == 422

        [done] = shop.done(shop.post(path, owner, {"choice": "WALLET"}, key="once"))["items"]

        assert (done["status"], done["choice"]) == ("WALLET", "WALLET")
        assert shop.done(shop.post(path, owner, {"choice": "WALLET"}, key="once"))["items"] == [done]
        problem(shop.post(path, owner, {"choice": "REFUND"}), 409, "no_late_money")
        assert shop.done(shop.get("/api/v1/wallet?currency=EGP", owner))["balance"]["amount"] == "2000.00"
        assert shop.done(shop.get("/api/v1/admin/payments/attention", staff))["items"] == []

    def test_sends_the_money_back_through_its_provider(self, shop: Shop, customer: Person, booking: Json) -> None:
        owner, path = shop.again(customer), f"/api/v1/bookings/{booking['id']}/late-payment"

        [asked] = shop.done(shop.post(path, owner, {"choice": "REFUND"}))["items"]
        shop.deliver_events()

        assert asked["status"] == "REFUNDING"
        [done] = shop.done(shop.get(path, owner))["items"]
        assert (done["status"], done["choice"]) == ("REFUNDED", "REFUND")

    def test_another_departure_is_booked_at_the_price_that_was_shown(
        self, shop: Shop, customer: Person, booking: Json
    ) -> None:
        owner, path = shop.again(customer), f"/api/v1/bookings/{booking['id']}/late-payment"
        package = f"/api/v1/packages/{booking['package_id']}"
        planned = {"starts_on": (datetime.now(UTC).date() + timedelta(days=90)).isoformat(), "capacity": 4}
        departure = shop.done(shop.post(f"{package}/departures", shop.again(shop.admin), planned), 201)["id"]
        price = shop.done(shop.get(f"{path}/departures/{departure}", owner))
        assert (price["money"], price["pays"]) == (booking["final_amount"], price["final_amount"])
        assert {price["to_wallet"]["amount"], price["amount_due"]["amount"]} == {"0.00"}
        choice = {"choice": "DEPARTURE", "departure_id": departure, "quote_token": price["quote_token"]}
        for wrong, pointer in (
            ({**choice, "departure_id": None}, "/departure_id"), ({**choice, "quote_token": None}, "/quote_token"),
            ({**choice, "choice": "WALLET"}, "/departure_id"),
        ):  # fmt: skip
            refused = shop.post(path, owner, wrong)
            problem(refused, 422, "validation_failed", pointer=pointer)
        other = shop.get(f"{path}/departures/{departure}", shop.again(shop.admin))
        problem(other, 404, "booking_not_found")
        moved = {**choice, "quote_token": "made-up"}
        problem(shop.post(path, owner, moved), 409, "price_moved")

        for _ in range(2):
            [told] = shop.done(shop.post(path, owner, choice, key="twice"))["items"]
        assert (told["status"], told["choice"]) == ("APPLIED", "DEPARTURE")
        new = booking_of(shop, told["rebooked_id"], owner)
        assert (new["status"], new["departure_id"], new["payment_status"]) == ("CONFIRMED", departure, "PAID")
        problem(shop.post(path, owner, choice), 409, "no_late_money")


def test_there_is_nothing_to_choose_where_nothing_came_late(shop: Shop, customer: Person) -> None:
    booking = shop.book(customer, shop.offer())
    path = f"/api/v1/bookings/{booking['id']}/late-payment"
    assert shop.done(shop.get(path, customer))["items"] == []
    problem(shop.post(path, customer, {"choice": "WALLET"}), 409, "no_late_money")
