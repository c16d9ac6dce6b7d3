"""Exact percentages, in hundredths of a percent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.shared.errors import InvalidValue
from domain.shared.money import Money, format_minor

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Percentage:
    """A rate between 0 and 100 percent; `hundredths` of one percent (14 % is 1400)."""

    hundredths: int

    def __post_init__(self) -> None:
        if type(self.hundredths) is not int:
            raise TypeError("a percentage is counted in whole hundredths of a percent")
        if not 0 <= self.hundredths <= 10_000:
            raise InvalidValue("a percentage is between 0 and 100", code="out_of_range")

    @classmethod
    def parse(cls, text: str) -> Percentage:
        """Read "14" or "14.00". Raises InvalidValue for more than two decimals, or anything else."""
        match = _PERCENT.fullmatch(text) if text.isascii() else None
        if match is None:
            raise InvalidValue('a percentage is a decimal string such as "14.00"', code="invalid_percentage")
        return cls(int(match.group(1)) * 100 + int((match.group(2) or "").ljust(2, "0")))

    def __str__(self) -> str:
        return format_minor(self.hundredths, 2)

    def of(self, amount: Money) -> Money:
        """This share of an amount, rounded half up to the minor unit."""
        return Money(divide_half_up(amount.minor * self.hundredths, 10_000), amount.currency)

    def contained_in(self, amount: Money) -> Money:
        """The part of a tax-inclusive amount that is tax at this rate, rounded half up."""
        return Money(divide_half_up(amount.minor * self.hundredths, 10_000 + self.hundredths), amount.currency)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Whole division with halves away from zero, the commercial rounding of invoices."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -quotient if numerator < 0 else quotient
