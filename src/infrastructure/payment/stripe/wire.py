"""What Stripe's API writes and reads: amounts by its own table of currencies, ids, references, times.

Sections cited in this package are those of the project's wire contract of Stripe, which was compiled from
docs.stripe.com and from runs of the library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from application.billing.ports import OutcomeUnknown, ProviderRefused
from domain.shared.errors import InvalidValue
from domain.shared.money import Currency, Money, currency

PROVIDER: Final = "STRIPE"

MERCHANT_REFERENCE: Final = "merchant_reference"
"""The one member of our objects' `metadata`: nothing personal."""

ZERO_DECIMAL: Final = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
WHOLE_WHEN_SENT_ON: Final = frozenset({"HUF", "TWD"})
"""Charged with decimals, paid out without (contract §2.6)."""

LARGEST: Final = 99_999_999
"""Eight digits, whatever the currency."""

Document = Mapping[str, Any]

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_NOT_IN_TITLES = re.compile(r"[\x00-\x1f\x7f]+")


def unknown(reason: str) -> OutcomeUnknown:
    return OutcomeUnknown(provider=PROVIDER, reason=reason)


def refused(reason: str) -> ProviderRefused:
    return ProviderRefused(provider=PROVIDER, reason=reason)


def exponent(code: str) -> int:
    """How many decimals Stripe counts in a currency; not always as many as ISO 4217 gives it.

    ISK and UGX have none and are sent as if they had two, which are 00 (contract §2.6).
    """
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def _scale(code: str) -> int:
    return (1, 10, 100, 1_000)[exponent(code)]


def written_amount(amount: Money) -> int:
    """The whole number that Stripe takes for an amount. Raises ProviderRefused where it has none."""
    unit = amount.currency
    number, rest = divmod(amount.minor * _scale(unit.code), unit.scale)
    if rest:
        raise refused(f"{amount} has more decimals than are taken in {unit.code}")
    if unit.code in THREE_DECIMAL and number % 10:
        raise refused(f"the last of the three decimals of {unit.code} has to be 0, and {amount} ends otherwise")
    if not 0 < number <= LARGEST:
        raise refused("an amount is above zero and has at most eight digits")
    return number


def written_to_send_on(amount: Money) -> int:
    """As `written_amount`, for money that a payee's bank will get. Raises ProviderRefused."""
    number = written_amount(amount)
    if amount.currency.code in WHOLE_WHEN_SENT_ON and number % 100:
        raise refused(f"{amount.currency.code} is paid out in whole units only")
    return number


def written_currency(amount: Money) -> str:
    return amount.currency.code.lower()


def read_amount(number: object, code: object) -> Money:
    """Exactly the amount that Stripe means. Raises OutcomeUnknown where it is none, or in no currency of ours."""
    if type(number) is not int or not isinstance(code, str):
        raise unknown("an amount that is none")
    try:
        return read_minor(number, currency(code.upper()))
    except InvalidValue:
        raise unknown("an amount too large, or in a currency that is not in use") from None


def read_minor(number: int, unit: Currency) -> Money:
    """The inverse of `written_amount` for every currency. Raises OutcomeUnknown for a fraction of a minor unit."""
    minor, rest = divmod(number * unit.scale, _scale(unit.code))
    if rest:
        raise unknown(f"an amount with more decimals than {unit.code} has")
    return Money(minor, unit)


def read_id(value: object) -> str:
    """The id of an object that may be expanded; empty where there is none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and is_id(value) else ""


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def required_id(document: Document, member: str = "id") -> str:
    """Raises OutcomeUnknown."""
    found = read_id(document.get(member))
    if not found:
        raise unknown(f"the answer has no {member}")
    return found


def read_reference(document: Document) -> str:
    """Our reference, as an object's metadata or a session's `client_reference_id` keeps it; empty if untold."""
    metadata = document.get("metadata")
    named = metadata.get(MERCHANT_REFERENCE) if isinstance(metadata, Mapping) else None
    reference = named or document.get("client_reference_id")
    return reference if isinstance(reference, str) and reference.isprintable() and len(reference) <= 200 else ""


def read_flag(document: Document, member: str) -> bool:
    """Raises OutcomeUnknown."""
    value = document.get(member)
    if not isinstance(value, bool):
        raise unknown(f"the answer does not say {member}")
    return value


def read_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def read_time(value: object) -> datetime:
    """Seconds since 1970 as an aware instant. Raises OutcomeUnknown."""
    if type(value) is not int or not 0 <= value < 2**33:
        raise unknown("a time that is none")
    return datetime.fromtimestamp(value, UTC)


def written_title(title: str) -> str:
    """What is printed on the page: one line."""
    return " ".join(_NOT_IN_TITLES.sub(" ", title).split())[:200] or "AltayarVIP"
