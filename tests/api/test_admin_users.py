"""What staff do to other people's accounts, and may not."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.personas import Persona, Personas
from tests.api.shop import Shop, problem
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database


class Desk:
    """Requests about users."""

    def __init__(self, shop: Shop, personas: Personas) -> None:
        self.shop, self.personas = shop, personas
        self.root, self.admin = personas.named("super admin"), personas.named("admin")

    def patch(self, who: Persona, whom: UUID, **body: Any) -> TestResponse:
        return self._send("PATCH", who, f"{whom}", body)

    def give(self, who: Persona, whom: UUID, *roles: str) -> TestResponse:
        return self._send("PUT", who, f"{whom}/roles", {"roles": list(roles)})

    def delete(self, who: Persona, whom: UUID) -> TestResponse:
        return self._send("DELETE", who, f"{whom}", None)

    def _send(self, method: str, who: Persona, path: str, body: Any) -> TestResponse:
        headers = {**who.headers, "Idempotency-Key": uuid4().hex}
        return self.shop.client.open(f"/api/v1/admin/users/{path}", method=method, json=body, headers=headers)

    def row(self, whom: UUID) -> dict[str, Any]:
        found = self.shop.database.row("SELECT * FROM users WHERE id = %s", (whom,))
        assert found is not None
        return found

    def audited(self, whom: UUID) -> list[dict[str, Any]]:
        return self.shop.database.rows(
            """SELECT user_id, action, changes FROM audit_logs
               WHERE resource_id = %s AND status = 'SUCCESS' ORDER BY created_at, id""",
            (whom,),
        )


@pytest.fixture
def desk(shop: Shop, personas: Personas) -> Desk:
    return Desk(shop, personas)


def test_users_are_found_by_role_status_and_proof(desk: Desk) -> None:
    vendor, disabled = desk.personas.named("vendor"), desk.personas.named("customer")
    desk.shop.done(desk.patch(desk.admin, disabled.user_id, status="DISABLED", reason="chargebacks"))

    def found(query: str) -> set[str]:
        items = desk.shop.done(desk.shop.get(f"/api/v1/admin/users?limit=100&{query}", desk.admin.person))["items"]
        return {item["id"] for item in items}

    assert found("role=VENDOR") == {str(vendor.user_id)}
    assert found("status=DISABLED") == {str(disabled.user_id)}
    assert found("role=VENDOR&status=DISABLED") == set()
    assert found(f"verified=true&q={vendor.user_id}") == {str(vendor.user_id)}
    assert found(f"verified=false&q={vendor.user_id}") == set()
    for query, pointer in (("status=GONE", "/status"), ("verified=maybe", "/verified"), ("role=", "/role")):
        answer = desk.shop.get(f"/api/v1/admin/users?{query}", desk.admin.person)
        problem(answer, 422, "validation_failed", pointer=pointer)


def test_whoever_is_disabled_is_signed_out_everywhere_at_once(desk: Desk) -> None:
    customer = desk.personas.named("customer")
    problem(desk.patch(desk.admin, customer.user_id, status="DISABLED"), 422, "validation_failed", pointer="/reason")
    shown = desk.shop.done(desk.patch(desk.admin, customer.user_id, status="DISABLED", reason="chargebacks"))
    assert shown["status"] == "DISABLED"
    problem(desk.shop.post("/api/v1/bookings", customer.person, {}), 401, "unauthorized")
    desk.shop.done(desk.patch(desk.admin, customer.user_id, status="ACTIVE"))
    # The account may act again, after signing in: the session is over.
    problem(desk.shop.post("/api/v1/bookings", customer.person, {}), 401, "unauthorized")
    first, second = desk.audited(customer.user_id)
    assert first["changes"] == {
        "before": {"status": "ACTIVE"}, "after": {"status": "DISABLED"}, "reason": "chargebacks",
    }  # fmt: skip
    assert (second["user_id"], second["action"]) == (desk.admin.user_id, "users.update")


def test_names_and_language_are_changed_and_what_stays_is_not_audited(desk: Desk) -> None:
    customer = desk.personas.named("customer")
    shown = desk.shop.done(desk.patch(desk.admin, customer.user_id, first_name="ليلى", locale="ar"))
    assert (shown["first_name"], shown["last_name"], shown["locale"]) == ("ليلى", "Adel", "ar")
    desk.shop.done(desk.patch(desk.admin, customer.user_id, first_name="ليلى"))
    (change,) = desk.audited(customer.user_id)
    assert change["changes"] == {
        "before": {"first_name": "Mona", "locale": "en"}, "after": {"first_name": "ليلى", "locale": "ar"},
    }  # fmt: skip
    problem(desk.patch(desk.admin, customer.user_id, roles=["ADMIN"]), 422, "validation_failed", pointer="/roles")
    problem(desk.patch(desk.admin, uuid4(), first_name="x"), 404, "not_found")


def test_roles_are_given_and_taken_and_the_old_token_changes_nothing_more(desk: Desk) -> None:
    employee = desk.personas.named("employee")
    shown = desk.shop.done(desk.give(desk.admin, employee.user_id, "EMPLOYEE", "SALES"))
    assert shown["roles"] == ["EMPLOYEE", "SALES"]
    problem(desk.shop.post("/api/v1/bookings", employee.person, {}), 401, "unauthorized")
    (change,) = desk.audited(employee.user_id)
    assert (change["action"], change["changes"]) == (
        "users.roles", {"before": {"roles": ["EMPLOYEE"]}, "after": {"roles": ["EMPLOYEE", "SALES"]}},
    )  # fmt: skip


def test_nobody_gives_or_takes_what_they_could_not_give(desk: Desk) -> None:
    employee, other_admin = desk.personas.named("employee"), desk.personas.named("admin")
    for roles in (["ADMIN"], ["EMPLOYEE", "SUPER_ADMIN"]):
        problem(desk.give(desk.admin, employee.user_id, *roles), 403, "role_not_grantable")
    for refused in (
        desk.give(desk.admin, other_admin.user_id, "EMPLOYEE"),
        desk.patch(desk.admin, other_admin.user_id, status="DISABLED", reason="x"),
        desk.patch(desk.admin, desk.root.user_id, first_name="x"),
        desk.delete(desk.admin, desk.root.user_id),
    ):
        problem(refused, 403, "role_not_grantable")
    problem(desk.give(desk.root, employee.user_id, "PILOT"), 422, "validation_failed", pointer="/roles")
    problem(desk.give(desk.root, employee.user_id), 422, "validation_failed", pointer="/roles")
    assert desk.row(employee.user_id)["roles"] == ["EMPLOYEE"]
    assert desk.give(desk.root, other_admin.user_id, "EMPLOYEE").status_code == 200


def test_nobody_changes_their_own_roles_or_status(desk: Desk) -> None:
    for refused in (
        desk.give(desk.root, desk.root.user_id, "SUPER_ADMIN", "FINANCE"),
        desk.patch(desk.root, desk.root.user_id, status="DISABLED", reason="x"),
        desk.delete(desk.root, desk.root.user_id),
    ):
        problem(refused, 403, "own_account")
    assert desk.patch(desk.root, desk.root.user_id, first_name="Hala").status_code == 200


def test_an_account_is_closed_by_staff(desk: Desk) -> None:
    customer = desk.personas.named("customer")
    assert desk.delete(desk.admin, customer.user_id).status_code == 204
    problem(desk.shop.post("/api/v1/bookings", customer.person, {}), 401, "unauthorized")
    problem(desk.delete(desk.admin, customer.user_id), 404, "not_found")
    problem(desk.give(desk.admin, customer.user_id, "AGENT"), 404, "not_found")
    (change,) = desk.audited(customer.user_id)
    assert (change["action"], change["changes"]["after"]["closed"]) == ("users.delete", True)


class TestTheLastSuperAdmin:
    def test_cannot_leave(self, desk: Desk) -> None:
        answer = desk.shop.client.delete("/api/v1/users/me", headers=desk.root.headers)
        problem(answer, 409, "last_super_admin")
        other = desk.personas.named("super admin")
        assert desk.shop.client.delete("/api/v1/users/me", headers=other.headers).status_code == 204

    @pytest.mark.parametrize("how", ["roles", "status", "delete"])
    def test_two_that_unmake_each_other_at_once_leave_one(self, app: Flask, desk: Desk, how: str) -> None:
        one, two = desk.root, desk.personas.named("super admin")
        client = {who.user_id: app.test_client() for who in (one, two)}

        def unmake(who: Persona, whom: Persona) -> int:
            path = f"/api/v1/admin/users/{whom.user_id}"
            asked: dict[str, Any] = {
                "roles": {"method": "PUT", "path": f"{path}/roles", "json": {"roles": ["EMPLOYEE"]}},
                "status": {"method": "PATCH", "path": path, "json": {"status": "DISABLED", "reason": "x"}},
                "delete": {"method": "DELETE", "path": path},
            }[how]
            return client[who.user_id].open(headers=who.headers, **asked).status_code

        statuses = all_at_once([lambda: unmake(one, two), lambda: unmake(two, one)])

        assert sorted(statuses)[0] in (200, 204)
        assert sorted(statuses)[1] in (401, 403, 409)
        left = desk.shop.database.rows(
            "SELECT id FROM users WHERE 'SUPER_ADMIN' = ANY(roles) AND status = 'ACTIVE' AND deleted_at IS NULL"
        )
        assert len(left) == 1

    def test_two_that_leave_at_once_leave_one(self, app: Flask, desk: Desk) -> None:
        both = [desk.root, desk.personas.named("super admin")]
        clients = [(app.test_client(), who.headers) for who in both]

        def leave(number: int) -> int:
            client, headers = clients[number]
            return client.delete("/api/v1/users/me", headers=headers).status_code

        assert sorted(all_at_once([lambda: leave(0), lambda: leave(1)])) == [204, 409]
