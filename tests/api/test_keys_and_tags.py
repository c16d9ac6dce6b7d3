"""Idempotency keys on every kind of unsafe route, and ETags that hold a change to what its author saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.ports import Answer
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Shop, SignUp, problem
from tests.integration.shop import all_at_once

ME = "/api/v1/users/me"
REGISTRATION = {
    "email": "mona@example.com",
    "password": "correct horse 42",
    "first_name": "Mona",
    "last_name": "Adel",
}


class TestKeys:
    def test_registering_twice_with_a_key_is_one_account_and_one_answer(
        self, client: FlaskClient, running: Running
    ) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        first, again = (client.post("/api/v1/auth/register", json=REGISTRATION, headers=key) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 201)
        assert again.data == first.data
        assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
        assert running.database.rows("SELECT count(*) AS n FROM users WHERE email = 'mona@example.com'")[0]["n"] == 1

    def test_tokens_are_kept_sealed(self, client: FlaskClient, running: Running) -> None:
        answer = client.post("/api/v1/auth/register", json=REGISTRATION, headers={"Idempotency-Key": "k"})
        (row,) = running.database.rows("SELECT scope, body, headers FROM idempotency_keys")

        body = bytes(row["body"])
        assert answer.json["refresh_token"].encode() not in body
        assert b"mona@example.com" not in body
        assert row["headers"]["sealed"] is True
        assert "127.0.0.1" not in row["scope"]

    def test_a_run_that_was_undone_gives_way_to_the_answer_that_was_kept(self, app: Flask, client: FlaskClient) -> None:
        kept = Answer(status_code=201, content_type="application/json", location="", body=b'{"kept": true}')

        class KeptByAnother:
            def staged(self, _scope: str, _key: str, _fingerprint: bytes, run: Callable[[], Answer]) -> Answer:
                run()
                return kept

        app.extensions["altayar"] = replace(app.extensions["altayar"], idempotency=KeptByAnother())
        answer = client.post("/api/v1/auth/register", json=REGISTRATION, headers={"Idempotency-Key": "k"})

        assert answer.json == {"kept": True}
        assert answer.headers["Idempotent-Replayed"] == "true"

    def test_what_was_refused_is_not_remembered(self, client: FlaskClient) -> None:
        key = {"Idempotency-Key": "k"}
        for _ in range(2):
            refused = client.post("/api/v1/auth/register", json={**REGISTRATION, "password": "short"}, headers=key)
            problem(refused, 422, "validation_failed", pointer="/password")
        assert client.post("/api/v1/auth/register", json=REGISTRATION, headers=key).status_code == 201

    def test_a_key_says_one_thing(self, client: FlaskClient) -> None:
        key = {"Idempotency-Key": "k"}
        client.post("/api/v1/auth/register", json=REGISTRATION, headers=key)
        other = {**REGISTRATION, "email": "other@example.com"}
        problem(client.post("/api/v1/auth/register", json=other, headers=key), 422, "idempotency_key_reused")

    def test_one_address_does_not_meet_the_keys_of_another(self, client: FlaskClient) -> None:
        key = {"Idempotency-Key": "k"}
        client.post("/api/v1/auth/register", json=REGISTRATION, headers=key)
        elsewhere = client.post(
            "/api/v1/auth/register", json=REGISTRATION, headers=key, environ_base={"REMOTE_ADDR": "203.0.113.9"}
        )
        assert elsewhere.status_code == 201
        assert "Idempotent-Replayed" not in elsewhere.headers

    def test_a_profile_changes_once_for_a_key(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        headers = {**person.headers, "Idempotency-Key": "k"}
        first = client.patch(ME, json={"first_name": "Laila"}, headers=headers)
        client.patch(ME, json={"first_name": "Nadia"}, headers=person.headers)
        again = client.patch(ME, json={"first_name": "Laila"}, headers=headers)

        assert again.data == first.data
        assert again.headers["ETag"] == first.headers["ETag"]
        assert client.get(ME, headers=person.headers).json["first_name"] == "Nadia"

    @pytest.mark.parametrize("key", ["known", "fresh", "no\tkey", None])
    def test_a_token_that_holds_no_more_opens_nothing_whatever_its_key(
        self, shop: Shop, sign_up: SignUp, key: str | None
    ) -> None:
        """Token and key are looked up together: what is kept is no answer to whoever is not let in."""
        customer, offer = sign_up(), shop.offer()
        assert shop.post("/api/v1/bookings", customer, offer.booking(2), key="known").status_code == 201
        seats = shop.running.database.rows("SELECT seats_taken FROM departures")
        assert shop.client.post("/api/v1/auth/logout-all", headers=customer.headers).status_code == 204

        headers = customer.headers if key is None else {**customer.headers, "Idempotency-Key": key}
        answer = shop.client.post("/api/v1/bookings", json=offer.booking(2), headers=headers)

        problem(answer, 401, "unauthorized")
        assert shop.running.database.rows("SELECT seats_taken FROM departures") == seats
        assert len(shop.running.database.rows("SELECT key FROM idempotency_keys WHERE key = 'fresh'")) == 0

    def test_a_token_of_a_role_that_was_taken_away_opens_nothing(
        self, shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        customer, offer = sign_up(), shop.offer()
        with connect(addresses.owner) as owner:
            owner.execute("UPDATE users SET roles = '{AGENT}' WHERE email = %s", (customer.email,))

        problem(shop.post("/api/v1/bookings", customer, offer.booking(2)), 401, "unauthorized")
        assert not shop.running.database.rows("SELECT 1 FROM bookings")


class TestTags:
    def test_a_reader_with_the_newest_is_told_so(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        tag = client.get(ME, headers=person.headers).headers["ETag"]
        same = client.get(ME, headers={**person.headers, "If-None-Match": f'"other", W/{tag}'})

        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
        client.patch(ME, json={"locale": "ar"}, headers=person.headers)
        newer = client.get(ME, headers={**person.headers, "If-None-Match": tag})
        assert newer.status_code == 200
        assert newer.headers["ETag"] != tag

    def test_each_language_has_its_own_tag(self, shop: Shop) -> None:
        path = f"/api/v1/packages/{shop.package()['id']}"
        english, arabic = (shop.get(path, Accept_Language=language).headers["ETag"] for language in ("en", "ar"))

        assert english != arabic
        assert english.split(".")[0] == arabic.split(".")[0]

    def test_an_older_tag_changes_nothing(self, client: FlaskClient, sign_up: SignUp) -> None:
        person = sign_up()
        old = client.get(ME, headers=person.headers).headers["ETag"]
        new = client.patch(ME, json={"first_name": "Laila"}, headers={**person.headers, "If-Match": old})
        assert new.status_code == 200
        for stale in (old, f"W/{new.headers['ETag']}", '"nonsense"', "no tag"):
            headers = {**person.headers, "If-Match": stale}
            problem(client.patch(ME, json={"first_name": "Nadia"}, headers=headers), 412, "precondition_failed")
            problem(client.delete(ME, headers=headers), 412, "precondition_failed")
        assert client.get(ME, headers=person.headers).json["first_name"] == "Laila"
        for fresh in (new.headers["ETag"], "*", ""):
            headers = {**person.headers, "If-Match": fresh}
            assert client.patch(ME, json={}, headers=headers).status_code == 200
        several = {**person.headers, "If-Match": f'{old}, "2"'}
        problem(client.patch(ME, json={}, headers=several), 422, "validation_failed", pointer="/If-Match")

    def test_packages_are_changed_and_published_as_they_were_seen(self, shop: Shop) -> None:
        package = shop.package()
        path, headers = f"/api/v1/packages/{package['id']}", shop.admin.headers
        tag = shop.get(path, shop.admin).headers["ETag"]
        changed = shop.client.patch(path, json={"name_en": "New"}, headers={**headers, "If-Match": tag})
        assert changed.status_code == 200
        stale = {**headers, "If-Match": tag}
        problem(shop.client.patch(path, json={"name_en": "Newer"}, headers=stale), 412, "precondition_failed")
        problem(shop.client.post(f"{path}/publish", headers=stale), 412, "precondition_failed")
        assert shop.get(path).json["name_en"] == "New"

    def test_whoever_changes_a_row_moves_its_tag(
        self, client: FlaskClient, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        person = sign_up()
        tag = client.get(ME, headers=person.headers).headers["ETag"]
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET phone = '+201000000000' WHERE id = %s", [person.user_id])
        headers = {**person.headers, "If-Match": tag}
        problem(client.patch(ME, json={"phone": "+201111111111"}, headers=headers), 412, "precondition_failed")

    def test_of_editors_with_the_same_tag_one_succeeds(self, app: Flask, sign_up: SignUp) -> None:
        person = sign_up()
        for editors in (2, 6):
            tag = app.test_client().get(ME, headers=person.headers).headers["ETag"]

            def edit(number: int, tag: str = tag, editors: int = editors) -> int:
                headers = {**person.headers, "If-Match": tag}
                return (
                    app.test_client()
                    .patch(ME, json={"first_name": f"Editor {number} of {editors}"}, headers=headers)
                    .status_code
                )

            answers = all_at_once([lambda n=number, edit=edit: edit(n) for number in range(editors)])  # type: ignore[misc]
            assert sorted(answers) == [200] + [412] * (editors - 1)
