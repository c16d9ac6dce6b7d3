"""What stands between the API and whoever calls: proxies, origins, sizes, headers, versions that are not there."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from pytest import Subtests

from app import LONGEST_ADDRESS
from config.settings import SettingsError, load_settings
from tests.api.shop import SignUp, problem

OURS = "https://app.altayar.test"
PLANS = "/api/v1/memberships/plans"
MakeApp = Callable[..., Flask]


class TestProxies:
    def test_only_what_our_proxies_saw_counts(self, make_app: MakeApp, subtests: Subtests) -> None:
        for hops, forwarded, seen in (
            (0, "203.0.113.9", "127.0.0.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
            (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ):
            with subtests.test(f"{hops} {forwarded}"):
                scheme = "https" if hops == 1 else "http"
                assert self.seen_by(make_app(trusted_proxies=hops), forwarded) == (seen, scheme)

    @staticmethod
    def seen_by(app: Flask, forwarded: str) -> tuple[str | None, str]:
        found = []
        app.before_request(lambda: found.append((request.remote_addr, request.scheme)))
        app.test_client().get(PLANS, headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"})
        return found[0]

    def test_an_invented_address_gains_no_new_quota(self, make_app: MakeApp) -> None:
        client = make_app(rate_limit_scale=0.1).test_client()
        answers = [
            client.post("/api/v1/auth/login", json={}, headers={"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(4)
        ]

        assert [answer.status_code for answer in answers] == [422, 422, 422, 429]

    def test_behind_a_proxy_each_address_has_its_own(self, make_app: MakeApp) -> None:
        client = make_app(rate_limit_scale=0.1, trusted_proxies=1).test_client()
        answers = [
            client.post("/api/v1/auth/login", json={}, headers={"X-Forwarded-For": f"1.1.1.1, 203.0.113.{number}"})
            for number in range(4)
        ]

        assert [answer.status_code for answer in answers] == [422] * 4

    @pytest.mark.parametrize("wrong", ["-1", "11", "all", "1.5"])
    def test_how_many_there_are_is_a_small_number(self, tmp_path_factory: pytest.TempPathFactory, wrong: str) -> None:
        with pytest.raises(SettingsError, match="TRUSTED_PROXIES"):
            load_settings({"ENVIRONMENT": "test", "TRUSTED_PROXIES": wrong}, root=tmp_path_factory.mktemp("home"))


class TestOrigins:
    @pytest.fixture
    def browser(self, make_app: MakeApp) -> FlaskClient:
        return make_app(cors_origins=(OURS, "null")).test_client()

    @staticmethod
    def preflight(origin: str) -> dict[str, str]:
        return {"Origin": origin, "Access-Control-Request-Method": "PATCH"}

    def test_a_preflight_of_ours_is_answered(self, browser: FlaskClient) -> None:
        answer = browser.options("/api/v1/users/me", headers=self.preflight(OURS))

        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == OURS
        assert {"GET", "POST", "PATCH", "PUT", "DELETE"} == set(
            answer.headers["Access-Control-Allow-Methods"].split(", ")
        )
        assert {"Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Content-Type"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(", ")
        )
        assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_a_foreign_origin_is_allowed_nothing(self, browser: FlaskClient) -> None:
        foreign = ("https://evil.test", "null", "", f"{OURS}.evil.test", OURS.replace("s:", ":"))
        for answer in (
            *(browser.options("/api/v1/users/me", headers=self.preflight(origin)) for origin in foreign),
            *(browser.get(PLANS, headers={"Origin": origin}) for origin in foreign),
        ):
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
            assert "Origin" in answer.headers["Vary"]

    def test_scripts_may_read_the_headers_that_clients_need(self, browser: FlaskClient) -> None:
        answers = [browser.get(path, headers={"Origin": OURS}) for path in (PLANS, "/api/v1/nowhere")]

        for answer in answers:
            exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
            assert {"ETag", "Retry-After", "Location", "X-Request-Id", "Idempotent-Replayed"} <= exposed
            assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= exposed


class Trickling(io.BytesIO):
    """A body that comes by the byte, as a server may hand it over (PEP 3333 promises no more)."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size, 1) if size is not None and size >= 0 else size)


class BreakingOff(io.BytesIO):
    """A body of which nothing more comes."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self._error


class TestSizes:
    def test_a_body_is_at_most_a_mebibyte(self, client: FlaskClient) -> None:
        answer = client.post("/api/v1/auth/login", data=b" " * (1024 * 1024 + 1), content_type="application/json")
        problem(answer, 413, "payload_too_large")

    def test_a_body_that_comes_bit_by_bit_is_read_whole(self, client: FlaskClient) -> None:
        said = b'{"email": "mona@example.com", "password": "not the right one"}'
        answer = client.post(
            "/api/v1/auth/login",
            input_stream=Trickling(said),
            content_length=len(said),
            content_type="application/json",
        )
        problem(answer, 401, "wrong_credentials")

    @pytest.mark.parametrize("error", [None, OSError(), ValueError()], ids=["end", "connection lost", "closed"])
    def test_a_body_that_breaks_off_is_a_malformed_request(self, client: FlaskClient, error: Exception | None) -> None:
        sent = io.BytesIO(b'{"email": "mo') if error is None else BreakingOff(error)
        answer = client.post(
            "/api/v1/auth/login", input_stream=sent, content_length=60, content_type="application/json"
        )
        problem(answer, 400, "malformed_request")

    def test_an_address_is_at_most_seven_kibibytes(self, client: FlaskClient) -> None:
        assert client.get(f"{PLANS}?x={'x' * 3000}").status_code == 200
        problem(client.get(f"{PLANS}?x={'x' * LONGEST_ADDRESS}"), 414, "address_too_long")
        problem(client.get(f"/api/v1/{'x' * LONGEST_ADDRESS}"), 414, "address_too_long")

    def test_json_is_not_nested_without_end(self, client: FlaskClient) -> None:
        for text in ("[" * 100_000, '{"a":' * 100_000):
            answer = client.post("/api/v1/auth/login", data=text, content_type="application/json")
            problem(answer, 400, "malformed_request")

    def test_a_form_has_at_most_a_hundred_parts(self, client: FlaskClient) -> None:
        answers = [
            client.post(
                "/verify-email",
                data={f"field{number}": "x" for number in range(parts)},
                content_type="multipart/form-data",
            )
            for parts in (100, 101)
        ]
        assert [answer.status_code for answer in answers] == [422, 413]


def test_headers_that_protect_stand_on_every_answer(client: FlaskClient, sign_up: SignUp) -> None:
    person = sign_up()
    fresh = client.get("/api/v1/users/me", headers=person.headers)
    answers = [
        fresh,
        client.get("/api/v1/users/me", headers={**person.headers, "If-None-Match": fresh.headers["ETag"]}),
        client.get("/api/v1/users/me"),
        client.get("/api/v1/nowhere"),
        client.put("/api/v1/users/me"),
        client.post("/api/v1/auth/login", data="{"),
        client.get("/health/live"),
        client.get("/docs"),
    ]

    assert [answer.status_code for answer in answers] == [200, 304, 401, 404, 405, 415, 200, 200]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-Id"]
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers[:6])


def test_versions_that_are_not_there_are_not_found(client: FlaskClient) -> None:
    for path in ("/api/v0/packages", "/api/v2/packages", "/api/packages", "/api/v1"):
        problem(client.get(path), 404, "not_found")
