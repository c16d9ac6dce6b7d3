"""What Fawaterk writes and reads, whatever the version: amounts, currencies, names, telephones, times.

Sections cited in this package are those of the project's wire contract of Fawaterk, which was compiled
from fawaterak-api.readme.io and from captured answers and webhooks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

import orjson

from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, currency
from infrastructure.payment.http import json_object

PROVIDER: Final = "FAWATERK"

ISO_CODES: Final = {"SR": "SAR"}
"""Fawaterk → ISO 4217, where they differ. Read in both spellings; written as FAWATERK_SAR_CODE says (§3.6)."""

MERCHANT_REFERENCE_MEMBER: Final = "attempt"
"""The one member of `payLoad`: our reference and nothing personal (contract §5.5)."""

_NOT_IN_NAMES = re.compile(r"[^\w@\-.]+")
_NOT_IN_TITLES = re.compile(r"[\x00-\x1f\x7f<>]+")
_MARKS = ("Mn", "Mc", "Me", "Cf")
_APOSTROPHES = "'’‘ʼ"
_EGYPTIAN_MOBILE = re.compile(r"(?:\+20|0020|20)?0?(1[0125]\d{8})")
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%d %b %Y, %I:%M %p")
_LONGEST_NUMBER = 40
_MOST_DIGITS = 18


class Inexpressible(Exception):
    """An amount that is no amount, or none that the currency's minor units can hold."""


def written_number(amount: Money) -> orjson.Fragment:
    """The amount as a JSON number with the currency's own decimals, digit for digit: 1499.10."""
    return orjson.Fragment(amount.decimal())


def written_currency(code: str, *, sar_code: str) -> str:
    """The currency as this account has it: the documentation lists SR for the Saudi riyal, others send SAR."""
    return sar_code if code == "SAR" else code


def read_amount(amount: object, code: object) -> Money:
    """Read "1500.00", 1500 or Decimal("1500.00") exactly; never rounded. Raises Inexpressible."""
    if not isinstance(code, str):
        raise Inexpressible("no currency")
    number = _decimal(amount)
    try:
        unit = currency(ISO_CODES.get(code.strip().upper(), code.strip().upper()))
    except InvalidValue:
        raise Inexpressible("a currency that is not in use") from None
    minor = Fraction(number) * unit.scale
    if minor.denominator != 1:
        raise Inexpressible(f"more decimals than {unit.code} has")
    try:
        return Money(minor.numerator, unit)
    except InvalidValue:
        raise Inexpressible("too large") from None


def _decimal(amount: object) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, int | str | Decimal):
        raise Inexpressible("not a number")
    text = str(amount).strip() if not isinstance(amount, int) or abs(amount) < 10**_MOST_DIGITS else ""
    try:
        number = Decimal(text) if 0 < len(text) <= _LONGEST_NUMBER and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    # Bounded before it is made a fraction: 1e999999 is a short text and a very long number.
    if not number.is_finite() or not -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS:
        raise Inexpressible("not a number of usable size")
    return number


def read_flag(value: object) -> bool | None:
    """0 or 1 as number, string or boolean; None for anything else (contract §3.4)."""
    return {"0": False, "1": True, "false": False, "true": True}.get(str(value).strip().lower())


def read_identifier(value: object) -> str:
    """An id as text, whatever its type: they outgrow 32 and 53 bits (contract §5.5). Empty if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    # Far longer whole numbers would not even convert to text.
    text = value if isinstance(value, str) else str(value) if abs(value) < 10**64 else ""
    return text.strip() if is_plain(text) else ""


def first_told(members: Mapping[str, object], *names: str) -> object:
    """The first of these members that is there and not null: many are spelled in two ways."""
    return next((members[name] for name in names if members.get(name) is not None), None)


def is_header_value(text: str) -> bool:
    """Whether a token can stand in a header: printable ASCII without spaces, and not endless."""
    return 0 < len(text) <= 8192 and all("!" <= character <= "~" for character in text)


def is_plain(text: str) -> bool:
    """Whether a text fits a column and a log: short, encodable, without control characters."""
    return len(text) <= 255 and all(unicodedata.category(character) not in ("Cc", "Cs") for character in text)


def read_time(text: object) -> datetime | None:
    """A local time of Cairo without a zone, as an aware UTC instant; None where there is none to read."""
    if not isinstance(text, str):
        return None
    for form in _TIME_FORMATS:
        try:
            local = datetime.strptime(text.strip(), form).replace(tzinfo=BUSINESS_ZONE)
        except ValueError:
            continue
        return local.astimezone(UTC)
    return None


def read_merchant_reference(pay_load: object) -> str:
    """Our reference out of the echoed `pay_load`, an object or its JSON text (contract §5.5); empty if none."""
    if isinstance(pay_load, str):
        pay_load = json_object(pay_load.encode("utf-8", "replace"))
    reference = pay_load.get(MERCHANT_REFERENCE_MEMBER) if isinstance(pay_load, Mapping) else None
    return reference if isinstance(reference, str) and is_plain(reference) else ""


def written_name(name: str) -> str:
    """A name of letters and digits of any script plus @ - _ . (contract §3.2); white space becomes a hyphen.

    Vowel marks and apostrophes go: with a hyphen in their place the name would fall apart.
    """
    composed = unicodedata.normalize("NFC", name)
    letters = "".join(c for c in composed if unicodedata.category(c) not in _MARKS and c not in _APOSTROPHES)
    return _NOT_IN_NAMES.sub("-", letters).strip("-")[:100]


def written_title(title: str) -> str:
    """An item's printed name: one line, without markup."""
    return " ".join(_NOT_IN_TITLES.sub(" ", title).split())[:200] or "AltayarVIP"


def written_telephone(telephone: str) -> str:
    """01XXXXXXXXX for an Egyptian mobile however it was typed, else empty: +20… is refused (contract §3.2)."""
    # int() reads the digits of every script, so that ٠١٠ is understood as 010.
    digits = "".join(str(int(c)) if c.isdecimal() else c for c in telephone if c.isdecimal() or c == "+")
    match = _EGYPTIAN_MOBILE.fullmatch(digits)
    return f"0{match.group(1)}" if match else ""


def written_email(email: str) -> str:
    """The address with runs of dots made one (contract §5.5), and none at the ends of its local part."""
    local, at, domain = re.sub(r"\.{2,}", ".", email.strip()).rpartition("@")
    return f"{local.strip('.')}{at}{domain}"
