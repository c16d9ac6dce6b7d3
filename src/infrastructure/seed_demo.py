"""Accounts and a catalogue to try the system with; never in production."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from application.ports import Encryption
from domain.catalogue.departures import Departure
from domain.catalogue.package_details import PackageCategory
from domain.catalogue.packages import Package, slug_of
from domain.membership.memberships import TERM
from domain.shared.clock import business_date
from domain.shared.identifiers import document_number
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.seed_activities import seed_activities
from infrastructure.seed_demo_partners import seed_demo_debtor, seed_demo_partners
from infrastructure.seed_departures import add_departures, departure_dates
from infrastructure.seed_promotions import seed_promotions
from security.password_handler import BcryptPasswords

Connection = psycopg.Connection[Any]

DEMO_PASSWORD: Final = "Altayar-demo-2026"  # noqa: S105 — printed for everyone who tries the demo

# e-mail, first and last name, telephone, language, roles
DEMO_ACCOUNTS: Final = (
    ("admin@altayar.test", "هالة", "منصور", "+201000000001", "ar", ["ADMIN"]),
    ("finance@altayar.test", "Karim", "Fahmy", "+201000000002", "en", ["EMPLOYEE", "FINANCE"]),
    ("vendor@altayar.test", "Nile", "Voyages", "+201000000003", "en", ["VENDOR"]),
    ("agent@altayar.test", "سامح", "عبد الله", "+201000000004", "ar", ["AGENT"]),
    ("customer@altayar.test", "Layla", "Hassan", "+201000000005", "en", ["CUSTOMER"]),
)


def seed_demo(connection: Connection, *, at: datetime, bcrypt_cost: int, encryption: Encryption) -> None:
    """Five accounts, of which the customer has a gold membership, and vendor and agent are approved and can be paid; a
    catalogue with departures for six months, a vendor's activity that waits for review, an offer and a voucher.

    Run again later it adds the departures of the weeks that have come into sight, and changes nothing else.
    """
    _seed_accounts(connection, at=at, bcrypt_cost=bcrypt_cost)
    _seed_membership(connection, at=at)
    seed_demo_partners(connection, at=at, encryption=encryption)
    seed_demo_debtor(connection, at=at)
    ids = dict(connection.execute(_ACCOUNT_IDS, (["admin@altayar.test", "vendor@altayar.test"],)).fetchall())
    admin, vendor = ids["admin@altayar.test"], ids["vendor@altayar.test"]
    _seed_packages(connection, admin=admin, vendor=vendor, at=at)
    _seed_departures(connection, at=at)
    seed_activities(connection, admin=admin, vendor=vendor, at=at)
    seed_promotions(connection, admin=admin, at=at)


# Anybody may claim an address; the account is whose it is proved to be.
_PROVED = "u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL"
_MISSING = (
    f"SELECT email FROM unnest(%s::text[]) AS email WHERE email NOT IN (SELECT u.email FROM users u WHERE {_PROVED})"
)
_ADD_ACCOUNT = """
INSERT INTO users (id, email, password_hash, first_name, last_name, phone, locale, status, roles,
                   email_verified_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'ACTIVE', %s, %s, %s)
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


_EXTEND_MEMBERSHIP = f"""
UPDATE membership_subscriptions s SET start_date = %(start)s, expiry_date = %(end)s
FROM users u WHERE u.id = s.user_id AND u.email = %(email)s AND {_PROVED} AND s.status = 'ACTIVE'
  AND s.expiry_date < %(start)s
"""
_NEEDS_MEMBERSHIP = f"""
SELECT u.id FROM users u WHERE u.email = %(email)s AND {_PROVED} AND NOT EXISTS (
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


Described = Mapping[str, Any]

_ACCOUNT_IDS = f"SELECT u.email, u.id FROM users u WHERE u.email = ANY(%s) AND {_PROVED}"
_ADD_PACKAGE = """
INSERT INTO packages (id, slug, name_ar, name_en, description_ar, description_en, category, base_price_minor, currency,
                      tax_rate, tax_inclusive, duration_days, duration_nights, min_travelers, max_travelers,
                      destinations, inclusions_ar, inclusions_en, exclusions_ar, exclusions_en, itinerary, is_featured,
                      display_order, status, vendor_id, created_by_user_id, created_at, updated_at)
