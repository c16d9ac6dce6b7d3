"""Mass operations over HTTP: a preview, an order, its progress and faults, and what customers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock
from tests.api.mailbox import mails_to
from tests.api.shop import Json, Offer, Shop, SignUp, problem

pytestmark = pytest.mark.database

OPERATIONS = "/api/v1/admin/departure-operations"
REASONS = {"reason_ar": "السفينة في الحوض", "reason_en": "The ship is in the dock"}


def admin(offer: Offer, verb: str) -> str:
    return f"/api/v1/admin/departures/{offer.departure_id}/{verb}"


def another_date(shop: Shop, offer: Offer, *, seats: int = 10) -> Offer:
    starts_on = (business_date(SystemClock().now()) + timedelta(days=45)).isoformat()
    path = f"/api/v1/packages/{offer.package_id}/departures"
    made = shop.done(shop.post(path, shop.admin, {"starts_on": starts_on, "capacity": seats}), 201)
    return Offer(offer.package_id, made["id"])


def counts(operation: Json) -> tuple[int, int, int, int]:
    return operation["total"], operation["done"], operation["skipped"], operation["failed"]


def test_a_departure_is_cancelled_with_all_its_bookings(shop: Shop, sign_up: SignUp) -> None:
    offer, payer, waiter = shop.offer(seats=3), sign_up(), sign_up()
    paid = shop.book(payer, offer, travelers=2)
    shop.take_payment(shop.pay(payer, paid))
    unpaid = shop.book(sign_up(), offer, travelers=1)
    shop.done(shop.post(f"/api/v1/departures/{offer.departure_id}/waiting-list", waiter, {"seats": 1}), 201)

    seen = shop.done(shop.get(admin(offer, "operation-preview"), shop.admin))
    assert (seen["bookings"], seen["seats"], seen["confirmed"], seen["unpaid"], seen["waiting"]) == (2, 3, 1, 1, 1)
    assert (seen["paid"], seen["target_seats_left"]) == ([{"amount": paid["final_amount"]}], None)

    ordered = shop.post(admin(offer, "cancel"), shop.admin, REASONS)
    operation = shop.done(ordered, 202)
    assert (operation["kind"], operation["status"], counts(operation)) == ("CANCEL", "PENDING", (2, 0, 0, 0))
    assert ordered.headers["Location"] == f"{OPERATIONS}/{operation['id']}"
    problem(shop.post("/api/v1/bookings", payer, offer.booking(1)), 409, "departure_closed")
    told = problem(shop.post(admin(offer, "cancel"), shop.admin, REASONS), 409, "operation_in_progress")
    assert told["operation_id"] == operation["id"]
    problem(shop.post(f"/api/v1/departures/{offer.departure_id}/reopen", shop.admin), 409, "operation_in_progress")
    problem(shop.post(f"{OPERATIONS}/{operation['id']}/retry", shop.admin), 409, "illegal_transition")
    shop.deliver_events(draw=True)

    over = shop.done(shop.get(f"{OPERATIONS}/{operation['id']}", shop.admin))
    assert (over["status"], counts(over)) == ("COMPLETED", (2, 2, 0, 0))
    assert over["finished_at"]
    done = shop.done(shop.get(f"/api/v1/bookings/{paid['id']}", payer))
    assert (done["status"], done["payment_status"]) == ("REFUNDED", "REFUNDED")
    assert done["cancellation_reason"] == "The ship is in the dock / السفينة في الحوض"
    assert any(unpaid["booking_number"] in str(item) for item in _items(shop, operation, "?status=DONE"))
    assert shop.done(shop.get(f"/api/v1/departures/{offer.departure_id}", shop.admin))["status"] == "CANCELLED"
    assert [one["status"] for one in shop.done(shop.get("/api/v1/waiting-list-entries", waiter))["items"]] == [
        "CANCELLED"
    ]
    problem(shop.post(admin(offer, "cancel"), shop.admin, REASONS), 409, "departure_closed")


def _items(shop: Shop, operation: Json, query: str = "") -> list[Json]:
    items: list[Json] = shop.done(shop.get(f"{OPERATIONS}/{operation['id']}/items{query}", shop.admin))["items"]
    return items


def test_a_departure_is_moved_and_what_does_not_fit_is_tried_again(shop: Shop, sign_up: SignUp) -> None:
    offer, first, second = shop.offer(seats=5), sign_up(), sign_up()
    small = another_date(shop, offer, seats=3)
    target = another_date(shop, offer, seats=4)
    for customer in (first, second):
        shop.book(customer, offer, travelers=2)
    body = {**REASONS, "target_departure_id": small.departure_id}
    assert problem(shop.post(admin(offer, "move"), shop.admin, body), 409, "sold_out")["seats_left"] == 3
    preview = f"{admin(offer, 'operation-preview')}?target_departure_id={target.departure_id}"
    assert shop.done(shop.get(preview, shop.admin))["target_seats_left"] == 4

    body = {**REASONS, "target_departure_id": target.departure_id}
    operation = shop.done(shop.post(admin(offer, "move"), shop.admin, body), 202)
    shop.book(sign_up(), target, travelers=1)
    shop.deliver_events(draw=True)

    path = f"{OPERATIONS}/{operation['id']}"
    over = shop.done(shop.get(path, shop.admin))
    assert (over["status"], counts(over)) == ("COMPLETED_WITH_FAULTS", (2, 1, 0, 1))
    (fault,) = _items(shop, operation, "?status=FAILED")
    assert (fault["error"], fault["booking_number"][:3]) == ("sold_out", "BK-")
    page = shop.done(shop.get(f"{path}/items?limit=1", shop.admin))
    rest = shop.done(shop.get(f"{path}/items?cursor={page['next_cursor']}", shop.admin))
    assert len({one["booking_id"] for one in (*page["items"], *rest["items"])}) == 2
    more = shop.client.patch(
        f"/api/v1/departures/{target.departure_id}", json={"capacity": 5}, headers=shop.admin.headers
    )
    shop.done(more)
    assert shop.done(shop.post(f"{path}/retry", shop.admin), 202)["status"] == "RUNNING"
    shop.deliver_events(draw=True)
    assert counts(shop.done(shop.get(path, shop.admin))) == (2, 2, 0, 0)

    moved = shop.done(shop.get("/api/v1/bookings", first))["items"][0]
    assert moved["departure_id"] == target.departure_id
    (mail,) = [mail for mail in mails_to(first.email, shop.running.settings.home) if "another date" in mail.subject]
    assert "The ship is in the dock" in mail.text
    told = shop.done(shop.get("/api/v1/notifications", first))["items"]
    assert "Your trip has another date" in [one["title_en"] for one in told]
    listed = shop.done(shop.get(f"{OPERATIONS}?departure_id={offer.departure_id}", shop.admin))["items"]
    assert [one["id"] for one in listed] == [operation["id"]]


def test_what_is_no_order_is_refused_and_only_operations_staff_give_one(shop: Shop, sign_up: SignUp) -> None:
    offer, other = shop.offer(), shop.offer()
    move, cancel = admin(offer, "move"), admin(offer, "cancel")
    bodies: list[tuple[Any, str]] = [
        (REASONS, "/target_departure_id"), ({**REASONS, "target_departure_id": "x"}, "/target_departure_id"),
        ({**REASONS, "target_departure_id": offer.departure_id}, "/target_departure_id"),
        ({**REASONS, "target_departure_id": other.departure_id}, "/target_departure_id"),
        ({"target_departure_id": other.departure_id, "reason_ar": "س"}, "/reason_en"),
        ({**REASONS, "target_departure_id": other.departure_id, "force": True}, "/force"),
    ]  # fmt: skip
    for body, pointer in bodies:
        problem(shop.post(move, shop.admin, body), 422, "validation_failed", pointer=pointer)
    problem(shop.post(cancel, shop.admin, {**REASONS, "reason_ar": ""}), 422, "validation_failed",
            pointer="/reason_ar")  # fmt: skip
    problem(shop.client.post(cancel, json=REASONS, headers=shop.admin.headers), 400, "idempotency_key_missing")
    nowhere = {**REASONS, "target_departure_id": str(uuid4())}
    problem(shop.post(move, shop.admin, nowhere), 404, "departure_not_found")
    problem(shop.post(admin(Offer("", str(uuid4())), "cancel"), shop.admin, REASONS), 404, "departure_not_found")
    problem(shop.get(admin(Offer("", str(uuid4())), "operation-preview"), shop.admin), 404, "departure_not_found")
    for path in (f"{OPERATIONS}/{uuid4()}", f"{OPERATIONS}/{uuid4()}/items"):
        problem(shop.get(path, shop.admin), 404, "operation_not_found")
    problem(shop.post(f"{OPERATIONS}/{uuid4()}/retry", shop.admin), 404, "operation_not_found")
    problem(shop.post(cancel, sign_up("EMPLOYEE"), REASONS), 403, "forbidden")
    mover = sign_up("EMPLOYEE", "OPERATIONS")
    problem(shop.post(cancel, mover, REASONS), 403, "forbidden")
    assert shop.get(OPERATIONS, mover).status_code == 200
    problem(shop.post(cancel, sign_up("VENDOR"), REASONS), 403, "wrong_surface")
    assert shop.done(shop.get(f"/api/v1/departures/{offer.departure_id}"))["status"] == "OPEN"
