"""Accounts and tokens: who is let in, as whom, and until when."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient
from pytest import Subtests

from config.settings import Settings
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

REGISTRATION = {
    "email": "mona@example.com",
    "password": "correct horse 42",
    "first_name": "منى",
    "last_name": "Adel",
    "phone": "+20 100 000 0000",
    "locale": "ar",
}


def me(client: FlaskClient, token: str) -> Any:
    return client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class TestRegistration:
    def test_it_signs_the_customer_in(self, client: FlaskClient) -> None:
        answer = client.post("/api/v1/auth/register", json=REGISTRATION)
        assert answer.status_code == 201
        assert set(answer.json) == {"user", "access_token", "refresh_token", "token_type", "expires_in"}
        assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
        shown = me(client, answer.json["access_token"]).json
        assert shown == answer.json["user"]
        assert {name: shown[name] for name in ("email", "first_name", "phone", "locale", "roles", "status")} == {
            "email": "mona@example.com",
            "first_name": "منى",
            "phone": "+201000000000",
            "locale": "ar",
            "roles": ["CUSTOMER"],
            "status": "ACTIVE",
        }
        assert shown["email_verified"] is False
        assert shown["membership"]["tier_code"] == "GUEST"
        assert REGISTRATION["password"] not in answer.text

    def test_the_address_is_proved_by_the_token_that_was_mailed(self, shop: Shop, settings: Settings) -> None:
        answer = shop.client.post("/api/v1/auth/register", json=REGISTRATION)
        shop.deliver_events()
        token = _mailed_token(settings.home)
        verified = shop.client.post("/api/v1/auth/verify-email", json={"token": token})
        assert (verified.status_code, verified.json["email_verified"]) == (200, True)
        assert me(shop.client, answer.json["access_token"]).json["email_verified"] is True
        again = shop.client.post("/api/v1/auth/verify-email", json={"token": token})
        problem(again, 422, "verification_invalid", pointer="/token")

    def test_a_mailed_token_ends_after_a_day(self, shop: Shop, settings: Settings, clock: MovableClock) -> None:
        shop.client.post("/api/v1/auth/register", json=REGISTRATION)
        shop.deliver_events()
        clock.offset = timedelta(hours=25)
        token = _mailed_token(settings.home)
        before = shop.state()
        for wrong in (token, "x", "x" * 200):
            answer = shop.client.post("/api/v1/auth/verify-email", json={"token": wrong})
            problem(answer, 422, "verification_invalid")
        assert shop.state() == before


def _mailed_token(home: Path) -> str:
    (mail,) = home.rglob("*.eml")
    body = message_from_bytes(mail.read_bytes(), policy=mail_policy).get_body(("plain",))
    assert body is not None
    (address,) = (word for word in body.get_content().split() if "token=" in word)
    return parse_qs(urlsplit(address).query or urlsplit(address).fragment)["token"][0]


class TestSigningIn:
    def test_with_the_right_password_however_the_address_is_written(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        body = {"email": f"  {person.email.upper()} ", "password": "correct horse 42"}
        answer = client.post("/api/v1/auth/login", json=body)
        assert answer.status_code == 200
        assert answer.json["user"]["email"] == person.email

    def test_known_and_unknown_accounts_are_refused_alike(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        told = []
        for email in (person.email, "nobody@example.com", "not an address", "x"):
            answer = client.post("/api/v1/auth/login", json={"email": email, "password": "wrong horse 42"})
            refused = problem(answer, 401, "wrong_credentials")
            told.append({name: value for name, value in refused.items() if name != "request_id"})
        assert all(one == told[0] for one in told)

    def test_a_refresh_token_is_spent_once_and_a_second_time_ends_the_session(self, client: FlaskClient) -> None:
        first = client.post("/api/v1/auth/register", json=REGISTRATION).json
        second = client.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert second.status_code == 200
        assert me(client, second.json["access_token"]).status_code == 200
        stolen = client.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
        problem(stolen, 401, "session_ended")
        ended = client.post("/api/v1/auth/refresh", json={"refresh_token": second.json["refresh_token"]})
        problem(ended, 401, "session_ended")

    def test_signing_out_ends_the_session_and_is_silent_about_unknown_tokens(
        self, client: FlaskClient, shop: Shop
    ) -> None:
        tokens = client.post("/api/v1/auth/register", json=REGISTRATION).json
        for token in (tokens["refresh_token"], tokens["refresh_token"], "unknown"):
            answer = client.post("/api/v1/auth/logout", json={"refresh_token": token})
            assert (answer.status_code, answer.data) == (204, b"")
        refused = client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        problem(refused, 401, "session_ended")
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Idempotency-Key": "k"}
        problem(client.post("/api/v1/bookings", json={}, headers=headers), 401, "unauthorized")

    def test_unknown_refresh_tokens_change_nothing(self, shop: Shop, sign_up: SignUp) -> None:
        sign_up()
        before = shop.state()
        for token in ("", "x", "مفتاح", "\x00", "x" * 1024):
            answer = shop.client.post("/api/v1/auth/refresh", json={"refresh_token": token})
            problem(answer, 401, "session_ended")
        answer = shop.client.post("/api/v1/auth/refresh", json={"refresh_token": "x" * 1025})
        problem(answer, 422, "validation_failed", pointer="/refresh_token")
        assert shop.state() == before


class TestAccessTokens:
    """Guarantee S2."""

    @pytest.fixture(autouse=True)
    def _with(self, client: FlaskClient, sign_up: SignUp, settings: Settings) -> None:
        self.client, self.person, self.settings = client, sign_up(), settings
        self.token = self.person.headers["Authorization"].removeprefix("Bearer ")
        self.claims = jwt.decode(self.token, options={"verify_signature": False})
        self.kid, self.secret = next(iter(settings.jwt_signing_keys.items()))

    def signed(self, claims: dict[str, Any], **headers: Any) -> str:
        return jwt.encode(claims, self.secret, algorithm="HS256", headers={"kid": self.kid, "typ": "at+jwt", **headers})

    def test_absent_and_other_schemes_are_refused(self, subtests: Subtests) -> None:
        for header in ("", "Bearer", f"Basic {self.token}", f"Token {self.token}", self.token):
            with subtests.test(header=header[:12]):
                answer = self.client.get("/api/v1/users/me", headers={"Authorization": header})
                problem(answer, 401, "unauthorized")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        answer = self.client.get("/api/v1/users/me")
        problem(answer, 401, "unauthorized")

    def test_forgeries_are_refused(self, subtests: Subtests) -> None:
        header, payload, signature = self.token.split(".")
        admin = {**self.claims, "roles": ["SUPER_ADMIN"]}
        other = "another secret of quite enough bytes, x"
        forged = {
            "no algorithm": f"{segment({'alg': 'none', 'kid': self.kid})}.{segment(admin)}.",
            "changed claims": f"{header}.{segment(admin)}.{signature}",
            "no signature": f"{header}.{payload}.",
            "cut": self.token[:-2],
            "another secret": jwt.encode(self.claims, other, algorithm="HS256", headers={"kid": self.kid}),
            "another algorithm": jwt.encode(self.claims, self.secret * 2, algorithm="HS512", headers={"kid": self.kid}),
            "unknown kid": self.signed(self.claims, kid="2"),
            "kid as a path": self.signed(self.claims, kid="../../../dev/null"),
            "kid as a list": f"{segment({'alg': 'HS256', 'kid': [self.kid]})}.{payload}.{signature}",
            "no kid": jwt.encode(self.claims, self.secret, algorithm="HS256"),
            "own key": jwt.encode(
                admin, other, algorithm="HS256", headers={"kid": "x", "jwk": {"kty": "oct", "k": segment(other)}}
            ),
            "key elsewhere": jwt.encode(
                admin, other, algorithm="HS256", headers={"kid": "x", "jku": "https://example.com/keys"}
            ),
            "deep header": f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.{payload}.{signature}",
            "no token": "x",
            "not ASCII": "é.é.é",
        }
        for name, token in forged.items():
            with subtests.test(name):
                problem(me(self.client, token), 401, "invalid_token")
                headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
                problem(self.client.post("/api/v1/bookings", json={}, headers=headers), 401, "invalid_token")

    def test_genuine_signatures_over_wrong_claims_are_refused(self, subtests: Subtests) -> None:
        assert me(self.client, self.signed(self.claims)).status_code == 200
        wrong: dict[str, dict[str, Any]] = {f"no {name}": _without(self.claims, name) for name in self.claims}
        wrong |= {
            "another issuer": {**self.claims, "iss": "somebody"},
            "another audience": {**self.claims, "aud": "another-api"},
            "no uuid": {**self.claims, "sub": "1"},
            "odd roles": {**self.claims, "roles": 5},
            "odd expiry": {**self.claims, "exp": "never"},
        }
        for name, claims in wrong.items():
            with subtests.test(name):
                problem(me(self.client, self.signed(claims)), 401, "invalid_token")

    def test_a_token_ends_after_15_minutes(self, clock: MovableClock) -> None:
        clock.offset = timedelta(minutes=14, seconds=50)
        assert me(self.client, self.token).status_code == 200
        clock.offset = timedelta(minutes=15, seconds=1)
        problem(me(self.client, self.token), 401, "invalid_token")

    def test_a_disabled_user_and_changed_roles_end_what_the_token_allows(
        self, shop: Shop, addresses: DatabaseAddresses, sign_up: SignUp
    ) -> None:
        staff = sign_up("ADMIN")
        offer = shop.offer()
        for change in ("status = 'DISABLED'", "roles = '{CUSTOMER}'"):
            with connect(addresses.owner) as connection:
                connection.execute(f"UPDATE users SET {change} WHERE id = %s", [staff.user_id])
            problem(shop.post("/api/v1/bookings", staff, offer.booking()), 401, "unauthorized")
            with connect(addresses.owner) as connection:
                connection.execute(
                    "UPDATE users SET status = 'ACTIVE', roles = '{ADMIN}' WHERE id = %s", [staff.user_id]
                )
        shop.done(shop.post("/api/v1/bookings", staff, offer.booking()), 201)


def _without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in claims.items() if other != name}


class TestProfiles:
    def test_names_phone_and_language_are_ones_own_to_change(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        changes = {"first_name": "ليلى", "phone": "01000000000", "locale": "ar"}
        answer = client.patch("/api/v1/users/me", json=changes, headers=person.headers)
        assert answer.status_code == 200
        assert answer.json == {**me_of(client, person), **changes, "phone": "+201000000000"}
        assert me_of(client, person)["last_name"] == "Adel"

    def test_a_closed_account_cannot_come_back(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        assert client.delete("/api/v1/users/me", headers=person.headers).status_code == 204
        body = {"email": person.email, "password": "correct horse 42"}
        problem(client.post("/api/v1/auth/login", json=body), 401, "wrong_credentials")
        answer = client.patch("/api/v1/users/me", json={"first_name": "x"}, headers=person.headers)
        problem(answer, 401, "unauthorized")

    def test_staff_find_users_by_address_and_name(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up(first_name="Zeinab")
        found = shop.done(shop.get("/api/v1/admin/users?q=zeinab", shop.admin))["items"]
        assert [row["email"] for row in found] == [person.email]
        one = shop.done(shop.get(f"/api/v1/admin/users/{person.user_id}", shop.admin))
        assert one["email"] == person.email


def me_of(client: FlaskClient, person: Person) -> dict[str, Any]:
    shown: dict[str, Any] = client.get("/api/v1/users/me", headers=person.headers).json
    return shown
