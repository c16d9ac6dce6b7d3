"""Departures and bookings in calendars: secret addresses, what stands there, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from infrastructure.database.roles import connect
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

FEEDS = "/api/v1/calendar/feeds"


def feed(shop: Shop, person: Person) -> tuple[Json, str]:
    """A new feed, and the path of its address."""
    answer = shop.post(FEEDS, person)
    made = shop.done(answer, 201)
    assert answer.headers["Cache-Control"] == "no-store"
    return made, urlsplit(made["url"]).path


def lines(shop: Shop, path: str, person: Person | None = None, **headers: str) -> list[str]:
    answer = shop.get(path, person, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.data.decode().replace("\r\n ", "").split("\r\n")


def summaries(shop: Shop, path: str) -> list[str]:
    return [line.removeprefix("SUMMARY:") for line in lines(shop, path) if line.startswith("SUMMARY:")]


def test_staff_have_every_departure_in_their_calendar(shop: Shop, sign_up: SignUp) -> None:
    nile, desert = shop.offer(name_en="Nile; by boat, slowly"), shop.offer(name_en="Desert", starts_in_days=40)
    shop.offer(name_en="Years ahead", starts_in_days=500)
    shop.book(sign_up(), nile, 3)
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE departures SET start_time = '09:30' WHERE id = %s", [nile.departure_id])
    shop.done(shop.post(f"/api/v1/departures/{desert.departure_id}/cancel", shop.admin))
    made, path = feed(shop, shop.admin)

    shown = lines(shop, path)
    again = lines(shop, path)

    assert [line for line in shown if line.startswith(("SUMMARY", "STATUS"))] == [
        "SUMMARY:Nile\\; by boat\\, slowly", "STATUS:CONFIRMED", "SUMMARY:Desert", "STATUS:CANCELLED",
    ]  # fmt: skip
    day = business_date(datetime.now(UTC)) + timedelta(days=30)
    assert any(line.startswith(f"DTSTART:{day:%Y%m%d}T") and line.endswith("3000Z") for line in shown)
    assert f"DTSTART;VALUE=DATE:{day + timedelta(days=10):%Y%m%d}" in shown
    assert "DESCRIPTION:3 of 10 seats are taken\\, 7 are left" in shown
    assert f"UID:departure-{nile.departure_id}@altayarvip" in shown
    assert [line for line in again if line.startswith("UID")] == [line for line in shown if line.startswith("UID")]
    assert summaries(shop, f"{path}?package_id={desert.package_id}&lang=ar") == ["رحلة نيلية"]
    assert summaries(shop, f"{path}?activity_id={uuid4()}") == []
    problem(shop.get(f"{path}?package_id=x"), 422, "validation_failed", pointer="/package_id")

    token = path.rsplit("/", 1)[1].removesuffix(".ics")
    kept = shop.database.rows("SELECT encode(token_hash, 'hex') AS hash FROM calendar_feeds")
    assert len(kept) == 1
    assert token not in str(kept)
    page = shop.done(shop.get(FEEDS, shop.admin))
    assert [(row["id"], set(row)) for row in page["items"]] == [(made["id"], {"id", "created_at"})]


def test_a_vendor_has_its_own_departures_until_the_feed_or_the_right_ends(shop: Shop, sign_up: SignUp) -> None:
    vendor, other = sign_up("VENDOR"), sign_up("VENDOR")
    own, _ = shop.offer(name_en="Ours"), shop.offer(name_en="Theirs")
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE packages SET vendor_id = %s WHERE id = %s", [vendor.user_id, own.package_id])
    made, path = feed(shop, vendor)
    _, second = feed(shop, vendor)
    assert summaries(shop, path) == summaries(shop, second) == ["Ours"]

    for stranger in (other, sign_up("EMPLOYEE")):
        refused = shop.client.delete(f"{FEEDS}/{made['id']}", headers=stranger.headers)
        problem(refused, 404, "calendar_feed_not_found")
    assert shop.client.delete(f"{FEEDS}/{made['id']}", headers=vendor.headers).status_code == 204
    problem(shop.client.delete(f"{FEEDS}/{made['id']}", headers=vendor.headers), 404, "calendar_feed_not_found")
    problem(shop.get(path), 404, "calendar_feed_not_found")
    assert [row["id"] for row in shop.done(shop.get(FEEDS, vendor))["items"]] != [made["id"]]

    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE users SET roles = ARRAY['CUSTOMER'] WHERE id = %s", [vendor.user_id])
    problem(shop.get(second), 404, "calendar_feed_not_found")
    for token in ("x", "%00", "a" * 300, "..%2f", "' OR 1=1 --"):
        assert shop.get(f"/api/v1/calendar/departures/{token}.ics").status_code == 404
    problem(shop.post(FEEDS, sign_up()), 403, "forbidden")


def test_nobody_has_more_than_ten_feeds_however_many_are_asked_for_at_once(shop: Shop, sign_up: SignUp) -> None:
    vendor = sign_up("VENDOR")
    for _ in range(8):
        feed(shop, vendor)
    client = shop.client.application.test_client
    answers = all_at_once(
        [
            lambda: client().post(FEEDS, headers={**vendor.headers, "Idempotency-Key": uuid4().hex}).status_code
            for _ in range(5)
        ]
    )
    assert sorted(answers) == [201, 201, 409, 409, 409]  # type: ignore[type-var]
    problem(shop.post(FEEDS, vendor), 409, "too_many_calendar_feeds")


def test_a_customer_has_a_booking_in_their_calendar(shop: Shop, sign_up: SignUp) -> None:
    customer, stranger = sign_up(), sign_up()
    booking = shop.book(customer, shop.offer())
    path = f"/api/v1/bookings/{booking['id']}/calendar.ics"

    waiting = lines(shop, path, customer, Accept_Language="ar")
    assert {"STATUS:TENTATIVE", "SUMMARY:رحلة نيلية", f"UID:booking-{booking['id']}@altayarvip"} <= set(waiting)
    first, after = booking["start_date"].replace("-", ""), datetime.fromisoformat(booking["end_date"]) + timedelta(1)
    assert {f"DTSTART;VALUE=DATE:{first}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"} <= set(waiting)

    shop.take_payment(shop.pay(customer, booking))
    assert "STATUS:CONFIRMED" in lines(shop, path, shop.admin)
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = %s", [booking["id"]])
    assert "STATUS:CANCELLED" in lines(shop, path, customer)
    problem(shop.get(path, stranger), 404, "booking_not_found")
    problem(shop.get(path), 401, "unauthorized")
