"""The sandbox's page and the return page as HTTP clients see them, without a browser."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.billing.sandbox import SandboxDisabled
from application.subscriptions import HANDLERS
from domain.billing.sandbox import LATE_BY
from domain.shared.money import Money
from tests.contract.gateway_contract import a_request
from tests.fakes.app_server import serving

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

pytestmark = pytest.mark.database

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
Open = Callable[..., str]


@pytest.fixture
def open_page(running: Running) -> Open:
    """Opens a checkout as the application does; answers its page's path."""

    def opened(**asked: Any) -> str:
        request = dataclasses.replace(
            a_request(Money.of(149_910, "EGP"), attempt_id=uuid4(), webhook_url="http://127.0.0.1:9/none"), **asked
        )
        url = running.dependencies.gateways.get("SANDBOX").create_checkout(request).url or ""
        return "/sandbox/checkout/" + url.rpartition("/")[2]

    return opened


def charges(running: Running) -> list[int]:
    return [row["amount_minor"] for row in running.database.rows("SELECT amount_minor FROM sandbox_charges")]


def notices(running: Running) -> list[str]:
    rows = running.database.rows(
        "SELECT payload FROM outbox_events WHERE name = 'billing.sandbox_outcome_chosen' ORDER BY id"
    )
    return [row["payload"]["notice_type"] for row in rows]


@pytest.mark.parametrize("outcome", ["paid", "late", "twice", "short", "declined", "never"])
@pytest.mark.parametrize("as_json", [False, True])
def test_every_outcome_answers_303_to_where_the_merchant_wants_its_customers(
    client: FlaskClient, open_page: Open, outcome: str, as_json: bool
) -> None:
    sent: dict[str, Any] = {"json" if as_json else "data": {"outcome": outcome}}
    answer = client.post(open_page(), **sent)
    back = "fail" if outcome in ("declined", "never") else "ok"
    assert (answer.status_code, answer.headers["Location"]) == (303, f"https://app.example.com/pay/{back}")


def test_a_choice_charges_and_tells_in_one_go(client: FlaskClient, open_page: Open, running: Running) -> None:
    client.post(open_page(), data={"outcome": "twice"})
    assert (charges(running), notices(running)) == ([149_910, 149_910], ["checkout.paid", "checkout.paid"])


