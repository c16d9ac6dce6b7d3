"""An address is a claim until it is proved, and nobody learns who has an account (S5, decision 0008)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pytest import Subtests

from app import create_app
from config.settings import Settings
from domain.identity.lockout import Attempt
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.prepared import Parameters, PreparedStatements
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from security.password_handler import BcryptPasswords
from tests.api.mailbox import mails_to
from tests.api.shop import Shop, problem
from tests.conftest import MovableClock
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

EMAIL, PASSWORD = "mona@example.com", "correct horse 42"
ANOTHER = "another horse 42"
REGISTER, LOGIN = "/api/v1/auth/register", "/api/v1/auth/login"
ME = "/api/v1/users/me"


def registration(**changed: Any) -> dict[str, Any]:
    return {"email": EMAIL, "password": PASSWORD, "first_name": "منى", "last_name": "Adel", "locale": "ar", **changed}


@pytest.fixture
def proved(shop: Shop, settings: Settings) -> dict[str, Any]:
    """Mona's account, whose address is proved."""
    signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
    shop.deliver_events()
    token = mails_to(EMAIL, settings.home)[-1].token
    shop.done(shop.client.post("/api/v1/auth/verify-email", json={"token": token}))
    return signed_in


def log_in(client: FlaskClient, password: str = PASSWORD, email: str = EMAIL) -> Any:
    return client.post(LOGIN, json={"email": email, "password": password})


