"""Exact money: integer minor units and an ISO 4217 currency whose exponent is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from domain.shared.errors import InvalidValue, RuleBroken

# ISO 4217 (2026): minor-unit exponents of the currencies that the company sells or settles in.
EXPONENTS: Final = {
    "AED": 2, "BHD": 3, "CNY": 2, "EGP": 2, "EUR": 2, "GBP": 2, "IQD": 3, "JOD": 3, "JPY": 0, "KRW": 0,
    "KWD": 3, "LBP": 2, "LYD": 3, "MAD": 2, "OMR": 3, "QAR": 2, "SAR": 2, "SYP": 2, "TND": 3, "TRY": 2,
    "USD": 2,
}  # fmt: skip

LARGEST_MINOR: Final = 10**15
"""No single amount is larger: far above any booking, far below a 64-bit column's end."""
_SMALLEST_MINOR: Final = -LARGEST_MINOR

_DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d+))?")


class CurrencyMismatch(RuleBroken):
    """Amounts of two currencies met without a rate."""

    code = "currency_mismatch"


@dataclass(frozen=True, slots=True)
class Currency:
    """A unit of account; `exponent` is how many decimals its minor unit has (EGP 2, KWD 3, JPY 0)."""

    code: str
    exponent: int

    @property
    def scale(self) -> int:
        """How many minor units make one whole unit."""
        return _SCALES[self.exponent]

    def __str__(self) -> str:
        return self.code


_SCALES: Final = (1, 10, 100, 1_000)


@lru_cache(maxsize=64)
def currency(code: str) -> Currency:
    """The currency of an ISO 4217 code. Raises InvalidValue for one that the company does not use."""
    try:
        return Currency(code, EXPONENTS[code])
    except KeyError:
        raise InvalidValue(f"{code!r} is not a supported ISO 4217 currency", code="unknown_currency") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency; sums across currencies are refused."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        minor = self.minor
        if type(minor) is not int:
            raise TypeError(f"money is counted in whole minor units, not {type(minor).__name__}")
        if not _SMALLEST_MINOR <= minor <= LARGEST_MINOR:
            raise InvalidValue("the amount is too large", code="out_of_range")

    @classmethod
    def of(cls, minor: int, code: str) -> Money:
        """`minor` minor units of the currency named `code`."""
        return cls(minor, currency(code))

    @classmethod
    def zero(cls, code: str) -> Money:
        return _nothing(code)

    @classmethod
    def parse(cls, amount: str, code: str) -> Money:
        """Read a plain decimal such as "1499.00". Raises InvalidValue for anything else.

        At most the currency's own decimals; no exponent, sign of plus, grouping, NaN or Infinity.
        """
        unit = currency(code)
        match = _DECIMAL.fullmatch(amount) if amount.isascii() else None
        if match is None:
            raise InvalidValue('an amount is a decimal string such as "1499.00"', code="invalid_amount")
        sign, whole, decimals = match.group(1), match.group(2), match.group(3) or ""
        if len(decimals) > unit.exponent:
            raise InvalidValue(f"{unit.code} has {unit.exponent} decimals", code="too_many_decimals")
        minor = int(whole) * unit.scale + int(decimals.ljust(unit.exponent, "0") or "0")
        return cls(-minor if sign else minor, unit)

    def decimal(self) -> str:
        """The amount as a decimal string with exactly the currency's decimals: "1499.00"."""
        return format_minor(self.minor, self.currency.exponent)

    def __str__(self) -> str:
        return f"{self.currency.code} {self.decimal()}"

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        if type(count) is not int:
            raise TypeError("money is multiplied by whole counts; use Percentage.of for rates")
        return Money(self.minor * count, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor <= other.minor

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    @property
    def is_positive(self) -> bool:
        return self.minor > 0

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by whole-number weights; the parts sum to the whole (largest remainder, first on a tie)."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]

    def _same_currency(self, other: Money) -> None:
        # Currencies are made once each: comparing their fields is what most sums would spend their time on.
        if self.currency is not other.currency and self.currency != other.currency:
            raise CurrencyMismatch(one=self.currency.code, other=other.currency.code)


@lru_cache(maxsize=64)
def _nothing(code: str) -> Money:
    return Money(0, currency(code))


def format_minor(minor: int, exponent: int) -> str:
    """`minor` minor units as a decimal string with `exponent` decimals."""
    if exponent == 0:
        return str(minor)
    digits = str(abs(minor)).zfill(exponent + 1)
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` units by weight so that the parts sum to it exactly.

    Largest remainder (Hamilton's method); equal remainders go to the earlier part. Weights are whole,
    not negative, and not all zero. A negative total is split as its mirror image.
    """
    if not weights or min(weights) < 0 or not any(weights):
        raise ValueError("weights are whole, not negative, and not all zero")
    if len(weights) == 1:
        return [total]
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    scale = sum(weights)
    parts = [total * weight // scale for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % scale), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def total(amounts: Iterable[Money], code: str) -> Money:
    """The sum of the amounts, zero of `code` where there is none. Raises CurrencyMismatch for one of another."""
    unit, minor = currency(code), 0
    for amount in amounts:
        if amount.currency is not unit and amount.currency != unit:
            raise CurrencyMismatch(one=unit.code, other=amount.currency.code)
        minor += amount.minor
    return Money(minor, unit)
