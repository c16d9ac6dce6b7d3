"""API keys: shown once, kept as a hash, and never more than their owner."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from pytest import Subtests

from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.personas import Persona, Personas
from tests.api.shop import Shop, problem
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database


class Till:
    """A partner's system."""

    def __init__(self, shop: Shop, personas: Personas) -> None:
        self.shop, self.personas = shop, personas
        self.agent = personas.named("agent")

    def key(self, *scopes: str, owner: Persona | None = None, **asked: Any) -> dict[str, Any]:
        body = {"name": "till", "scopes": list(scopes or ("bookings.own",)), **asked}
        return self.shop.done(self.shop.post("/api/v1/api-keys", (owner or self.agent).person, body), 201)

    @staticmethod
    def holder(key: dict[str, Any]) -> Person:
        return Person(key["user_id"], "", {"Authorization": f"Bearer {key['key']}"})


@pytest.fixture
def till(shop: Shop, personas: Personas) -> Till:
    return Till(shop, personas)


def test_it_is_shown_once_and_only_its_hash_is_kept(till: Till, addresses: DatabaseAddresses) -> None:
    key = till.key("bookings.own", "catalogue.read")
    assert re.fullmatch(r"alt_[0-9a-f]{16}_[0-9a-f]{72}", key["key"])
    assert key["key"].startswith(f"alt_{key['public_id']}_")
    assert key["key"][-8:] == f"{zlib.crc32(key['key'][:-8].encode()):08x}"
    assert key["scopes"] == ["bookings.own", "catalogue.read"]
    lives = datetime.fromisoformat(key["expires_at"]) - datetime.fromisoformat(key["created_at"])
    assert lives == timedelta(days=90)
    listed = till.shop.get("/api/v1/api-keys", till.agent.person)
    assert [item["id"] for item in till.shop.done(listed)["items"]] == [key["id"]]
    secret = key["key"].split("_")[2]
    assert secret not in listed.text
    with connect(addresses.owner) as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            found = connection.execute(f"SELECT 1 FROM {table} t WHERE t::text LIKE %s", (f"%{secret}%",)).fetchone()  # type: ignore[arg-type]
            assert found is None, table


def test_it_acts_as_its_owner_within_its_scopes(till: Till, subtests: Subtests) -> None:
    offer = till.shop.offer()
    holder = till.holder(till.key("bookings.own", "quotes.own", "bookings.create"))
    customer = till.personas.named("customer")
    assert till.shop.post("/api/v1/quotes", holder, offer.booking()).status_code == 200
    booking = till.shop.done(till.shop.post("/api/v1/bookings", holder, offer.booking()), 201)
    assert booking["user_id"] == str(till.agent.user_id)
    for_another = offer.booking(user_id=str(customer.user_id))
    till.shop.done(till.shop.post("/api/v1/bookings", holder, for_another), 201)
    # Without the permission among the scopes the same owner's key books for the owner alone.
    narrow = till.holder(till.key("bookings.own"))
    problem(till.shop.post("/api/v1/bookings", narrow, for_another), 403, "forbidden")
    for method, path in (("POST", "/quotes"), ("GET", "/payments"), ("GET", "/invoices"), ("GET", "/packages")):
        with subtests.test(path):
            answer = till.shop.client.open(
                f"/api/v1{path}", method=method, headers=narrow.headers, json={} if method == "POST" else None
            )
            problem(answer, 403, "scope_missing")


def test_it_may_be_sent_in_a_header_of_its_own(till: Till) -> None:
    key = till.key()
    assert till.shop.client.get("/api/v1/bookings", headers={"X-API-Key": key["key"]}).status_code == 200
    problem(till.shop.client.get("/api/v1/bookings", headers={"X-API-Key": "x"}), 401, "unauthorized")
    token = till.agent.headers["Authorization"].removeprefix("Bearer ")
    problem(till.shop.client.get("/api/v1/bookings", headers={"X-API-Key": token}), 401, "unauthorized")


