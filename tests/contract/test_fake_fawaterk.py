"""The fake Fawaterk: it refuses what the real one refuses, keeps its books, and does as it is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from application.billing.ports import ProviderRefused
from domain.shared.money import Money
from fake_providers import FakeInProduction, refuse_in_production
from fake_providers.fawaterk import FawaterkServer
from tests.contract.fawaterk_bench import FORM, JSON, KEY, FawaterkBench, a_refund
from tests.contract.gateway_contract import OTHER_ATTEMPT_ID, a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FawaterkBench]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY, automatic_webhooks=False) as server:
        yield FawaterkBench(server)


def test_the_fake_refuses_what_the_real_one_refuses(bench: FawaterkBench) -> None:
    url = f"{bench.server.base_url}/createInvoiceLink"
    token = {"Authorization": f"Bearer {KEY}"}
    order: Any = {
        "cartTotal": 2,
        "currency": "EGP",
        "customer": {"first_name": "Mona", "last_name": "Adel"},
        "cartItems": [{"name": "x", "price": 1, "quantity": 1}],
    }
    listing = requests.get(f"{bench.server.base_url}/getPaymentmethods", headers=token, timeout=5)
    anonymous = requests.post(url, json=order, timeout=5)
    stranger = requests.post(url, json=order, headers={"Authorization": "Bearer x"}, timeout=5)
    unequal = requests.post(url, json=order, headers=token, timeout=5)
    assert [it.status_code for it in (listing, anonymous, stranger, unequal)] == [400, 400, 400, 422]
    assert unequal.json()["message"] == {"cartTotal": ["Your cart total doesn't match the items total."]}


def test_the_fakes_page_and_control_serve_another_process(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    assert checkout.url is not None
    page = requests.get(checkout.url, timeout=5)
    assert "EGP 1499.10" in page.text
    sent = requests.post(checkout.url, data={"outcome": "paid"}, timeout=5, allow_redirects=False)
    assert sent.headers["Location"] == f"https://app.example.com/pay/ok?invoice_id={checkout.provider_reference}"
    assert bench.gateway.read(checkout.identity).paid
    control = f"{bench.server.address}/_control"
    told = {"path": "createInvoiceLink", "fault": "refuse"}
    assert requests.post(f"{control}/script", json=told, timeout=5).status_code == 200
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request())
    assert requests.get(f"{control}/calls", timeout=5).json()["createInvoiceLink"] == 2


def test_the_fake_sends_its_webhooks_in_the_content_type_that_the_address_asks_for(tmp_path: Path) -> None:
    from flask import Flask, request
    from werkzeug.serving import make_server

    received: list[tuple[bytes, str]] = []
    app = Flask("receiver")

    @app.post("/hook")
    @app.post("/hook_json")
    def hook() -> str:
        received.append((request.get_data(), request.content_type or ""))
        return "ok"

    receiver = make_server("127.0.0.1", 0, app, threaded=True)
    with ThreadPoolExecutor(1) as pool, FawaterkServer(tmp_path / "books.sqlite") as server:
        serving = pool.submit(receiver.serve_forever, 0.05)
        bench = FawaterkBench(server)
        for path in ("hook", "hook_json"):
            url = f"http://127.0.0.1:{receiver.port}/{path}"
            bench.pay(bench.gateway.create_checkout(a_request(webhook_url=url)))
        receiver.shutdown()
        serving.result()
        receiver.server_close()
        assert [content_type.partition(";")[0] for _, content_type in received] == [*FORM.values(), *JSON.values()]
        notices = [bench.gateway.parse_webhook(body, {"content-type": kind}) for body, kind in received]
        assert {notice.event_type for notice in notices} == {"invoice.paid"}
        assert [it["status"] for it in server.books.webhooks()] == [200, 200]


# What it is told


class Inbox:
    """Receives webhooks over HTTP, and keeps what arrived."""

    def __init__(self) -> None:
        from flask import Flask, request
        from werkzeug.serving import make_server

        self.received: list[Any] = []
        app = Flask("inbox")

        @app.post("/hook_json")
        def hook() -> str:
            self.received.append(request.get_json())
            return "ok"

        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}/hook_json"
        self._pool = ThreadPoolExecutor(1)
        self._serving = self._pool.submit(self._server.serve_forever, 0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._serving.result()
        self._server.server_close()
        self._pool.shutdown()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    running = Inbox()
    yield running
    running.close()


@pytest.fixture(params=["v2", "v3"])
def telling(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FawaterkBench]:
    """A bench whose server sends its webhooks by itself."""
    with FawaterkServer(tmp_path / "told.sqlite", api_key=KEY) as server:
        yield FawaterkBench(server, version=request.param, with_credentials=True)


def test_webhooks_are_lost_doubled_late_and_out_of_order(telling: FawaterkBench, inbox: Inbox) -> None:
    server = telling.server
    checkout = telling.gateway.create_checkout(a_request(webhook_url=inbox.url))
    for fate, expected in (("lost", 0), ("twice", 2)):
        server.script_webhooks(fate)
        server.pay(checkout.provider_reference)
        assert len(inbox.received) == expected
    inbox.received.clear()
    server.script_webhooks("held", times=2)
    server.fail(checkout.provider_reference)
    server.pay(checkout.provider_reference)
    assert inbox.received == []
    assert server.release_webhooks(newest_first=True) == [200, 200]
    assert ["errorMessage" in body for body in inbox.received] == [False, True]
    assert [it["status"] for it in server.books.webhooks()] == [-1, 200, 200, 200, 200]


def test_an_approved_refund_is_told_and_a_refused_one_is_not(telling: FawaterkBench, inbox: Inbox) -> None:
    checkout = telling.gateway.create_checkout(a_request(webhook_url=inbox.url))
    telling.pay(checkout)
    for number in (1, 2):
        request = a_refund(checkout, Money.of(15_050, "EGP"), reference=f"rf_{number}")
        telling.gateway.refund(request)
    inbox.received.clear()
    telling.server.refuse_refund(1)
    telling.server.approve_refund(2)
    (body,) = inbox.received
    assert (body["amount"], body["currency"], body["status"]) == (150.5, "EGP", 1)
    number = telling.server.books.invoice(checkout.provider_reference)["invoice_id"]
    assert str(body["transactionId"]) == number


def test_a_decided_refund_stays_decided(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.refund_on_dashboard(checkout.provider_reference, "1.00")
    bench.server.refuse_refund(1)
    control = f"{bench.server.address}/_control"
    answer = requests.post(f"{control}/approve_refund", json={"refund": 1}, timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (422, "The refund is not pending.")
    assert requests.post(f"{control}/approve_refund", json={"refund": 7}, timeout=5).status_code == 400


def test_another_process_pays_at_the_counter_and_decides_refunds(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="FAWRY"))
    control = f"{bench.server.address}/_control"
    paid = requests.post(f"{control}/pay_code", json={"code": checkout.reference_number}, timeout=5)
    assert paid.status_code == 200
    assert bench.gateway.read(checkout.identity).paid
    asked = {"invoice_id": checkout.provider_reference, "amount": "20.00"}
    assert requests.post(f"{control}/refund_on_dashboard", json=asked, timeout=5).status_code == 200
    assert requests.post(f"{control}/approve_refund", json={"refund": 1}, timeout=5).status_code == 200
    (refund,) = requests.get(f"{control}/refunds", timeout=5).json()
    assert refund["status"] == "approved"
    unknown = requests.post(f"{control}/pay_code", json={"code": "0000000000"}, timeout=5)
    assert unknown.status_code == 400


def test_the_page_declines_and_can_be_tried_again(telling: FawaterkBench) -> None:
    telling.server.automatic_webhooks = False
    checkout = telling.gateway.create_checkout(a_request())
    assert checkout.url is not None
    declined = requests.post(checkout.url, data={"outcome": "declined"}, timeout=5, allow_redirects=False)
    assert declined.headers["Location"].startswith("https://app.example.com/pay/fail?invoice_id=")
    assert telling.gateway.read(checkout.identity).paid == ()
    requests.post(checkout.url, data={"outcome": "paid"}, timeout=5, allow_redirects=False)
    assert telling.gateway.read(checkout.identity).paid == (Money.of(149_910, "EGP"),)


def test_books_of_both_versions_outlive_the_server(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    with FawaterkServer(path, automatic_webhooks=False) as server:
        bench = FawaterkBench(server, version="v3")
        checkout = bench.gateway.create_checkout(a_request(attempt_id=OTHER_ATTEMPT_ID))
        bench.pay(checkout)
        bench.gateway.refund(a_refund(checkout, Money.of(100, "EGP")))
    with FawaterkServer(path, automatic_webhooks=False) as server:
        reading = FawaterkBench(server, version="v3").gateway.read(checkout.identity)
        assert [it.amount.minor for it in reading.refunds] == [100]
        assert server.calls("refund/create") == 1


def test_it_serves_as_a_process_of_its_own_and_never_in_production(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fake_providers.fawaterk", "--port", "0", "--books", str(tmp_path / "b.sqlite")]
    environ = {**os.environ, "PYTHONPATH": "src", "ENVIRONMENT": "test"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().removeprefix("listening on ").strip()
            assert requests.get(f"{address}/_control/books", timeout=10).json() == []
        finally:
            process.terminate()
    refused = subprocess.run(
        command, env={**environ, "ENVIRONMENT": "production"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (refused.returncode, "refused in production" in refused.stderr) == (1, True)


def test_production_is_refused_before_anything_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_in_production({"ENVIRONMENT": "development"})
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(FakeInProduction):
        FawaterkServer(tmp_path / "books.sqlite")
    assert list(tmp_path.iterdir()) == []
