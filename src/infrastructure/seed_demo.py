"""Accounts and a catalogue to try the system with; never in production."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg

from domain.membership.memberships import TERM
from domain.shared.clock import business_date
from domain.shared.identifiers import document_number
from infrastructure.clock import new_id
from security.password_handler import BcryptPasswords

Connection = psycopg.Connection[Any]

DEMO_PASSWORD: Final = "Altayar-demo-2026"  # noqa: S105 — printed for everyone who tries the demo

# e-mail, first and last name, telephone, language, role
DEMO_ACCOUNTS: Final = (
    ("admin@altayar.test", "هالة", "منصور", "+201000000001", "ar", "ADMIN"),
    ("finance@altayar.test", "Karim", "Fahmy", "+201000000002", "en", "EMPLOYEE"),
    ("vendor@altayar.test", "Nile", "Voyages", "+201000000003", "en", "VENDOR"),
    ("agent@altayar.test", "سامح", "عبد الله", "+201000000004", "ar", "AGENT"),
    ("customer@altayar.test", "Layla", "Hassan", "+201000000005", "en", "CUSTOMER"),
)


def seed_demo(connection: Connection, *, at: datetime, bcrypt_cost: int) -> None:
    """Five accounts, of which the customer has a gold membership."""
    _seed_accounts(connection, at=at, bcrypt_cost=bcrypt_cost)
    _seed_membership(connection, at=at)


_MISSING = "SELECT email FROM unnest(%s::text[]) AS email WHERE email NOT IN (SELECT u.email FROM users u)"
_ADD_ACCOUNT = """
INSERT INTO users (id, email, password_hash, first_name, last_name, phone, locale, status, roles,
                   email_verified_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'ACTIVE', ARRAY[%s], %s, %s)
"""


def _seed_accounts(connection: Connection, *, at: datetime, bcrypt_cost: int) -> None:
    missing = {row[0] for row in connection.execute(_MISSING, ([account[0] for account in DEMO_ACCOUNTS],))}
    if not missing:
        return
    # Hashed once: a hash costs as much as everything else here together, and this password is no secret.
    password_hash = BcryptPasswords(bcrypt_cost).hash(DEMO_PASSWORD)
    with connection.cursor() as cursor:
        cursor.executemany(
            _ADD_ACCOUNT,
            [
                (new_id(), email, password_hash, *profile, at, at)
                for email, *profile in DEMO_ACCOUNTS
                if email in missing
            ],
        )


_EXTEND_MEMBERSHIP = """
UPDATE membership_subscriptions s SET start_date = %(start)s, expiry_date = %(end)s
FROM users u WHERE u.id = s.user_id AND u.email = %(email)s AND s.status = 'ACTIVE' AND s.expiry_date < %(start)s
"""
_NEEDS_MEMBERSHIP = """
SELECT u.id FROM users u WHERE u.email = %(email)s AND NOT EXISTS (
    SELECT 1 FROM membership_subscriptions s WHERE s.user_id = u.id AND s.status = 'ACTIVE')
"""
_ADD_MEMBERSHIP = """
INSERT INTO membership_subscriptions (id, membership_number, user_id, plan_id, price_minor, currency, status,
                                      start_date, expiry_date, created_at)
SELECT %(id)s, %(number)s, %(user_id)s, p.id, p.price_minor, p.currency, 'ACTIVE', %(start)s, %(end)s, %(at)s
FROM membership_plans p WHERE p.tier_code = 'GOLD'
"""


def _seed_membership(connection: Connection, *, at: datetime) -> None:
    """The customer's year of gold, so that points and cashback show; begun again when it is over."""
    start = business_date(at)
    values: dict[str, Any] = {"email": "customer@altayar.test", "start": start, "end": start + TERM, "at": at}
    connection.execute(_EXTEND_MEMBERSHIP, values)
    needs = connection.execute(_NEEDS_MEMBERSHIP, values).fetchone()
    if needs is None:
        return
    serial = connection.execute("SELECT nextval('membership_numbers')").fetchone()
    number = document_number("MB", start.year, serial[0] if serial else 0)
    connection.execute(_ADD_MEMBERSHIP, {**values, "id": new_id(), "number": number, "user_id": needs[0]})