def test_accounts_keys_and_roles_are_for_people_alone(till: Till, app: Flask, subtests: Subtests) -> None:
    admin = till.personas.named("super admin")
    every = [code for code in admin.permissions if code.split(".")[0] in ("packages", "bookings", "payments")]
    holder = till.holder(till.key(*every, "bookings.own", owner=admin))
    for method, path in (
        ("GET", "/users/me"), ("PATCH", "/users/me"), ("DELETE", "/users/me"), ("GET", "/api-keys"),
        ("POST", "/api-keys"), ("DELETE", f"/api-keys/{uuid4()}"), ("GET", "/admin/users"), ("GET", "/admin/roles"),
        ("PUT", f"/admin/users/{uuid4()}/roles"), ("GET", "/admin/permissions"), ("GET", "/admin/api-keys"),
        ("POST", "/memberships/subscriptions"), ("POST", "/payments"), ("GET", "/wallet"),
    ):  # fmt: skip
        with subtests.test(f"{method} {path}"):
            answer = till.shop.client.open(
                f"/api/v1{path}", method=method, headers=holder.headers, json={} if method != "GET" else None
            )
            problem(answer, 403, "key_not_accepted")
    assert till.shop.get("/api/v1/admin/payments/attention", holder).status_code == 200


@pytest.mark.parametrize("scope", ["users.read", "roles.manage", "api_keys.create", "fly.planes", ""])
def test_no_key_is_made_for_what_keys_never_do(till: Till, scope: str) -> None:
    body = {"name": "till", "scopes": [scope]}
    answer = till.shop.post("/api/v1/api-keys", till.agent.person, body)
    problem(answer, 422, "validation_failed", pointer="/scopes/0")


def test_no_key_is_made_for_more_than_its_owner_may(till: Till) -> None:
    for scopes in (["payments.read"], ["bookings.own", "packages.publish"]):
        answer = till.shop.post("/api/v1/api-keys", till.agent.person, {"name": "till", "scopes": scopes})
        problem(answer, 422, "validation_failed", pointer="/scopes")
    for field, value in (("expires_in_days", 366), ("expires_in_days", 0), ("name", ""), ("scopes", [])):
        body = {"name": "till", "scopes": ["bookings.own"], field: value}
        answer = till.shop.post("/api/v1/api-keys", till.agent.person, body)
        problem(answer, 422, "validation_failed", pointer=f"/{field}")
    customer = till.personas.named("customer").person
    problem(till.shop.post("/api/v1/api-keys", customer, {"name": "x", "scopes": ["bookings.own"]}), 403, "forbidden")


