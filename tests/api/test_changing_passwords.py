"""Passwords are changed by who knows them, and set anew by who reads the mailbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pytest import Subtests

from config.settings import Settings
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.mailbox import mails_to
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

EMAIL, OLD, NEW = "mona@example.com", "correct horse 42", "another horse 43"
CHANGE, FORGOT, RESET = "/api/v1/auth/change-password", "/api/v1/auth/forgot-password", "/api/v1/auth/reset-password"


@pytest.fixture
def mona(sign_up: SignUp) -> Person:
    return sign_up(email=EMAIL, locale="ar")


def log_in(client: FlaskClient, password: str) -> Any:
    return client.post("/api/v1/auth/login", json={"email": EMAIL, "password": password})


def change(client: FlaskClient, person: Person, new: Any = NEW, current: Any = OLD) -> Any:
    return client.post(CHANGE, json={"current_password": current, "new_password": new}, headers=person.headers)


class TestChanging:
    def test_the_new_password_opens_the_old_one_does_not_and_other_sessions_end(
        self, shop: Shop, mona: Person, settings: Settings
    ) -> None:
        elsewhere = log_in(shop.client, OLD).json
        assert change(shop.client, mona).status_code == 204
        assert log_in(shop.client, OLD).status_code == 401
        assert log_in(shop.client, NEW).status_code == 200
        answer = shop.client.post("/api/v1/auth/refresh", json={"refresh_token": elsewhere["refresh_token"]})
        problem(answer, 401, "session_ended")
        assert shop.client.patch("/api/v1/users/me", json={}, headers=mona.headers).status_code == 200
        shop.deliver_events()
        assert mails_to(EMAIL, settings.home)[-1].subject == "تم تغيير كلمة المرور"

    def test_a_wrong_current_password_is_named_and_counts_as_a_guess(self, shop: Shop, mona: Person) -> None:
        for _ in range(10):
            refused = change(shop.client, mona, current="wrong horse 1")
            problem(refused, 422, "wrong_current_password", pointer="/current_password")
        locked = change(shop.client, mona)
        problem(locked, 429, "too_many_attempts")
        assert int(locked.headers["Retry-After"]) > 0
        problem(log_in(shop.client, OLD), 429, "too_many_attempts")

    def test_new_passwords_keep_the_rules(self, shop: Shop, mona: Person, subtests: Subtests) -> None:
        before = shop.state()
        for new, code in [
            ("short", "invalid_password"),
            ("x1" * 65, "invalid_password"),
            ("password1", "common_password"),
            (EMAIL, "personal_password"),
            ("Mona Adel", "personal_password"),
        ]:
            with subtests.test(new=new[:12]):
                refused = problem(change(shop.client, mona, new), 422, "validation_failed", pointer="/new_password")
                assert [error["code"] for error in refused["errors"]] == [code]
        for body in ({}, {"current_password": OLD}, {"current_password": OLD, "new_password": NEW, "email": EMAIL}):
            answer = shop.client.post(CHANGE, json=body, headers=mona.headers)
            problem(answer, 422, "validation_failed")
        problem(shop.client.post(CHANGE, json={"current_password": OLD, "new_password": NEW}), 401, "unauthorized")
        assert shop.state() == before

    def test_of_two_changes_at_once_one_holds(self, app: Flask, client: FlaskClient, mona: Person) -> None:
        def to(new: str) -> Callable[[], int]:
            return lambda: int(change(app.test_client(), mona, new).status_code)

        answers = all_at_once([to(NEW), to("third camel 44")])
        assert sorted(answers, key=str) == [204, 422]
        assert sorted(log_in(client, new).status_code for new in (NEW, "third camel 44")) == [200, 401]


class Forgetful:
    """Somebody who asks for a link and reads mails."""

    def __init__(self, shop: Shop, settings: Settings) -> None:
        self.shop, self.home = shop, settings.home

    def ask(self, email: str = EMAIL) -> None:
        answer = self.shop.client.post(FORGOT, json={"email": email})
        assert (answer.status_code, answer.json) == (202, {"status": "accepted"})
        self.shop.deliver_events()

    def links(self) -> list[str]:
        return [mail.token for mail in mails_to(EMAIL, self.home) if "reset-password" in mail.text]

    def reset(self, token: str, password: Any = NEW) -> Any:
        return self.shop.client.post(RESET, json={"token": token, "password": password})


@pytest.fixture
def forgetful(shop: Shop, settings: Settings) -> Forgetful:
    return Forgetful(shop, settings)


class TestForgetting:
    def test_the_mailed_link_sets_a_password_once_ends_all_sessions_and_proves_the_address(
        self, forgetful: Forgetful, mona: Person
    ) -> None:
        client = forgetful.shop.client
        forgetful.ask(" MONA@example.com ")
        (token,) = forgetful.links()
        assert forgetful.reset(token).status_code == 204
        problem(client.patch("/api/v1/users/me", json={}, headers=mona.headers), 401, "unauthorized")
        assert log_in(client, OLD).status_code == 401
        signed_in = log_in(client, NEW)
        assert signed_in.json["user"]["email_verified"] is True
        problem(forgetful.reset(token, "third camel 44"), 422, "reset_invalid", pointer="/token")
        assert log_in(client, NEW).status_code == 200
        forgetful.shop.deliver_events()
        assert mails_to(EMAIL, forgetful.home)[-1].subject == "تم تغيير كلمة المرور"

    def test_only_a_hash_of_the_token_is_kept(self, forgetful: Forgetful, mona: Person) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        with connect(forgetful.shop.addresses.owner) as connection:
            for table in ("password_resets", "outbox_events"):
                rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
                assert rows
                assert not [row for row in rows if token in str(row) or token.encode().hex() in str(row)]

    def test_a_link_ends_after_half_an_hour(self, forgetful: Forgetful, mona: Person, clock: MovableClock) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        clock.offset = timedelta(minutes=30, seconds=1)
        problem(forgetful.reset(token), 422, "reset_invalid")

    def test_a_new_link_ends_the_older_one(self, forgetful: Forgetful, mona: Person) -> None:
        forgetful.ask()
        forgetful.ask()
        old, new = forgetful.links()
        problem(forgetful.reset(old), 422, "reset_invalid")
        assert forgetful.reset(new).status_code == 204

    def test_a_changed_password_ends_it_too(self, forgetful: Forgetful, mona: Person) -> None:
        forgetful.ask()
        assert change(forgetful.shop.client, mona).status_code == 204
        problem(forgetful.reset(forgetful.links()[0]), 422, "reset_invalid")

    def test_five_mails_an_hour_are_enough(self, forgetful: Forgetful, mona: Person, clock: MovableClock) -> None:
        for _ in range(7):
            forgetful.ask()
        assert len(forgetful.links()) == 5
        assert forgetful.reset(forgetful.links()[-1]).status_code == 204
        clock.offset = timedelta(hours=1, seconds=1)
        forgetful.ask()
        assert len(forgetful.links()) == 6

    def test_a_password_that_is_refused_does_not_spend_the_link(self, forgetful: Forgetful, mona: Person) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        before = forgetful.shop.state()
        for password in ("short", "password1", "Mona Adel", "x1" * 65):
            problem(forgetful.reset(token, password), 422, "validation_failed", pointer="/password")
        for wrong in ("x", "x" * 200, token[:-1]):
            problem(forgetful.reset(wrong), 422, "reset_invalid", pointer="/token")
        assert forgetful.shop.state() == before
        assert forgetful.reset(token).status_code == 204

    def test_it_unlocks_the_account(self, forgetful: Forgetful, mona: Person) -> None:
        for _ in range(10):
            log_in(forgetful.shop.client, "wrong horse 1")
        problem(log_in(forgetful.shop.client, OLD), 429, "too_many_attempts")
        forgetful.ask()
        assert forgetful.reset(forgetful.links()[0]).status_code == 204
        assert log_in(forgetful.shop.client, NEW).status_code == 200

    def test_nobody_is_mailed_where_there_is_no_account(self, forgetful: Forgetful) -> None:
        forgetful.ask()
        forgetful.ask("not an address")
        assert mails_to(EMAIL, forgetful.home) == []

    @pytest.mark.parametrize("change", ["status = 'DISABLED'", "deleted_at = now()"])
    def test_nor_where_it_may_not_sign_in(
        self, forgetful: Forgetful, mona: Person, addresses: DatabaseAddresses, change: str
    ) -> None:
        forgetful.ask()
        with connect(addresses.owner) as connection:
            connection.execute(f"UPDATE users SET {change}")
        forgetful.ask()
        (token,) = forgetful.links()
        problem(forgetful.reset(token), 422, "reset_invalid")

    def test_the_account_that_proved_the_address_is_meant_and_else_the_newest(
        self, forgetful: Forgetful, mona: Person, sign_up: SignUp
    ) -> None:
        newest = sign_up(email=EMAIL, password="third camel 44")
        forgetful.ask()
        assert forgetful.reset(forgetful.links()[-1]).status_code == 204
        assert log_in(forgetful.shop.client, NEW).json["user"]["id"] == str(newest.user_id)
        sign_up(email=EMAIL, password="fourth donkey 45")
        forgetful.ask()
        assert forgetful.reset(forgetful.links()[-1], "fifth sheep 46").status_code == 204
        assert log_in(forgetful.shop.client, "fifth sheep 46").json["user"]["id"] == str(newest.user_id)

    def test_a_link_for_a_claim_sets_its_password_although_the_address_was_proved_meanwhile(
        self, forgetful: Forgetful, mona: Person, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        other = sign_up(email=EMAIL, password="third camel 44")
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET email_verified_at = now() WHERE id = %s", [other.user_id])
        assert forgetful.reset(token).status_code == 204
        shown = log_in(forgetful.shop.client, NEW).json["user"]
        assert (shown["id"], shown["email_verified"]) == (str(mona.user_id), False)

    def test_a_link_that_is_used_twice_at_once_works_once(self, forgetful: Forgetful, mona: Person, app: Flask) -> None:
        forgetful.ask()
        (token,) = forgetful.links()

        def to(password: str) -> Callable[[], int]:
            body = {"token": token, "password": password}
            return lambda: app.test_client().post(RESET, json=body).status_code

        answers = all_at_once([to(NEW), to("third camel 44")])
        assert sorted(answers, key=str) == [204, 422]

    @pytest.mark.parametrize(
        "body", [{}, {"email": 5}, {"email": EMAIL, "x": 1}, {"email": "x" * 255}, {"email": "\0"}]
    )
    def test_a_request_without_an_address_is_refused(self, shop: Shop, body: dict[str, Any]) -> None:
        problem(shop.client.post(FORGOT, json=body), 422, "validation_failed")


class TestThePage:
    def test_it_asks_for_a_password_and_sets_it_without_scripts(self, forgetful: Forgetful, mona: Person) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        client = forgetful.shop.client
        page = client.get(f"/reset-password?token={token}&lang=en")
        assert page.status_code == 200
        assert token in page.text
        assert "<script" not in page.text
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
        assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        done = client.post("/reset-password?lang=en", data={"token": token, "password": NEW})
        assert (done.status_code, "The password is set" in done.text) == (200, True)
        assert log_in(client, NEW).status_code == 200
        again = client.post("/reset-password?lang=en", data={"token": token, "password": NEW})
        assert (again.status_code, "not valid" in again.text) == (422, True)

    def test_it_says_what_is_wrong_with_a_password_in_the_readers_language_and_asks_again(
        self, forgetful: Forgetful, mona: Person
    ) -> None:
        forgetful.ask()
        (token,) = forgetful.links()
        for password, told in {
            "short": "من 8 إلى 128 حرفا",
            "password1": "معروفة للجميع",
            "Mona Adel": "اسم صاحبها",
        }.items():
            page = forgetful.shop.client.post("/reset-password?lang=ar", data={"token": token, "password": password})
            assert page.status_code == 422
            assert told in page.text
            assert token in page.text
            assert password not in page.text
        assert 'dir="rtl"' in page.text

    def test_odd_forms_end_in_a_page(self, client: FlaskClient, subtests: Subtests) -> None:
        for form in ("", "token=x", "password=x", 'token="><b>&password=%00', "token=%ff&password=" + "x" * 5000):
            with subtests.test(form=str(form)[:30]):
                page = client.post("/reset-password", data=form, content_type="application/x-www-form-urlencoded")
                assert (page.status_code, "<b>" in page.text) == (422, False)
        assert client.get("/reset-password").status_code == 422
        assert '"><b>' not in client.get('/reset-password?token="><b>').text
