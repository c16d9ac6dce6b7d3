"""Every kind of forged access token is refused, on a route that reads and on one that writes (S2)."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient
from pytest import Subtests

from app import create_app
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from security.jwt_handler import TYPE
from tests.api.shop import SignUp, problem
from tests.conftest import MovableClock

pytestmark = pytest.mark.database

OTHER = "another secret of quite enough bytes, nobody's"


class Forger:
    """Somebody with a genuine token of their own, and every trick."""

    def __init__(self, token: str, keys: dict[str, str], refresh_token: str) -> None:
        self.token, self.refresh_token = token, refresh_token
        self.header, self.payload, self.signature = token.split(".")
        self.claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        self.kid, self.secret = next(iter(keys.items()))
        self.admin = {**self.claims, "roles": ["SUPER_ADMIN"], "aud": "altayar-staff"}
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public = jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True)

    def signed(self, claims: dict[str, Any] | None = None, *, key: Any = None, algorithm: str = "HS256", **header: Any):  # type: ignore[no-untyped-def]
        headers = {"kid": self.kid, "typ": TYPE, **header}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
            return jwt.encode(claims or self.claims, key or self.secret, algorithm=algorithm, headers=headers)

    def raw(self, header: str, claims: dict[str, Any], key: str | bytes = b"") -> str:
        """Any header at all, signed with any key, even an empty one."""
        body = f"{_part(header.encode())}.{_part(json.dumps(claims).encode())}"
        secret = key.encode() if isinstance(key, str) else key
        return f"{body}.{_part(jwt.get_algorithm_by_name('HS256').sign(body.encode(), secret))}"

    def forgeries(self) -> Iterator[tuple[str, str]]:
        """A name and a token for each."""
        yield (
            "no algorithm",
            f"{_part(json.dumps({'alg': 'none', 'typ': TYPE, 'kid': self.kid}).encode())}."
            + (f"{_part(json.dumps(self.admin).encode())}."),
        )
        yield (
            "no algorithm, in capitals",
            f"{_part(json.dumps({'alg': 'NONE', 'typ': TYPE, 'kid': self.kid}).encode())}."
            + (f"{self.payload}.{self.signature}"),
        )
        yield "another algorithm with our key", self.signed(algorithm="HS512")
        yield "a key pair's signature", self.signed(self.admin, key=self.rsa, algorithm="RS256")
        yield (
            "an elliptic signature",
            self.signed(self.admin, key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
        )
        confused = json.dumps({"alg": "HS256", "typ": TYPE, "kid": self.kid})
        yield "a public key as the secret", self.raw(confused, self.admin, json.dumps(self.public))
        own_key = {"kty": "oct", "k": _part(OTHER.encode()), "kid": self.kid}
        yield "brings its key", self.signed(self.admin, key=OTHER, jwk=own_key)
        yield "names where its key is", self.signed(self.admin, key=OTHER, jku="https://keys.example/jwks.json")
        yield "names where its certificate is", self.signed(self.admin, key=OTHER, x5u="https://keys.example/c.pem")
        yield "brings its certificate", self.signed(self.admin, key=OTHER, x5c=["MIIB"])
        yield "ours, but names a key elsewhere", self.signed(jku="https://keys.example/jwks.json")
        for kid in ("../../../../dev/null", "/dev/null", "x' UNION SELECT '", "unknown", "", "\u0000"):
            header = json.dumps({"alg": "HS256", "typ": TYPE, "kid": kid})
            yield f"key id {kid!r}", self.raw(header, self.admin)
        for kid in (None, 0, True, [self.kid], {"$ne": ""}):
            header = json.dumps({"alg": "HS256", "typ": TYPE, "kid": kid})
            yield f"key id {kid!r}", self.raw(header, self.claims, self.secret)
        yield "no key id", self.raw(json.dumps({"alg": "HS256", "typ": TYPE}), self.claims, self.secret)
        now = self.claims["iat"]
        yield "expired", self.signed({**self.claims, "iat": now - 1200, "exp": now - 300})
        yield "from the future", self.signed({**self.claims, "iat": now + 3600, "exp": now + 4500})
        yield "lives for a day", self.signed({**self.claims, "exp": now + 86_400})
        for claim in ("iss", "aud", "exp", "iat", "jti", "sub", "sid", "roles"):
            yield f"without {claim}", self.signed({name: v for name, v in self.claims.items() if name != claim})
        yield "another issuer", self.signed({**self.claims, "iss": "somebody"})
        yield "another audience", self.signed({**self.claims, "aud": "altayar-second-factor"})
        yield "several audiences", self.signed({**self.claims, "aud": ["altayar-app", "altayar-staff"]})
        yield "no signature", f"{self.header}.{self.payload}."
        yield "two parts", f"{self.header}.{self.payload}"
        yield "four parts", f"{self.token}.{self.signature}"
        yield "changed claims", f"{self.header}.{_part(json.dumps(self.admin).encode())}.{self.signature}"
        yield "another key", self.signed(self.admin, key=OTHER)
        twice = f'{{"alg":"none","alg":"HS256","typ":"{TYPE}","kid":"{self.kid}"}}'
        yield "a header said twice", self.raw(twice, self.admin, OTHER)
        yield "huge", self.signed({**self.claims, "x": "x" * 20_000})
        yield "another type", self.signed(typ="JWT")
        yield "the refresh token", self.refresh_token
        yield "nonsense", "x"
        yield "two tokens", f"{self.token},{self.token}"


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@pytest.fixture
def forger(client: FlaskClient, settings: Settings) -> Forger:
    body = {"email": f"{uuid4().hex}@example.com", "password": "correct horse 42", "first_name": "M", "last_name": "A"}
    answer = client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 201
    return Forger(answer.json["access_token"], dict(settings.jwt_signing_keys), answer.json["refresh_token"])


def test_every_forgery_is_refused_and_the_genuine_token_is_not(
    client: FlaskClient, forger: Forger, subtests: Subtests
) -> None:
    forgeries = dict(forger.forgeries())
    assert len(forgeries) >= 40
    for name, token in forgeries.items():
        with subtests.test(name):
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
            problem(client.get("/api/v1/users/me", headers=headers), 401, "invalid_token")
            problem(client.post("/api/v1/bookings", json={}, headers=headers), 401, "invalid_token")
            problem(client.get("/api/v1/packages", headers=headers), 401, "invalid_token")
    genuine = {"Authorization": f"Bearer {forger.token}", "Idempotency-Key": "k"}
    assert client.get("/api/v1/users/me", headers=genuine).status_code == 200
    assert client.post("/api/v1/bookings", json={}, headers=genuine).status_code == 422
    assert client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {forger.signed()}"}).status_code == 200


def test_keys_rotate_and_nobody_is_signed_out(
    settings: Settings, addresses: DatabaseAddresses, clock: MovableClock, sign_up: SignUp, forger: Forger
) -> None:
    from dataclasses import replace

    old = dict(settings.jwt_signing_keys)
    new = {"new": "a new secret that is long enough for HS256"}
    started: list[Running] = []

    def process_with(keys: dict[str, str]) -> FlaskClient:
        running = bootstrap(replace(settings, jwt_signing_keys=keys), database=Database(addresses.app), clock=clock)
        started.append(running)
        return create_app(running=running).test_client()

    def status(client: FlaskClient, token: str) -> int:
        return client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}).status_code

    both, after = process_with({**new, **old}), process_with(new)
    try:
        renewed = both.post("/api/v1/auth/refresh", json={"refresh_token": forger.refresh_token}).json
        assert jwt.get_unverified_header(renewed["access_token"])["kid"] == "new"
        assert [status(both, token) for token in (forger.token, renewed["access_token"])] == [200, 200]
        assert [status(after, token) for token in (forger.token, renewed["access_token"])] == [401, 200]
        clock.offset = timedelta(minutes=20)
        again = after.post("/api/v1/auth/refresh", json={"refresh_token": renewed["refresh_token"]})
        assert again.status_code == 200
    finally:
        for running in started:
            running.close()
