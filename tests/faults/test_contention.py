"""Rows that somebody else holds, pools that are empty, sessions that the server ends (guarantees M5, A2, A3)."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from domain.ledger import accounts
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database import pool
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.api.shop import problem
from tests.conftest import MovableClock, Person
from tests.e2e.invariants import missing
from tests.faults.seeds import seeded
from tests.faults.waiting import until
from tests.integration.shop import Shop, all_at_once
from tests.integration.tenders import egp

pytestmark = pytest.mark.database

PAYMENTS = "/api/v1/payments"
LOCK_HELD_SECONDS = 10
BUYERS, KILLS = 24, 15
POOL = 10
"""Connections of each of a process's two pools."""


def paying(customer: Person, booking_id: object, key: str = "") -> tuple[bytes, dict[str, str]]:
    """A request that pays a booking from the wallet: body and headers."""
    body = {"payable": {"type": "BOOKING", "id": str(booking_id)}, "method": "WALLET"}
    headers = {**customer.headers, "Idempotency-Key": key or uuid4().hex, "Content-Type": "application/json"}
    return orjson.dumps(body), headers


def pay(client: FlaskClient, customer: Person, booking_id: object, key: str = "") -> TestResponse:
    body, headers = paying(customer, booking_id, key)
    return client.post(PAYMENTS, data=body, headers=headers)


@contextmanager
def locked(addresses: DatabaseAddresses, account: object) -> Iterator[None]:
    """Somebody holds the row of an account for as long as the block takes."""
    with connect(addresses.owner) as holder, holder.transaction():
        holder.execute("SELECT 1 FROM ledger_heads WHERE account_id = %s FOR UPDATE", (account,))
        yield


def test_a_row_that_is_locked_for_ten_seconds_is_busy_and_no_fault_of_ours(
    running: Running, client: FlaskClient, addresses: DatabaseAddresses, sign_up: Callable[..., Person]
) -> None:
    shop, customer = Shop.opened(running), sign_up()
    shop.fill_wallet(customer.user_id, egp(500_000))
    booking = shop.book(customer.user_id)
    release = threading.Event()

    def hold() -> None:
        with locked(addresses, accounts.wallet(customer.user_id, "EGP").id):
            held.set()
            release.wait(LOCK_HELD_SECONDS)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    refused = pay(client, customer, booking.id, "while-it-is-locked")
    problem(refused, 409, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/api/v1/wallet", headers=customer.headers).status_code == 200, "readers do not wait"
    release.set()
    holder.join()
    assert pay(client, customer, booking.id, "while-it-is-locked").status_code == 201
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_an_empty_pool_is_503_with_retry_after_and_serves_again_when_it_is_not(
    running: Running, addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch, sign_up: Callable[..., Person]
) -> None:
    customer = sign_up()
    monkeypatch.setattr(pool, "CHECKOUT_SECONDS", 0.3)
    small = bootstrap(running.settings, database=Database(addresses.app, pool_size=2))
    shop = Shop.opened(running)
    shop.fill_wallet(customer.user_id, egp(500_000))
    booking, app = shop.book(customer.user_id), create_app(running=small)
    let_go = threading.Event()
    taken = threading.Barrier(3)

    def take() -> None:
        with small.database.transaction() as statements:
            statements.row("SELECT 1")
            taken.wait()
            let_go.wait(30)

    takers = [threading.Thread(target=take) for _ in range(2)]
    for taker in takers:
        taker.start()
    taken.wait()
    refused = pay(app.test_client(), customer, booking.id, "when-the-pool-was-empty")
    problem(refused, 503, "database_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    let_go.set()
    for taker in takers:
        taker.join()
    assert pay(app.test_client(), customer, booking.id, "when-the-pool-was-empty").status_code == 201
    assert small.database.changes.lent == 0
    small.close()


def test_sessions_that_the_server_ends_under_load_lose_and_double_nothing(
    running: Running, addresses: DatabaseAddresses, sign_up: Callable[..., Person], clock: MovableClock
) -> None:
    """Customers pay from their wallets at once, again under the same key until it is answered for good."""
    chance, shop, app = seeded(), Shop.opened(running), create_app(running=running)
    departure = shop.a_departure(price=egp(100_000))
    buyers = [sign_up() for _ in range(BUYERS // 4)]
    bought = []
    for buyer in buyers:
        shop.fill_wallet(buyer.user_id, egp(400_000))
        bought += [(buyer, shop.book(buyer.user_id, departure)) for _ in range(4)]
    is_over, statuses = threading.Event(), Counter[int]()
    killing = threading.Thread(target=_end_sessions, args=(addresses, is_over, chance))
    killing.start()

    def insist(buyer: Person, booking_id: object) -> str:
        client, key = app.test_client(), uuid4().hex

        def answered() -> TestResponse | None:
            answer = pay(client, buyer, booking_id, key)
            statuses[answer.status_code] += 1
            if answer.status_code not in (409, 503):
                return answer
            # What a request had begun whose session was ended counts as under way until its lease is over.
            clock.offset += timedelta(seconds=5)
            is_over.wait(0.2)
            return None

        done = until(answered)
        assert done.status_code == 201, done.text
        return str(done.json["id"])

    payments = all_at_once([partial(insist, buyer, booking.id) for buyer, booking in bought])
    is_over.set()
    killing.join()
    # An idle connection that was ended last costs whoever meets it one refusal: not the questions below.
    running.database.dispose()
    assert [one for one in payments if isinstance(one, BaseException)] == [], statuses
    assert set(statuses) <= {201, 409, 503}, statuses
    until(lambda: _sessions(addresses) <= 2 * POOL, seconds=10)  # pools that were thrown away left nothing open
    assert missing(addresses, [("PAYMENT", str(one)) for one in payments]) == []
    assert {shop.booking(booking.id)["status"] for _, booking in bought} == {"CONFIRMED"}
    assert [shop.balance(accounts.wallet(buyer.user_id, "EGP")) for buyer in buyers] == [0] * len(buyers)


def _sessions(addresses: DatabaseAddresses) -> int:
    """How many sessions the application has."""
    with connect(addresses.owner) as watching:
        [(count,)] = watching.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s",
            (addresses.app.username,),
        ).fetchall()
    return int(count)


def _end_sessions(addresses: DatabaseAddresses, is_over: threading.Event, chance: random.Random) -> None:
    """Every now and then the server ends some of the application's sessions."""
    with connect(addresses.app) as watching:
        for _ in range(KILLS):
            if is_over.wait(chance.uniform(0.05, 0.4)):
                return
            watching.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = current_user AND pid <> pg_backend_pid() AND random() < 0.5"""
            )
