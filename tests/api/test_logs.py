"""Logs and fields: what people are, and what opens their doors, stands in no log line; card numbers come in nowhere."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from config.settings import Settings
from infrastructure.database.transaction import Database
from infrastructure.logging import configure_logging
from infrastructure.payment.sandbox import SIGNATURE_HEADER, sign
from infrastructure.redaction import redact, redacted_text
from middlewares.auth_middleware import public
from tests.api.shop import Json, Shop, SignUp, problem

CARD, EMAIL, PASSWORD = "4111 1111 1111 1111", "canary.person@example.com", "a canary's password 99"
TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
CANARIES = (CARD, EMAIL, PASSWORD, TOKEN, "4111111111111111", "Canary Person")


@pytest.fixture
def log_format() -> str:
    return "json"


@pytest.fixture
def lines(log_format: str, settings: Settings) -> Iterator[io.StringIO]:
    """What the process writes to its log, through its own chain."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    configure_logging(replace(settings, log_format=log_format))
    written = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """These tests add routes."""
    return own_app


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_unexpected_failure_is_logged_without_what_it_carried(
    app: Flask, client: FlaskClient, lines: io.StringIO
) -> None:
    @public
    def fails(token: str) -> str:
        raise KeyError(f"{token} of {EMAIL} paid with {CARD}, Bearer {TOKEN}, password='{PASSWORD}'")

    app.add_url_rule("/fails/<token>", view_func=fails)

    problem(client.get(f"/fails/{TOKEN}"), 500, "internal_error")

    written = lines.getvalue()
    assert "request failed" in written
    assert "KeyError" in written
    assert "test_logs.py" in written, "the trace is still told"
    assert not [canary for canary in CANARIES if canary in written], written


def test_what_the_database_says_of_a_row_is_not_logged(
    app: Flask, client: FlaskClient, lines: io.StringIO, database: Database
) -> None:
    @public
    def fails() -> str:
        with database.transaction() as transaction:
            transaction.execute(
                """INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status,
                                      roles, created_at)
                   VALUES (gen_random_uuid(), %s, 'x', 'Canary Person', 'y', 'en', 'NO SUCH STATUS', '{}', now())""",
                (EMAIL,),
            )
            transaction.commit()
        return ""

    app.add_url_rule("/fails", view_func=fails)

    problem(client.get("/fails"), 500, "internal_error")

    written = lines.getvalue()
    assert "CheckViolation" in written
    assert not [canary for canary in CANARIES if canary in written], written


def test_an_ordinary_day_leaves_nobody_in_the_log(lines: io.StringIO, shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up(email=EMAIL, first_name="Canary Person", phone="+201001234567")
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))
    shop.client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})

    written = lines.getvalue()
    assert "/api/v1/auth/login" in written
    token = customer.headers["Authorization"].removeprefix("Bearer ")
    assert not [word for word in (*CANARIES, "+201001234567", token) if word in written], written


def test_a_webhook_is_told_by_its_row_and_one_that_is_refused_by_the_log(lines: io.StringIO, shop: Shop) -> None:
    secret, url = shop.running.settings.sandbox_secret, "/api/v1/payments/webhooks/sandbox_json"
    body = b'{"id": "evt_1", "type": "checkout.paid", "checkout_id": "c", "merchant_reference": "m"}'
    signature = sign(body, secret=secret, at=shop.running.dependencies.clock.now())
    assert shop.client.post(url, data=body, headers={SIGNATURE_HEADER: signature}).status_code == 200
    assert _requests_in(lines) == []
    assert shop.client.post(url, data=body + b" ", headers={SIGNATURE_HEADER: signature}).status_code == 401
    (line,) = _requests_in(lines)
    assert (line["route"], line["status"]) == ("/api/v1/payments/webhooks/<provider>", 401)


def _requests_in(lines: io.StringIO) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [line for line in told if line["event"] == "request"]


