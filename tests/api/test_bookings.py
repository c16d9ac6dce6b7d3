"""From search to a finished trip, by HTTP: the good ways, and what each step shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.sales.expiry import expire_bookings
from infrastructure.clock import new_id
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock

pytestmark = pytest.mark.database


def names(page: Any) -> list[str]:
    return [row["name_en"] for row in page["items"]]


def assert_stored_as_told(stored: dict[str, Any], told: dict[str, Any]) -> None:
    """All that a sale answered; only the database says when the row was written, after the sale was decided."""
    assert stored["updated_at"] >= told["updated_at"]
    assert {**stored, "updated_at": told["updated_at"]} == told


class TestSearch:
    def test_arabic_and_english_words_find_the_same_package(self, shop: Shop) -> None:
        shop.package(name_ar="إجازة في شرم الشيخ", name_en="Holiday in Sharm", destinations=["Sharm El Sheikh"])
        shop.package()
        for words in ("اجازه", "شرم الشيخ", "SHARM", "holiday sharm", "إِجَازَة"):
            assert names(shop.done(shop.get(f"/api/v1/packages?q={words}"))) == ["Holiday in Sharm"], words
        assert names(shop.done(shop.get("/api/v1/packages?q=moon"))) == []

    def test_a_package_speaks_the_readers_language(self, shop: Shop) -> None:
        package = shop.package()
        for language, name in (("ar", "رحلة نيلية"), ("en", "Nile cruise")):
            shown = shop.done(shop.get(f"/api/v1/packages/{package['slug']}", Accept_Language=language))
            assert shown["name"] == name
            assert shown["base_price"] == {"amount": "1000.00", "currency": "EGP"}

    def test_departures_tell_the_seats_that_are_left(self, shop: Shop, sign_up: SignUp) -> None:
        offer = shop.offer(seats=5)
        shop.book(sign_up(), offer, 2)
        page = shop.done(shop.get(f"/api/v1/packages/{offer.package_id}/departures"))
        assert [(row["capacity"], row["seats_left"], row["status"]) for row in page["items"]] == [(5, 3, "OPEN")]


class TestQuotes:
    def test_a_quote_tells_lines_tax_and_rewards_and_stores_nothing(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer(tax_rate="14.00", tax_inclusive=True)
        before = shop.state()
        quote = shop.done(shop.post("/api/v1/quotes", customer, offer.booking(2)))
        assert shop.state() == before
        assert quote["total"] == {"amount": "2000.00", "currency": "EGP"}
        assert (quote["base_amount"]["amount"], quote["tax_amount"]["amount"]) == ("1754.39", "245.61")
        assert [(line["kind"], line["amount"]["amount"]) for line in quote["lines"]] == [
            ("BASE", "1754.39"),
            ("TAX", "245.61"),
        ]
        assert (quote["tier_code"], quote["seats_left"]) == ("GUEST", 10)
        assert quote["expected_points"] > 0


class TestBookings:
    def test_a_booking_holds_seats_at_the_quoted_price(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer()
        quote = shop.done(shop.post("/api/v1/quotes", customer, offer.booking(3)))
        body = offer.booking(
            3,
            travelers=[{"first_name": "Mona", "last_name": "Adel", "document_number": "A1234567"}],
            special_requests="غرفة هادئة\nquiet room",
        )
        answer = shop.post("/api/v1/bookings", customer, body)
        booking = shop.done(answer, 201)
        assert answer.headers["Location"] == f"/api/v1/bookings/{booking['id']}"
        assert booking["booking_number"].startswith("BK-")
        assert (booking["status"], booking["payment_status"], booking["booking_source"]) == (
            "PENDING_PAYMENT",
            "UNPAID",
            "SELF",
        )
        assert booking["final_amount"] == booking["amount_due"] == quote["total"]
        assert booking["lines"] == quote["lines"]
        assert booking["hold_expires_at"].endswith("Z")
        assert booking["special_requests"] == "غرفة هادئة\nquiet room"
        assert_stored_as_told(shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer)), booking)
        stored = shop.database.row("SELECT * FROM booking_travelers")
        assert stored is not None
        assert b"A1234567" not in stored["document_number_encrypted"]

    def test_items_stand_where_their_booking_does(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = shop.book(customer, shop.offer())
        path = f"/api/v1/bookings/{booking['id']}"
        said = [shop.done(shop.get(path, customer)), booking]
        assert [[item["status"] for item in each["items"]] for each in said] == [["PENDING"], ["PENDING"]]
        shop.take_payment(shop.pay(customer, booking))
        assert [item["status"] for item in shop.done(shop.get(path, customer))["items"]] == ["CONFIRMED"]
        cancelled = shop.done(shop.post(f"{path}/cancel", customer, {"reason": "ill"}))
        assert [item["status"] for item in cancelled["items"]] == ["CANCELLED"]

    def test_dates_beside_a_departure_are_its_own(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer()
        departure = shop.done(shop.get(f"/api/v1/departures/{offer.departure_id}"))
        starts_on, ends_on = departure["starts_on"], departure["ends_on"]
        assert starts_on != ends_on
        for path in ("/api/v1/quotes", "/api/v1/bookings"):
            for name, other in (("start_date", ends_on), ("end_date", starts_on)):
                refused = shop.post(path, customer, offer.booking(1, **{name: other}))
                [fault] = problem(refused, 422, "validation_failed")["errors"]
                assert (fault["pointer"], fault["code"]) == (f"/{name}", "not_of_the_departure")
            undecided = {**offer.booking(1, start_date=starts_on), "departure_id": None}
            assert shop.post(path, customer, undecided).status_code == (200 if path.endswith("quotes") else 422)
        assert shop.database.row("SELECT count(*) AS n FROM bookings") == {"n": 0}

        own = offer.booking(1, start_date=starts_on, end_date=ends_on)
        quoted = shop.done(shop.post("/api/v1/quotes", customer, own))
        booked = shop.done(shop.post("/api/v1/bookings", customer, own), 201)
        assert (booked["start_date"], booked["end_date"], booked["final_amount"]) == (
            starts_on, ends_on, quoted["total"],
        )  # fmt: skip

    def test_a_price_that_changes_later_leaves_bookings_alone(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer()
        booking = shop.book(customer, offer)
        change = {"base_price": {"amount": "9999.00", "currency": "EGP"}}
        shop.done(shop.client.patch(f"/api/v1/packages/{offer.package_id}", json=change, headers=shop.admin.headers))
        assert_stored_as_told(shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer)), booking)
        assert shop.done(shop.post("/api/v1/quotes", customer, offer.booking(1)))["total"]["amount"] == "9999.00"

    def test_unpaid_seats_come_back_and_the_customer_is_told(
        self, shop: Shop, sign_up: SignUp, clock: MovableClock
    ) -> None:
        customer, offer = sign_up(), shop.offer(seats=2)
        booking = shop.book(customer, offer, 2)
        clock.offset = timedelta(minutes=36)
        use = shop.running.dependencies
        assert expire_bookings(new_uow=use.new_uow, clock=clock, new_id=new_id) == 1
        assert expire_bookings(new_uow=use.new_uow, clock=clock, new_id=new_id) == 0
        customer = shop.again(customer)
        shown = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
        assert (shown["status"], shown["hold_expires_at"], shown["amount_due"]["amount"]) == ("CANCELLED", None, "0.00")
        shop.deliver_events()
        told = shop.done(shop.get("/api/v1/notifications", customer))["items"]
        assert [note["title_en"] for note in told] == ["The time to pay is over"]
        shop.book(customer, offer, 2)

    def test_staff_and_agents_book_for_customers(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer()
        agent = sign_up("AGENT")
        for actor, source in ((shop.admin, "ADMIN"), (agent, "AGENT")):
            body = offer.booking(1, user_id=str(customer.user_id))
            booking = shop.done(shop.post("/api/v1/bookings", actor, body), 201)
            assert (booking["user_id"], booking["booking_source"]) == (str(customer.user_id), source)
            assert booking["agent_id"] == (str(agent.user_id) if source == "AGENT" else None)
            assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["id"] == booking["id"]

    def test_lists_go_on_where_the_page_before_ended(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer(seats=50)
        made = [shop.book(customer, offer, 1)["id"] for _ in range(5)]
        shop.book(sign_up(), offer, 1)
        seen: list[str] = []
        cursor = ""
        while True:
            page = shop.done(shop.get(f"/api/v1/bookings?limit=2{cursor}", customer))
            seen += [row["id"] for row in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == made[::-1]
        everybody = shop.done(shop.get(f"/api/v1/bookings?departure_id={offer.departure_id}", shop.admin))
        assert len(everybody["items"]) == 6
        assert shop.done(shop.get("/api/v1/bookings?status=CONFIRMED", customer))["items"] == []


class TestTrips:
    def test_staff_start_and_complete_with_a_reason_ahead_of_the_dates(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = shop.book(customer, shop.offer())
        shop.take_payment(shop.pay(customer, booking))
        for step, status in (("start", "IN_PROGRESS"), ("complete", "COMPLETED")):
            path = f"/api/v1/bookings/{booking['id']}/{step}"
            before = shop.state()
            for body in ({}, {"override_reason": "  "}, {"override_reason": None}):
                refused = problem(shop.post(path, shop.admin, body), 422, "override_reason_required")
                assert refused["errors"][0]["pointer"] == "/override_reason"
            assert shop.state() == before
            shown = shop.done(shop.post(path, shop.admin, {"override_reason": "charter left early"}))
            assert shown["status"] == status
            problem(shop.post(path, shop.admin, {"override_reason": "again"}), 409, "illegal_transition")
        steps = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}/history", customer))["items"]
        assert [(step["from_status"], step["to_status"]) for step in steps] == [
            (None, "PENDING_PAYMENT"),
            ("PENDING_PAYMENT", "CONFIRMED"),
            ("CONFIRMED", "IN_PROGRESS"),
            ("IN_PROGRESS", "COMPLETED"),
        ]
        assert [step["change_reason"] for step in steps[2:]] == ["charter left early"] * 2
        audited = shop.database.rows(
            "SELECT action, changes FROM audit_logs WHERE module = 'bookings' AND status = 'SUCCESS' ORDER BY id"
        )
        assert [row["action"] for row in audited] == ["bookings.start", "bookings.complete"]
        assert {row["changes"]["override_reason"] for row in audited} == {"charter left early"}

    def test_on_its_dates_no_reason_is_needed(self, shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
        customer = sign_up()
        booking = shop.book(customer, shop.offer(starts_in_days=1))
        shop.take_payment(shop.pay(customer, booking))
        clock.offset = timedelta(days=10)
        staff = shop.again(shop.admin)
        for step in ("start", "complete"):
            shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", staff, {}))
