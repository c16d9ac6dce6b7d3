"""Bad input of every kind: a problem document that names what is wrong, and nothing changed in any table."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from pytest import Subtests

from tests.api.shop import Shop, SignUp, for_booking, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

REGISTRATION = {
    "email": "mona@example.com",
    "password": "correct horse 42",
    "first_name": "Mona",
    "last_name": "Adel",
}
# JSON as it is written, so that what no serializer would write can be sent too.
NO_COUNTS = [
    "-1", "0", "201", "2.0", "1e2", "true", '"2"', "null", "[]", "{}", "NaN", "-Infinity", "1e400",
    "9223372036854775808", "99999999999999999999", '"\\u0000"',
]  # fmt: skip
NO_AMOUNTS = [
    '"100.00"', "100", "100.0", "NaN", "null", "[]", "{}",
    '{"amount": 100, "currency": "EGP"}', '{"amount": 1.5, "currency": "EGP"}', '{"amount": true, "currency": "EGP"}',
    '{"amount": NaN, "currency": "EGP"}', '{"amount": 1e3, "currency": "EGP"}',
    '{"amount": "NaN", "currency": "EGP"}', '{"amount": "Infinity", "currency": "EGP"}',
    '{"amount": "1e3", "currency": "EGP"}', '{"amount": "+5.00", "currency": "EGP"}',
    '{"amount": " 5.00", "currency": "EGP"}', '{"amount": "1,000.00", "currency": "EGP"}',
    '{"amount": "5.005", "currency": "EGP"}', '{"amount": "5.5", "currency": "JPY"}',
    '{"amount": "", "currency": "EGP"}',
    '{"amount": "٥", "currency": "EGP"}', '{"amount": "5\\u0000", "currency": "EGP"}',
    '{"amount": "-5.00", "currency": "EGP"}', '{"amount": "0.00", "currency": "EGP"}',
    '{"amount": "99999999999999999999", "currency": "EGP"}', '{"amount": "999999999999999", "currency": "EGP"}',
    '{"amount": "5.00", "currency": "XXX"}', '{"amount": "5.00", "currency": "egp"}',
    '{"amount": "5.00", "currency": "\\u0000"}', '{"amount": "5.00", "currency": 5}', '{"amount": "5.00"}',
    '{"amount": "5.00", "currency": "EGP", "rate": 1}',
]  # fmt: skip
NOT_JSON = [
    "{", "x", "{} {}", "{'a': 1}", "[" * 100_000, '{"a":' * 100_000, f'{{"travelers_count": {"9" * 5000}}}',
    '{"special_requests": "\\ud800"}', '{"\\udfff": 1}', "\ufeff{}",
]  # fmt: skip
NO_OBJECTS = ["null", "[]", '"text"', "1", "true", ""]
NO_ADDRESSES = [
    "javascript:alert(1)", "//example.com/", "ftp://example.com/", "https://", "example.com", "https://[::1",
    "https://example.com:99999/", "https://example.com/ x", "https://example.com/\r\nSet-Cookie: a=b",
    "https://exam\u0000ple.com/", "https://example.com/\u0000", "https://example.com/" + "x" * 1000, "", 5,
]  # fmt: skip


class TestBookings:
    """POST /bookings and /quotes."""

    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, sign_up: SignUp) -> None:
        self.shop, self.customer = shop, sign_up()
        self.offer = shop.offer(seats=5)

    def send(self, body: str, path: str = "/api/v1/bookings", media: str = "application/json") -> Any:
        return self.shop.client.post(
            path,
            data=body.encode(),
            content_type=media,
            headers={**self.customer.headers, "Idempotency-Key": uuid4().hex},
        )

    def body(self, **members: str) -> str:
        """A booking's JSON with members as they are written."""
        good = {name: json.dumps(value) for name, value in self.offer.booking().items()}
        return "{" + ", ".join(f'"{name}": {value}' for name, value in {**good, **members}.items()) + "}"

    @pytest.mark.parametrize("path", ["/api/v1/bookings", "/api/v1/quotes"])
    def test_counts_are_whole_numbers_from_1_to_200(self, path: str, subtests: Subtests) -> None:
        before = self.shop.state()
        for count in NO_COUNTS:
            with subtests.test(count=count):
                answer = self.send(self.body(travelers_count=count), path)
                problem(answer, 422, "validation_failed", pointer="/travelers_count")
        assert self.shop.state() == before

    def test_a_party_that_the_package_does_not_take_is_refused(self) -> None:
        before = self.shop.state()
        refused = problem(self.send(self.body(travelers_count="51")), 422, "validation_failed")
        assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [
            ("/travelers_count", "out_of_range")
        ]
        assert self.shop.state() == before

    def test_unknown_fields_are_named_one_by_one(self) -> None:
        before = self.shop.state()
        answer = self.send(self.body(final_amount='"1.00"', status='"CONFIRMED"', **{"a/b~c": "1"}))
        refused = problem(answer, 422, "validation_failed")
        assert {(error["pointer"], error["code"]) for error in refused["errors"]} == {
            ("/final_amount", "unknown_field"),
            ("/status", "unknown_field"),
            ("/a~1b~0c", "unknown_field"),
        }
        assert self.shop.state() == before

    def test_ids_are_uuids(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for name in ("package_id", "departure_id", "user_id"):
            for value in ("1", '"1"', "true", '"\\u0000"', '"not-a-uuid"', "[]"):
                with subtests.test(name=name, value=value):
                    answer = self.send(self.body(**{name: value}))
                    problem(answer, 422, "validation_failed", pointer=f"/{name}")
        assert self.shop.state() == before

    def test_text_holds_no_control_characters_and_has_an_end(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for text in ('"a\\u0000b"', '"\\u0007"', '"\\u009f"', json.dumps("x" * 2001), "5", "null", "[]"):
            with subtests.test(text=text[:20]):
                answer = self.send(self.body(special_requests=text))
                problem(answer, 422, "validation_failed", pointer="/special_requests")
        assert self.shop.state() == before

    def test_travellers_are_checked_each_by_itself(self) -> None:
        before = self.shop.state()
        travelers = [
            {"first_name": "Mona", "last_name": "Adel"},
            {"first_name": "", "last_name": "A", "birth_date": "1990-02-30", "passport": "1"},
        ]
        refused = problem(self.send(self.body(travelers=json.dumps(travelers))), 422, "validation_failed")
        assert {error["pointer"] for error in refused["errors"]} == {
            "/travelers/1/first_name",
            "/travelers/1/birth_date",
            "/travelers/1/passport",
        }
        too_many = json.dumps([travelers[0]] * 3)
        problem(self.send(self.body(travelers=too_many)), 422, "validation_failed", pointer="/travelers")
        assert self.shop.state() == before

    def test_what_is_not_json_is_400(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for body in NOT_JSON:
            with subtests.test(body=body[:20]):
                problem(self.send(body), 400, "malformed_request")
        for raw in (b"\xff\xfe", json.dumps(self.offer.booking()).encode("utf-16")):
            headers = {**self.customer.headers, "Idempotency-Key": uuid4().hex}
            answer = self.shop.client.post(
                "/api/v1/bookings", data=raw, content_type="application/json", headers=headers
            )
            problem(answer, 400, "malformed_request")
        assert self.shop.state() == before

    def test_json_that_is_no_object_is_422(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for body in NO_OBJECTS:
            with subtests.test(body=body):
                problem(self.send(body), 422, "validation_failed")
        assert self.shop.state() == before

    def test_other_media_are_415(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""):
            with subtests.test(media=media):
                problem(self.send(self.body(), media=media), 415, "unsupported_media_type")
        assert self.shop.state() == before

    def test_a_body_above_1_mib_is_413_and_says_so(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for path in ("/api/v1/bookings", "/api/v1/quotes", "/api/v1/auth/login"):
            with subtests.test(path=path):
                refused = problem(self.send('{"x": "' + "x" * 2**20 + '"}', path), 413, "payload_too_large")
                assert "1048576" in refused["detail"]
        assert self.shop.state() == before

    def test_an_unknown_package_or_departure_is_404(self) -> None:
        before = self.shop.state()
        unknown = json.dumps(str(uuid4()))
        problem(self.send(self.body(departure_id=unknown)), 404, "departure_not_found")
        problem(self.send(self.body(package_id=unknown)), 404, "departure_not_found")
        problem(self.send(self.body(package_id=unknown), "/api/v1/quotes"), 404, "package_not_found")
        problem(self.send(self.body(departure_id=unknown), "/api/v1/quotes"), 404, "departure_not_found")
        assert self.shop.state() == before

    def test_a_departure_of_another_package_is_404(self) -> None:
        other = self.shop.offer()
        before = self.shop.state()
        problem(self.send(self.body(departure_id=json.dumps(other.departure_id))), 404, "departure_not_found")
        assert self.shop.state() == before

    def test_a_closed_departure_is_409(self) -> None:
        self.shop.close(self.offer)
        before = self.shop.state()
        problem(self.send(self.body()), 409, "departure_closed")
        problem(self.send(self.body(), "/api/v1/quotes"), 409, "departure_closed")
        assert self.shop.state() == before

    def test_a_departure_that_began_is_409(self, clock: MovableClock) -> None:
        clock.offset = timedelta(days=31)
        self.customer = self.shop.again(self.customer)
        before = self.shop.state()
        problem(self.send(self.body()), 409, "departure_closed")
        assert self.shop.state() == before

    def test_more_seats_than_are_left_are_409(self) -> None:
        self.shop.book(self.customer, self.offer, 4)
        before = self.shop.state()
        problem(self.send(self.body(travelers_count="2")), 409, "sold_out")
        assert self.shop.state() == before
        self.shop.book(self.customer, self.offer, 1)
        full = self.shop.state()
        problem(self.send(self.body(travelers_count="1")), 409, "sold_out")
        assert self.shop.state() == full

    def test_nobody_books_for_others_but_staff_and_agents(self, sign_up: SignUp) -> None:
        other = sign_up()
        before = self.shop.state()
        problem(self.send(self.body(user_id=json.dumps(str(other.user_id)))), 403, "forbidden")
        assert self.shop.state() == before

    def test_staff_cannot_book_for_nobody(self) -> None:
        self.customer = self.shop.admin
        before = self.shop.state()
        answer = self.send(self.body(user_id=json.dumps(str(uuid4()))))
        assert answer.status_code in (404, 422), answer.text
        assert answer.content_type == "application/problem+json"
        assert self.shop.state() == before


class TestPayments:
    """POST /payments and /wallet/deposits."""

    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, sign_up: SignUp) -> None:
        self.shop, self.customer = shop, sign_up()
        self.booking = shop.book(self.customer, shop.offer())

    def send(self, body: str, path: str = "/api/v1/payments", person: Person | None = None) -> Any:
        return self.shop.client.post(
            path,
            data=body.encode(),
            content_type="application/json",
            headers={**(person or self.customer).headers, "Idempotency-Key": uuid4().hex},
        )

    def pay(self, **members: Any) -> Any:
        return self.shop.post("/api/v1/payments", self.customer, for_booking(self.booking["id"], **members))

    def test_amounts_are_decimal_strings_of_a_currency(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for amount in NO_AMOUNTS:
            body = f'{{"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": {amount}}}'
            with subtests.test(amount=amount):
                problem(self.send(body, "/api/v1/wallet/deposits"), 422, "validation_failed", pointer="/amount")
        assert self.shop.state() == before

    def test_a_booking_is_paid_in_full_or_not_at_all(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for amount in ("1.00", "1999.99", "2000.01", "-2000.00", "0.00"):
            with subtests.test(amount=amount):
                refused = problem(
                    self.pay(amount={"amount": amount, "currency": "EGP"}), 422, "part_payment_not_offered"
                )
                assert refused["errors"][0]["pointer"] == "/amount"
        problem(self.pay(amount={"amount": "2000.00", "currency": "USD"}), 422, "part_payment_not_offered")
        assert self.shop.state() == before

    def test_addresses_to_return_to_are_http_addresses(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for address in NO_ADDRESSES:
            for name in ("success_url", "cancel_url"):
                with subtests.test(name=name, address=str(address)[:40]):
                    problem(self.pay(**{name: address}), 422, "validation_failed", pointer=f"/{name}")
        assert self.shop.state() == before

    def test_methods_and_providers_are_those_that_exist(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for method in ("credit_card", "BITCOIN", "", "\x00", 5, None, True):
            with subtests.test(method=method):
                problem(self.pay(method=method), 422, "validation_failed", pointer="/method")
        for method in ("BANK_TRANSFER", "CASH", "MIXED"):
            with subtests.test(method=method):
                problem(self.pay(method=method), 422, "validation_failed", pointer="/method")
        for provider in ("", "x" * 31, 5, True):
            with subtests.test(provider=provider):
                problem(self.pay(provider=provider), 422, "validation_failed", pointer="/provider")
        for provider in ("NOPE", "FAWATERK", "\x00"):
            with subtests.test(provider=provider):
                problem(self.pay(provider=provider), 404, "unknown_provider")
        problem(self.pay(provider=None), 422, "validation_failed", pointer="/provider")
        assert self.shop.state() == before

    def test_what_is_paid_has_a_type_and_an_id(self, subtests: Subtests) -> None:
        before = self.shop.state()
        wrong: list[tuple[Any, str]] = [
            ({"type": "ORDER", "id": self.booking["id"]}, "/payable/type"),
            ({"type": "booking", "id": self.booking["id"]}, "/payable/type"),
            ({"type": "BOOKING", "id": "1"}, "/payable/id"),
            ({"type": "BOOKING"}, "/payable/id"),
            ({"type": "BOOKING", "id": self.booking["id"], "amount": 1}, "/payable/amount"),
            ({}, "/payable/type"),
            ("BOOKING", "/payable"),
            (None, "/payable"),
        ]
        for payable, pointer in wrong:
            with subtests.test(payable=payable):
                problem(self.pay(payable=payable), 422, "validation_failed", pointer=pointer)
        assert self.shop.state() == before

    def test_status_and_owner_are_not_the_clients_to_say(self) -> None:
        before = self.shop.state()
        for name in ("status", "user_id", "paid_at", "refund_amount"):
            problem(self.pay(**{name: "PAID"}), 422, "validation_failed", pointer=f"/{name}")
        assert self.shop.state() == before

    def test_nobody_pays_for_what_is_anothers_or_nobodys(self, sign_up: SignUp) -> None:
        other = sign_up()
        before = self.shop.state()
        for person, booking_id in ((other, self.booking["id"]), (self.customer, str(uuid4()))):
            body = json.dumps(for_booking(booking_id))
            problem(self.send(body, person=person), 404, "booking_not_found")
            wallet = json.dumps({"payable": {"type": "BOOKING", "id": booking_id}, "method": "WALLET"})
            problem(self.send(wallet, person=person), 404, "booking_not_found")
        assert self.shop.state() == before

    def test_an_expired_hold_cannot_be_paid(self, clock: MovableClock) -> None:
        clock.offset = timedelta(minutes=31)
        self.customer = self.shop.again(self.customer)
        before = self.shop.state()
        problem(self.pay(), 409, "nothing_to_pay")
        problem(self.pay(method="WALLET", provider=None), 409, "nothing_to_pay")
        assert self.shop.state() == before

    def test_an_empty_wallet_pays_nothing(self) -> None:
        before = self.shop.state()
        problem(self.pay(method="WALLET", provider=None), 422, "insufficient_balance")
        assert self.shop.state() == before

    def test_a_wallet_is_not_filled_from_itself(self) -> None:
        before = self.shop.state()
        body = '{"method": "WALLET", "amount": {"amount": "5.00", "currency": "EGP"}}'
        problem(self.send(body, "/api/v1/wallet/deposits"), 422, "validation_failed", pointer="/method")
        assert self.shop.state() == before


class TestOthersThings:
    """What belongs to somebody else is not there."""

    def test_each_is_404_and_in_no_list(self, shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
        owner, stranger = sign_up(), sign_up()
        offer = shop.offer()
        booking = shop.book(owner, offer)
        payment = shop.pay(owner, booking)
        subscription = shop.done(shop.post("/api/v1/memberships/subscriptions", owner, {"plan_code": "GOLD"}), 201)
        wallet_paid = _paid_by_wallet(shop, owner)
        shop.deliver_events()
        invoice = shop.done(shop.get(f"/api/v1/invoices?booking_id={wallet_paid['id']}", owner))["items"][0]
        before = shop.state()
        own = {
            f"/api/v1/bookings/{booking['id']}": "booking_not_found",
            f"/api/v1/bookings/{booking['id']}/history": "booking_not_found",
            f"/api/v1/payments/{payment['id']}": "payment_not_found",
            f"/api/v1/invoices/{invoice['id']}": "invoice_not_found",
            f"/api/v1/invoices/{invoice['id']}/pdf?lang=en": "invoice_not_found",
            f"/api/v1/memberships/subscriptions/{subscription['id']}": "subscription_not_found",
        }
        for path, code in own.items():
            with subtests.test(path=path):
                shown = shop.get(path, owner)
                assert shown.status_code == (202 if "/pdf" in path else 200), shown.text
                problem(shop.get(path, stranger), 404, code)
                unknown = re.sub("[0-9a-f]{8}-[0-9a-f-]{27}", str(uuid4()), path)
                problem(shop.get(unknown, stranger), 404, code)
        lists = ("bookings", "payments", "invoices", "notifications", "memberships/subscriptions", "cashback")
        for name in (*lists, "wallet/entries", "points/entries", "points/lots"):
            with subtests.test(list=name):
                page = shop.done(shop.get(f"/api/v1/{name}", stranger))
                assert page == {"items": [], "next_cursor": None}
        paying = {"payable": {"type": "MEMBERSHIP", "id": subscription["id"]}, "method": "CREDIT_CARD"}
        answer = shop.post("/api/v1/payments", stranger, {**paying, "provider": "SANDBOX"})
        problem(answer, 404, "subscription_not_found")
        assert shop.state() == before

    def test_customers_do_not_run_trips_or_look_into_the_office(
        self, shop: Shop, sign_up: SignUp, subtests: Subtests
    ) -> None:
        customer = sign_up()
        booking = shop.book(customer, shop.offer())
        before = shop.state()
        for step in ("start", "complete"):
            answer = shop.post(f"/api/v1/bookings/{booking['id']}/{step}", customer, {"override_reason": "x"})
            problem(answer, 403, "forbidden")
        for path in ("admin/users", f"admin/users/{customer.user_id}", "admin/payments/attention"):
            with subtests.test(path=path):
                problem(shop.get(f"/api/v1/{path}", customer), 403, "wrong_surface")
        problem(shop.post("/api/v1/packages", customer, {}), 403, "forbidden")
        assert shop.state() == before


def _paid_by_wallet(shop: Shop, owner: Person) -> dict[str, Any]:
    """A booking that its owner's wallet paid, with a deposit that the sandbox took before."""
    deposit = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": {"amount": "5000.00", "currency": "EGP"}}
    payment = shop.done(shop.post("/api/v1/wallet/deposits", owner, deposit), 201)
    shop.take_payment(payment)
    booking = shop.book(owner, shop.offer())
    body = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
    assert shop.done(shop.post("/api/v1/payments", owner, body), 201)["status"] == "PAID"
    return booking


class TestIdempotencyKeys:
    """`Idempotency-Key`: needed where money moves, honoured everywhere (guarantee Q1)."""

    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, sign_up: SignUp) -> None:
        self.shop, self.customer = shop, sign_up()
        self.offer = shop.offer()

    def test_without_one_no_money_moves(self, subtests: Subtests) -> None:
        booking = self.shop.book(self.customer, self.offer)
        before = self.shop.state()
        bodies: dict[str, Any] = {
            "/api/v1/bookings": self.offer.booking(),
            "/api/v1/payments": for_booking(booking["id"]),
            "/api/v1/wallet/deposits": {
                "method": "CREDIT_CARD",
                "provider": "SANDBOX",
                "amount": {"amount": "5.00", "currency": "EGP"},
            },
        }
        for path, body in bodies.items():
            with subtests.test(path=path):
                answer = self.shop.client.post(path, json=body, headers=self.customer.headers)
                problem(answer, 400, "idempotency_key_missing")
        assert self.shop.state() == before

    def test_it_is_visible_ascii_of_a_sensible_length(self, subtests: Subtests) -> None:
        before = self.shop.state()
        for key in ("", " ", "a b", "x" * 256, "مفتاح", "a\tb"):
            with subtests.test(key=key[:5]):
                headers = {**self.customer.headers, "Idempotency-Key": key}
                answer = self.shop.client.post("/api/v1/bookings", json=self.offer.booking(), headers=headers)
                problem(answer, 422, "validation_failed", pointer="/Idempotency-Key")
        assert self.shop.state() == before

    def test_the_same_request_again_has_the_same_answer_and_no_effect(self) -> None:
        first = self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(), key="k-1")
        state = self.shop.state()
        second = self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(), key="k-1")
        assert (second.status_code, second.data) == (201, first.data)
        assert second.headers["Location"] == first.headers["Location"]
        assert self.shop.state() == state

    def test_the_same_payment_again_opens_no_second_checkout(self) -> None:
        booking = self.shop.book(self.customer, self.offer)
        first = self.shop.post("/api/v1/payments", self.customer, for_booking(booking["id"]), key="k-2")
        state = self.shop.state()
        second = self.shop.post("/api/v1/payments", self.customer, for_booking(booking["id"]), key="k-2")
        assert (second.status_code, second.data) == (first.status_code, first.data) == (201, first.data)
        assert self.shop.state() == state

    def test_another_request_under_the_same_key_is_422(self) -> None:
        booking = self.shop.done(self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(), key="k"), 201)
        self.shop.done(self.shop.post("/api/v1/payments", self.customer, for_booking(booking["id"]), key="k"), 201)
        before = self.shop.state()
        answer = self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(1), key="k")
        problem(answer, 422, "idempotency_key_reused")
        answer = self.shop.post("/api/v1/payments", self.customer, for_booking(booking["id"], method="FAWRY"), key="k")
        problem(answer, 422, "idempotency_key_reused")
        assert self.shop.state() == before

    def test_a_key_is_its_owners_own(self, sign_up: SignUp) -> None:
        other = sign_up()
        mine = self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(), key="shared")
        theirs = self.shop.post("/api/v1/bookings", other, self.offer.booking(), key="shared")
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert mine.json["user_id"] != theirs.json["user_id"]

    def test_a_refusal_is_not_remembered(self) -> None:
        problem(self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(11), key="k"), 409, "sold_out")
        self.shop.done(self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(1), key="k"), 201)

    def test_while_the_first_request_runs_the_second_is_told_to_wait(self) -> None:
        scope = f"{self.customer.user_id} POST /api/v1/bookings"
        before = self.shop.state()
        with self.shop.database.transaction() as other:
            other.row("SELECT pg_advisory_xact_lock(hashtextextended(%s || chr(10) || 'busy', 0))", [scope])
            answer = _elsewhere(
                lambda: self.shop.post("/api/v1/bookings", self.customer, self.offer.booking(), key="busy")
            )
        problem(answer, 409, "request_in_progress")
        assert int(answer.headers["Retry-After"]) > 0
        assert self.shop.state() == before

    def test_while_a_provider_is_asked_the_second_request_is_told_to_wait(self, clock: MovableClock) -> None:
        booking = self.shop.book(self.customer, self.offer)
        body = for_booking(booking["id"])
        self.shop.done(self.shop.post("/api/v1/payments", self.customer, body, key="staged"), 201)
        # As the row of a request looks that was claimed and not answered yet.
        with self.shop.database.transaction() as transaction:
            transaction.execute(
                "UPDATE idempotency_keys SET body = NULL, headers = NULL, status_code = NULL, lease_until = %s"
                " WHERE key = 'staged'",
                [clock.now() + timedelta(seconds=30)],
            )
            transaction.commit()
        before = self.shop.state()
        answer = self.shop.post("/api/v1/payments", self.customer, body, key="staged")
        problem(answer, 409, "request_in_progress")
        assert int(answer.headers["Retry-After"]) > 0
        assert self.shop.state() == before


def _elsewhere(request: Callable[[], Any]) -> Any:
    """The answer to a request that another thread sends, as another client would."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(request).result(timeout=30)


class TestLists:
    """Pages, filters and cursors (guarantee Q5)."""

    LISTS = (
        "packages", "bookings", "payments", "invoices", "notifications", "cashback", "wallet/entries",
        "points/entries", "memberships/subscriptions",
    )  # fmt: skip

    def test_limits_are_1_to_100(self, shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
        customer = sign_up()
        for name in self.LISTS:
            for limit in ("0", "-1", "101", "1e2", "2.5", "ten", "", "9" * 5000):
                with subtests.test(list=name, limit=limit[:5]):
                    answer = shop.get(f"/api/v1/{name}?limit={limit}", customer)
                    problem(answer, 422, "validation_failed", pointer="/limit")

    def test_cursors_are_those_of_the_page_before(self, shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
        customer = sign_up()
        row = str(uuid4())
        wrong: list[Any] = [
            None, 1, "x", {}, [], [None, None], ["x", "y"], ["2026-01-01", row], [True, row], [["a"], ["b"]],
            ["2026-01-01T00:00:00+00:00", row, 1], ["2026-01-01T00:00:00+00:00", "x"], ["price", 1e300, row],
            [2**63], [-1], [1.5], ["featured", 2**63, row], ["newest", "2026-01-01T00:00:00", row],
        ]  # fmt: skip
        cursors = [base64.urlsafe_b64encode(json.dumps(value).encode()).decode() for value in wrong]
        for name in self.LISTS:
            for cursor in [*cursors, "x", "%00", "مؤشر", "W10", "x" * 401]:
                with subtests.test(list=name, cursor=cursor):
                    answer = shop.get(f"/api/v1/{name}?cursor={cursor}", customer)
                    code = "validation_failed" if len(cursor) > 400 else "invalid_cursor"
                    problem(answer, 422, code, pointer="/cursor")

    def test_a_cursor_of_one_order_is_none_of_another(self, shop: Shop) -> None:
        shop.offer()
        shop.offer()
        cursor = shop.done(shop.get("/api/v1/packages?limit=1&sort=price"))["next_cursor"]
        assert shop.done(shop.get(f"/api/v1/packages?limit=1&sort=price&cursor={cursor}"))["items"]
        problem(shop.get(f"/api/v1/packages?limit=1&sort=newest&cursor={cursor}"), 422, "invalid_cursor")

    def test_filters_are_checked(self, shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
        staff = shop.admin
        wrong = {
            "packages?q=%00": "/q",
            "packages?q=" + "x" * 201: "/q",
            "packages?category=SPACE": "/category",
            "packages?min_price=1e5": "/min_price",
            "packages?min_price=-1": "/min_price",
            "packages?min_price=5&max_price=4": "/max_price",
            "packages?from=2026-02-30": "/from",
            "packages?from=2026-02-02&to=2026-02-01": "/to",
            "packages?featured=perhaps": "/featured",
            "packages?sort=colour": "/sort",
            "bookings?status=LOST": "/status/0",
            "bookings?departure_id=1": "/departure_id",
            "invoices?booking_id=x": "/booking_id",
            "wallet?currency=PTS": "/currency",
            "wallet?currency=%00": "/currency",
            "wallet/entries?currency=egp": "/currency",
            "admin/users?q=%00": "/q",
            f"invoices/{uuid4()}/pdf?lang=fr": "/lang",
        }
        for path, pointer in wrong.items():
            with subtests.test(path=path[:40]):
                problem(shop.get(f"/api/v1/{path}", staff), 422, "validation_failed", pointer=pointer)


class TestInstants:
    """What is kept can be read again, in any zone."""

    FAR = (
        "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z",
        "3000-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
    )  # fmt: skip

    def test_none_is_further_away_than_clocks_reach(self, shop: Shop, subtests: Subtests) -> None:
        voucher = {"code": "far", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}
        offer = {"offer_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00", "title_ar": "عرض", "title_en": "Deal"}
        rate = {"from_currency": "USD", "to_currency": "EGP", "rate": "48.5"}
        bodies: list[tuple[str, Any, str]] = [
            ("vouchers", voucher, "valid_from"), ("vouchers", voucher, "valid_until"),
            ("offers", offer, "start_date"), ("offers", offer, "end_date"),
            ("admin/exchange-rates", rate, "valid_from"),
        ]  # fmt: skip
        queries = ["bookings?created_from", "admin/audit-logs?from", "payments?updated_after"]
        staff, before = shop.admin, shop.state()
        for at in self.FAR:
            for path, body, name in bodies:
                with subtests.test(path=path, name=name, at=at):
                    answer = shop.post(f"/api/v1/{path}", staff, {**body, name: at})
                    problem(answer, 422, "validation_failed", pointer=f"/{name}")
            for query in queries:
                with subtests.test(query=query, at=at):
                    shop.done(shop.get(f"/api/v1/{query}={quote(at)}", staff))
            with subtests.test(csv=at):
                text = f"code,voucher_type,discount_value,valid_until\nfar,DISCOUNT_PERCENTAGE,10,{at}\n"
                answer = shop.post("/api/v1/vouchers/imports", staff, {"vouchers": text})
                assert answer.status_code == 422
        assert shop.state() == before


class TestAccounts:
    """Registration, profiles, subscriptions."""

    def test_registration_checks_every_field(self, shop: Shop, subtests: Subtests) -> None:
        before = shop.state()
        wrong: list[tuple[str, Any]] = [
            *(("email", value) for value in ("x", "a@b", "a b@c.de", "a@b.com\x00", "a" * 65 + "@b.com", "", 5, None)),
            *(("password", value) for value in ("short", "x" * 129, "password123", "x" * 1025, 12345678, None)),
            *(("first_name", value) for value in ("", "  ", "a\x00", "x" * 101, 5, None, ["Mona"])),
            *(("phone", value) for value in ("12", "call me", "+2010\n0000000", "٠١٠٠٠٠٠٠٠٠٠", 201000000000)),
            *(("locale", value) for value in ("fr", "AR", None, 5)),
            *((name, "x") for name in ("roles", "id", "status", "is_admin", "email_verified")),
        ]
        for name, value in wrong:
            with subtests.test(name=name, value=str(value)[:20]):
                answer = shop.client.post("/api/v1/auth/register", json={**REGISTRATION, name: value})
                problem(answer, 422, "validation_failed", pointer=f"/{name}")
        for name in REGISTRATION:
            with subtests.test(missing=name):
                body = {other: value for other, value in REGISTRATION.items() if other != name}
                answer = shop.client.post("/api/v1/auth/register", json=body)
                refused = problem(answer, 422, "validation_failed", pointer=f"/{name}")
                assert [error["code"] for error in refused["errors"]] == ["required"]
        assert shop.state() == before

    def test_a_known_address_is_known_however_it_is_written(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up(email="mona@example.com")
        for spelling in ("mona@example.com", " Mona@Example.COM ", "ｍona@example.com"):
            answer = shop.client.post("/api/v1/auth/register", json={**REGISTRATION, "email": spelling})
            assert shop.done(answer, 201)["user"]["id"] == str(person.user_id)
        assert shop.database.row("SELECT count(*) AS count FROM users") == {"count": 1}

    def test_roles_and_addresses_are_not_ones_own_to_change(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        before = shop.state()
        for name, value in (("roles", ["ADMIN"]), ("email", "x@example.com"), ("status", "DISABLED"), ("phone", "x")):
            answer = shop.client.patch("/api/v1/users/me", json={name: value}, headers=person.headers)
            problem(answer, 422, "validation_failed", pointer=f"/{name}")
        assert shop.state() == before

    def test_plans_that_are_not_for_sale_cannot_be_asked_for(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        before = shop.state()
        problem(shop.post("/api/v1/memberships/subscriptions", person, {"plan_code": "NOPE"}), 404, "plan_not_found")
        problem(
            shop.post("/api/v1/memberships/subscriptions", person, {"plan_code": "GUEST"}), 422, "plan_not_for_sale"
        )
        for body in (
            {"plan_code": ""},
            {"plan_code": "x\x00"},
            {"plan_code": 5},
            {"plan_code": "GOLD", "price": 1},
            {},
        ):
            problem(shop.post("/api/v1/memberships/subscriptions", person, body), 422, "validation_failed")
        assert shop.state() == before
