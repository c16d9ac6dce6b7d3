"""More requests at once than a process answers in time: who is let in, and what the others are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from middlewares.admission import Bounds
from middlewares.auth_middleware import public
from middlewares.idempotency import idempotent, not_idempotent

PATIENCE_SECONDS = 60
AT_ONCE = 4
"""So many changes, three reads, two that wait for others, one webhook."""

LOOKING, CHANGING, PAYING, FAILING, READING = (
    f"/api/v1/held/{name}" for name in ("looking", "changing", "paying", "failing", "reading")
)


class Gate:
    """Keeps requests inside until it opens."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._came = threading.Semaphore(0)

    def pass_through(self) -> str:
        self._came.release()
        assert self._open.wait(PATIENCE_SECONDS)
        return "through"

    def wait_for(self, many: int) -> None:
        for _ in range(many):
            assert self._came.acquire(timeout=PATIENCE_SECONDS)

    def open(self) -> None:
        self._open.set()


class Site:
    """The app with views that stand before the gate, and clients of it."""

    def __init__(self, app: Flask, threads: ThreadPoolExecutor) -> None:
        self.gate, self._app, self._threads = Gate(), app, threads
        app.add_url_rule(LOOKING, "looking", public(self._look))
        app.add_url_rule(CHANGING, "changing", public(not_idempotent("a test")(self._look)), methods=["POST"])
        app.add_url_rule(PAYING, "paying", public(idempotent(calls_provider=True)(self._look)), methods=["POST"])
        app.add_url_rule(FAILING, "failing", public(_fail))
        app.add_url_rule(READING, "reading", public(lambda: str(len(request.get_data()))), methods=["POST"])

    @property
    def _look(self) -> Callable[[], str]:
        """A function of its own each time, as views are."""
        return lambda: self.gate.pass_through()

    def ask(self, method: str, path: str, **sent: Any) -> TestResponse:
        return self._app.test_client().open(path, method=method, **sent)

    def hold(self, many: int, method: str, path: str) -> list[Future[TestResponse]]:
        """So many requests that are inside when this returns."""
        held = [self._threads.submit(self.ask, method, path) for _ in range(many)]
        self.gate.wait_for(many)
        return held

    def begin(self, method: str, path: str, **sent: Any) -> Future[TestResponse]:
        return self._threads.submit(self.ask, method, path, **sent)


def _fail() -> str:
    raise RuntimeError("a fault of the test's own")


@contextmanager
def a_site(app: Flask) -> Iterator[Site]:
    with ThreadPoolExecutor(20) as threads:
        site = Site(app, threads)
        try:
            yield site
        finally:
            site.gate.open()


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Iterator[Site]:
    with a_site(make_app(requests_at_once=AT_ONCE)) as opened:
        yield opened


def _is_refused(answer: TestResponse) -> bool:
    return answer.status_code == 503 and answer.get_json()["code"] == "overloaded"


def test_what_is_too_much_is_told_so_at_once_and_when_to_come_again(site: Site) -> None:
    site.hold(AT_ONCE, "POST", CHANGING)
    refused = site.ask("POST", CHANGING, headers={"X-Request-Id": "a-request-of-mine"})
    assert _is_refused(refused)
    assert refused.content_type == "application/problem+json"
    assert refused.get_json()["request_id"] == "a-request-of-mine"
    assert 1 <= int(refused.headers["Retry-After"]) <= 4


def test_looking_is_refused_before_changing_is(site: Site) -> None:
    site.hold(3, "GET", LOOKING)
    assert _is_refused(site.ask("GET", LOOKING))
    (change,) = site.hold(1, "POST", CHANGING)
    site.gate.open()
    assert change.result(PATIENCE_SECONDS).status_code == 200


def test_health_is_answered_whatever_goes_on(site: Site) -> None:
    site.hold(AT_ONCE, "POST", CHANGING)
    assert site.ask("GET", "/health/live").status_code == 200
    assert site.ask("GET", "/health/ready").status_code == 200


def test_webhooks_are_heard_while_customers_are_refused(site: Site) -> None:
    site.hold(AT_ONCE, "POST", CHANGING)
    # Let in, and then refused for what it is.
    assert site.ask("POST", "/api/v1/payments/webhooks/sandbox", json={}).status_code == 401


def test_who_waits_for_a_provider_keeps_nobody_else_out(site: Site) -> None:
    site.hold(2, "POST", PAYING)
    assert _is_refused(site.ask("POST", PAYING))
    assert site.ask("GET", "/api/v1/packages").status_code == 200


def test_a_storm_of_passwords_keeps_nobody_else_out(site: Site) -> None:
    site.hold(2, "POST", PAYING)
    body = {"email": "nobody@example.com", "password": "correct horse 42"}
    assert _is_refused(site.ask("POST", "/api/v1/auth/login", json=body))


def test_a_place_is_free_again_when_its_request_is_over(site: Site) -> None:
    held = site.hold(3, "GET", LOOKING)
    site.gate.open()
    assert [one.result(PATIENCE_SECONDS).status_code for one in held] == [200] * 3
    assert [site.ask("GET", LOOKING).status_code for _ in range(5)] == [200] * 5


def test_a_place_is_free_again_when_its_request_failed(site: Site) -> None:
    assert [site.ask("GET", FAILING).status_code for _ in range(5)] == [500] * 5


def test_a_refused_request_takes_no_place(site: Site) -> None:
    held = site.hold(3, "GET", LOOKING)
    assert all(_is_refused(site.ask("GET", LOOKING)) for _ in range(5))
    site.gate.open()
    assert all(one.result(PATIENCE_SECONDS).status_code == 200 for one in held)
    assert site.ask("GET", LOOKING).status_code == 200


class _OnItsWay(BytesIO):
    """A body whose client is slow."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(b"x" * 10)
        self._gate = gate

    def read(self, size: int | None = -1, /) -> bytes:
        self._gate.pass_through()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        raise OSError("WSGI knows no such method")


def test_a_request_whose_body_is_still_on_its_way_takes_no_place(site: Site) -> None:
    slow = []
    for _ in range(9):
        sent = {"input_stream": _OnItsWay(site.gate), "content_length": 10, "content_type": "application/json"}
        slow.append(site.begin("POST", READING, **sent))
        site.gate.wait_for(1)
    assert site.ask("GET", "/api/v1/packages").status_code == 200
    site.gate.open()
    assert [one.result(PATIENCE_SECONDS).text for one in slow] == ["10"] * 9
    assert site.ask("GET", "/api/v1/packages").status_code == 200


@pytest.mark.parametrize("most", [1, 2, 4, 48])
def test_every_kind_has_at_least_one_place_and_changes_have_most(most: int) -> None:
    bounds = Bounds.of(most)
    assert 1 <= bounds.webhooks <= bounds.waiting <= bounds.reads <= bounds.changes == most
