"""Surfaces: a role counts where its holder signed in, and nowhere narrower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from pytest import Subtests
from werkzeug.test import TestResponse

from application.operations.settings import ChangeSetting, change_setting
from domain.identity.roles import Surface
from domain.operations.settings import SECOND_FACTOR_REQUIRED
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from middlewares.auth_middleware import permission_required
from security.jwt_handler import AUDIENCES
from tests.api.personas import Persona, Personas
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database


def audience(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


def log_in(client: FlaskClient, person: Person, **asked: str):  # type: ignore[no-untyped-def]
    body = {"email": person.email, "password": "correct horse 42", **asked}
    return client.post("/api/v1/auth/login", json=body)


@pytest.mark.parametrize(
    ("role", "surface"), [("CUSTOMER", "APP"), ("AGENT", "PARTNER"), ("VENDOR", "PARTNER"), ("ADMIN", "STAFF")]
)
def test_one_signs_in_on_the_widest_surface_of_ones_roles(
    client: FlaskClient, sign_up: SignUp, role: str, surface: str
) -> None:
    answer = log_in(client, sign_up(role))
    assert AUDIENCES[audience(answer.json["access_token"])] is Surface(surface)


def test_registering_signs_in_to_the_app(client: FlaskClient, sign_up: SignUp) -> None:
    assert audience(sign_up().headers["Authorization"].removeprefix("Bearer ")) == "altayar-app"


def test_an_administrator_in_the_app_is_a_customer_there_after_a_refresh_too(
    client: FlaskClient, shop: Shop, sign_up: SignUp
) -> None:
    admin = sign_up("ADMIN")
    signed_in = log_in(client, admin, surface="APP").json
    renewed = client.post("/api/v1/auth/refresh", json={"refresh_token": signed_in["refresh_token"]}).json
    for tokens in (signed_in, renewed):
        assert audience(tokens["access_token"]) == "altayar-app"
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        person = Person(admin.user_id, admin.email, headers)
        problem(client.get("/api/v1/admin/users", headers=headers), 403, "wrong_surface")
        problem(shop.post("/api/v1/packages", person, {}), 403, "forbidden")
        assert shop.done(shop.get("/api/v1/bookings", person))["items"] == []
    assert client.get("/api/v1/admin/users", headers=admin.headers).status_code == 200


@pytest.mark.parametrize(("role", "surface"), [("CUSTOMER", "STAFF"), ("CUSTOMER", "PARTNER"), ("VENDOR", "STAFF")])
def test_nobody_signs_in_where_they_have_no_role(client: FlaskClient, sign_up: SignUp, role: str, surface: str) -> None:
    person = sign_up(role)
    problem(log_in(client, person, surface=surface), 403, "wrong_surface")
    wrong = client.post(
        "/api/v1/auth/login", json={"email": person.email, "password": "wrong horse 42", "surface": surface}
    )
    problem(wrong, 401, "wrong_credentials")
    problem(log_in(client, person, surface="MOON"), 422, "validation_failed", pointer="/surface")


def test_a_partners_role_that_is_taken_ends_what_the_token_changes(
    client: FlaskClient, shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses
) -> None:
    agent = sign_up("AGENT", "CUSTOMER")
    offer = shop.offer()
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET roles = '{CUSTOMER}' WHERE id = %s", [agent.user_id])
    problem(shop.post("/api/v1/bookings", agent, offer.booking()), 401, "unauthorized")


def test_a_role_that_does_not_count_there_may_be_given_without_a_word(
    client: FlaskClient, shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses
) -> None:
    customer, offer = sign_up(), shop.offer()
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET roles = '{CUSTOMER,EMPLOYEE}' WHERE id = %s", [customer.user_id])
    shop.done(shop.post("/api/v1/bookings", customer, offer.booking()), 201)


SWITCH = f"settings/{SECOND_FACTOR_REQUIRED.key}"


class TestMoneyAndSecondFactors:
    """What moves money asks staff for a second factor, when the company wants that."""

    @pytest.fixture
    def app(self, own_app: Flask) -> Flask:
        return own_app

    @pytest.fixture
    def ask(self, app: Flask, running: Running, client: FlaskClient) -> Callable[..., Response]:
        """A route that moves money; there is none in the product yet."""

        @permission_required("refunds.create")
        def refund() -> Response:
            return Response("done")

        app.add_url_rule("/refund", "refund", refund, methods=["POST"])

        def post(persona: Persona, *, needed: bool, proved: bool = False):  # type: ignore[no-untyped-def]
            use = running.dependencies
            command = ChangeSetting(key=SECOND_FACTOR_REQUIRED.key, value=needed, actor_id=None)
            change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
            use.system_settings.forget()
            token = use.tokens.issue(
                user_id=persona.user_id,
                session_id=persona.session_id,
                roles=persona.roles,
                at=use.clock.now(),
                second_factor=proved,
            )
            return client.post("/refund", headers={"Authorization": f"Bearer {token}"})

        return post

    def test_staff_need_one_where_it_is_asked_for(self, ask: Callable[..., Response], personas: Personas) -> None:
        finance = personas.named("finance")
        assert ask(finance, needed=False).status_code == 200
        problem(ask(finance, needed=True), 403, "second_factor_needed")  # type: ignore[arg-type]
        assert ask(finance, needed=True, proved=True).status_code == 200

    def test_it_replaces_no_permission(self, ask: Callable[..., Response], personas: Personas) -> None:
        for name in ("customer", "employee"):
            answer = ask(personas.named(name), needed=True, proved=True)
            problem(answer, 403, "forbidden")  # type: ignore[arg-type]


class TestWhatCouldUndoIt:
    """Settings, roles, invitations and others' factors ask for one as money does: else it could be switched off."""

    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, running: Running, personas: Personas) -> None:
        self.shop, self.use, self.personas = shop, running.dependencies, personas
        self.admin = personas.named("admin")

    def need_one(self) -> None:
        assert self.send("PUT", SWITCH, {"value": True}).status_code == 200
        self.use.system_settings.forget()

    def send(self, method: str, path: str, body: Any, *, proved: bool = False) -> TestResponse:
        token = self.use.tokens.issue(
            user_id=self.admin.user_id,
            session_id=self.admin.session_id,
            roles=self.admin.roles,
            at=self.use.clock.now(),
            second_factor=proved,
        )
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        return self.shop.client.open(f"/api/v1/admin/{path}", method=method, json=body, headers=headers)

    def test_it_asks_for_a_second_factor_too(self, subtests: Subtests) -> None:
        customer = self.personas.named("customer").user_id
        role = {"name": "TEAM_LEAD", "display_name_ar": "قائد", "display_name_en": "Team lead"}
        role_id = self.shop.done(self.send("POST", "roles", role), 201)["id"]
        self.need_one()
        before = self.shop.state()
        for method, path, body in (
            ("PUT", SWITCH, {"value": False}), ("DELETE", SWITCH, None),
            ("POST", "roles", {**role, "name": "OTHER_LEAD"}), ("DELETE", f"roles/{role_id}", None),
            ("PATCH", f"roles/{role_id}", {"display_name_en": "Lead"}),
            ("PUT", f"roles/{role_id}/permissions", {"permissions": ["users.read"]}),
            ("PUT", f"users/{customer}/roles", {"roles": ["CUSTOMER", "FINANCE"]}),
            ("POST", f"users/{customer}/second-factor/reset", {}),
            ("POST", "invitations", {"email": "accomplice@example.com", "roles": ["FINANCE"]}),
        ):  # fmt: skip
            with subtests.test(f"{method} {path}"):
                problem(self.send(method, path, body), 403, "second_factor_needed")
        assert self.shop.state() == before

    def test_with_one_it_is_switched_off(self) -> None:
        self.need_one()
        shown = self.shop.done(self.send("PUT", SWITCH, {"value": False}, proved=True))
        assert shown["value"] is False

    def test_what_only_shows_asks_for_none(self) -> None:
        self.need_one()
        for path in ("settings", "roles", "users"):
            assert self.send("GET", path, None).status_code == 200