VALUES (%(id)s, %(slug)s, %(name_ar)s, %(name_en)s, %(description_ar)s, %(description_en)s, %(category)s,
        %(base_price_minor)s, %(currency)s, %(tax_rate)s, %(tax_inclusive)s, %(duration_days)s, %(duration_nights)s,
        %(min_travelers)s, %(max_travelers)s, %(destinations)s, %(inclusions_ar)s, %(inclusions_en)s,
        %(exclusions_ar)s, %(exclusions_en)s, %(itinerary)s, %(is_featured)s, %(display_order)s, %(status)s,
        %(vendor_id)s, %(created_by_user_id)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (slug) DO NOTHING
"""


@cache
def demo_catalogue() -> tuple[Described, ...]:
    """The packages as demo_packages.toml describes them."""
    path = Path(__file__).with_name("demo_packages.toml")
    return tuple(tomllib.loads(path.read_text("utf-8"))["package"])


def demo_package(described: Described, *, admin: UUID, vendor: UUID, at: datetime) -> Package:
    """One of the demo's packages, on sale. Raises UnsoundPackage or NotPublishable where its description is wrong."""
    least, most = described["travelers"]
    package = Package.create(
        item_id=new_id(),
        slug=slug_of(described["name_en"]),
        vendor_id=vendor if described.get("vendor") else None,
        created_by=admin,
        at=at,
        name_ar=described["name_ar"],
        name_en=described["name_en"],
        description_ar=described["description_ar"],
        description_en=described["description_en"],
        category=PackageCategory(described["category"]),
        base_price=Money.parse(described["price"], described["currency"]),
        tax_rate=Percentage.parse(described["tax_rate"]),
        duration_days=described["days"],
        duration_nights=described["nights"],
        min_travelers=least,
        max_travelers=most,
        destinations=described["destinations"],
        inclusions_ar=described["inclusions_ar"],
        inclusions_en=described["inclusions_en"],
        exclusions_ar=described["exclusions_ar"],
        exclusions_en=described["exclusions_en"],
        itinerary=[
            {"day": day, "title_ar": ar, "title_en": en, "description_ar": more_ar, "description_en": more_en}
            for day, (ar, en, more_ar, more_en) in enumerate(described["itinerary"], start=1)
        ],
        is_featured=described["featured"],
        display_order=described["order"],
    )
    package.publish(at=at)
    return package


def _seed_packages(connection: Connection, *, admin: UUID, vendor: UUID, at: datetime) -> None:
    rows = [_package_row(demo_package(one, admin=admin, vendor=vendor, at=at)) for one in demo_catalogue()]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_PACKAGE, rows)


def _package_row(package: Package) -> dict[str, Any]:
    return {
        **vars(package),
        "category": package.category.value,
        "status": package.status.value,
        "base_price_minor": package.base_price.minor,
        "currency": package.base_price.currency.code,
        "tax_rate": str(package.tax_rate),
        "itinerary": Jsonb(package.itinerary),
    }


_PACKAGE_IDS = "SELECT slug, id FROM packages WHERE slug = ANY(%s) AND status = 'ACTIVE'"


def _seed_departures(connection: Connection, *, at: datetime) -> None:
    described = {slug_of(one["name_en"]): one for one in demo_catalogue()}
    packages = dict(connection.execute(_PACKAGE_IDS, (list(described),)).fetchall())
    add_departures(
        connection,
        (
            departure
            for slug, package_id in packages.items()
            for departure in _departures(described[slug], package_id, at)
        ),
    )


def _departures(described: Described, package_id: UUID, at: datetime) -> Iterator[Departure]:
    for starts_on in departure_dates(described["offset"], today=business_date(at)):
        yield Departure.plan(
            departure_id=new_id(),
            package_id=package_id,
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=described["days"] - 1),
            capacity=described["seats"],
            at=at,
        )