class TestItsEnd:
    def test_a_revoked_key_opens_nothing(self, till: Till) -> None:
        key = till.key()
        path, holder = f"/api/v1/api-keys/{key['id']}", till.holder(key)
        assert till.shop.client.delete(path, headers=till.agent.headers).status_code == 204
        assert till.shop.client.delete(path, headers=till.agent.headers).status_code == 204
        problem(till.shop.get("/api/v1/bookings", holder), 401, "invalid_api_key")
        problem(till.shop.post(f"{path}/rotate", till.agent.person), 409, "api_key_ended")

    def test_an_administrator_revokes_anybodys(self, till: Till) -> None:
        key, admin = till.key(), till.personas.named("admin").person
        (listed,) = till.shop.done(till.shop.get("/api/v1/admin/api-keys", admin))["items"]
        assert (listed["id"], listed["owner_email"]) == (key["id"], till.agent.person.email)
        answer = till.shop.client.delete(f"/api/v1/admin/api-keys/{key['id']}", headers=admin.headers)
        assert answer.status_code == 204
        problem(till.shop.get("/api/v1/bookings", till.holder(key)), 401, "invalid_api_key")

    def test_it_expires(self, till: Till, clock: MovableClock) -> None:
        holder = till.holder(till.key(expires_in_days=1))
        clock.offset = timedelta(hours=23)
        assert till.shop.get("/api/v1/bookings", holder).status_code == 200
        clock.offset = timedelta(hours=24, seconds=1)
        problem(till.shop.get("/api/v1/bookings", holder), 401, "invalid_api_key")

    def test_a_rotated_key_has_another_secret(self, till: Till) -> None:
        old = till.key()
        new = till.shop.done(till.shop.post(f"/api/v1/api-keys/{old['id']}/rotate", till.agent.person))
        assert (new["id"], new["scopes"], new["expires_at"]) == (old["id"], old["scopes"], old["expires_at"])
        assert new["key"] != old["key"]
        problem(till.shop.get("/api/v1/bookings", till.holder(old)), 401, "invalid_api_key")
        assert till.shop.get("/api/v1/bookings", till.holder(new)).status_code == 200

    def test_it_is_never_more_than_its_owner_is_now(self, till: Till, addresses: DatabaseAddresses) -> None:
        vendor = till.personas.named("vendor")
        holder = till.holder(till.key("packages.create", owner=vendor))
        assert till.shop.post("/api/v1/packages", holder, {}).status_code == 422
        for change, status, code in (
            ("roles = '{CUSTOMER}'", 403, "forbidden"),
            ("status = 'DISABLED'", 401, "invalid_api_key"),
            ("status = 'ACTIVE', deleted_at = now()", 401, "invalid_api_key"),
        ):
            with connect(addresses.owner) as connection:
                connection.execute(f"UPDATE users SET {change} WHERE id = %s", [vendor.user_id])  # type: ignore[arg-type]
            problem(till.shop.post("/api/v1/packages", holder, {}), status, code)

    def test_what_is_not_quite_a_key_is_none(self, till: Till, subtests: Subtests) -> None:
        key = till.key()["key"]
        prefix, public_id, secret = key.split("_")
        other = "0" if secret[5] != "0" else "1"
        changed = f"{prefix}_{public_id}_{secret[:5]}{other}{secret[6:64]}"
        for name, text in {
            "mistyped": f"{changed}{secret[64:]}",
            "another secret": f"{changed}{zlib.crc32(changed.encode()):08x}",
            "cut": key[:-1], "longer": key + "0", "in capitals": f"alt_{public_id}_{secret.upper()}x", "prefix": "alt_",
            "no ASCII": "alt_é", "a wildcard": f"alt_%_{secret}",
        }.items():  # fmt: skip
            with subtests.test(name):
                answer = till.shop.client.get("/api/v1/bookings", headers={"X-API-Key": text})
                problem(answer, 401, "invalid_api_key")


def test_its_last_use_is_known_to_the_minute(till: Till, clock: MovableClock) -> None:
    key = till.key()
    uses = []
    for seconds in (0, 59, 61):
        clock.offset = timedelta(seconds=seconds)
        till.shop.get("/api/v1/bookings", till.holder(key))
        shown = till.shop.done(till.shop.get(f"/api/v1/api-keys/{key['id']}", till.agent.person))
        uses.append(datetime.fromisoformat(shown["last_used_at"]))
        assert shown["last_used_address"] == "127.0.0.1"
    assert uses[0] == uses[1] < uses[2]
    assert datetime.now(UTC) - uses[0] < timedelta(minutes=1)


def test_nobody_has_more_than_twenty_however_many_are_made_at_once(till: Till, app: Flask) -> None:
    for _ in range(18):
        till.key()

    def make() -> int:
        body = {"name": "till", "scopes": ["bookings.own"]}
        return app.test_client().post("/api/v1/api-keys", json=body, headers=till.agent.headers).status_code

    assert sorted(all_at_once([make] * 4)) == [201, 201, 409, 409]


def test_two_actors_keys_for_repeating_a_request_never_meet(till: Till) -> None:
    """The scope of an idempotency key is its actor: a key's is its owner."""
    offer, other = till.shop.offer(), till.personas.named("vendor")
    holder = till.holder(till.key())
    stranger = till.holder(till.key(owner=other))
    first = till.shop.done(till.shop.post("/api/v1/bookings", holder, offer.booking(), key="k"), 201)
    again = till.shop.done(till.shop.post("/api/v1/bookings", holder, offer.booking(), key="k"), 201)
    foreign = till.shop.done(till.shop.post("/api/v1/bookings", stranger, offer.booking(), key="k"), 201)
    assert first["id"] == again["id"] != foreign["id"]