class TestClaims:
    def test_any_number_of_accounts_claim_an_address_and_each_signs_in_with_its_own_password(
        self, client: FlaskClient
    ) -> None:
        ids = {}
        for password in ("correct horse 42", "wrong donkey 43", "third camel 44"):
            answer = client.post(REGISTER, json=registration(password=password))
            assert answer.status_code == 201
            ids[password] = answer.json["user"]["id"]
        assert len(set(ids.values())) == 3
        for password, user_id in ids.items():
            assert log_in(client, password).json["user"]["id"] == user_id

    def test_the_accounts_of_an_address_share_one_salt(self, shop: Shop) -> None:
        for password in ("correct horse 42", "wrong donkey 43"):
            shop.done(shop.client.post(REGISTER, json=registration(password=password)), 201)
        hashes = [row["password_hash"] for row in shop.database.rows("SELECT password_hash FROM users")]
        assert len(set(hashes)) == 2
        assert len({known[:29] for known in hashes}) == 1

    def test_to_register_with_the_password_that_one_has_is_to_sign_in(self, shop: Shop, proved: dict[str, Any]) -> None:
        answer = shop.client.post(REGISTER, json=registration(first_name="Another", phone="+20 100 000 0000"))
        signed_in = shop.done(answer, 201)
        assert signed_in["user"]["id"] == proved["user"]["id"]
        assert (signed_in["user"]["first_name"], signed_in["user"]["phone"]) == ("منى", None)
        assert signed_in["user"]["email_verified"] is True
        assert shop.database.row("SELECT count(*) AS count FROM users") == {"count": 1}

    @pytest.mark.parametrize("change", ["status = 'DISABLED'", "deleted_at = now()"])
    def test_who_may_not_sign_in_does_not_do_so_by_registering(
        self, shop: Shop, proved: dict[str, Any], addresses: DatabaseAddresses, change: str
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute(f"UPDATE users SET {change}")
        signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        assert signed_in["user"]["id"] != proved["user"]["id"]
        assert signed_in["user"]["email_verified"] is False

    def test_the_owner_of_a_proved_address_is_told_and_sees_nothing_that_a_stranger_wrote(
        self, shop: Shop, proved: dict[str, Any], settings: Settings
    ) -> None:
        stranger = registration(password="another horse 42", first_name="Visit evil.example", locale="en")
        shop.done(shop.client.post(REGISTER, json=stranger), 201)
        shop.deliver_events()
        mail = mails_to(EMAIL, settings.home)[-1]
        assert mail.subject == "لديك حساب بالفعل"
        assert "منى" in mail.text
        assert "evil" not in mail.text
        assert "token=" not in mail.text

    def test_an_address_is_proved_once_and_other_claims_go_on_without(self, shop: Shop, settings: Settings) -> None:
        shop.done(shop.client.post(REGISTER, json=registration()), 201)
        second = shop.done(shop.client.post(REGISTER, json=registration(password="another horse 42")), 201)
        shop.deliver_events()
        one, other = (mail.token for mail in mails_to(EMAIL, settings.home))
        shop.done(shop.client.post("/api/v1/auth/verify-email", json={"token": one}))
        before = shop.state()
        problem(shop.client.post("/api/v1/auth/verify-email", json={"token": other}), 409, "email_taken")
        assert shop.client.post("/verify-email", data={"token": other}).status_code == 409
        assert shop.state() == before
        assert shop.done(log_in(shop.client, "another horse 42"))["user"]["id"] == second["user"]["id"]

    def test_of_two_who_prove_an_address_at_once_one_has_it(self, shop: Shop, settings: Settings, app: Flask) -> None:
        for password in ("correct horse 42", "another horse 42"):
            shop.done(shop.client.post(REGISTER, json=registration(password=password)), 201)
        shop.deliver_events()
        tokens = [mail.token for mail in mails_to(EMAIL, settings.home)]

        def prove(token: str) -> Callable[[], int]:
            return lambda: app.test_client().post("/api/v1/auth/verify-email", json={"token": token}).status_code

        answers = all_at_once([prove(token) for token in tokens])
        assert sorted(answers, key=str) == [200, 409]
        counted = shop.database.row("SELECT count(*) AS count FROM users WHERE email_verified_at IS NOT NULL")
        assert counted == {"count": 1}

    def test_an_address_whose_account_was_closed_is_free(
        self, shop: Shop, proved: dict[str, Any], settings: Settings
    ) -> None:
        headers = {"Authorization": f"Bearer {proved['access_token']}"}
        assert shop.client.delete("/api/v1/users/me", headers=headers).status_code == 204
        again = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        assert again["user"]["id"] != proved["user"]["id"]
        shop.deliver_events()
        token = mails_to(EMAIL, settings.home)[-1].token
        assert shop.done(shop.client.post("/api/v1/auth/verify-email", json={"token": token}))["email_verified"] is True

    def test_a_token_that_was_mailed_to_a_closed_account_proves_nothing(self, shop: Shop, settings: Settings) -> None:
        signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        shop.deliver_events()
        headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        shop.client.delete("/api/v1/users/me", headers=headers)
        token = mails_to(EMAIL, settings.home)[-1].token
        problem(shop.client.post("/api/v1/auth/verify-email", json={"token": token}), 422, "verification_invalid")

    def test_another_link_is_sent_three_times_an_hour(
        self, shop: Shop, settings: Settings, clock: MovableClock
    ) -> None:
        signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        shop.deliver_events()
        for _ in range(2):
            shop.done(shop.client.post(f"{ME}/email/verification", headers=headers), 202)
            shop.deliver_events()
        refused = shop.client.post(f"{ME}/email/verification", headers=headers)
        problem(refused, 429, "too_many_attempts")
        assert 3590 < int(refused.headers["Retry-After"]) <= 3601
        assert len(mails_to(EMAIL, settings.home)) == 3

        token = mails_to(EMAIL, settings.home)[-1].token
        shop.done(shop.client.post("/api/v1/auth/verify-email", json={"token": token}))
        clock.offset = timedelta(minutes=10)
        problem(shop.client.post(f"{ME}/email/verification", headers=headers), 409, "email_already_verified")

    def test_the_owner_of_an_address_is_not_written_to_again_and_again(
        self, shop: Shop, proved: dict[str, Any], settings: Settings
    ) -> None:
        other = shop.done(shop.client.post(REGISTER, json=registration(password="another horse 43")), 201)
        shop.deliver_events()
        told = len(mails_to(EMAIL, settings.home))
        headers = {"Authorization": f"Bearer {other['access_token']}"}
        shop.done(shop.client.post(f"{ME}/email/verification", headers=headers), 202)
        shop.deliver_events()
        assert len(mails_to(EMAIL, settings.home)) == told

    def test_names_and_addresses_are_no_passwords(self, shop: Shop) -> None:
        before = shop.state()
        for password in (EMAIL, "mona.Adel", "monaadel"):
            body = registration(email="mona.adel@example.com", first_name="Mona", password=password)
            if password == EMAIL:
                body["email"] = EMAIL
            refused = problem(shop.client.post(REGISTER, json=body), 422, "validation_failed", pointer="/password")
            assert refused["errors"][0]["code"] == "personal_password"
        assert shop.state() == before


class TestNobodyLearnsWhoHasAnAccount:
    """The same answers, the same number of slow hashes, the same statements."""

    @pytest.fixture(autouse=True)
    def _with(self, running: Running, proved: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.hashed: list[int] = []
        passwords = BcryptPasswords(4, self._counted)
        use = replace(running.dependencies, passwords=passwords)
        self.client = create_app(running=replace(running, dependencies=use)).test_client()
        log_in(self.client, email="warm@example.com")
        self.statements: list[str] = []
        execute, send = psycopg.Cursor.execute, PreparedStatements._send

        def remembered(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
            self.statements.append(str(query))
            return execute(cursor, query, *args, **options)

        def remembered_if_prepared(prepared: PreparedStatements, sql: str, parameters: Parameters) -> Any:
            answer = send(prepared, sql, parameters)
            if answer is not None:
                self.statements.append(sql)
            return answer

        # What is not prepared yet goes through a cursor.
        monkeypatch.setattr(psycopg.Cursor, "execute", remembered)
        monkeypatch.setattr(PreparedStatements, "_send", remembered_if_prepared)

    def _counted(self, work: Callable[[], bytes]) -> bytes:
        self.hashed.append(1)
        return work()

    def seen(self, path: str, body: dict[str, Any]) -> tuple[Any, ...]:
        """What somebody outside sees of a request, and what it cost."""
        self.hashed.clear()
        self.statements.clear()
        answer = self.client.post(path, json=body)
        assert answer.json is not None
        said = {name: value for name, value in answer.json.items() if name in ("code", "title", "detail", "status")}
        return (
            answer.status_code,
            sorted(answer.json),
            sorted(answer.json.get("user", [])),
            said,
            sorted(answer.headers.keys()),
            len(self.hashed),
            list(self.statements),
        )

    def test_by_registering(self) -> None:
        known = self.seen(REGISTER, registration(password="another horse 42"))
        unknown = self.seen(REGISTER, registration(email="nobody@example.com", password="another horse 42"))
        assert known == unknown
        assert (known[0], known[5]) == (201, 1)
        assert len(known[6]) > 5

    def test_by_signing_in(self, subtests: Subtests, shop: Shop) -> None:
        shop.client.post(REGISTER, json=registration(email="claimed@example.com"))
        unknown = self.seen(LOGIN, {"email": "nobody@example.com", "password": "another horse 42"})
        assert (unknown[0], unknown[5]) == (401, 1)
        for email in (EMAIL, "claimed@example.com", "no address"):
            with subtests.test(email=email):
                assert self.seen(LOGIN, {"email": email, "password": "another horse 42"}) == unknown

    def test_by_forgetting_a_password(self, subtests: Subtests) -> None:
        unknown = self.seen("/api/v1/auth/forgot-password", {"email": "nobody@example.com"})
        assert (unknown[0], unknown[5]) == (202, 0)
        assert len([statement for statement in unknown[6] if "INTO outbox_events" in statement]) == 1
        for email in (EMAIL, "no address"):
            with subtests.test(email=email):
                assert self.seen("/api/v1/auth/forgot-password", {"email": email}) == unknown

    def test_by_being_locked_out(self, subtests: Subtests) -> None:
        told = {}
        for email in (EMAIL, "nobody@example.com"):
            with subtests.test(email=email):
                seen = [self.seen(LOGIN, {"email": email, "password": f"wrong horse {n}"}) for n in range(11)]
                assert [one[0] for one in seen] == [401] * 10 + [429]
                told[email] = [(one[1], one[4], one[5], one[6]) for one in seen]
        assert told[EMAIL] == told["nobody@example.com"]

    def test_by_registering_first_and_counting_failures_afterwards(self) -> None:
        statuses = {}
        for email in (EMAIL, "nobody@example.com"):
            self.seen(REGISTER, registration(email=email, password="another horse 42"))
            body = {"email": email, "password": "wrong horse 1"}
            statuses[email] = [self.seen(LOGIN, body)[0] for _ in range(10)]
        assert statuses[EMAIL] == statuses["nobody@example.com"] == [401] * 10


class TestLockout:
    def fail(self, client: FlaskClient, times: int, email: str = EMAIL) -> None:
        for number in range(times):
            problem(log_in(client, f"wrong horse {number}", email), 401, "wrong_credentials")

    def test_ten_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour(
        self, client: FlaskClient, proved: dict[str, Any], clock: MovableClock
    ) -> None:
        self.fail(client, 10)
        locked = log_in(client)
        problem(locked, 429, "too_many_attempts")
        assert 890 <= int(locked.headers["Retry-After"]) <= 901
        assert log_in(client, email="other@example.com").status_code == 401
        clock.offset = timedelta(minutes=14, seconds=50)
        problem(log_in(client), 429, "too_many_attempts")
        clock.offset = timedelta(minutes=15, seconds=1)
        assert log_in(client).status_code == 200
        self.fail(client, 1)

    def test_the_right_password_begins_the_count_anew(self, client: FlaskClient, proved: dict[str, Any]) -> None:
        for _ in range(3):
            self.fail(client, 9)
            assert log_in(client).status_code == 200

    @pytest.mark.parametrize("way", [LOGIN, REGISTER, "/api/v1/users/me/second-factor", "/api/v1/auth/change-password"])
    def test_a_claims_right_password_takes_nothing_back_that_counts_for_the_owner(
        self, shop: Shop, proved: dict[str, Any], way: str
    ) -> None:
        claim = shop.done(shop.client.post(REGISTER, json=registration(password=ANOTHER)), 201)
        assert claim["user"]["id"] != proved["user"]["id"]
        self.fail(shop.client, 9)
        assert self.right(shop.client, way, claim).status_code in (200, 201, 204)
        self.fail(shop.client, 1)
        problem(log_in(shop.client), 429, "too_many_attempts")

    def right(self, client: FlaskClient, way: str, claim: dict[str, Any]) -> Any:
        """Somebody gives the right password of their own account, where one is asked for."""
        body = {
            LOGIN: {"email": EMAIL, "password": ANOTHER},
            REGISTER: registration(password=ANOTHER),
            "/api/v1/users/me/second-factor": {"current_password": ANOTHER},
            "/api/v1/auth/change-password": {"current_password": ANOTHER, "new_password": "third camel 44"},
        }[way]
        return client.post(way, json=body, headers={"Authorization": f"Bearer {claim['access_token']}"})

    def test_nor_do_guesses_by_registering_begin_anew(self, shop: Shop, proved: dict[str, Any]) -> None:
        shop.done(shop.client.post(REGISTER, json=registration(password=ANOTHER)), 201)
        for number in range(9):
            shop.done(shop.client.post(REGISTER, json=registration(password=f"wrong horse {number}")), 201)
            shop.done(shop.client.post(REGISTER, json=registration(password=ANOTHER)), 201)
        guessed = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        assert guessed["user"]["id"] != proved["user"]["id"]

    def test_whoever_claims_an_address_does_not_see_in_the_count_whether_others_do(
        self, shop: Shop, proved: dict[str, Any]
    ) -> None:
        told = {}
        for email in (EMAIL, "nobody@example.com"):
            shop.done(shop.client.post(REGISTER, json=registration(email=email, password=ANOTHER)), 201)
            self.fail(shop.client, 9, email)
            told[email] = [log_in(shop.client, ANOTHER, email).status_code]
            self.fail(shop.client, 1, email)
            told[email].append(log_in(shop.client, ANOTHER, email).status_code)
        assert told[EMAIL] == told["nobody@example.com"] == [200, 429]

    def test_a_claims_failures_run_out_by_time(self, client: FlaskClient, clock: MovableClock) -> None:
        assert client.post(REGISTER, json=registration()).status_code == 201
        self.fail(client, 9)
        assert log_in(client).status_code == 200
        clock.offset = timedelta(minutes=15, seconds=1)
        self.fail(client, 9)
        assert log_in(client).status_code == 200

    def test_failures_of_long_ago_do_not_count(
        self, client: FlaskClient, proved: dict[str, Any], clock: MovableClock
    ) -> None:
        self.fail(client, 9)
        clock.offset = timedelta(minutes=15, seconds=1)
        self.fail(client, 9)
        assert log_in(client).status_code == 200

    def test_the_owner_is_told_once_in_their_language(
        self, shop: Shop, proved: dict[str, Any], settings: Settings
    ) -> None:
        self.fail(shop.client, 10)
        for _ in range(3):
            problem(log_in(shop.client), 429, "too_many_attempts")
        shop.deliver_events()
        told = [mail.subject for mail in mails_to(EMAIL, settings.home)]
        assert told[1:] == ["أُوقف تسجيل الدخول إلى حسابك مؤقتًا"]

    def test_an_address_that_nobody_proved_is_told_nothing(self, shop: Shop, settings: Settings) -> None:
        self.fail(shop.client, 10)
        shop.deliver_events()
        assert mails_to(EMAIL, settings.home) == []

    def test_an_account_that_is_locked_is_not_signed_in_to_by_registering(
        self, shop: Shop, proved: dict[str, Any]
    ) -> None:
        self.fail(shop.client, 10)
        signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        assert signed_in["user"]["id"] != proved["user"]["id"]

    def test_ten_guesses_by_registering_are_the_last_that_can_be_right(
        self, shop: Shop, proved: dict[str, Any], clock: MovableClock
    ) -> None:
        for number in range(10):
            shop.done(shop.client.post(REGISTER, json=registration(password=f"wrong horse {number}")), 201)
        signed_in = shop.done(shop.client.post(REGISTER, json=registration()), 201)
        assert signed_in["user"]["id"] != proved["user"]["id"]
        assert log_in(shop.client).json["user"]["id"] == proved["user"]["id"]

    def test_an_address_that_tries_many_accounts_is_locked_and_others_are_not(
        self, settings: Settings, addresses: DatabaseAddresses, clock: MovableClock
    ) -> None:
        running = bootstrap(replace(settings, rate_limit_scale=0.2), database=Database(addresses.app), clock=clock)
        # Its own rate limits would come first: the app has the tests' generous ones.
        client = create_app(settings, running).test_client()
        for number in range(20):
            self.fail(client, 1, f"user{number}@example.com")
        problem(log_in(client), 429, "too_many_attempts")
        elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
        body = {"email": EMAIL, "password": PASSWORD}
        assert client.post(LOGIN, json=body, environ_overrides=elsewhere).status_code == 401
        running.close()

    def test_what_is_kept_names_neither_accounts_nor_addresses(self, shop: Shop, proved: dict[str, Any]) -> None:
        self.fail(shop.client, 1)
        with connect(shop.addresses.owner) as connection:
            kept = "".join(row[0] for row in connection.execute("SELECT f::text FROM login_failures f").fetchall())
            assert kept
        for secret in (EMAIL, EMAIL.encode().hex(), "127.0.0.1", b"127.0.0.1".hex()):
            assert secret not in kept

    def test_of_many_guesses_at_once_ten_are_answered(self, shop: Shop, app: Flask, proved: dict[str, Any]) -> None:
        def guess(number: int) -> Callable[[], int]:
            return lambda: int(log_in(app.test_client(), f"wrong horse {number}").status_code)

        answers = all_at_once([guess(number) for number in range(30)])
        assert set(answers) <= {401, 429}
        failures = shop.database.rows("SELECT failures FROM login_failures ORDER BY failures")
        # Account and address were counted by every attempt that was not refused at once, each exactly once.
        assert [row["failures"] for row in failures][-2:] == [answers.count(401)] * 2
        assert answers.count(401) >= 10
        problem(log_in(shop.client), 429, "too_many_attempts")
        assert shop.database.row(
            "SELECT count(*) AS count FROM outbox_events WHERE name = 'identity.account_locked'"
        ) == {"count": 1}

    @pytest.mark.parametrize("is_proved", [True, False])
    def test_the_right_guess_among_many_is_refused_once_the_account_is_locked(
        self, running: Running, request: pytest.FixtureRequest, client: FlaskClient, is_proved: bool
    ) -> None:
        """The lock that others set while this password was being hashed holds for it, too."""
        if is_proved:
            request.getfixturevalue("proved")
        else:
            client.post(REGISTER, json=registration())
        failing = create_app(running=running).test_client()

        class SlowPasswords(BcryptPasswords):
            def verify(_, password: str, hashes: Sequence[str]) -> int | None:  # noqa: N805
                self.fail(failing, 10)
                return super(SlowPasswords, _).verify(password, hashes)

        use = replace(running.dependencies, passwords=SlowPasswords(4))
        slow = create_app(running=replace(running, dependencies=use)).test_client()
        problem(log_in(slow), 429, "too_many_attempts")

    @pytest.mark.parametrize("is_proved", [True, False])
    def test_the_right_password_waits_for_a_guess_that_is_being_counted(
        self,
        running: Running,
        request: pytest.FixtureRequest,
        client: FlaskClient,
        addresses: DatabaseAddresses,
        is_proved: bool,
    ) -> None:
        if is_proved:
            request.getfixturevalue("proved")
        else:
            client.post(REGISTER, json=registration())
        self.fail(client, 9)
        use, attempt = running.dependencies, Attempt(EMAIL, "192.0.2.7")

        def tenth() -> None:
            with use.new_uow() as uow:
                uow.login_failures.add(attempt, at=use.clock.now())
                uow.commit()

        refused = one_behind_the_other(
            tenth,
            lambda: log_in(create_app(running=running).test_client()),
            database=running.database,
            addresses=addresses,
        )
        assert not isinstance(refused, BaseException)
        problem(refused, 429, "too_many_attempts")


class TestCosts:
    def test_a_sign_in_after_the_cost_was_changed_hashes_anew(
        self, running: Running, shop: Shop, proved: dict[str, Any]
    ) -> None:
        use = replace(running.dependencies, passwords=BcryptPasswords(5))
        client = create_app(running=replace(running, dependencies=use)).test_client()
        for _ in range(2):
            assert log_in(client).status_code == 200
            (row,) = shop.database.rows("SELECT password_hash FROM users")
            assert row["password_hash"].startswith("$2b$05$")
        assert log_in(client, "wrong horse 1").status_code == 401

    def test_what_was_a_password_before_the_rules_still_opens(
        self, running: Running, shop: Shop, proved: dict[str, Any], addresses: DatabaseAddresses
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET password_hash = %s", [BcryptPasswords(5).rehash("password")])
        assert log_in(shop.client, "password").status_code == 200
        assert log_in(shop.client, "password").status_code == 200


class TestPasswordsOfAnyKind:
    PASSWORDS = (
        "a" * 72 + "1",
        "كلمة سر طويلة جدا لا ينساها صاحبها أبدا مهما طال الزمن ١",
        "🔑🗝🔒🔓🛡🧿🕌🐪1",
        "nul\0inside1",
        "x1" * 64,
    )

    def test_they_work_and_differ_in_their_last_byte(self, client: FlaskClient, subtests: Subtests) -> None:
        for number, password in enumerate(self.PASSWORDS):
            with subtests.test(password=password[:12]):
                email = f"user{number}@example.com"
                assert client.post(REGISTER, json=registration(email=email, password=password)).status_code == 201
                assert log_in(client, password, email).status_code == 200
                other = password[:-1] + ("٢" if password.endswith("١") else "2")
                problem(log_in(client, other, email), 401, "wrong_credentials")

    def test_none_breaks_anything(self, client: FlaskClient, subtests: Subtests) -> None:
        bodies = [
            '"\\ud800 and more"',
            '"\\u0000"',
            '"' + "x" * 1024 + '"',
            '"' + "🔑" * 1024 + '"',
            '"' + "x" * 1025 + '"',
        ]
        for path in (REGISTER, LOGIN):
            for password in bodies:
                with subtests.test(path=path, password=password[:12]):
                    extra = ', "first_name": "M", "last_name": "A"' if path == REGISTER else ""
                    body = f'{{"email": "{EMAIL}", "password": {password}{extra}}}'
                    answer = client.post(path, data=body.encode(), content_type="application/json")
                    assert answer.status_code in (400, 401, 422)


@pytest.fixture(autouse=True)
def _no_statement_is_left_waiting(running: Running) -> Iterator[None]:
    yield
    assert not running.database.in_transaction
