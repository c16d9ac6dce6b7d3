"""Idempotency keys: the same request has one effect and one answer, whoever repeats it and whenever (Q1)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.ports import Answer, Idempotency, IdempotencyKeyReused, RequestInProgress
from application.trying_again import TryAgain
from domain.catalogue.departures import SoldOut
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database import idempotency as keyed
from infrastructure.database.idempotency import LEASE
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import egp
from tests.integration.shop import Shop, a_stored_user, all_at_once, broken_promises

SCOPE, KEY, SAID, OTHER = "user POST /things", "key", b"said", b"something else"
Remember = Callable[[str, str, bytes, Callable[[], Answer]], Answer]


class Crash(BaseException):
    """The process is gone: nothing catches it, nothing is tidied up."""


@pytest.fixture
def idempotency(running: Running) -> Idempotency:
    return running.dependencies.idempotency


@pytest.fixture(params=["once", "staged"])
def remember(request: pytest.FixtureRequest, idempotency: Idempotency) -> Remember:
    """Both ways of honouring a key; what is promised to the caller is the same."""
    return getattr(idempotency, request.param)  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def a_user_is_made(shop: Shop) -> Answer:
    """An effect that can be counted, and an answer that is never the same."""
    user_id = a_stored_user(shop.use.new_uow)
    return Answer(201, "application/json", f"/users/{user_id}", str(user_id).encode())


def users(shop: Shop) -> int:
    return int(shop.row("SELECT count(*) AS count FROM users")["count"])


def keys(shop: Shop) -> int:
    return int(shop.row("SELECT count(*) AS count FROM idempotency_keys")["count"])


# Both ways --------------------------------------------------------------------------------------------


def test_the_same_again_is_answered_byte_for_byte_without_effect(remember: Remember, shop: Shop) -> None:
    first = remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop))
    again = remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop))

    assert again == first
    assert users(shop) == 1


def test_the_same_key_for_something_else_is_refused(remember: Remember, shop: Shop) -> None:
    remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop))

    with pytest.raises(IdempotencyKeyReused):
        remember(SCOPE, KEY, OTHER, partial(a_user_is_made, shop))

    assert users(shop) == 1


def test_another_scope_or_key_is_another_request(remember: Remember, shop: Shop) -> None:
    answers = {
        remember(scope, key, SAID, partial(a_user_is_made, shop)).body for scope in ("one", "two") for key in ("a", "b")
    }

    assert len(answers) == users(shop) == 4


def test_bytes_that_are_no_text_are_kept_as_they_are(remember: Remember) -> None:
    answer = Answer(200, "application/pdf", "", bytes(range(256)))

    assert remember(SCOPE, KEY, SAID, lambda: answer) == remember(SCOPE, KEY, SAID, lambda: answer) == answer


def test_while_the_first_runs_the_second_is_told_so_at_once(remember: Remember, shop: Shop) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slowly() -> Answer:
        began.set()
        assert go_on.wait(10)
        return a_user_is_made(shop)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(remember, SCOPE, KEY, SAID, slowly)
        try:
            assert began.wait(5)
            with pytest.raises(RequestInProgress):
                remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop))
        finally:
            go_on.set()
        answer = first.result(5)

    assert remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop)) == answer
    assert users(shop) == 1


def test_20_at_once_have_one_effect(remember: Remember, shop: Shop) -> None:
    results = all_at_once([lambda: remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop))] * 20)

    answers = {result.body for result in results if isinstance(result, Answer)}
    assert len(answers) == 1
    assert {type(result) for result in results} <= {Answer, RequestInProgress}
    assert (users(shop), keys(shop)) == (1, 1)


def test_what_was_refused_is_not_remembered(remember: Remember, shop: Shop) -> None:
    def refused() -> Answer:
        raise SoldOut(seats_left=0)

    with pytest.raises(SoldOut):
        remember(SCOPE, KEY, SAID, refused)

    assert keys(shop) == 0
    assert remember(SCOPE, KEY, OTHER, partial(a_user_is_made, shop)).status_code == 201


def test_what_failed_is_not_remembered(remember: Remember, shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError):
        remember(SCOPE, KEY, SAID, lambda: 1 // 0)  # type: ignore[arg-type, return-value]

    assert remember(SCOPE, KEY, SAID, partial(a_user_is_made, shop)).status_code == 201


# In one transaction -----------------------------------------------------------------------------------


def test_effect_events_and_answer_are_one_transaction(idempotency: Idempotency, shop: Shop) -> None:
    idempotency.once(SCOPE, KEY, SAID, partial(a_user_is_made, shop))

    row = shop.row(
        """SELECT count(DISTINCT made_by) AS transactions FROM (
               SELECT xmin::text AS made_by FROM users UNION ALL SELECT xmin::text FROM outbox_events
               UNION ALL SELECT xmin::text FROM idempotency_keys) x"""
    )
    assert row["transactions"] == 1


def test_an_effect_whose_answer_is_lost_did_not_happen(idempotency: Idempotency, shop: Shop) -> None:
    def crashes() -> Answer:
        a_user_is_made(shop)
        raise Crash

    with pytest.raises(Crash):
        idempotency.once(SCOPE, KEY, SAID, crashes)

    assert (users(shop), keys(shop)) == (0, 0)
    assert shop.database.rows("SELECT id FROM outbox_events") == []


def test_a_deadlocked_request_is_run_again_a_few_times(remember: Remember, shop: Shop) -> None:
    tries = iter([TryAgain(), TryAgain(), None, None])

    def unlucky_twice() -> Answer:
        if (error := next(tries)) is not None:
            raise error
        return a_user_is_made(shop)

    assert remember(SCOPE, KEY, SAID, unlucky_twice).status_code == 201
    assert users(shop) == 1


def test_what_a_deadlocked_request_had_written_is_written_once(idempotency: Idempotency, shop: Shop) -> None:
    tries = iter([TryAgain(), None])

    def unlucky_once() -> Answer:
        answer = a_user_is_made(shop)
        if (error := next(tries)) is not None:
            raise error
        return answer

    assert idempotency.once(SCOPE, KEY, SAID, unlucky_once).status_code == 201
    assert users(shop) == 1


def test_but_not_for_ever(remember: Remember, shop: Shop) -> None:
    tries = []

    def always_unlucky() -> Answer:
        tries.append(1)
        raise TryAgain

    with pytest.raises(TryAgain):
        remember(SCOPE, KEY, SAID, always_unlucky)

    assert (len(tries), keys(shop)) == (3, 0)


# In stages, with a provider between -------------------------------------------------------------------


@pytest.mark.parametrize("crashes", ["before the provider was asked", "after the provider answered"])
def test_a_request_that_died_is_taken_over_after_its_lease_and_finishes_the_same_payment(
    idempotency: Idempotency, shop: Shop, clock: Any, crashes: str
) -> None:
    customer = shop.a_customer()
    booking = shop.book(customer)
    # Asked again, this provider answers the same checkout; of one that does not, tests/faults tells.
    shop.gateway.capabilities = replace(shop.gateway.capabilities, repeats_creation=True)
    shop.gateway.answers = [Crash()]  # type: ignore[list-item]
    shop.gateway.loses_answers = crashes.startswith("after")

    def pay() -> Answer:
        return Answer(201, "text/plain", "", str(shop.pay(customer, booking.id, key="k")).encode())

    with pytest.raises(Crash):
        idempotency.staged(SCOPE, KEY, SAID, pay)
    begun = shop.row("SELECT id FROM payments")["id"]
    with pytest.raises(RequestInProgress):
        idempotency.staged(SCOPE, KEY, SAID, pay)

    clock.offset += LEASE + timedelta(seconds=1)
    answer = idempotency.staged(SCOPE, KEY, SAID, pay)

    assert answer.body.decode() == str(begun)
    [attempt] = shop.database.rows("SELECT status, provider_reference FROM payment_attempts")
    assert attempt["status"] == "OPEN"
    assert list(shop.gateway.books) == [attempt["provider_reference"]]
    assert idempotency.staged(SCOPE, KEY, SAID, pay) == answer


@pytest.mark.parametrize("unlucky", range(2), ids=["what is asked", "what was answered"])
def test_a_deadlock_costs_a_payment_neither_its_checkout_nor_a_second_one(
    idempotency: Idempotency, shop: Shop, monkeypatch: pytest.MonkeyPatch, unlucky: int
) -> None:
    """This provider would open a second checkout: it is asked once, whichever transaction is broken off."""
    booking = shop.book(customer := shop.a_customer())
    commit, commits = SqlUnitOfWork.commit, itertools.count()

    def breaks_off(uow: SqlUnitOfWork) -> None:
        if next(commits) == unlucky:
            raise TryAgain
        commit(uow)

    def pay() -> Answer:
        return Answer(201, "text/plain", "", str(shop.pay(customer, booking.id, key="k")).encode())

    monkeypatch.setattr(SqlUnitOfWork, "commit", breaks_off)
    idempotency.staged(SCOPE, KEY, SAID, pay)

    [attempt] = shop.database.rows("SELECT status, provider_reference FROM payment_attempts")
    assert attempt["status"] == "OPEN"
    assert list(shop.gateway.books) == [attempt["provider_reference"]]


def test_whoever_takes_over_has_to_ask_for_the_same(idempotency: Idempotency, shop: Shop, clock: Any) -> None:
    def crashes() -> Answer:
        raise Crash

    with pytest.raises(Crash):
        idempotency.staged(SCOPE, KEY, SAID, crashes)
    clock.offset += LEASE + timedelta(seconds=1)

    with pytest.raises(IdempotencyKeyReused):
        idempotency.staged(SCOPE, KEY, OTHER, partial(a_user_is_made, shop))


def test_a_lease_that_ended_is_taken_over_by_one(idempotency: Idempotency, shop: Shop, clock: Any) -> None:
    def crashes() -> Answer:
        raise Crash

    with pytest.raises(Crash):
        idempotency.staged(SCOPE, KEY, SAID, crashes)
    clock.offset += LEASE + timedelta(seconds=1)

    results = all_at_once([lambda: idempotency.staged(SCOPE, KEY, SAID, partial(a_user_is_made, shop))] * 10)

    assert {type(result) for result in results} <= {Answer, RequestInProgress}
    assert users(shop) == 1


def test_the_claim_is_seen_by_others_while_the_provider_is_asked(idempotency: Idempotency, shop: Shop) -> None:
    """No transaction is open then: what is claimed is committed, and no connection is held."""

    def looks() -> Answer:
        assert not shop.database.in_transaction
        assert keys(shop) == 1
        return Answer(201, "text/plain", "", b"")

    idempotency.staged(SCOPE, KEY, SAID, looks)


# Over HTTP --------------------------------------------------------------------------------------------


def _book(
    client: FlaskClient, person: Any, departure: Any, *, key: str | None = "k", travelers: int = 1
) -> TestResponse:
    return client.post(
        "/api/v1/bookings",
        json={
            "package_id": str(departure.package_id),
            "departure_id": str(departure.id),
            "travelers_count": travelers,
        },
        headers={**person.headers, **({"Idempotency-Key": key} if key is not None else {})},
    )


def test_a_booking_asked_for_twice_is_one_booking_and_one_answer(
    client: FlaskClient, shop: Shop, sign_up: Callable[..., Any]
) -> None:
    person, departure = sign_up(), shop.a_departure()

    first, again = _book(client, person, departure), _book(client, person, departure)

    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 1


def test_refusals_over_http(client: FlaskClient, shop: Shop, sign_up: Callable[..., Any]) -> None:
    person, departure = sign_up(), shop.a_departure()
    assert _book(client, person, departure).status_code == 201

    other = _book(client, person, departure, travelers=2)
    missing = _book(client, person, departure, key=None)
    unfit = [_book(client, person, departure, key=key) for key in ("", " ", "é", "x" * 256, "a b")]

    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert (missing.status_code, missing.json["code"]) == (400, "idempotency_key_missing")
    assert {(answer.status_code, answer.json["code"]) for answer in unfit} == {(422, "validation_failed")}
    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 1


def test_two_people_with_the_same_key_do_not_meet(client: FlaskClient, shop: Shop, sign_up: Callable[..., Any]) -> None:
    departure = shop.a_departure()

    answers = [_book(client, sign_up(), departure) for _ in range(2)]

    assert len({answer.json["id"] for answer in answers}) == 2
    assert len({answer.json["user_id"] for answer in answers}) == 2


def test_what_was_sold_out_may_be_asked_for_again_with_the_same_key(
    client: FlaskClient, shop: Shop, sign_up: Callable[..., Any], addresses: DatabaseAddresses
) -> None:
    person, departure = sign_up(), shop.a_departure(seats=1)

    assert _book(client, person, departure, travelers=2).json["code"] == "sold_out"
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET capacity = 2")
    assert _book(client, person, departure, travelers=2).status_code == 201


def test_a_look_that_was_older_than_the_answer_is_repeated(
    shop: Shop, idempotency: Idempotency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else had just committed and let go of the key's lock: what they answered is answered again."""
    first = idempotency.once(SCOPE, KEY, SAID, partial(a_user_is_made, shop))
    before, look, looks = users(shop), keyed._looked_up, itertools.count()

    def looked_too_early(*asked: Any) -> Any:
        row = look(*asked)
        return {**(row or {}), "mine": True, "fingerprint": None} if next(looks) == 0 else row

    monkeypatch.setattr(keyed, "_looked_up", looked_too_early)

    assert idempotency.once(SCOPE, KEY, SAID, partial(a_user_is_made, shop)) == first
    assert users(shop) == before


