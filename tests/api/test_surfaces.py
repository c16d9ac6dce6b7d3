"""Surfaces: a role counts where its holder signed in, and nowhere narrower."""

from __future__ import annotations

from collections.abc import Callable

import jwt
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

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