def test_what_is_no_text_is_told_all_the_same(lines: io.StringIO) -> None:
    """Half of a surrogate pair, which no encoding writes, and a number beyond 64 bits."""
    structlog.get_logger("ours").warning("half \ud800", shares={1: 2}, most=-(10**30))

    (line,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (line["event"], line["shares"], line["most"]) == ("half \ud800", {"1": 2}, -(10**30))


def test_what_libraries_log_goes_through_the_same_chain(lines: io.StringIO) -> None:
    logging.getLogger("a.library").warning("sent to %s with token=%s", EMAIL, TOKEN)
    structlog.get_logger("ours").warning("asked", headers={"Authorization": f"Bearer {TOKEN}"}, to=[EMAIL], n=5)

    written = lines.getvalue()
    assert "sent to" in written
    assert "asked" in written
    assert not [canary for canary in CANARIES if canary in written], written


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"mail {EMAIL}.", "mail [redacted]."),
        (f"card {CARD} 12/27", "card [card number] 12/27"),
        ("Authorization: Basic YWJjOmRlZg==", "Authorization: [redacted] [redacted]"),
        ("postgresql://owner:s3cr3t@db/altayar", "postgresql://owner:[redacted]@db/altayar"),
        ('{"refresh_token": "abc", "n": 1}', '{"refresh_token": [redacted], "n": 1}'),
        ("api_key=abc&page=2", "api_key=[redacted]&page=2"),
        ("call +20 100 123 4567 now", "call [redacted] now"),
        ("no\nDETAIL:  Failing row contains (Mona, x).\n\nAnd then", "no\nDETAIL:  [redacted]\n\nAnd then"),
        ('invalid input syntax for type uuid: "Mona"', "invalid input syntax for type uuid: [redacted]"),
        ("unnamed portal with parameter $1 = 'Mona'", "unnamed portal with parameter $1 = [redacted]"),
        ("[SQL: x]\n[parameters: {'a': 'Mona'}]\n(Background)", "[SQL: x]\n[parameters: [redacted]]\n(Background)"),
    ],
)
def test_secrets_and_people_are_struck_out_of_texts(text: str, kept: str) -> None:
    assert redacted_text(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "route=/api/v1/auth/login status=200",
        "delivery 0190a1b2-4111-7111-8111-111111111111 of billing.issue_invoice",
        "2026-11-25 16:27:29 took: 3",
        "BK-2026-000123 is CONFIRMED",
        "duplicate key value violates unique constraint",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_values_of_guarded_names_are_struck_out_however_deep() -> None:
    event: dict[str, Any] = {
        "event": "x", "email": "m", "new_password": 1, "payment": {"card_number": 4, "id": 7}, "n": 4111111111111111,
        "nothing": None, "token": None, "flags": (True, 1.5), "error": ValueError(EMAIL),
    }  # fmt: skip

    assert redact(None, "info", event) == {
        "event": "x", "email": "[redacted]", "new_password": "[redacted]",
        "payment": {"card_number": "[redacted]", "id": 7}, "n": "[redacted]", "nothing": None, "token": None,
        "flags": [True, 1.5], "error": "ValueError('[redacted]')",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["email", "phone", "first_name", "last_name", "full_name", "birth_date", "document_number", "customer_info",
     "national_id", "passport_number", "iban", "account_number", "card_number", "travelers", "ip_address"],
)  # fmt: skip
def test_what_is_named_as_a_persons_is_struck_out_whatever_it_looks_like(name: str) -> None:
    """Such as a telephone number as it is dialled at home, which no pattern knows."""
    for named in (name, name.upper()):
        assert redact(None, "info", {"about": {named: "01001 mona"}}) == {"about": {named: "[redacted]"}}


def test_a_long_text_is_read_in_no_time() -> None:
    import time

    began = time.process_time()
    for text in ("a" * 50_000 + "@", "token" * 10_000, "+1" * 25_000, "eyJ" * 15_000, "1 " * 25_000, "://" * 15_000):
        redacted_text(text)
    assert time.process_time() - began < 5


class TestCardNumbersComingIn:
    @pytest.mark.parametrize("number", [CARD, "4111111111111111", "٤١١١١١١١١١١١١١١١", "ref 3782-822463-10005."])
    def test_a_text_with_one_is_refused_at_its_field(self, shop: Shop, sign_up: SignUp, number: str) -> None:
        offer = shop.offer()
        body = offer.booking(special_requests=f"charge {number}")
        refused = problem(
            shop.post("/api/v1/bookings", sign_up(), body), 422, "validation_failed", pointer="/special_requests"
        )
        assert refused["errors"][0]["code"] == "card_number_refused"
        assert number not in json.dumps(refused, ensure_ascii=False)

    def test_it_is_refused_in_lists_and_in_the_readers_language(self, shop: Shop) -> None:
        body: Json = {"name_en": "x", "destinations": ["Luxor", CARD]}
        refused = problem(
            shop.post("/api/v1/packages", shop.admin, body, Accept_Language="ar"), 422, "validation_failed",
            pointer="/destinations/1",
        )  # fmt: skip
        (detail,) = [error["detail"] for error in refused["errors"] if error["pointer"] == "/destinations/1"]
        assert "بطاقة" in detail

    def test_documents_may_have_such_numbers(self, shop: Shop, sign_up: SignUp) -> None:
        traveler = {"first_name": "Mona", "last_name": "Adel", "document_number": "4111111111111111"}
        answer = shop.post("/api/v1/bookings", sign_up(), shop.offer().booking(travelers=[traveler]))
        shop.done(answer, 201)


def test_nothing_of_a_webhook_stands_in_the_log_whatever_becomes_of_it(
    client: FlaskClient, shop: Shop, lines: io.StringIO
) -> None:
    """Signed or not, readable or not, looked into or shown to staff (S8)."""
    secret, use = shop.running.settings.sandbox_secret, shop.running.dependencies
    body = json.dumps(
        {
            "id": "evt_" + "0" * 32,
            "type": "checkout.paid",
            "checkout_id": "00000000-0000-4000-8000-000000000000",
            "merchant_reference": "pa_nobodys",
            "card": CARD,
            "payer": {"email": EMAIL, "name": "Canary Person", "token": TOKEN, "password": PASSWORD},
        }
    ).encode()
    url = "/api/v1/payments/webhooks/sandbox_json"
    problem(client.post(url, data=body, headers={SIGNATURE_HEADER: "t=1,v1=" + "0" * 64}), 401, "bad_signature")
    unreadable = body[:-1]
    signed = {SIGNATURE_HEADER: sign(unreadable, secret=secret, at=use.clock.now())}
    problem(client.post(url, data=unreadable, headers=signed), 400, "unreadable_webhook")
    signed = {SIGNATURE_HEADER: sign(body, secret=secret, at=use.clock.now())}
    assert client.post(url, data=body, headers=signed).status_code == 200
    shop.database.rows("UPDATE payment_webhook_logs SET received_at = now() - interval '1 hour' RETURNING 1")
    shop.deliver_events()
    [row] = shop.done(shop.get("/api/v1/admin/payments/attention", shop.admin))["items"]
    shown = shop.get(f"/api/v1/admin/payments/attention/webhooks/{row['id']}/body?reason=a+test", shop.admin)

    assert CARD in shown.text
    assert lines.getvalue()
    assert [canary for canary in CANARIES if canary in lines.getvalue()] == []
