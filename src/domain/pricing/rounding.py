"""How exact prices become coins."""

from __future__ import annotations

from fractions import Fraction

from domain.shared.money import Currency, Money
from domain.shared.percentage import divide_half_up


def as_price(exact: Fraction, unit: Currency) -> Money:
    """An exact number of minor units as a price: half up, once; what is not free costs one minor unit at least.

    Raises ValueError below zero.
    """
    if exact < 0:
        raise ValueError("no price is below zero")
    rounded = divide_half_up(exact.numerator, exact.denominator)
    return Money(rounded or (1 if exact else 0), unit)
