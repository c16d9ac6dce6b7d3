"""Short texts, in both languages, and words that mails put into sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Within one part of a message: 70 characters where any of them is Arabic (GSM 03.38), 160 otherwise.
PHONE_CODE: Final[Mapping[str, str]] = {
    "ar": "رمز AltayarVIP: {code} صالح 10 دقائق. لا تشاركه مع أحد.",
    "en": "AltayarVIP code: {code}. Valid for 10 minutes. Never share it with anyone.",
}

ROLE_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ar": {"SUPER_ADMIN": "مدير عام", "ADMIN": "مشرف", "EMPLOYEE": "موظف", "AGENT": "وكيل", "VENDOR": "مورد"},
    "en": {
        "SUPER_ADMIN": "Super Admin",
        "ADMIN": "Admin",
        "EMPLOYEE": "Employee",
        "AGENT": "Agent",
        "VENDOR": "Vendor",
    },
}
"""Roles that the company adds are shown by their code."""
