"""Fawaterk's API v3 through the whole system: its notices settle what its own answers say, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import FawaterkSettings, Settings
from fake_providers.fawaterk import FawaterkServer, encode
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.transaction import Database
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

URL = "/api/v1/payments/webhooks/fawaterk_json"


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", automatic_webhooks=False) as server:
        yield server


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock, fawaterk: FawaterkServer) -> Iterator[Running]:
    account = FawaterkSettings(
        base_url=fawaterk.base_url_v3,
        api_key=fawaterk.api_key,
        webhook_secret=fawaterk.api_key,
        api_version="v3",
        client_id=fawaterk.client_id,
        client_secret=fawaterk.client_secret,
    )
    by_v3 = dataclasses.replace(settings, payment_gateways=("fawaterk",), fawaterk=account)
    started = bootstrap(by_v3, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up(phone="01000000000")


@pytest.fixture
def payment(shop: Shop, customer: Person) -> Json:
    return shop.pay(customer, shop.book(customer, shop.offer()), provider="FAWATERK")


def send(shop: Shop, fawaterk: FawaterkServer, payment: Json, kind: str, *, form: bool = False, **tamper: Any) -> Any:
    body = fawaterk.webhook(kind, payment["provider_reference"], tamper=tamper)
    content, media = encode(body, form=form)
    answer = shop.client.post(URL, data=content, content_type=media)
    shop.deliver_events()
    return answer


def status(shop: Shop, payment: Json, person: Person) -> str:
    found: str = shop.done(shop.get(f"/api/v1/payments/{payment['id']}", person))["status"]
    return found


@pytest.mark.parametrize("form", [False, True])
def test_a_paid_notice_settles_once(
    shop: Shop, fawaterk: FawaterkServer, payment: Json, customer: Person, form: bool
) -> None:
    fawaterk.pay(payment["provider_reference"])
    answers = [send(shop, fawaterk, payment, "paid", form=form).json for _ in range(2)]
    assert answers == [{"status": "accepted"}, {"status": "duplicate"}]
    assert status(shop, payment, customer) == "PAID"


def test_a_failed_hash_reused_as_paid_settles_nothing(
    shop: Shop, fawaterk: FawaterkServer, payment: Json, customer: Person
) -> None:
    fawaterk.fail(payment["provider_reference"])
    hash_key = fawaterk.webhook("failed", payment["provider_reference"])["hashKey"]
    forged = send(shop, fawaterk, payment, "paid", transactionHashKey=hash_key, paidAmount=2000)
    assert forged.status_code == 200
    assert status(shop, payment, customer) == "PENDING"


def test_a_wrong_hash_is_401(shop: Shop, fawaterk: FawaterkServer, payment: Json, customer: Person) -> None:
    fawaterk.pay(payment["provider_reference"])
    for tamper in ({"transactionHashKey": "0" * 64}, {"transactionHashKey": None}, {"transaction_key": "x"}):
        problem(send(shop, fawaterk, payment, "paid", **tamper), 401, "bad_signature")
    assert status(shop, payment, customer) == "PENDING"


def test_a_notice_of_a_refund_is_kept(shop: Shop, fawaterk: FawaterkServer, payment: Json) -> None:
    fawaterk.pay(payment["provider_reference"])
    assert send(shop, fawaterk, payment, "refund").json == {"status": "accepted"}