def test_the_same_key_at_once_over_http(app: Flask, shop: Shop, sign_up: Callable[..., Any]) -> None:
    person, departure = sign_up(), shop.a_departure()

    results = all_at_once([lambda: _book(app.test_client(), person, departure)] * 8)

    answers = [(result.status_code, result.json.get("code")) for result in results]  # type: ignore[union-attr]
    assert set(answers) <= {(201, None), (409, "request_in_progress")}
    assert len({result.data for result in results if result.status_code == 201}) == 1  # type: ignore[union-attr]
    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 1


def test_a_wallet_is_charged_once_for_the_same_key(
    client: FlaskClient, shop: Shop, sign_up: Callable[..., Any]
) -> None:
    person = sign_up()
    shop.fill_wallet(person.user_id, egp("5000.00"))
    booking = shop.book(person.user_id)

    def pay() -> TestResponse:
        return client.post(
            "/api/v1/payments",
            json={"payable": {"type": "BOOKING", "id": str(booking.id)}, "method": "WALLET"},
            headers={**person.headers, "Idempotency-Key": str(booking.id)},
        )

    first, again = pay(), pay()

    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert shop.row("SELECT count(*) AS count FROM payments")["count"] == 1
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_the_keys_of_two_people_make_two_payments(client: FlaskClient, shop: Shop, sign_up: Callable[..., Any]) -> None:
    key = new_id().hex
    for _ in range(2):
        person = sign_up()
        shop.fill_wallet(person.user_id)
        answer = client.post(
            "/api/v1/payments",
            json={"payable": {"type": "BOOKING", "id": str(shop.book(person.user_id).id)}, "method": "WALLET"},
            headers={**person.headers, "Idempotency-Key": key},
        )
        assert answer.status_code == 201, answer.json

    assert shop.row("SELECT count(*) AS count FROM payments WHERE status = 'PAID'")["count"] == 2
