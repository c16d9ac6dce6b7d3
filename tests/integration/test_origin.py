"""The origin of what is done follows its own thread of work, and no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import gevent
import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.origin import NOWHERE, Origin, acting, current_origin, note_actor
from domain.operations.audit import AuditStatus
from infrastructure.bootstrap import Running
from middlewares.auth_middleware import public
from workers.jobs import JOBS, ScheduledJob
from workers.process import hold
from workers.schedule import run_once


def test_it_ends_with_the_work_even_when_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), acting(Origin(request_id="first")):
        note_actor(uuid4())
        assert current_origin().request_id == "first"
        raise ZeroDivisionError

    assert current_origin() is NOWHERE


def test_threads_have_one_each() -> None:
    together = Barrier(8)

    def work(number: int) -> str:
        with acting(Origin(request_id=str(number))):
            together.wait(10)
            found = current_origin().request_id
            together.wait(10)
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [str(number) for number in range(8)]


def test_greenlets_have_one_each() -> None:
    def work(number: int) -> tuple[str, Origin]:
        with acting(Origin(request_id=str(number))):
            gevent.sleep(0.001 * (number % 3))
            found = current_origin().request_id
        return found, current_origin()

    greenlets = [gevent.spawn(work, number) for number in range(20)]
    gevent.joinall(greenlets, raise_error=True)

    assert [greenlet.value for greenlet in greenlets] == [(str(number), NOWHERE) for number in range(20)]


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """These tests add routes."""
    return own_app


@pytest.fixture
def seen(app: Flask) -> list[Origin]:
    """What `/seen` saw, request by request."""
    found: list[Origin] = []

    @public
    def look() -> str:
        found.append(current_origin())
        return "seen"

    app.add_url_rule("/seen", view_func=look)
    return found


def test_a_request_has_its_own_and_leaves_none_behind(client: FlaskClient, seen: list[Origin]) -> None:
    client.get("/seen", headers={"User-Agent": "a\tphone " * 100, "X-Request-Id": "first-request"})
    client.get("/seen", headers={"X-Request-Id": "4111111111111111", "User-Agent": "card 4111111111111111"})

    first, second = seen
    assert (first.address, first.request_id, first.via, first.actor_id) == ("127.0.0.1", "first-request", "web", None)
    assert first.user_agent is not None
    assert first.user_agent.startswith("aphone ")
    assert len(first.user_agent) == 300
    assert second.request_id != "4111111111111111"
    assert second.user_agent == "card [card number]"
    assert current_origin() is NOWHERE


def test_what_a_scheduled_job_does_says_so(running: Running) -> None:
    every = JOBS["maintenance.run"]

    def audited(system: Running) -> None:
        with system.dependencies.new_uow() as uow:
            uow.audit.add(
                actor=None,
                action="maintenance.run",
                resource_type="SYSTEM",
                resource_id=None,
                changes={"before": {}, "after": {}},
                at=system.dependencies.clock.now(),
                status=AuditStatus.PARTIAL,
                error_message="one of two",
            )
            uow.commit()

    hold(running)
    assert run_once(ScheduledJob("tests.audited", every.every, lambda _: "2026-11-25", audited), running)

    row = running.database.row(
        "SELECT user_id, ip_address, user_agent, request_id, status, error_message FROM audit_logs"
    )
    assert row is not None
    assert list(row.values()) == [
        None, None, "altayar scheduler", "tests.audited/2026-11-25", "PARTIAL", "one of two",
    ]  # fmt: skip
    assert current_origin() is NOWHERE
