"""Trips that are asked for and priced by people, who travels, and what staff say of bookings, by HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.sales.archiving import archive_bookings
from domain.shared.clock import business_date
from infrastructure.database.roles import connect
from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

BOOKINGS = "/api/v1/bookings"
CARD = "4111 1111 1111 1111"


def on(days: int) -> str:
    return (business_date(datetime.now(UTC)) + timedelta(days=days)).isoformat()


def hotel(**others: Any) -> Json:
    return {
        "booking_type": "HOTEL",
        "start_date": on(20),
        "end_date": on(24),
        "travelers_count": 2,
        "booking_details": {"city": "Aswan", "rooms": [{"beds": 2}]},
        **others,
    }


def room(amount: str = "1500.00", code: str = "EGP", **others: Any) -> Json:
    item = {"name_ar": "غرفة مزدوجة", "name_en": "Double room", "quantity": 2}
    return {**item, "unit_price": {"amount": amount, "currency": code}, **others}


def mona(**others: Any) -> Json:
    paper = {"document_number": "A1234567", "document_expires_on": on(400)}
    return {"first_name": "Mona", "last_name": "Adel", "birth_date": "1990-01-01", **paper, **others}


def asked(shop: Shop, person: Person, **others: Any) -> Json:
    return shop.done(shop.post(BOOKINGS, person, hotel(**others)), 201)


def priced(shop: Shop, booking: Json, *items: Json, by: Person | None = None, **terms: Any) -> Json:
    body = {"items": list(items) or [room()], **terms}
    return shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/price", by or shop.admin, body))


def steps(shop: Shop, booking: Json) -> list[tuple[str | None, str, str]]:
    rows = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}/history", shop.admin))["items"]
    return [(row["from_status"], row["to_status"], row["change_reason"]) for row in rows]


class TestRequests:
    def test_a_request_is_priced_paid_and_confirmed(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        said = {"email": " Mona@Example.COM ", "phone": "01001234567"}
        booking = asked(shop, customer, customer_info=said, travelers=[mona()], special_requests="sea view")
        assert (booking["status"], booking["final_amount"], booking["hold_expires_at"]) == (
            "DRAFT", {"amount": "0.00", "currency": "EGP"}, None,
        )  # fmt: skip
        assert booking["booking_details"] == {"city": "Aswan", "rooms": [{"beds": 2}]}
        assert (booking["customer_info"]["email"], booking["customer_info"]["phone"]) == (
            "mona@example.com", "+201001234567",
        )  # fmt: skip
        problem(shop.post("/api/v1/payments", customer, for_booking(booking["id"])), 409, "nothing_to_pay")
        queue = shop.done(shop.get(f"{BOOKINGS}?status=DRAFT", shop.admin))["items"]
        assert [row["id"] for row in queue] == [booking["id"]]

        dinner = room("250.00", name_ar="عشاء", name_en="Dinner", quantity=1, tax_rate="14.00", tax_inclusive=False)
        offer = priced(shop, booking, room(details={"view": " sea "}, notes="quiet"), dinner, hold_hours=72)

        assert (offer["status"], offer["final_amount"]["amount"]) == ("PENDING_PAYMENT", "3285.00")
        assert [(line["kind"], line["amount"]["amount"]) for line in offer["lines"]] == [
            ("BASE", "3000.00"), ("BASE", "250.00"), ("TAX", "35.00"),
        ]  # fmt: skip
        assert [(item["booking_type"], item["total_price"]["amount"]) for item in offer["items"]] == [
            ("HOTEL", "3000.00"), ("HOTEL", "285.00"),
        ]  # fmt: skip
        assert (offer["items"][0]["details"], offer["items"][0]["notes"]) == ({"view": "sea"}, "quiet")
        shop.deliver_events()
        told = [note["title_en"] for note in shop.done(shop.get("/api/v1/notifications", customer))["items"]]
        assert "Your trip has its price" in told
        problem(shop.client.patch(f"{BOOKINGS}/{booking['id']}", json={}, headers=customer.headers), 409,
                "illegal_transition")  # fmt: skip

        shop.take_payment(shop.pay(customer, booking))
        shown = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))
        assert (shown["status"], shown["payment_status"]) == ("CONFIRMED", "PAID")
        assert [step[1] for step in steps(shop, booking)] == ["DRAFT", "PENDING_PAYMENT", "CONFIRMED"]
        problem(shop.post(f"{BOOKINGS}/{booking['id']}/price", shop.admin, {"items": [room()]}), 409,
                "illegal_transition")  # fmt: skip

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"start_date": on(0)}, "/start_date"), ({"start_date": None}, "/start_date"),
            ({"end_date": on(19)}, "/end_date"), ({"start_date": on(1200), "end_date": None}, "/start_date"),
            ({"time_zone": "Mars/Base"}, "/time_zone"),
            ({"booking_details": {"a": {"b": {"c": []}}}}, "/booking_details/a/b/c"),
            ({"booking_details": {"a": "x" * 9000}}, "/booking_details"), ({"booking_details": []}, "/booking_details"),
            ({"booking_details": {"pay": CARD}}, "/booking_details/pay"), ({"currency": "XXX"}, "/currency"),
            ({"customer_info": {"email": "nobody"}}, "/customer_info/email"),
            ({"customer_info": {"phone": "12"}}, "/customer_info/phone"),
            ({"customer_info": {"vip": "yes"}}, "/customer_info/vip"),
            ({"package_id": str(uuid4())}, "/package_id"), ({"quote_token": "x"}, "/quote_token"),
            ({"voucher_code": "SAVE"}, "/voucher_code"), ({"points_to_redeem": 5}, "/points_to_redeem"),
            ({"travelers": [mona(birth_date=on(1))]}, "/travelers/0/birth_date"),
            ({"travelers": [mona(document_expires_on=on(23))]}, "/travelers/0/document_expires_on"),
            ({"travelers": [mona(), mona(document_number="a-123 4567")]}, "/travelers/1/document_number"),
            ({"travelers_count": 1, "travelers": [mona(), mona(document_number="B222")]}, "/travelers"),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, shop: Shop, sign_up: SignUp, wrong: Json, pointer: str) -> None:
        problem(shop.post(BOOKINGS, sign_up(), hotel(**wrong)), 422, "validation_failed", pointer=pointer)
        assert shop.database.row("SELECT count(*) AS n FROM bookings") == {"n": 0}

    def test_customers_give_no_prices_and_the_catalogue_has_its_own(self, shop: Shop, sign_up: SignUp) -> None:
        customer, offer = sign_up(), shop.offer()
        refused = shop.post(BOOKINGS, customer, hotel(items=[room()]))
        problem(refused, 403, "forbidden", pointer="/items")
        problem(shop.post(BOOKINGS, sign_up("EMPLOYEE"), hotel(items=[room()], user_id=str(customer.user_id))), 403,
                "forbidden", pointer="/items")  # fmt: skip
        for name, value in (("items", [room()]), ("start_date", on(9)), ("booking_details", {})):
            body = offer.booking(1, **{name: value})
            problem(shop.post(BOOKINGS, shop.admin, body), 422, "validation_failed", pointer=f"/{name}")
        problem(shop.post("/api/v1/quotes", customer, hotel()), 422, "validation_failed", pointer="/booking_type")
        assert shop.database.row("SELECT count(*) AS n FROM bookings") == {"n": 0}

    def test_staff_and_agents_ask_and_price_at_once(self, shop: Shop, sign_up: SignUp) -> None:
        customer, agent = sign_up(), sign_up("AGENT")
        for actor, source in ((shop.admin, "ADMIN"), (agent, "AGENT")):
            booking = asked(shop, actor, user_id=str(customer.user_id), items=[room()])
            assert (booking["status"], booking["booking_source"], booking["user_id"]) == (
                "PENDING_PAYMENT", source, str(customer.user_id),
            )  # fmt: skip
            assert booking["amount_due"]["amount"] == "3000.00"
            assert [step[1] for step in steps(shop, booking)] == ["DRAFT", "PENDING_PAYMENT"]
        problem(shop.post(BOOKINGS, agent, hotel(items=[room()])), 403, "own_request")
        problem(shop.post(BOOKINGS, shop.admin, hotel(user_id=str(uuid4()))), 404, "customer_not_found")

    def test_a_draft_is_changed_by_whose_it_is(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = asked(shop, customer, travelers=[mona()])
        path = f"{BOOKINGS}/{booking['id']}"
        tag = shop.get(path, customer).headers["ETag"]

        def change(person: Person, body: Json, match: str = "*") -> Any:
            return shop.client.patch(path, json=body, headers={**person.headers, "If-Match": match})

        body = {"start_date": on(30), "end_date": on(31), "booking_details": {"city": "Luxor"}, "special_requests": "x"}
        changed = change(customer, body, tag)
        assert shop.done(changed)["booking_details"] == {"city": "Luxor"}
        assert (changed.json["start_date"], changed.json["travelers_count"]) == (on(30), 2)
        assert changed.headers["ETag"] != tag
        problem(change(customer, {"travelers_count": 3}, tag), 412, "precondition_failed")
        late = {"start_date": on(500), "end_date": on(501)}
        problem(change(customer, late), 422, "validation_failed", pointer="/travelers/0/document_expires_on")
        problem(change(sign_up(), {"travelers_count": 3}), 404, "booking_not_found")
        problem(change(shop.admin, {"travelers_count": 3}), 403, "forbidden")
        problem(change(customer, {"status": "CONFIRMED"}), 422, "validation_failed", pointer="/status")
        assert shop.done(change(customer, {**late, "travelers": []}))["start_date"] == on(500)
        assert shop.done(shop.get(f"{path}/travelers", customer))["items"] == []

    def test_types_are_told_to_everybody(self, shop: Shop) -> None:
        types = shop.done(shop.get(f"{BOOKINGS}/types", Accept_Language="ar"))["items"]
        assert [row["type_code"] for row in types][:2] == ["HOTEL", "FLIGHT"]
        assert all(row["type_name"] == row["type_name_ar"] and row["color_hex"] and row["icon_name"] for row in types)


class TestOffers:
    def test_an_offer_is_made_anew_and_its_open_checkout_is_over(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = asked(shop, customer)
        priced(shop, booking)
        payment = shop.pay(customer, booking)
        tag = shop.get(f"{BOOKINGS}/{booking['id']}", shop.admin).headers["ETag"]

        offer = priced(shop, booking, room("100.00", "USD"), deposit_percent=30)

        assert offer["final_amount"] == {"amount": "200.00", "currency": "USD"}
        assert len(offer["items"]) == 1
        assert [each["amount"]["amount"] for each in offer["instalments"]] == ["60.00", "140.00"]
        body = {"items": [room()]}
        stale = shop.post(f"{BOOKINGS}/{booking['id']}/price", shop.admin, body, If_Match=tag)
        problem(stale, 412, "precondition_failed")
        # Money that comes for the price before is kept safe, and does not confirm the trip.
        shop.take_payment(payment)
        shown = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))
        assert (shown["status"], shown["payment_status"]) == ("PENDING_PAYMENT", "UNPAID")
        assert shop.database.row("SELECT disposition FROM payment_receipts") == {"disposition": "SUSPENSE"}
        taken = shop.pay(customer, booking, amount={"amount": "60.00", "currency": "USD"})
        shop.take_payment(taken)
        assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))["status"] == "CONFIRMED"

    def test_another_deposit_of_the_same_price_is_the_one_that_confirms(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = asked(shop, customer)
        before = priced(shop, booking, deposit_percent=50)

        offer = priced(shop, booking, deposit_percent=30)

        assert offer["final_amount"] == before["final_amount"]
        shop.take_payment(shop.pay(customer, booking, amount=offer["instalments"][0]["amount"]))
        assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))["status"] == "CONFIRMED"

    def test_who_prices_for_whom(self, shop: Shop, sign_up: SignUp) -> None:
        customer, agent, other = sign_up(), sign_up("AGENT"), sign_up("AGENT")
        theirs = asked(shop, agent, user_id=str(customer.user_id))
        own, staffs = asked(shop, agent), asked(shop, shop.admin)
        body = {"items": [room()]}
        for booking, actor, status, code in (
            (theirs, customer, 403, "forbidden"), (theirs, other, 404, "booking_not_found"),
            (own, agent, 403, "own_request"), (staffs, shop.admin, 403, "own_request"),
            (staffs, agent, 404, "booking_not_found"),
        ):  # fmt: skip
            problem(shop.post(f"{BOOKINGS}/{booking['id']}/price", actor, body), status, code)
        assert priced(shop, theirs, by=agent)["status"] == "PENDING_PAYMENT"
        assert priced(shop, own)["status"] == "PENDING_PAYMENT"
        catalogue = shop.book(customer, shop.offer())
        problem(shop.post(f"{BOOKINGS}/{catalogue['id']}/price", shop.admin, body), 409, "illegal_transition")
        with connect(shop.addresses.owner) as connection:
            found = connection.execute(
                "SELECT count(*) FROM audit_logs WHERE action = 'bookings.price' AND status = 'SUCCESS'"
            )
            assert found.fetchone() == (2,)

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"items": []}, "/items"), ({"items": [room("0.00")]}, "/items"), ({}, "/items"),
            ({"items": [room(), room("1.00", "USD")]}, "/items/1/unit_price"),
            ({"items": [room("10000000.01")]}, "/items/0/unit_price"),
            ({"items": [room("-1.00")]}, "/items/0/unit_price"),
            ({"items": [room(quantity=201)]}, "/items/0/quantity"),
            ({"items": [room(tax_rate="101")]}, "/items/0/tax_rate"),
            ({"items": [room(name_en="")]}, "/items/0/name_en"),
            ({"items": [room(details={"x": CARD})]}, "/items/0/details/x"),
            ({"items": [room()], "hold_hours": 721}, "/hold_hours"),
            ({"items": [room()], "valid_until": "2020-01-01T00:00:00Z"}, "/valid_until"),
            ({"items": [room()], "valid_until": f"{on(25)}T00:00:00Z"}, "/valid_until"),
            ({"items": [room()], "hold_hours": 5, "valid_until": f"{on(5)}T00:00:00Z"}, "/valid_until"),
            ({"items": [room()], "deposit_percent": 0}, "/deposit_percent"),
            ({"items": [room()], "final_amount": {"amount": "1.00", "currency": "EGP"}}, "/final_amount"),
        ],
    )  # fmt: skip
    def test_offers_that_are_refused(self, shop: Shop, sign_up: SignUp, wrong: Json, pointer: str) -> None:
        booking = asked(shop, sign_up())
        answer = shop.post(f"{BOOKINGS}/{booking['id']}/price", shop.admin, wrong)
        problem(answer, 422, "validation_failed", pointer=pointer)
        assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", shop.admin))["status"] == "DRAFT"


class TestTravelers:
    def test_documents_are_masked_and_staff_who_see_them_leave_a_trace(self, shop: Shop, sign_up: SignUp) -> None:
        customer, agent = sign_up(), sign_up("AGENT")
        booking = asked(shop, agent, user_id=str(customer.user_id), travelers=[mona()])
        path = f"{BOOKINGS}/{booking['id']}/travelers"
        for reader in (customer, agent, sign_up("EMPLOYEE")):
            (shown,) = shop.done(shop.get(path, reader))["items"]
            assert (shown["first_name"], shown["document_number"]) == ("Mona", "*****567")
        traces = "SELECT changes::text AS changes FROM audit_logs WHERE action = 'bookings.documents'"
        assert shop.database.rows(traces) == []

        (shown,) = shop.done(shop.get(path, shop.admin))["items"]

        assert shown["document_number"] == "A1234567"
        (trace,) = shop.database.rows(traces)
        assert "A1234567" not in trace["changes"]
        problem(shop.get(path, sign_up()), 404, "booking_not_found")

    def test_the_whole_list_is_written_until_the_trip_begins(
        self, shop: Shop, sign_up: SignUp, clock: MovableClock
    ) -> None:
        customer = sign_up()
        booking = asked(shop, customer)
        path = f"{BOOKINGS}/{booking['id']}/travelers"

        def write(person: Person, *travelers: Json, match: str = "*") -> Any:
            headers = {**person.headers, "If-Match": match}
            return shop.client.put(path, json={"travelers": list(travelers)}, headers=headers)

        first = write(customer, mona(), mona(first_name="علي", document_number="B7654321"))
        assert [row["document_number"] for row in shop.done(first)["items"]] == ["*****567", "*****321"]
        problem(write(customer, mona(), match='"1"'), 412, "precondition_failed")
        problem(write(customer, mona(document_number="*****567")), 422, "validation_failed",
                pointer="/travelers/0/document_number")  # fmt: skip
        problem(write(customer, *[mona(document_number=f"C{n}") for n in range(10, 13)]), 422, "validation_failed",
                pointer="/travelers")  # fmt: skip
        problem(write(sign_up("EMPLOYEE"), mona()), 403, "forbidden")
        problem(write(sign_up(), mona()), 404, "booking_not_found")
        assert shop.done(write(shop.admin, mona(last_name="Adly")))["items"][0]["last_name"] == "Adly"
        assert ("DRAFT", "DRAFT", "travellers changed") in steps(shop, booking)
        everywhere = shop.database.rows(
            "SELECT changes::text AS said FROM audit_logs UNION ALL SELECT change_reason FROM booking_status_history"
        )
        assert not [row for row in everywhere if "1234567" in row["said"] or "Adly" in row["said"]]
        (kept,) = shop.database.rows("SELECT document_number_encrypted AS number FROM booking_travelers")
        assert b"1234567" not in bytes(kept["number"])
        clock.offset = timedelta(days=21)
        problem(write(shop.again(customer), mona()), 409, "travelers_fixed")

    def test_papers_are_valid_as_long_as_the_company_says(self, shop: Shop, sign_up: SignUp) -> None:
        setting = "/api/v1/admin/settings/booking.document_validity_days"
        answer = shop.client.put(setting, json={"value": 180}, headers=shop.admin.headers)
        assert answer.status_code == 200, answer.text
        customer, offer = sign_up(), shop.offer()
        for body in (hotel(), offer.booking(1)):
            body["travelers"] = [mona(document_expires_on=on(100))]
            pointer = "/travelers/0/document_expires_on"
            problem(shop.post(BOOKINGS, customer, body), 422, "validation_failed", pointer=pointer)
            body["travelers"] = [mona(document_expires_on=on(300))]
            shop.done(shop.post(BOOKINGS, customer, body), 201)


class TestStaffVerbs:
    def test_nothing_is_confirmed_without_its_money(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        booking = asked(shop, customer)
        path = f"{BOOKINGS}/{booking['id']}/confirm"
        assert problem(shop.post(path, shop.admin, {}), 409, "illegal_transition")["current_status"] == "DRAFT"
        priced(shop, booking, deposit_percent=50)
        assert "EGP 1500.00" in problem(shop.post(path, shop.admin, {}), 409, "balance_due")["detail"]
        problem(shop.post(path, customer, {}), 403, "forbidden")
        shop.take_payment(shop.pay(customer, booking))
        assert problem(shop.post(path, shop.admin, {}), 409, "illegal_transition")["current_status"] == "CONFIRMED"
        # A deposit that is in and was not settled into a confirmation.
        with connect(shop.addresses.owner) as connection:
            connection.execute("UPDATE bookings SET status = 'PENDING_PAYMENT' WHERE id = %s", [booking["id"]])
            connection.execute("UPDATE holds SET status = 'ACTIVE' WHERE booking_id = %s", [booking["id"]])
        assert shop.done(shop.post(path, shop.admin, {}))["status"] == "CONFIRMED"

    def test_a_no_show_is_completed_with_its_money(self, shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
        customer = sign_up()
        booking = asked(shop, customer)
        priced(shop, booking)
        shop.take_payment(shop.pay(customer, booking))
        path, body = f"{BOOKINGS}/{booking['id']}/no-show", {"reason": "nobody at the desk"}
        problem(shop.post(path, shop.admin, body), 409, "trip_not_begun")
        problem(shop.post(path, shop.admin, {"reason": " "}), 422, "validation_failed", pointer="/reason")
        problem(shop.post(path, customer, body), 403, "forbidden")
        clock.offset = timedelta(days=21)
        admin = shop.again(shop.admin)

        shown = shop.done(shop.post(path, admin, body))

        assert (shown["status"], shown["no_show"], shown["payment_status"]) == ("IN_PROGRESS", True, "PAID")
        problem(shop.post(path, admin, body), 409, "illegal_transition")
        done = shop.post(f"{BOOKINGS}/{booking['id']}/complete", admin, {"override_reason": "nobody travels"})
        assert (shop.done(done)["status"], done.json["no_show"]) == ("COMPLETED", True)
        logged = shop.database.rows(
            "SELECT changes FROM audit_logs WHERE action = 'bookings.no_show' AND status = 'SUCCESS'"
        )
        assert [row["changes"]["reason"] for row in logged] == ["nobody at the desk"]


class TestLists:
    def test_agents_see_their_customers_bookings_and_their_own(self, shop: Shop, sign_up: SignUp) -> None:
        agent, customer = sign_up("AGENT"), sign_up()
        made = [
            asked(shop, agent, **({"user_id": str(customer.user_id)} if number % 2 else {}))["id"]
            for number in range(5)
        ]
        asked(shop, customer)
        asked(shop, sign_up("AGENT"), user_id=str(customer.user_id))
        with connect(shop.addresses.owner) as connection:
            # Their own through themselves is shown once.
            connection.execute("UPDATE bookings SET agent_id = user_id WHERE id = %s", [made[0]])

        def pages(person: Person, sort: str) -> list[str]:
            seen, cursor = [], ""
            while True:
                page = shop.done(shop.get(f"{BOOKINGS}?limit=2&sort={sort}{cursor}", person))
                seen += [row["id"] for row in page["items"]]
                if page["next_cursor"] is None:
                    return seen
                cursor = f"&cursor={page['next_cursor']}"

        assert pages(agent, "created_at") == made
        assert pages(agent, "-created_at") == made[::-1]
        assert sorted(pages(agent, "start_date")) == sorted(made)
        assert len(pages(customer, "-created_at")) == 4
        changes = shop.done(shop.get(f"{BOOKINGS}?updated_after=2020-01-01T00:00:00Z", agent))["items"]
        assert [row["id"] for row in changes] == [*made[1:], made[0]]

    def test_an_agents_list_reads_two_indexes(self, shop: Shop, sign_up: SignUp) -> None:
        agent = sign_up("AGENT")
        for _ in range(3):
            asked(shop, agent, user_id=str(sign_up().user_id))
        with connect(shop.addresses.owner) as connection:
            # As with many rows: with three, sorting them costs nothing.
            connection.execute("SET enable_seqscan = off; SET enable_sort = off")
            rows = connection.execute(
                "EXPLAIN SELECT id FROM bookings b WHERE b.agent_id = %(a)s AND b.user_id <> %(a)s"
                " AND b.archived_at IS NULL ORDER BY b.created_at DESC, b.id DESC LIMIT 3",
                {"a": agent.user_id},
            ).fetchall()
        plan = "\n".join(row[0] for row in rows)
        assert "ix_bookings_agent_id_created_at_id" in plan
        assert "Sort" not in plan

    def test_what_is_long_over_is_archived_and_found_where_it_is_asked_for(
        self, shop: Shop, sign_up: SignUp, clock: MovableClock
    ) -> None:
        customer = sign_up()
        over, waiting = asked(shop, customer), asked(shop, customer)
        with connect(shop.addresses.owner) as connection:
            connection.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = %s", [over["id"]])
        use, year = shop.running.dependencies, timedelta(days=365)

        def archive() -> int:
            return archive_bookings(uow=use.new_uow(), clock=clock, after=year)

        assert archive() == 0
        clock.offset = timedelta(days=366)
        assert [archive(), archive()] == [1, 0]
        customer = shop.again(customer)

        def ids(query: str) -> list[str]:
            return [row["id"] for row in shop.done(shop.get(f"{BOOKINGS}{query}", customer))["items"]]

        assert ids("") == [waiting["id"]]
        assert ids("?archived=true") == [waiting["id"], over["id"]]
        assert over["id"] in ids("?updated_after=2020-01-01T00:00:00Z")
        assert shop.done(shop.get(f"{BOOKINGS}/{over['id']}", customer))["archived_at"] is not None
