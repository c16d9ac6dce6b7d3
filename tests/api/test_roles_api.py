"""Roles: who makes them, what they permit, and from when on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.snapshots import Snapshot
from infrastructure.database.transaction import Database
from security.permissions import CATALOGUE, ROLES
from tests.api.personas import Persona, Personas
from tests.api.shop import Shop, problem
from tests.conftest import MovableClock

pytestmark = pytest.mark.database

AUDITOR = {
    "name": "AUDITOR",
    "display_name_ar": "مراجع",
    "display_name_en": "Auditor",
    "permissions": ["payments.read"],
}


class Desk:
    """An administrator's requests about roles."""

    def __init__(self, shop: Shop, personas: Personas) -> None:
        self.shop, self.personas = shop, personas
        self.root, self.admin = personas.named("super admin"), personas.named("admin")

    def send(self, method: str, path: str, who: Persona, body: Any = None) -> TestResponse:
        headers = {**who.headers, "Idempotency-Key": uuid4().hex}
        return self.shop.client.open(f"/api/v1/admin{path}", method=method, json=body, headers=headers)

    def role(self, name: str) -> dict[str, Any]:
        items = self.shop.done(self.send("GET", "/roles", self.admin))["items"]
        return next(item for item in items if item["name"] == name)

    def made(self, **changes: Any) -> dict[str, Any]:
        return self.shop.done(self.send("POST", "/roles", self.admin, {**AUDITOR, **changes}), 201)

    def audited(self, resource_id: str) -> list[dict[str, Any]]:
        return self.shop.database.rows(
            "SELECT user_id, action, changes FROM audit_logs WHERE resource_id = %s ORDER BY created_at, id",
            (resource_id,),
        )


@pytest.fixture
def desk(shop: Shop, personas: Personas) -> Desk:
    return Desk(shop, personas)


def test_the_catalogue_is_shown_whole_in_both_languages(desk: Desk) -> None:
    items = desk.shop.done(desk.send("GET", "/permissions", desk.admin))["items"]
    assert {item["code"] for item in items} == set(CATALOGUE)
    (refund,) = [item for item in items if item["code"] == "refunds.create"]
    assert (refund["module"], refund["action"], refund["moves_money"], refund["is_built"]) == (
        "refunds", "create", True, True,
    )  # fmt: skip
    assert refund["description"] == refund["description_en"]
    assert refund["description_ar"]


def test_the_roles_of_the_system_are_there(desk: Desk) -> None:
    items = desk.shop.done(desk.send("GET", "/roles", desk.admin))["items"]
    assert {item["name"] for item in items if item["is_system"]} == set(ROLES)
    assert {item["name"]: item["surface"] for item in items if item["surface"] != "STAFF"} == {
        "CUSTOMER": "APP", "AGENT": "PARTNER", "VENDOR": "PARTNER",
    }  # fmt: skip
    assert desk.role("ADMIN")["holders"] == 1
    assert set(desk.role("SUPER_ADMIN")["permissions"]) == set(CATALOGUE)


def test_a_role_is_made_changed_and_deleted_and_all_of_it_is_audited(desk: Desk) -> None:
    role = desk.made()
    assert (role["surface"], role["is_system"], role["permissions"]) == ("STAFF", False, ["payments.read"])
    path = f"/roles/{role['id']}"
    renamed = desk.shop.done(desk.send("PATCH", path, desk.admin, {"display_name_en": "Reviewer"}))
    assert (renamed["display_name_en"], renamed["display_name_ar"]) == ("Reviewer", "مراجع")
    permitted = desk.shop.done(
        desk.send("PUT", f"{path}/permissions", desk.admin, {"permissions": ["users.read", "invoices.read"]})
    )
    assert permitted["permissions"] == ["invoices.read", "users.read"]
    assert desk.send("DELETE", path, desk.admin).status_code == 204
    problem(desk.send("GET", path, desk.admin), 404, "role_not_found")
    changes = [row["changes"] for row in desk.audited(role["id"])]
    assert [sorted(change) for change in changes] == [["after"], ["after", "before"], ["after", "before"], ["before"]]
    assert changes[2]["before"]["permissions"] == ["payments.read"]
    assert changes[2]["after"]["permissions"] == ["invoices.read", "users.read"]
    assert {(row["user_id"], row["action"]) for row in desk.audited(role["id"])} == {
        (desk.admin.user_id, "roles.manage")
    }


def test_bad_roles_are_refused_by_field(desk: Desk) -> None:
    for field, value in (("name", "auditor"), ("name", "A" * 41), ("display_name_ar", ""), ("permissions", "all")):
        answer = desk.send("POST", "/roles", desk.admin, {**AUDITOR, field: value})
        problem(answer, 422, "validation_failed", pointer=f"/{field}")
    answer = desk.send("POST", "/roles", desk.admin, {**AUDITOR, "permissions": ["fly.planes"]})
    problem(answer, 422, "validation_failed", pointer="/permissions/0")
    desk.made()
    problem(desk.send("POST", "/roles", desk.admin, AUDITOR), 409, "role_name_taken")


