"""The permission catalogue: every code, and which roles have it, as one table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

ADMINS: Final = ("SUPER_ADMIN", "ADMIN")
STAFF: Final = (*ADMINS, "EMPLOYEE")

# code: (what it lets one do, the roles that have it). What everybody may do with their own things needs none.
CATALOGUE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "users.read": ("View every user", STAFF),
    "packages.read": ("View packages that are not on sale", (*STAFF, "VENDOR")),
    "packages.create": ("Create packages", (*STAFF, "VENDOR")),
    "packages.update": ("Change packages and their departures", (*STAFF, "VENDOR")),
    "packages.publish": ("Put packages on sale", STAFF),
    "bookings.read": ("View every booking", STAFF),
    "bookings.create": ("Book for customers", (*STAFF, "AGENT")),
    "bookings.start": ("Start trips", STAFF),
    "bookings.complete": ("Complete trips", STAFF),
    "payments.read": ("View every payment", STAFF),
    "payments.attention": ("View money and payments that need a decision", STAFF),
    "invoices.read": ("View every invoice", STAFF),
    "memberships.read": ("View every subscription", STAFF),
    "cashback.read": ("View everybody's cashback", STAFF),
    "ledger.read": ("View everybody's wallet and points", STAFF),
    "privacy.read": ("View what customers agreed to, and whether they wait to be erased", STAFF),
    "privacy.export": ("Have a customer's personal data exported", ADMINS),
    "privacy.erase": ("Have a customer erased", ADMINS),
    "operations.metrics": ("Read the service's metrics", ADMINS),
}

ROLES: Final[dict[str, tuple[str, str]]] = {
    "SUPER_ADMIN": ("مدير عام", "Super Admin"),
    "ADMIN": ("مشرف", "Admin"),
    "EMPLOYEE": ("موظف", "Employee"),
    "CUSTOMER": ("عميل", "Customer"),
    "AGENT": ("وكيل", "Agent"),
    "VENDOR": ("مورد", "Vendor"),
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What the holders of these roles may do."""
    return _permissions_of(frozenset(roles))


@lru_cache(maxsize=256)
def _permissions_of(roles: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code, (_, holders) in CATALOGUE.items() if not roles.isdisjoint(holders))
