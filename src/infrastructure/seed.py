"""What the system needs before anybody uses it. Run as often as one likes, by several processes at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from config.settings import Settings, SettingsError
from domain.identity.roles import SUPER_ADMIN, surface_of
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.seed_data import BOOKING_TYPES, CANCELLATION_POLICY, MEMBERSHIP_PLANS
from infrastructure.seed_demo import seed_demo
from security.field_encryption import FernetEncryption
from security.permissions import CATALOGUE, ROLES, Permission

Connection = psycopg.Connection[Any]


def seed(settings: Settings, addresses: DatabaseAddresses, *, demo: bool) -> None:
    """Put in place roles, permissions, plans, booking types and cancellation terms; with `demo`, things to try.

    Rows that are there stay as the company changed them; only permissions follow the code: those that it no
    longer knows are taken from everybody. Raises SettingsError for a demo in production.
    """
    if demo and settings.is_production:
        raise SettingsError("ENVIRONMENT: the demo's accounts have a public password and are refused in production")
    with connect(addresses.app) as connection, connection.transaction():
        # Whoever comes second waits here, and then finds everything in place.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('altayar seed'))")
        _seed_roles(connection)
        _seed_plans(connection)
        _seed_booking_types(connection)
        _seed_policy(connection)
        if demo:
            seed_demo(
                connection,
                at=datetime.now(UTC),
                bcrypt_cost=settings.bcrypt_cost,
                encryption=FernetEncryption(settings.field_encryption_keys),
            )


_ADD_ROLE = """
INSERT INTO roles (id, role_name, display_name_ar, display_name_en, is_system_role, surface)
VALUES (%s, %s, %s, %s, true, %s)
ON CONFLICT (role_name) DO NOTHING
"""
_KNOWN = "SELECT permission_code FROM permissions UNION ALL SELECT role_name FROM roles"
_KEEP_PERMISSION = """
INSERT INTO permissions (id, permission_code, module, action, description_en, description_ar, moves_money)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (permission_code) DO UPDATE
SET description_en = excluded.description_en, description_ar = excluded.description_ar,
    moves_money = excluded.moves_money
WHERE (permissions.description_en, permissions.description_ar, permissions.moves_money)
      <> (excluded.description_en, excluded.description_ar, excluded.moves_money)
"""
_DROP_PERMISSIONS = "DELETE FROM permissions WHERE NOT permission_code = ANY(%s)"
_ADD_GRANTS = """
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id FROM unnest(%s::text[], %s::text[]) AS granted(role_name, code)
JOIN roles r USING (role_name) JOIN permissions p ON p.permission_code = granted.code
ON CONFLICT DO NOTHING
"""


def _seed_roles(connection: Connection) -> None:
    """The roles and permissions of the code's own table, and who begins with which."""
    known = {row[0] for row in connection.execute(_KNOWN)}
    # A role or permission that is new begins as the table says; what staff changed since stays.
    grants = [
        (role, code)
        for code, permission in CATALOGUE.items()
        for role in permission.holders
        if role == SUPER_ADMIN or role not in known or code not in known
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            _ADD_ROLE, [(new_id(), name, ar, en, surface_of(name).value) for name, (ar, en) in ROLES.items()]
        )
        cursor.executemany(_KEEP_PERMISSION, [_permission_row(permission) for permission in CATALOGUE.values()])
        cursor.execute(_DROP_PERMISSIONS, (list(CATALOGUE),))
        cursor.execute(_ADD_GRANTS, ([role for role, _ in grants], [code for _, code in grants]))


def _permission_row(permission: Permission) -> tuple[Any, ...]:
    return (
        new_id(),
        permission.code,
        permission.module,
        permission.action,
        permission.description_en,
        permission.description_ar,
        permission.moves_money,
    )


_ADD_PLAN = """
INSERT INTO membership_plans (id, tier_code, tier_name_ar, tier_name_en, tier_order, price_minor, currency,
                              cashback_rate, points_multiplier, color_hex)
VALUES (%s, %s, %s, %s, %s, %s, 'EGP', %s, %s, %s)
ON CONFLICT (tier_code) DO NOTHING
"""


def _seed_plans(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_PLAN, [(new_id(), *plan) for plan in MEMBERSHIP_PLANS])


_ADD_BOOKING_TYPE = """
INSERT INTO booking_types (display_order, type_code, type_name_ar, type_name_en, icon_name, color_hex, is_active)
VALUES (%s, %s, %s, %s, %s, %s, true)
ON CONFLICT (type_code) DO NOTHING
"""


def _seed_booking_types(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_BOOKING_TYPE, [(order, *kind) for order, kind in enumerate(BOOKING_TYPES, start=1)])


_ADD_POLICY = """
INSERT INTO cancellation_policies (id, name_ar, name_en, tiers, is_default, is_active, created_at)
SELECT %s, %s, %s, %s, true, true, now() WHERE NOT EXISTS (SELECT 1 FROM cancellation_policies)
"""


def _seed_policy(connection: Connection) -> None:
    """The terms that the company sells under, until it says otherwise."""
    name_ar, name_en, tiers = CANCELLATION_POLICY
    connection.execute(_ADD_POLICY, (new_id(), name_ar, name_en, Jsonb(tiers)))