def test_nobody_gives_a_permission_that_they_do_not_have(desk: Desk) -> None:
    admin_role, role = desk.role("ADMIN"), desk.made()
    without = [code for code in admin_role["permissions"] if code != "payouts.approve"]
    desk.shop.done(desk.send("PUT", f"/roles/{admin_role['id']}/permissions", desk.root, {"permissions": without}))
    wanted = {"permissions": ["payouts.approve"]}
    refused = desk.send("PUT", f"/roles/{role['id']}/permissions", desk.admin, wanted)
    assert "payouts.approve" in problem(refused, 403, "permission_not_held")["detail"]
    problem(desk.send("POST", "/roles", desk.admin, {**AUDITOR, "name": "OTHER", **wanted}), 403, "permission_not_held")
    desk.shop.done(desk.send("PUT", f"/roles/{role['id']}/permissions", desk.root, wanted))
    # What the role permits now is more than an administrator may pass on.
    person = desk.personas.named("employee")
    body = {"roles": ["EMPLOYEE", "AUDITOR"]}
    problem(desk.send("PUT", f"/users/{person.user_id}/roles", desk.admin, body), 403, "role_not_grantable")
    desk.shop.done(desk.send("PUT", f"/users/{person.user_id}/roles", desk.root, body))


def test_roles_of_the_system_are_fixed_and_administrators_are_super_admins_business(desk: Desk) -> None:
    employee, admin, root = (f"/roles/{desk.role(name)['id']}" for name in ("EMPLOYEE", "ADMIN", "SUPER_ADMIN"))
    problem(desk.send("PATCH", employee, desk.admin, {"display_name_en": "x"}), 409, "system_role_fixed")
    problem(desk.send("DELETE", employee, desk.admin), 409, "system_role_fixed")
    nothing: dict[str, Any] = {"permissions": []}
    problem(desk.send("PUT", f"{root}/permissions", desk.root, nothing), 409, "system_role_fixed")
    problem(desk.send("PUT", f"{admin}/permissions", desk.admin, nothing), 403, "role_not_grantable")
    assert desk.send("PUT", f"{employee}/permissions", desk.admin, nothing).status_code == 200


def test_a_role_that_somebody_has_is_not_deleted(desk: Desk) -> None:
    role, person = desk.made(), desk.personas.with_roles("EMPLOYEE", "AUDITOR")
    problem(desk.send("DELETE", f"/roles/{role['id']}", desk.admin), 409, "role_in_use")
    body = {"roles": ["EMPLOYEE"]}
    desk.shop.done(desk.send("PUT", f"/users/{person.user_id}/roles", desk.admin, body))
    assert desk.send("DELETE", f"/roles/{role['id']}", desk.admin).status_code == 204


class TestWhenItHolds:
    def test_what_changes_anything_heeds_a_changed_role_at_once(self, desk: Desk) -> None:
        employee, role = desk.personas.named("employee"), desk.role("EMPLOYEE")
        assert desk.shop.post("/api/v1/packages", employee.person, {}).status_code == 422
        left = [code for code in role["permissions"] if code != "packages.create"]
        desk.shop.done(desk.send("PUT", f"/roles/{role['id']}/permissions", desk.admin, {"permissions": left}))
        problem(desk.shop.post("/api/v1/packages", employee.person, {}), 403, "forbidden")

    def test_another_process_reads_by_the_new_role_within_a_second(
        self, desk: Desk, settings: Settings, addresses: DatabaseAddresses, clock: MovableClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        elapsed = 0.0
        whole = Snapshot.__init__

        def moved(self: Any, load: Any, revision: Any) -> None:
            whole(self, load, revision, monotonic=lambda: elapsed)

        monkeypatch.setattr(Snapshot, "__init__", moved)
        other: Running = bootstrap(settings, database=Database(addresses.app), clock=clock)
        try:
            client: FlaskClient = create_app(running=other).test_client()
            employee, role = desk.personas.named("employee"), desk.role("EMPLOYEE")
            path = f"/api/v1/admin/users/{employee.user_id}"
            assert client.get(path, headers=employee.headers).status_code == 200
            desk.shop.done(desk.send("PUT", f"/roles/{role['id']}/permissions", desk.admin, {"permissions": []}))
            elapsed = 0.99
            assert client.get(path, headers=employee.headers).status_code == 200
            elapsed = 1.0
            problem(client.get(path, headers=employee.headers), 403, "forbidden")
        finally:
            other.close()

    def test_reads_go_on_by_the_last_roles_while_the_database_cannot_be_asked(
        self, desk: Desk, settings: Settings, addresses: DatabaseAddresses, clock: MovableClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        whole = Snapshot.__init__
        # Looked at with every request.
        monkeypatch.setattr(Snapshot, "__init__", lambda self, load, revision: whole(self, load, revision, seconds=0))
        other = bootstrap(settings, database=Database(addresses.app), clock=clock)
        employee = desk.personas.named("employee")
        try:
            read = other.dependencies.tokens.read
            assert read(_token(employee), at=clock.now()).may("users.read")

            asked = []

            def unreachable(*_: Any, **__: Any) -> Any:
                asked.append(True)
                raise DatabaseUnavailable()

            monkeypatch.setattr(other.database, "rows", unreachable)
            assert read(_token(employee), at=clock.now()).may("users.read")
            assert asked
        finally:
            other.close()


def _token(persona: Persona) -> str:
    return persona.headers["Authorization"].removeprefix("Bearer ")
