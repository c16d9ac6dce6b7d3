"""What the system needs before anybody uses it. Run as often as one likes, by several processes at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg

from config.settings import Settings, SettingsError
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.seed_data import BOOKING_TYPES, MEMBERSHIP_PLANS
from infrastructure.seed_demo import seed_demo
from security.permissions import CATALOGUE, ROLES

Connection = psycopg.Connection[Any]


def seed(settings: Settings, addresses: DatabaseAddresses, *, demo: bool) -> None:
    """Put in place roles, permissions, plans and booking types; with `demo`, accounts and a catalogue to try.

    Rows that are there stay as the company changed them; only permissions follow the code: grants that it
    no longer makes are taken away. Raises SettingsError for a demo in production.
    """
    if demo and settings.is_production:
        raise SettingsError("ENVIRONMENT: the demo's accounts have a public password and are refused in production")
    with connect(addresses.app) as connection, connection.transaction():
        # Whoever comes second waits here, and then finds everything in place.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('altayar seed'))")
        _seed_roles(connection)
        _seed_plans(connection)
        _seed_booking_types(connection)
        if demo:
            seed_demo(connection, at=datetime.now(UTC), bcrypt_cost=settings.bcrypt_cost)


_ADD_ROLE = """
INSERT INTO roles (id, role_name, display_name_ar, display_name_en, is_system_role) VALUES (%s, %s, %s, %s, true)
ON CONFLICT (role_name) DO NOTHING
"""
_KEEP_PERMISSION = """
INSERT INTO permissions (id, permission_code, module, action, description_en) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (permission_code) DO UPDATE SET description_en = excluded.description_en
WHERE permissions.description_en <> excluded.description_en
"""
_DROP_PERMISSIONS = "DELETE FROM permissions WHERE NOT permission_code = ANY(%s)"
_ADD_GRANTS = """
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id FROM unnest(%s::text[], %s::text[]) AS granted(role_name, code)
JOIN roles r USING (role_name) JOIN permissions p ON p.permission_code = granted.code
ON CONFLICT DO NOTHING
"""
_DROP_GRANTS = """
DELETE FROM role_permissions g USING roles r, permissions p
WHERE r.id = g.role_id AND p.id = g.permission_id AND r.is_system_role
  AND (r.role_name, p.permission_code) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""


def _seed_roles(connection: Connection) -> None:
    """The roles, the permissions of the code's own table, and who has which."""
    grants = [(role, code) for code, (_, holders) in CATALOGUE.items() for role in holders]
    columns = ([role for role, _ in grants], [code for _, code in grants])
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_ROLE, [(new_id(), name, ar, en) for name, (ar, en) in ROLES.items()])
        cursor.executemany(
            _KEEP_PERMISSION,
            [(new_id(), code, *code.split(".", 1), description) for code, (description, _) in CATALOGUE.items()],
        )
        cursor.execute(_DROP_PERMISSIONS, (list(CATALOGUE),))
        cursor.execute(_DROP_GRANTS, columns)
        cursor.execute(_ADD_GRANTS, columns)


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
