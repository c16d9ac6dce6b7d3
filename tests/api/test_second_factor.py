"""The second factor: set up, asked for at sign-in, proved later, lost, and guessed at."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pyotp
import pytest
from werkzeug.test import TestResponse

from application.identity.second_factor import check_second_factor
from config.settings import Settings
from domain.identity.lockout import ACCOUNT_FAILURES
from domain.identity.second_factor import SecondFactorInvalid
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.mailbox import mails_to
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

PASSWORD = "correct horse 42"
PATH = "/api/v1/users/me/second-factor"


@dataclass
class Phone:
    """Somebody with an authenticator app."""

    shop: Shop
    clock: MovableClock
    person: Person
    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    def code(self) -> str:
        """What the app shows now; each time of a later step, because a step is good once."""
        self.clock.offset += timedelta(seconds=31)
        return pyotp.TOTP(self.secret).at(self.clock.now())

    def wrong_code(self) -> str:
        right = {pyotp.TOTP(self.secret).at(self.clock.now(), counter_offset=offset) for offset in (-1, 0, 1)}
        return next(code for code in ("000000", "000001", "000002", "000003") if code not in right)

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.shop.client.post(f"{PATH}{path}", json=body, headers=self.person.headers)

    def start(self) -> dict[str, Any]:
        shown = self.shop.done(self.post("", current_password=PASSWORD), 201)
        self.secret = shown["secret"]
        return shown

    def switch_on(self) -> Phone:
        self.start()
        confirmed = self.shop.done(self.post("/confirm", code=self.code()))
        self.recovery_codes = confirmed["recovery_codes"]
        return self

    def log_in(self, code: str | None = None) -> TestResponse:
        body = {"email": self.person.email, "password": PASSWORD}
        return self.shop.client.post(
            "/api/v1/auth/login", json=body if code is None else {**body, "second_factor_code": code}
        )

    def state(self) -> dict[str, Any]:
        return self.shop.done(self.shop.client.get(PATH, headers=self.person.headers))


@pytest.fixture
def phone(shop: Shop, clock: MovableClock, sign_up: SignUp) -> Iterator[Phone]:
    yield Phone(shop, clock, sign_up())


def proved(running: Running, answer: TestResponse) -> bool:
    """Whether an access token says that its session proved a second factor."""
    use = running.dependencies
    return use.tokens.read(answer.json["access_token"], at=use.clock.now()).second_factor


class TestSettingUp:
    def test_a_secret_is_shown_once_and_counts_when_its_code_was_given(self, phone: Phone) -> None:
        assert phone.state() == {"state": "OFF", "confirmed_at": None, "recovery_codes_left": 0}
        shown = phone.start()
        assert shown["state"] == "PENDING"
        assert phone.state()["state"] == "PENDING"
        assert phone.log_in().status_code == 200

        assert len(phone.shop.done(phone.post("/confirm", code=phone.code()))["recovery_codes"]) == 10

        state = phone.state()
        assert (state["state"], state["recovery_codes_left"]) == ("CONFIRMED", 10)
        assert state["confirmed_at"] is not None
        problem(phone.log_in(), 401, "second_factor_required")

    def test_the_address_and_the_picture_carry_the_secret(self, phone: Phone) -> None:
        shown = phone.start()
        uri = urlsplit(shown["otpauth_uri"])
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        assert parse_qs(uri.query)["secret"] == [shown["secret"]]
        kind, _, content = shown["qr_code"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(base64.b64decode(content)).tag.endswith("svg")  # noqa: S314 - our own

    def test_it_needs_the_password(self, phone: Phone) -> None:
        before = phone.shop.state()
        answer = phone.post("", current_password="wrong horse 42")
        problem(answer, 422, "wrong_current_password", pointer="/current_password")
        after = phone.shop.state()
        assert {name for name in before if before[name] != after[name]} == {"login_failures"}

    def test_guessing_the_password_is_locked_also_for_the_right_one(self, phone: Phone) -> None:
        for _ in range(ACCOUNT_FAILURES):
            problem(phone.post("", current_password="wrong horse 42"), 422, "wrong_current_password")
        locked = phone.post("", current_password=PASSWORD)
        problem(locked, 429, "too_many_attempts")
        assert 0 < int(locked.headers["Retry-After"]) <= 901

    def test_a_confirmed_one_is_not_replaced(self, phone: Phone) -> None:
        phone.switch_on()
        problem(phone.post("", current_password=PASSWORD), 409, "second_factor_already_on")
        problem(phone.post("/confirm", code=phone.code()), 409, "second_factor_already_on")

    def test_one_that_was_never_confirmed_is_replaced(self, phone: Phone) -> None:
        first = phone.start()["secret"]
        phone.start()
        stale = pyotp.TOTP(first).at(phone.clock.now())
        problem(phone.post("/confirm", code=stale), 401, "second_factor_invalid")
        assert phone.post("/confirm", code=phone.code()).status_code == 200

    def test_there_is_nothing_to_confirm_prove_or_switch_off_where_there_is_none(self, phone: Phone) -> None:
        problem(phone.post("/confirm", code="123456"), 409, "second_factor_not_on")
        problem(phone.post("/recovery-codes", current_password=PASSWORD, code="123456"), 409, "second_factor_not_on")
        for method, path, body in (
            ("POST", "/api/v1/auth/second-factor", {"code": "123456"}),
            ("DELETE", PATH, {"current_password": PASSWORD}),
        ):
            answer = phone.shop.client.open(path, method=method, json=body, headers=phone.person.headers)
            problem(answer, 409, "second_factor_not_on")

    def test_no_secret_is_in_the_rows_or_told_by_mail(self, phone: Phone, settings: Settings) -> None:
        phone.switch_on()
        phone.log_in(phone.recovery_codes[0])
        phone.shop.deliver_events()
        secrets = [phone.secret, *phone.recovery_codes, *(code.replace("-", "") for code in phone.recovery_codes)]
        with connect(phone.shop.addresses.owner) as connection:
            tables = ("second_factors", "recovery_codes", "counted_guesses", "outbox_events", "audit_logs")
            dump = str([connection.execute(f"SELECT t::text FROM {table} t").fetchall() for table in tables])  # type: ignore[arg-type]
        told = dump + str(mails_to(phone.person.email, settings.home))
        assert "CONFIRMED" not in told
        assert not [secret for secret in secrets if secret in told or secret.encode().hex() in told]


class TestSigningIn:
    def test_with_a_code_the_session_has_proved_it_and_keeps_that(self, phone: Phone, running: Running) -> None:
        phone.switch_on()
        signed_in = phone.log_in(phone.code())
        assert signed_in.status_code == 200
        assert proved(running, signed_in)
        refreshed = phone.shop.client.post(
            "/api/v1/auth/refresh", json={"refresh_token": signed_in.json["refresh_token"]}
        )
        assert proved(running, refreshed)

    def test_without_a_factor_nothing_is_proved(self, phone: Phone, running: Running) -> None:
        assert not proved(running, phone.log_in())
        assert not proved(running, phone.log_in("123456"))

    def test_a_code_is_asked_for_only_after_the_password(self, phone: Phone) -> None:
        phone.switch_on()
        body = {"email": phone.person.email, "password": "wrong horse 42", "second_factor_code": phone.code()}
        for asked in (body, {**body, "second_factor_code": "000000"}):
            problem(phone.shop.client.post("/api/v1/auth/login", json=asked), 401, "wrong_credentials")

    def test_a_code_of_the_step_before_or_after_is_good_and_further_ones_are_not(self, phone: Phone) -> None:
        phone.switch_on()
        for seconds, is_good in ((-120, False), (120, False), (-30, True), (30, True)):
            phone.clock.offset += timedelta(minutes=5)
            code = pyotp.TOTP(phone.secret).at(phone.clock.now() + timedelta(seconds=seconds))
            assert (phone.log_in(code).status_code == 200) is is_good, seconds

    def test_a_used_code_is_refused(self, phone: Phone) -> None:
        phone.switch_on()
        code = phone.code()
        assert phone.log_in(code).status_code == 200
        problem(phone.log_in(code), 401, "second_factor_invalid")

    def test_the_same_code_twice_at_once_is_good_once(self, phone: Phone, running: Running) -> None:
        phone.switch_on()
        code, use = phone.code(), running.dependencies

        def check() -> Any:
            return check_second_factor(
                phone.person.user_id, code, uow=use.new_uow(), codes=use.one_time_codes, clock=use.clock
            )

        results = all_at_once([check] * 4)

        assert [type(result) for result in results].count(SecondFactorInvalid) == 3

    def test_a_code_that_is_being_spent_is_waited_for(self, phone: Phone, running: Running) -> None:
        phone.switch_on()
        code, use, user_id = phone.code(), running.dependencies, phone.person.user_id

        def check() -> Any:
            return check_second_factor(user_id, code, uow=use.new_uow(), codes=use.one_time_codes, clock=use.clock)

        with ThreadPoolExecutor(1) as threads, use.new_uow() as uow:
            factor = uow.second_factors.get(user_id)
            assert factor is not None
            waiting = threads.submit(check)
            # Long enough for the other one to read the row, if nothing held it back.
            time.sleep(0.4)
            assert factor.accept(use.one_time_codes.step_of(factor.sealed_secret, code, at=use.clock.now()))
            uow.second_factors.save(factor)
            uow.commit()

        assert isinstance(waiting.exception(), SecondFactorInvalid)

    def test_a_recovery_code_is_good_once_and_its_use_is_told(self, phone: Phone, settings: Settings) -> None:
        phone.switch_on()
        code = phone.recovery_codes[0].lower().replace("-", " ")
        assert phone.log_in(code).status_code == 200
        problem(phone.log_in(code), 401, "second_factor_invalid")
        assert phone.state()["recovery_codes_left"] == 9
        phone.shop.deliver_events()
        subjects = [mail.subject for mail in mails_to(phone.person.email, settings.home)]
        assert subjects[-2:] == ["Two-step sign-in is on", "A recovery code was used"]

    def test_a_recovery_code_twice_at_once_is_good_once(self, phone: Phone, running: Running) -> None:
        phone.switch_on()
        use = running.dependencies

        def check() -> Any:
            return check_second_factor(
                phone.person.user_id,
                phone.recovery_codes[0],
                uow=use.new_uow(),
                codes=use.one_time_codes,
                clock=use.clock,
            )

        results = all_at_once([check] * 4)

        assert [type(result) for result in results].count(SecondFactorInvalid) == 3
        assert phone.state()["recovery_codes_left"] == 9

    def test_the_fifth_wrong_code_locks_for_a_quarter_of_an_hour(self, phone: Phone) -> None:
        phone.switch_on()
        for _ in range(5):
            problem(phone.log_in(phone.wrong_code()), 401, "second_factor_invalid")
        for code in (phone.code(), phone.recovery_codes[0]):
            locked = phone.log_in(code)
            problem(locked, 429, "too_many_attempts")
            assert 0 < int(locked.headers["Retry-After"]) <= 901
        phone.clock.offset += timedelta(minutes=15)
        assert phone.log_in(phone.code()).status_code == 200

    def test_wrong_codes_at_once_are_all_counted(self, phone: Phone, running: Running) -> None:
        phone.switch_on()
        wrong, use = phone.wrong_code(), running.dependencies

        def check() -> Any:
            return check_second_factor(
                phone.person.user_id, wrong, uow=use.new_uow(), codes=use.one_time_codes, clock=use.clock
            )

        results = all_at_once([check] * 8)

        assert [type(result) for result in results].count(SecondFactorInvalid) == 5
        problem(phone.log_in(phone.code()), 429, "too_many_attempts")


class TestProvingLater:
    def test_a_session_that_is_signed_in_proves_it_and_keeps_that(
        self, phone: Phone, running: Running, sign_up: SignUp
    ) -> None:
        body = {"email": phone.person.email, "password": PASSWORD}
        earlier = phone.shop.client.post("/api/v1/auth/login", json=body).json
        headers = {"Authorization": f"Bearer {earlier['access_token']}"}
        phone.switch_on()
        asked = {"json": {"code": phone.wrong_code()}, "headers": headers}
        problem(phone.shop.client.post("/api/v1/auth/second-factor", **asked), 401, "second_factor_invalid")

        stepped_up = phone.shop.client.post("/api/v1/auth/second-factor", json={"code": phone.code()}, headers=headers)

        assert stepped_up.status_code == 200
        assert proved(running, stepped_up)
        refreshed = phone.shop.client.post("/api/v1/auth/refresh", json={"refresh_token": earlier["refresh_token"]})
        assert proved(running, refreshed)

    def test_another_session_of_the_account_has_proved_nothing(self, phone: Phone, running: Running) -> None:
        body = {"email": phone.person.email, "password": PASSWORD}
        other = phone.shop.client.post("/api/v1/auth/login", json=body).json
        phone.switch_on()
        refreshed = phone.shop.client.post("/api/v1/auth/refresh", json={"refresh_token": other["refresh_token"]})
        assert not proved(running, refreshed)


class TestDoingWithout:
    def switch_off(self, phone: Phone, **body: Any) -> TestResponse:
        asked = {"current_password": PASSWORD, **body}
        return phone.shop.client.delete(PATH, json=asked, headers=phone.person.headers)

    def test_it_needs_password_and_code(self, phone: Phone) -> None:
        phone.switch_on()
        problem(self.switch_off(phone, current_password="wrong horse 42"), 422, "wrong_current_password")
        problem(self.switch_off(phone), 401, "second_factor_required")
        problem(self.switch_off(phone, code=phone.wrong_code()), 401, "second_factor_invalid")
        assert phone.state()["state"] == "CONFIRMED"

    @pytest.mark.parametrize("way", ["app", "recovery"])
    def test_with_both_sign_in_asks_no_more_and_a_mail_says_so(
        self, phone: Phone, settings: Settings, running: Running, way: str
    ) -> None:
        phone.switch_on()
        refresh_token = phone.log_in(phone.code()).json["refresh_token"]
        answer = self.switch_off(phone, code=phone.code() if way == "app" else phone.recovery_codes[3])
        assert (answer.status_code, answer.data) == (204, b"")
        assert phone.state() == {"state": "OFF", "confirmed_at": None, "recovery_codes_left": 0}
        assert phone.log_in().status_code == 200
        refreshed = phone.shop.client.post("/api/v1/auth/refresh", json={"refresh_token": refresh_token})
        assert not proved(running, refreshed)
        phone.shop.deliver_events()
        assert "Two-step sign-in is off" in {mail.subject for mail in mails_to(phone.person.email, settings.home)}

    def test_one_that_was_never_confirmed_goes_without_a_code(self, phone: Phone) -> None:
        phone.start()
        assert self.switch_off(phone).status_code == 204
        assert phone.state()["state"] == "OFF"

    def test_new_recovery_codes_replace_the_old_ones(self, phone: Phone) -> None:
        phone.switch_on()
        renewed = phone.shop.done(phone.post("/recovery-codes", current_password=PASSWORD, code=phone.code()))
        assert set(renewed["recovery_codes"]).isdisjoint(phone.recovery_codes)
        problem(phone.log_in(phone.recovery_codes[0]), 401, "second_factor_invalid")
        assert phone.log_in(renewed["recovery_codes"][9]).status_code == 200


class TestResetByStaff:
    def reset(self, phone: Phone, by: Person) -> TestResponse:
        path = f"/api/v1/admin/users/{phone.person.user_id}/second-factor/reset"
        return phone.shop.client.post(path, headers=by.headers)

    def test_it_is_taken_away_sessions_end_and_it_is_told_and_recorded(
        self, phone: Phone, settings: Settings, addresses: DatabaseAddresses, sign_up: SignUp
    ) -> None:
        phone.switch_on()
        admin = sign_up("ADMIN")
        assert self.reset(phone, admin).status_code == 204
        problem(phone.post("", current_password=PASSWORD), 401, "unauthorized")
        assert phone.log_in().status_code == 200
        with connect(addresses.owner) as connection:
            row = connection.execute(
                "SELECT user_id, resource_id, changes FROM audit_logs WHERE action = 'users.reset_second_factor'"
            ).fetchone()
        changes = {"before": {"second_factor": "CONFIRMED"}, "after": {"second_factor": "OFF"}}
        assert row == (admin.user_id, phone.person.user_id, changes)
        phone.shop.deliver_events()
        assert "Two-step sign-in was reset by our team" in {
            mail.subject for mail in mails_to(phone.person.email, settings.home)
        }
        problem(self.reset(phone, admin), 409, "second_factor_not_on")

    def test_nobody_resets_who_stands_above_them(self, shop: Shop, clock: MovableClock, sign_up: SignUp) -> None:
        boss = Phone(shop, clock, sign_up("SUPER_ADMIN")).switch_on()
        for role, code in (("ADMIN", "role_not_grantable"), ("EMPLOYEE", "forbidden"), ("CUSTOMER", "wrong_surface")):
            problem(self.reset(boss, sign_up(role)), 403, code)
        assert boss.state()["state"] == "CONFIRMED"
        assert self.reset(boss, sign_up("SUPER_ADMIN")).status_code == 204
