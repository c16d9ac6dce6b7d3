"""What every answer has: an id, headers that protect, and failures told in the reader's language."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pytest import Subtests

from app import create_app
from domain.shared.errors import DomainError
from infrastructure.bootstrap import Running
from infrastructure.database.refusals import DatabaseUnavailable
from middlewares.messages import MESSAGES
from tests.api.shop import Shop, SignUp, problem

pytestmark = pytest.mark.database

ARABIC = re.compile(r"[؀-ۿ]")


def _families(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind}.union(*map(_families, kind.__subclasses__()))


def test_every_error_has_sentences_in_both_languages(app: Flask) -> None:
    codes = {kind.code for kind in _families(DomainError)} - {"error"}
    assert codes <= set(MESSAGES)
    for code, (english, arabic) in MESSAGES.items():
        assert all(text and not ARABIC.search(text) for text in english), code
        assert all(ARABIC.search(text) for text in arabic), code


def test_a_problem_speaks_arabic_or_english_as_asked(client: FlaskClient) -> None:
    arabic = problem(client.get("/api/v1/users/me", headers={"Accept-Language": "ar-EG,en;q=0.5"}), 401, "unauthorized")
    english = problem(client.get("/api/v1/users/me", headers={"Accept-Language": "en"}), 401, "unauthorized")
    other = problem(client.get("/api/v1/users/me", headers={"Accept-Language": "fr"}), 401, "unauthorized")
    assert ARABIC.search(arabic["title"])
    assert ARABIC.search(arabic["detail"])
    assert english["title"] == other["title"] == "Sign in first"
    assert {name for name in arabic if arabic[name] != english[name]} == {"title", "detail", "request_id"}


def test_field_errors_speak_the_same_language(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    answer = shop.post("/api/v1/bookings", customer, {"colour": "red"}, Accept_Language="ar")
    refused = problem(answer, 422, "validation_failed", pointer="/colour")
    assert answer.headers["Content-Language"] == "ar"
    assert all(ARABIC.search(error["detail"]) for error in refused["errors"])


def test_a_state_that_forbids_a_step_is_named(shop: Shop, sign_up: SignUp) -> None:
    booking = shop.book(sign_up(), shop.offer())
    path = f"/api/v1/bookings/{booking['id']}/start"
    refused = problem(shop.post(path, shop.admin, {"override_reason": "test"}), 409, "illegal_transition")
    assert refused["current_status"] == "PENDING_PAYMENT"
    assert "PENDING_PAYMENT" in refused["detail"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdef-123._", True),
        ("x" * 80, True),
        ("short", False),
        ("x" * 81, False),
        ("with space", False),
        ("مفتاح-طويل", False),
    ],
)
def test_a_request_id_is_echoed_where_it_is_a_plain_word(client: FlaskClient, given: str, kept: bool) -> None:
    for path in ("/health/live", "/api/v1/packages", "/api/v1/nothing"):
        answer = client.get(path, headers={"X-Request-Id": given})
        shown = answer.headers["X-Request-Id"]
        assert (shown == given) is kept
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,80}", shown)


def test_every_answer_protects_its_reader(shop: Shop, sign_up: SignUp, subtests: Subtests) -> None:
    customer = sign_up()
    for path in ("/health/live", "/api/v1/packages", "/api/v1/users/me", "/api/v1/nothing", "/openapi.json", "/docs"):
        with subtests.test(path=path):
            headers = shop.get(path, customer).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            if path.startswith("/api/"):
                assert headers["Cache-Control"] == "no-store"


def test_what_is_not_there_is_404_and_other_methods_405(client: FlaskClient) -> None:
    problem(client.get("/api/v1/nothing"), 404, "not_found")
    problem(client.get("/api/v1/bookings/not-a-uuid"), 404, "not_found")
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        answer = client.open("/api/v1/quotes", method=method)
        problem(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]


def test_an_unreachable_database_is_503_with_retry_after(
    client: FlaskClient, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable()

    monkeypatch.setattr(type(running.database), "rows", refuse)
    answer = client.get("/api/v1/packages")
    problem(answer, 503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_fault_of_ours_says_nothing_but_its_id(
    client: FlaskClient, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2 SELECT * FROM users")

    monkeypatch.setattr(type(running.database), "rows", break_down)
    answer = client.get("/api/v1/packages", headers={"X-Request-Id": "what-support-asks"})
    fault = problem(answer, 500, "internal_error")
    assert fault["request_id"] == "what-support-asks"
    assert "hunter2" not in answer.text


def test_too_many_sign_ins_are_429_with_retry_after(running: Running) -> None:
    strict = dataclasses.replace(running, settings=dataclasses.replace(running.settings, rate_limit_scale=0.1))
    client = create_app(running=strict).test_client()
    body = {"email": "nobody@example.com", "password": "wrong password"}
    answers = [client.post("/api/v1/auth/login", json=body) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    problem(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["Retry-After"]) > 0