def test_the_same_outcome_twice_answers_the_same_303_and_charges_once(
    client: FlaskClient, open_page: Open, running: Running
) -> None:
    path = open_page()
    first, second = (client.post(path, data={"outcome": "paid"}) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert (charges(running), len(notices(running))) == ([149_910], 1)


def test_another_outcome_afterwards_is_409(client: FlaskClient, open_page: Open, running: Running) -> None:
    path = open_page()
    client.post(path, data={"outcome": "declined"})
    page = client.post(path, data={"outcome": "paid"}, headers=HTML)
    problem = client.post(path, json={"outcome": "paid"}, headers=JSON)
    assert (page.status_code, "This checkout is over" in page.text) == (409, True)
    assert (problem.status_code, problem.json["code"]) == (409, "checkout_decided")
    assert charges(running) == []


@pytest.mark.parametrize("sent", [{}, {"outcome": ""}, {"outcome": "free"}, {"outcome": "PAID"}, {"result": "paid"}])
def test_a_missing_or_unknown_outcome_is_422_and_names_it(
    client: FlaskClient, open_page: Open, running: Running, sent: dict[str, str]
) -> None:
    path = open_page()
    page = client.post(path, data=sent, headers=HTML)
    problem = client.post(path, json=sent, headers=JSON)
    assert (page.status_code, page.mimetype) == (422, "text/html")
    assert 'role="alert"' in page.text and "(outcome)" in page.text
    assert (problem.status_code, problem.mimetype) == (422, "application/problem+json")
    assert problem.json["errors"][0]["pointer"] == "/outcome"
    assert notices(running) == []


@pytest.mark.parametrize("body", [[], "paid", None, 7, {"outcome": None}, {"outcome": ["paid"]}, {"outcome": {"a": 1}}])
def test_json_of_another_shape_is_422(client: FlaskClient, open_page: Open, body: object) -> None:
    assert client.post(open_page(), json=body).status_code == 422


def test_what_is_no_json_and_what_is_too_large_is_refused(client: FlaskClient, open_page: Open) -> None:
    path = open_page()
    assert client.post(path, data=b"{", content_type="application/json").status_code == 400
    assert client.post(path, data={"outcome": "paid", "x": "y" * 20_000}).status_code == 413


def test_an_unknown_address_is_404_as_a_page_or_as_a_problem(client: FlaskClient, open_page: Open) -> None:
    path = open_page()[:-4] + "AAAA"
    page, problem = client.get(path, headers=HTML), client.get(path, headers=JSON)
    assert (page.status_code, "There is no checkout here" in page.text) == (404, True)
    assert (problem.status_code, problem.json["code"]) == (404, "checkout_not_found")
    assert client.post(path, data={"outcome": "paid"}).status_code == 404


def test_an_expired_checkout_says_so_and_takes_only_late_money(
    client: FlaskClient, open_page: Open, running: Running, clock: Any
) -> None:
    path = open_page(expires_at=running.dependencies.clock.now() + timedelta(minutes=1))
    clock.offset = timedelta(minutes=1)
    page = client.get(path, headers=HTML)
    assert (page.status_code, "This checkout has expired" in page.text) == (200, True)
    assert re.findall(r'value="(\w+)" required', page.text) == ["late"]
    refused = client.post(path, data={"outcome": "paid"}, headers=JSON)
    assert (refused.status_code, refused.json["code"]) == (409, "checkout_expired")
    clock.offset += LATE_BY
    assert client.post(path, data={"outcome": "late"}).status_code == 303
    assert notices(running) == ["checkout.paid"]


def test_the_page_speaks_the_checkouts_language_unless_asked_otherwise(client: FlaskClient, open_page: Open) -> None:
    arabic = open_page(locale="ar")
    assert '<html lang="ar" dir="rtl">' in client.get(arabic).text
    assert '<html lang="en" dir="ltr">' in client.get(f"{arabic}?lang=en").text
    assert '<html lang="ar" dir="rtl">' in client.get(f"{arabic}?lang=fr").text
    assert '<html lang="en" dir="ltr">' in client.get(open_page(locale="en")).text


def test_the_page_shows_what_is_paid(client: FlaskClient, open_page: Open) -> None:
    text = client.get(open_page(amount=Money.of(1_234_567, "KWD"), description="PAY-2026-000042")).text
    assert "KWD 1,234.567" in text and 'value="1234.567"' in text and "PAY-2026-000042" in text


def test_nothing_of_a_customer_is_markup(client: FlaskClient, open_page: Open) -> None:
    hostile = "\"><script>alert(1)</script><a href='"
    path = open_page(
        description=hostile, success_url=f"https://a.example/?{hostile}", cancel_url=f"https://b.example/{hostile}"
    )
    client.post(path, data={"outcome": "declined"})
    for text in (client.get(path).text, client.get(f"{path}?lang={hostile}").text):
        assert "<script" not in text and "alert(1)" in text


def test_the_policy_allows_the_pages_style_and_where_the_form_may_end(client: FlaskClient, open_page: Open) -> None:
    path = open_page(
        success_url="https://app.example.com:8443/a?b=c;script-src *", cancel_url="https://مثال.إختبار/back"
    )
    policy = client.get(path).headers["Content-Security-Policy"]
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert directives["default-src"] == ["'none'"]
    assert directives["frame-ancestors"] == ["'none'"]
    assert directives["form-action"] == ["'self'", "https://app.example.com:8443", "https://xn--mgbh0fb.xn--kgbechtv"]
    assert set(directives) == {"default-src", "style-src", "img-src", "form-action", "base-uri", "frame-ancestors"}


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://[::1]:9/x", "https:"),
        ("https://a b.example/", "https:"),
        ("https://*/", "https:"),
        ("http://user:pw@shop.example/x", "http://shop.example"),
        ("https://shop.example:99999/", "https:"),
        ("https://evil.example;form-action/", "https:"),
    ],
)
def test_addresses_that_a_policy_cannot_name_widen_it_to_their_scheme_only(
    client: FlaskClient, open_page: Open, url: str, source: str
) -> None:
    policy = client.get(open_page(success_url=url, cancel_url="http://127.0.0.1:5/x")).headers[
        "Content-Security-Policy"
    ]
    assert f"form-action 'self' {source} http://127.0.0.1:5;" in policy


