"""Roles: where they count, who gives them, what they permit."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.api_keys import ApiKey, ApiKeyEnded
from domain.identity.roles import (
    PermissionNotHeld,
    Role,
    RoleInUse,
    Surface,
    SystemRoleFixed,
    WrongSurface,
    choose_surface,
    may_change,
    may_grant,
    roles_on,
    widest_surface,
)
from domain.shared.errors import InvalidValue
from tests.builders import NOON

NAMES = ["SUPER_ADMIN", "ADMIN", "EMPLOYEE", "CUSTOMER", "AGENT", "VENDOR", "FINANCE", "AUDITOR"]
some_roles = st.sets(st.sampled_from(NAMES), max_size=4)


def a_role(name: str = "AUDITOR", *, is_system: bool = False, permissions: frozenset[str] = frozenset()) -> Role:
    role = Role.create(role_id=uuid4(), name=name, display_name_ar="مراجع", display_name_en="Auditor", at=NOON)
    role.is_system, role.permissions = is_system, permissions
    return role


@pytest.mark.parametrize(
    ("granter", "grants"),
    [("SUPER_ADMIN", set(NAMES)), ("ADMIN", set(NAMES) - {"SUPER_ADMIN", "ADMIN"}), ("EMPLOYEE", set()),
     ("FINANCE", set()), ("CUSTOMER", set()), ("VENDOR", set())],
)  # fmt: skip
def test_only_super_admins_make_administrators_and_only_administrators_make_anybody_else(
    granter: str, grants: set[str]
) -> None:
    assert {role for role in NAMES if may_grant([granter], role)} == grants


def test_staff_change_customers_and_otherwise_only_those_whom_they_could_make() -> None:
    assert may_change(["SUPPORT"], ["CUSTOMER"])
    assert not may_change(["SUPPORT"], ["CUSTOMER", "VENDOR"])
    assert may_change(["ADMIN"], ["EMPLOYEE", "FINANCE"])
    assert not may_change(["ADMIN"], ["ADMIN"])
    assert may_change(["SUPER_ADMIN"], ["SUPER_ADMIN"])


@given(some_roles)
def test_every_role_counts_on_the_widest_surface_of_its_holder(roles: set[str]) -> None:
    assert roles_on(widest_surface(roles), roles) == roles


@given(some_roles)
def test_a_wider_surface_never_holds_less(roles: set[str]) -> None:
    assert roles_on(Surface.APP, roles) <= roles_on(Surface.PARTNER, roles) <= roles_on(Surface.STAFF, roles) == roles


@given(some_roles, st.none() | st.sampled_from(Surface))
def test_nobody_signs_in_where_they_have_no_role(roles: set[str], wanted: Surface | None) -> None:
    if wanted is not None and not widest_surface(roles).holds(wanted):
        with pytest.raises(WrongSurface):
            choose_surface(wanted, roles)
    else:
        assert choose_surface(wanted, roles) is (wanted or widest_surface(roles))


def test_nobody_gives_what_they_do_not_have_but_what_a_role_has_it_may_keep() -> None:
    role = a_role(permissions=frozenset({"audit.read"}))

    role.permit({"audit.read", "users.read"}, held=frozenset({"users.read"}), at=NOON)
    with pytest.raises(PermissionNotHeld):
        role.permit({"refunds.create"}, held=frozenset({"users.read"}), at=NOON)

    assert role.permissions == {"audit.read", "users.read"}


def test_a_role_of_the_system_keeps_its_name_and_stays() -> None:
    role = a_role("EMPLOYEE", is_system=True)

    with pytest.raises(SystemRoleFixed):
        role.rename(display_name_ar="آخر", display_name_en=None, at=NOON)
    with pytest.raises(SystemRoleFixed):
        role.check_removable(in_use=False)


def test_what_a_super_admin_may_do_never_changes() -> None:
    with pytest.raises(SystemRoleFixed):
        a_role("SUPER_ADMIN", is_system=True).permit([], held=frozenset(), at=NOON)


def test_a_role_that_somebody_has_stays() -> None:
    with pytest.raises(RoleInUse):
        a_role().check_removable(in_use=True)


@pytest.mark.parametrize("name", ["", "AB", "auditor", "1AUDITOR", "AUDITOR ", "A" * 41, "مراجع", "AUDITOR\n"])
def test_a_role_is_named_in_capital_letters(name: str) -> None:
    with pytest.raises(InvalidValue):
        a_role(name)


def a_key(scopes: set[str] = frozenset({"bookings.own"}), *, days: int = 90) -> ApiKey:  # type: ignore[assignment]
    return ApiKey.issue(
        key_id=uuid4(), user_id=uuid4(), name="till", public_id="a" * 16, key_hash=b"x", scopes=frozenset(scopes),
        grantable=frozenset({"bookings.own", "catalogue.read"}), valid_for=timedelta(days=days), at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("scopes", [set(), {"users.read"}, {"bookings.own", "users.read"}])
def test_a_key_is_made_for_something_that_its_owner_may_do(scopes: set[str]) -> None:
    with pytest.raises(InvalidValue):
        a_key(scopes)


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_key_lives_for_1_to_365_days(days: int) -> None:
    with pytest.raises(InvalidValue):
        a_key(days=days)


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    key = a_key(days=1)
    assert key.is_good(at=NOON)
    assert not key.is_good(at=NOON + timedelta(days=1))

    key.revoke(at=NOON, by=key.user_id)
    key.revoke(at=NOON + timedelta(hours=1), by=uuid4())

    assert (key.revoked_at, key.revoked_by) == (NOON, key.user_id)
    with pytest.raises(ApiKeyEnded):
        key.replace(public_id="b" * 16, key_hash=b"y", at=NOON)
