"""Rate limits: counted for all processes together, told on every answer, and never open while Redis is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from infrastructure.embedded.redis import EmbeddedRedis
from middlewares.quotas import MOST_CALLERS, LeasedQuota, SharedCounter, SlidingQuota
from tests.api.shop import SignUp, problem

PLANS = "/api/v1/memberships/plans"
DEAD = "redis://127.0.0.1:1/0"
NOON = 1_800_000_000.0 - 1_800_000_000 % 60
MakeApp = Callable[..., Flask]


@pytest.fixture(autouse=True)
def far_from_the_next_minute() -> None:
    """A window that ends within a test would begin again."""
    left = 60 - time.time() % 60
    if left < 8:
        time.sleep(left)


def ask(client: FlaskClient, times: int, **options: object) -> list[int]:
    return [client.get(PLANS, **options).status_code for _ in range(times)]


def test_every_answer_says_what_is_left(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.01).test_client()
    first, second = client.get(PLANS), client.get("/api/v1/nowhere")

    assert [answer.headers["X-RateLimit-Limit"] for answer in (first, second)] == ["6", "6"]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in (first, second)] == ["5", "4"]
    assert 0 < int(first.headers["X-RateLimit-Reset"]) - time.time() <= 60
    assert "X-RateLimit-Limit" not in client.get("/health/live").headers


def test_too_many_are_429_until_the_window_ends(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.01).test_client()

    assert ask(client, 6) == [200] * 6
    refused = client.get(PLANS)
    problem(refused, 429, "rate_limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/health/live").status_code == 200


def test_two_processes_share_one_limit(make_app: MakeApp) -> None:
    one, other = (make_app(rate_limit_scale=0.05).test_client() for _ in range(2))
    answers = ask(one, 20) + ask(other, 20)

    assert answers.count(200) == 30
    assert ask(one, 1) == ask(other, 1) == [429]


def test_readers_and_writers_are_counted_apart_and_by_caller(make_app: MakeApp, sign_up: SignUp) -> None:
    person, other = sign_up(), sign_up()
    client = make_app(rate_limit_scale=0.01).test_client()

    assert ask(client, 7, headers=person.headers)[-1] == 429
    assert ask(client, 1, headers=other.headers) == [200]
    change = client.patch("/api/v1/users/me", json={"locale": "ar"}, headers=person.headers)
    assert (change.status_code, change.headers["X-RateLimit-Limit"]) == (200, "1")


def test_invented_tokens_share_the_quota_of_their_address(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.05).test_client()
    answers = [
        client.get("/api/v1/users/me", headers={"Authorization": f"Bearer invented-{number}"}) for number in range(8)
    ]

    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2


def test_forgetting_a_password_is_limited_more_strictly_than_signing_in(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.2).test_client()
    limits = [
        client.post(f"/api/v1/auth/{route}", json={}).headers["X-RateLimit-Limit"]
        for route in ("forgot-password", "login")
    ]

    assert limits == ["2", "6"]


def test_webhooks_and_health_are_not_counted(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.001).test_client()

    assert {client.post("/api/v1/payments/webhooks/sandbox_json", json={}).status_code for _ in range(3)} == {401}
    assert {client.get("/health/live").status_code for _ in range(3)} == {200}


def test_redis_holds_no_address_and_no_token(make_app: MakeApp, sign_up: SignUp, redis_url: str) -> None:
    person = sign_up()
    client = make_app().test_client()
    client.get(PLANS, headers=person.headers)
    client.get(PLANS)
    client.post("/api/v1/auth/login", json={})

    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        keys = connection.keys("altayar:limits*")
    token = person.headers["Authorization"].split()[1]
    assert len(keys) >= 3
    assert not [key for key in keys if "127.0.0.1" in key or token in key or str(person.user_id) in key]


def test_limits_hold_while_redis_is_away_and_nobody_waits(make_app: MakeApp) -> None:
    client = make_app(rate_limit_scale=0.01, redis_url=DEAD).test_client()
    began = time.perf_counter()

    assert ask(client, 8) == [200] * 6 + [429] * 2
    body = {"email": "nobody@example.com", "password": "wrong password"}
    logins = [client.post("/api/v1/auth/login", json=body).status_code for _ in range(2)]
    assert logins == [401, 429]
    assert time.perf_counter() - began < 2


def test_a_redis_that_comes_back_is_counted_in_again(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    seconds = [0.0]
    try:
        shared = SharedCounter(server.start(), monotonic=lambda: seconds[0])
        one, other = LeasedQuota(shared, now=lambda: NOON), LeasedQuota(shared, now=lambda: NOON)
        assert one.take("reads", "somebody", 2).allowed
        server.stop()
        assert [other.take("reads", "somebody", 2).allowed for _ in range(3)] == [True, True, False]
        assert shared.ask(lambda: pytest.fail("nobody asks before it has cooled down")) is None
        server.start()
        seconds[0] += 10
        assert shared.ask(shared.storage.check) is True
        later = LeasedQuota(shared, now=lambda: NOON)
        assert later.take("changes", "somebody", 1).allowed
        assert not one.take("changes", "somebody", 1).allowed
    finally:
        server.discard()


@pytest.fixture
def shared(redis_url: str) -> Iterator[SharedCounter]:
    counter = SharedCounter(redis_url)
    yield counter
    counter.storage.storage.close()


class Counted:
    """A counter that also counts how often Redis was asked."""

    def __init__(self, shared: SharedCounter) -> None:
        self.storage, self.asked = shared.storage, 0
        self._shared = shared

    def ask(self, question: Callable[[], object]) -> object:
        self.asked += 1
        return self._shared.ask(question)


def test_one_request_in_twenty_asks_redis(shared: SharedCounter) -> None:
    counted = Counted(shared)
    quota = LeasedQuota(counted, now=lambda: NOON)  # type: ignore[arg-type]

    assert all(quota.take("reads", "somebody", 600).allowed for _ in range(600))
    assert counted.asked == 20
    assert not any(quota.take("reads", "somebody", 600).allowed for _ in range(100))
    assert counted.asked == 20


@pytest.mark.parametrize("limit", [1, 7, 19, 20, 39, 120])
def test_a_quota_is_given_whole_and_no_more(shared: SharedCounter, limit: int) -> None:
    quota = LeasedQuota(shared, now=lambda: NOON)
    verdicts = [quota.take("reads", f"caller {limit}", limit) for _ in range(limit + 5)]

    assert [verdict.allowed for verdict in verdicts] == [True] * limit + [False] * 5
    assert [verdict.remaining for verdict in verdicts] == [*range(limit - 1, -1, -1), 0, 0, 0, 0, 0]


def test_a_new_minute_begins_anew(shared: SharedCounter) -> None:
    now = [NOON]
    quota = LeasedQuota(shared, now=lambda: now[0])

    assert [quota.take("reads", "somebody", 1).allowed for _ in range(2)] == [True, False]
    assert quota.is_spent("reads", "somebody")
    now[0] += 60
    assert not quota.is_spent("reads", "somebody")
    assert quota.take("reads", "somebody", 1).allowed


def test_memory_is_bounded_and_who_is_forgotten_gains_nothing(shared: SharedCounter) -> None:
    quota = LeasedQuota(shared, now=lambda: NOON)
    assert quota.take("reads", "the first", 1).allowed
    with shared.storage.storage.pipeline():
        for number in range(MOST_CALLERS):
            quota._lease_of(("reads", str(number)), int(NOON) // 60, 1)

    assert len(quota._leases) == MOST_CALLERS
    assert ("reads", "the first") not in quota._leases
    assert not quota.take("reads", "the first", 1).allowed


def test_the_sliding_quota_is_exact(shared: SharedCounter) -> None:
    quota = SlidingQuota(shared)

    assert [quota.take("login", "somebody", 3).allowed for _ in range(5)] == [True] * 3 + [False] * 2
    assert SlidingQuota(shared).take("login", "somebody", 3).remaining == 0
