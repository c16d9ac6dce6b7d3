"""What staff do about bookings and the policies that they are cancelled by, as the audit log sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from werkzeug.test import TestResponse

from infrastructure.database.roles import connect
from tests.api.payment_deeds import AGENT, Scenario, as_staff, keyed
from tests.api.shop import Json, Shop, SignUp
from tests.api.test_cancellations import STRICT, WHY
from tests.api.test_requests import asked, mona, priced, room
from tests.conftest import MovableClock

_POLICIES: Final = "/cancellation-policies"
_POLICY: Final[Json] = {"name_ar": "شروط", "name_en": "Terms", "tiers": STRICT}


def _a_paid_request(shop: Shop, sign_up: SignUp) -> str:
    customer = sign_up()
    booking = asked(shop, customer)
    priced(shop, booking)
    shop.take_payment(shop.pay(customer, booking))
    return f"/bookings/{booking['id']}"


def confirms_a_booking(shop: Shop, sign_up: SignUp) -> TestResponse:
    """Its deposit is in, and settling has not confirmed it."""
    path = _a_paid_request(shop, sign_up)
    booking = path.rpartition("/")[2]
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE bookings SET status = 'PENDING_PAYMENT' WHERE id = %s", [booking])
        connection.execute("UPDATE holds SET status = 'ACTIVE' WHERE booking_id = %s", [booking])
    return as_staff(shop, "POST", f"{path}/confirm", **keyed())


def records_a_no_show(shop: Shop, sign_up: SignUp) -> TestResponse:
    """The trip had begun already, so that its status says nothing of it."""
    path, clock = _a_paid_request(shop, sign_up), shop.running.dependencies.clock
    assert isinstance(clock, MovableClock)
    shop.done(as_staff(shop, "POST", f"{path}/start", {"override_reason": "left early"}))
    clock.offset, before = timedelta(days=21), clock.offset
    try:
        headers = {**shop.again(shop.admin).headers, "User-Agent": AGENT, **keyed()}
        return shop.client.post(f"/api/v1{path}/no-show", json={"reason": "nobody at the desk"}, headers=headers)
    finally:
        clock.offset = before


def prices_a_request(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = f"/bookings/{asked(shop, sign_up())['id']}/price"
    return as_staff(shop, "POST", path, {"items": [room()]}, **keyed())


def makes_a_policy(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", _POLICIES, _POLICY, **keyed())


def changes_a_policy(shop: Shop, _: SignUp) -> TestResponse:
    policy = shop.done(as_staff(shop, "POST", _POLICIES, _POLICY, **keyed()), 201)
    return as_staff(shop, "PATCH", f"{_POLICIES}/{policy['id']}", {"tiers": []})


def cancels_a_booking(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{_a_paid_request(shop, sign_up)}/cancel", WHY, **keyed())


def writes_who_travels(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = f"/bookings/{asked(shop, sign_up())['id']}/travelers"
    return as_staff(shop, "PUT", path, {"travelers": [mona()]}, **{"If-Match": "*"})


def books_for_a_customer(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {**shop.offer().booking(1), "user_id": str(sign_up().user_id)}
    return as_staff(shop, "POST", "/bookings", body, **keyed())


def waits_for_a_customer(shop: Shop, sign_up: SignUp) -> TestResponse:
    full, customer = shop.offer(seats=1), sign_up()
    shop.book(sign_up(), full, travelers=1)
    body = {"seats": 1, "user_id": str(customer.user_id)}
    return as_staff(shop, "POST", f"/departures/{full.departure_id}/waiting-list", body)


SALES_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/bookings/<uuid:booking_id>/confirm"): confirms_a_booking,
    ("POST", "/api/v1/bookings/<uuid:booking_id>/no-show"): records_a_no_show,
    ("POST", "/api/v1/bookings/<uuid:booking_id>/price"): prices_a_request,
    ("POST", "/api/v1/cancellation-policies"): makes_a_policy,
    ("PATCH", "/api/v1/cancellation-policies/<uuid:policy_id>"): changes_a_policy,
}

WHAT_CUSTOMERS_DO_TOO: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/bookings"): books_for_a_customer,
    ("POST", "/api/v1/bookings/<uuid:booking_id>/cancel"): cancels_a_booking,
    ("PUT", "/api/v1/bookings/<uuid:booking_id>/travelers"): writes_who_travels,
    ("POST", "/api/v1/departures/<uuid:departure_id>/waiting-list"): waits_for_a_customer,
}
"""Routes that ask for no permission of who does it to what is their own."""
