"""Every route, by everybody: what the view declares is what happens (S1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pytest import Subtests
from werkzeug.routing import Rule

from domain.identity.roles import ADMINS, Surface
from infrastructure.database.roles import DatabaseAddresses, connect
from middlewares.auth_middleware import POLICY, STAFF_ONLY
from security.permissions import CATALOGUE
from tests.api.personas import ANONYMOUS, ROLES_OF, Persona, Personas
from tests.api.shop import Shop
from tests.conftest import Person

pytestmark = pytest.mark.database

NOBODY = {"unauthorized", "invalid_token", "invalid_api_key"}
NOT_THEIRS = {"forbidden", "wrong_surface", "key_not_accepted", "scope_missing", "second_factor_needed"}
_CHOICE = re.compile(r"<any\((?P<first>[a-z]+)[^<>]*>")
_PARAMETER = re.compile(r"<(?:(?P<converter>[a-z]+)(?:\([^)]*\))?:)?[^<>]+>")


def operations(app: Flask) -> Iterator[tuple[str, Rule, Callable[..., Any]]]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view_class = getattr(view, "view_class", None)
            yield method, rule, getattr(view_class, method.lower()) if view_class is not None else view


def path_of(rule: Rule) -> str:
    """An address of this rule at which there is nothing."""
    made = {"uuid": lambda: str(uuid4()), "int": lambda: "1"}
    one_of = _CHOICE.sub(lambda found: found["first"], rule.rule)
    return _PARAMETER.sub(lambda found: made.get(found["converter"], lambda: "nothing")(), one_of)


def fault(policy: str, path: str, persona: Persona | None, status: int, code: str) -> str:
    """What is wrong with an answer under a policy; nothing where it is as declared."""
    if status >= 500 and status != 503:
        return "broke"
    if policy in ("public", "optional"):
        return "refused" if code in NOBODY | NOT_THEIRS else ""
    if persona is None:
        return "" if (status, code) == (401, "unauthorized") else "let nobody in"
    if code in NOBODY:
        return "took somebody for nobody"
    if policy == "token":
        return ""
    return _fault_of_right(_has_right(policy, path, persona), status, code)


def _fault_of_right(has_right: bool, status: int, code: str) -> str:
    if has_right:
        return "refused" if code in NOT_THEIRS else ""
    return "" if status == 403 and code in NOT_THEIRS else "let in"


def _has_right(policy: str, path: str, persona: Persona) -> bool:
    if path.startswith(STAFF_ONLY) and persona.surface is not Surface.STAFF:
        return False
    if policy == "admin":
        return persona.surface is Surface.STAFF and not ADMINS.isdisjoint(persona.roles)
    return policy in persona.permissions


@pytest.mark.slow
def test_every_route_answers_everybody_as_it_declares(app: Flask, client: FlaskClient, personas: Personas) -> None:
    everybody = [None, *(personas.named(name) for name in ROLES_OF)]
    # An administrator in the customers' app is a customer.
    everybody.append(personas.with_roles("SUPER_ADMIN", name="super admin in the app", surface=Surface.APP))
    faults, asked = [], 0
    for method, rule, view in operations(app):
        policy = getattr(view, POLICY, None)
        if policy not in {"public", "optional", "token", "admin", *CATALOGUE}:
            faults.append(f"{method} {rule.rule} declares nothing")
            continue
        for persona in everybody:
            if persona is not None:
                personas.renew(persona)
            status, code = _ask(client, method, path_of(rule), persona)
            asked += 1
            wrong = fault(policy, rule.rule, persona, status, code)
            if wrong:
                faults.append(f"{method} {rule.rule} ({policy}) {wrong}: {_name(persona)}, {status} {code}")
    assert faults == []
    assert asked > 500


MONEY_READ = (
    "/api/v1/admin/withdrawals/<uuid:withdrawal_id>",
    "/api/v1/admin/payout-batches/<uuid:batch_id>/bank-file",
)


@pytest.mark.parametrize("change", ["status = 'DISABLED'", "roles = '{EMPLOYEE}'", "deleted_at = now()"])
def test_what_moves_money_is_not_even_read_by_a_token_that_does_not_hold_any_more(
    app: Flask, client: FlaskClient, personas: Personas, addresses: DatabaseAddresses, change: str, subtests: Subtests
) -> None:
    money = {code for code, permission in CATALOGUE.items() if permission.moves_money}
    reading = [
        rule for method, rule, view in operations(app) if method == "GET" and getattr(view, POLICY, None) in money
    ]
    assert {rule.rule for rule in reading} >= set(MONEY_READ)
    finance = personas.named("finance")
    for rule in reading:
        status, code = _ask(client, "GET", path_of(rule), finance)
        assert code not in NOBODY | NOT_THEIRS, (rule.rule, status, code)
    with connect(addresses.owner) as connection:
        connection.execute(f"UPDATE users SET {change} WHERE id = %s", [finance.user_id])
    for rule in reading:
        with subtests.test(rule.rule):
            for method in ("GET", "HEAD"):
                answer = client.open(path_of(rule), method=method, headers=finance.headers)
                assert answer.status_code == 401


def _ask(client: FlaskClient, method: str, path: str, persona: Persona | None) -> tuple[int, str]:
    headers = {"Idempotency-Key": uuid4().hex, **(persona.headers if persona is not None else {})}
    body = {} if method in ("POST", "PUT", "PATCH") else None
    answer = client.open(path, method=method, json=body, headers=headers)
    is_problem = answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"] if is_problem else ""


def _name(persona: Persona | None) -> str:
    return persona.name if persona is not None else ANONYMOUS


@pytest.mark.parametrize(
    ("policy", "persona", "answer", "expected"),
    [
        ("token", None, (200, ""), "let nobody in"), ("users.read", None, (403, "forbidden"), "let nobody in"),
        ("token", "customer", (401, "unauthorized"), "took somebody for nobody"),
        ("public", None, (401, "unauthorized"), "refused"), ("public", None, (401, "bad_signature"), ""),
        ("users.read", "customer", (404, "not_found"), "let in"), ("users.read", "customer", (403, "forbidden"), ""),
        ("users.read", "admin", (403, "forbidden"), "refused"), ("users.read", "admin", (404, "not_found"), ""),
        ("admin", "finance", (200, ""), "let in"), ("admin", "admin", (200, ""), ""),
        ("token", "customer", (500, "internal_error"), "broke"),
    ],
)  # fmt: skip
def test_the_walk_sees_what_is_wrong(
    personas: Personas, policy: str, persona: str | None, answer: tuple[int, str], expected: str
) -> None:
    who = personas.named(persona) if persona is not None else None
    assert fault(policy, "/api/v1/anything", who, *answer) == expected


class TestRows:
    """A foreign id answers 404, as if there were nothing."""

    def test_what_a_customer_has_is_found_by_them_and_staff_alone(
        self, shop: Shop, personas: Personas, subtests: Subtests
    ) -> None:
        everybody = {name: personas.named(name).person for name in ROLES_OF}
        owner = everybody.pop("customer")
        paths = _everything_of_a_customer(shop, owner)
        staff = {"employee", "finance", "admin", "super admin"}
        for path in paths:
            assert shop.get(path, owner).status_code in (200, 202), path
            for name, person in everybody.items():
                with subtests.test(f"{name} {path}"):
                    expected = (200, 202) if name in staff else (404,)
                    assert shop.get(path, person).status_code in expected

    def test_a_vendors_draft_is_found_by_them_and_staff_alone(self, shop: Shop, personas: Personas) -> None:
        vendor, other, staff = (personas.named(name).person for name in ("vendor", "other vendor", "employee"))
        customer = personas.named("customer").person
        body = {"name_ar": "رحلة", "name_en": "A draft", "category": "FAMILY"}
        package = shop.done(shop.post("/api/v1/packages", vendor, _package_body(body)), 201)
        for path in (f"/api/v1/packages/{package['id']}", f"/api/v1/packages/{package['slug']}"):
            assert [shop.get(path, who).status_code for who in (vendor, staff)] == [200, 200]
            assert [shop.get(path, who).status_code for who in (other, customer, None)] == [404, 404, 404]
        changed = shop.client.patch(
            f"/api/v1/packages/{package['id']}", json={"name_en": "Mine now"}, headers=other.headers
        )
        assert changed.status_code == 404
        departure = {"starts_on": "2030-01-01", "capacity": 5}
        assert shop.post(f"/api/v1/packages/{package['id']}/departures", other, departure).status_code == 404

    def test_an_api_key_is_its_owners_alone(self, shop: Shop, personas: Personas) -> None:
        vendor, other, admin = (personas.named(name).person for name in ("vendor", "other vendor", "admin"))
        key = shop.done(shop.post("/api/v1/api-keys", vendor, {"name": "till", "scopes": ["bookings.own"]}), 201)
        path = f"/api/v1/api-keys/{key['id']}"
        assert shop.get(path, vendor).status_code == 200
        for foreign in (other, admin):
            assert shop.get(path, foreign).status_code == 404
            assert shop.post(f"{path}/rotate", foreign).status_code == 404
            assert shop.client.delete(path, headers=foreign.headers).status_code == 404
        assert shop.client.delete(path, headers=vendor.headers).status_code == 204


def _package_body(details: dict[str, Any]) -> dict[str, Any]:
    return {
        "description_ar": "وصف", "description_en": "Described", "base_price": {"amount": "10.00", "currency": "EGP"},
        "duration_days": 1, "duration_nights": 0, "min_travelers": 1, "max_travelers": 5, "destinations": ["Luxor"],
        **details,
    }  # fmt: skip


def _everything_of_a_customer(shop: Shop, owner: Person) -> list[str]:
    """The address of one thing of each kind that a customer has."""
    booking = shop.book(owner, shop.offer())
    payment = shop.pay(owner, booking)
    shop.take_payment(payment)
    (invoice,) = shop.done(shop.get("/api/v1/invoices", owner))["items"]
    full = shop.offer(seats=1)
    shop.book(owner, full, travelers=1)
    entry = shop.done(shop.post(f"/api/v1/departures/{full.departure_id}/waiting-list", owner, {"seats": 1}), 201)
    subscription = shop.done(shop.post("/api/v1/memberships/subscriptions", owner, {"plan_code": "GOLD"}), 201)
    return [
        f"/api/v1/bookings/{booking['id']}",
        f"/api/v1/bookings/{booking['id']}/history",
        f"/api/v1/waiting-list-entries/{entry['id']}",
        f"/api/v1/payments/{payment['id']}",
        f"/api/v1/invoices/{invoice['id']}",
        f"/api/v1/invoices/{invoice['id']}/pdf",
        f"/api/v1/memberships/subscriptions/{subscription['id']}",
    ]