def test_pages_are_neither_kept_nor_framed_nor_sent_on(client: FlaskClient, open_page: Open) -> None:
    headers = client.get(open_page()).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_there_is_no_page_where_the_sandbox_is_not_enabled(app: Flask, open_page: Open, running: Running) -> None:
    path = open_page()
    app.extensions["altayar"] = dataclasses.replace(running.dependencies, sandbox=None)
    assert app.test_client().get(path).status_code == 404
    assert app.test_client().post(path, data={"outcome": "paid"}).status_code == 404


# The way back to the merchant, which is this application


def webhooks(running: Running) -> list[tuple[str, str]]:
    rows = running.database.rows("SELECT status, event_type FROM payment_webhook_logs ORDER BY received_at, id")
    return [(row["status"], row["event_type"]) for row in rows]


def test_the_signed_webhook_is_accepted_by_our_own_route_once(app: Flask, open_page: Open, running: Running) -> None:
    with serving(app) as address:
        path = open_page(webhook_url=f"{address}/api/v1/payments/webhooks/sandbox_json")
        app.test_client().post(path, data={"outcome": "twice"})
        events = running.database.rows(
            "SELECT payload FROM outbox_events WHERE name = 'billing.sandbox_outcome_chosen'"
        )
        for event in [*events, *events]:
            HANDLERS["billing.send_sandbox_webhook"].handle(event["payload"], running.dependencies)
    assert webhooks(running) == [("RECEIVED", "checkout.paid")] * 2


def test_a_webhook_of_a_sandbox_that_was_disabled_since_is_kept_for_later(running: Running) -> None:
    without = dataclasses.replace(running.dependencies, sandbox=None)
    event = {"checkout_id": str(uuid4()), "notice_id": str(uuid4()), "notice_type": "checkout.paid"}
    with pytest.raises(SandboxDisabled):
        HANDLERS["billing.send_sandbox_webhook"].handle(event, without)


# Disputes


def test_a_customers_bank_questions_a_charge_and_decides(
    client: FlaskClient, open_page: Open, running: Running
) -> None:
    page = open_page()
    assert client.post(page, data={"outcome": "paid"}).status_code == 303
    for answer in (
        client.post(f"{page}/dispute", data={"state": "open"}),
        client.post(f"{page}/dispute", json={"state": "lost"}),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert notices(running) == ["checkout.paid", "dispute.updated", "dispute.updated"]
    again = client.post(f"{page}/dispute", json={"state": "won"}, headers=JSON)
    assert (again.status_code, again.json["code"]) == (409, "nothing_to_dispute")


@pytest.mark.parametrize("said", [{}, {"state": "OPEN"}, {"state": 1}, {"state": None}, {"state": ["open"]}])
def test_a_bank_says_one_of_three_words(client: FlaskClient, open_page: Open, said: dict[str, Any]) -> None:
    answer = client.post(f"{open_page()}/dispute", json=said, headers=JSON)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/state")


# The return page


@pytest.mark.parametrize(
    ("query", "english", "arabic"),
    [
        ("outcome=success", "We are checking your payment", "نتحقق من الدفع"),
        ("outcome=cancel", "The payment was not completed", "لم يكتمل الدفع"),
        ("", "We are checking your payment", "نتحقق من الدفع"),
        ("outcome=<b>", "We are checking your payment", "نتحقق من الدفع"),
    ],
)
def test_the_return_page_speaks_both_languages(client: FlaskClient, query: str, english: str, arabic: str) -> None:
    answer = client.get(f"/payments/return?payment={uuid4()}&{query}", headers={"Accept-Language": "ar"})
    assert answer.status_code == 200
    assert answer.text.index(arabic) < answer.text.index(english)
    assert '<html lang="ar" dir="rtl">' in answer.text


def test_the_return_page_repeats_nothing_and_changes_nothing(client: FlaskClient) -> None:
    payment = f"{uuid4()}<script>"
    assert payment[:8] not in client.get("/payments/return", query_string={"payment": payment}).text
    assert client.post("/payments/return").status_code == 405


def test_times_are_shown_in_cairo(client: FlaskClient, open_page: Open, running: Running) -> None:
    soon = (running.dependencies.clock.now() + timedelta(days=1)).replace(microsecond=0)
    text = client.get(open_page(expires_at=soon)).text
    shown = re.search(r'<time datetime="([^"]+)"><bdi dir="ltr">([\d :-]+)<', text)
    assert shown is not None
    assert datetime.fromisoformat(shown[1]) == soon
    assert shown[1].startswith(shown[2].replace(" ", "T"))
