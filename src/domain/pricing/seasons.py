"""Seasons: the days on which a trip that starts then costs more or less than its list price."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from domain.pricing.age_bands import WHOLE, UnsoundPrices, amount_faults
from domain.pricing.exchange import ExchangeRate
from domain.shared.errors import FieldFault
from domain.shared.money import Money
from domain.shared.percentage import Percentage

MOST_SEASONS: Final = 50
SEASON_NAME_LENGTH: Final = 100
HIGHEST_PRIORITY: Final = 100
EVERY_DAY: Final = frozenset(range(1, 8))


class Adjustment(StrEnum):
    """What a season does to prices."""

    PERCENTAGE_UP = "PERCENTAGE_UP"
    PERCENTAGE_DOWN = "PERCENTAGE_DOWN"
    FIXED_PRICE = "FIXED_PRICE"
    """An adult pays this instead of the item's price; bands that pay a share pay their share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """`first_on` to `last_on`, both days inclusive, on `weekdays` (ISO 8601: Monday is 1); none are all of them.

    Of several seasons that hold on a day the one with the highest `priority` counts, alone.
    `amount` is a percentage, or an adult's price where that is fixed.
    """

    name_ar: str
    name_en: str
    first_on: date
    last_on: date
    weekdays: frozenset[int] = frozenset()
    adjustment: Adjustment
    amount: Percentage | Money
    priority: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.amount, Money) != (self.adjustment is Adjustment.FIXED_PRICE):
            raise TypeError("a fixed price is money, other adjustments are percentages")

    def holds_on(self, day: date) -> bool:
        return self.first_on <= day <= self.last_on and day.isoweekday() in (self.weekdays or EVERY_DAY)

    def adult_price(self, listed: Fraction) -> Fraction:
        """What bands pay a share of, before `factor`; minor units."""
        return Fraction(self.amount.minor) if isinstance(self.amount, Money) else listed

    @property
    def factor(self) -> Fraction:
        """What every price is multiplied by; fixed amounts of bands, too."""
        if isinstance(self.amount, Money):
            return Fraction(1)
        change = Fraction(self.amount.hundredths, WHOLE.hundredths)
        return 1 + change if self.adjustment is Adjustment.PERCENTAGE_UP else 1 - change

    def in_currency(self, rate: ExchangeRate) -> Season:
        """The same season with a fixed price in the rate's target. Raises CurrencyMismatch."""
        return replace(self, amount=rate.convert_price(self.amount)) if isinstance(self.amount, Money) else self

    def overlaps(self, other: Season) -> bool:
        """Whether both could hold on a day and neither comes first."""
        return (
            self.priority == other.priority
            and self.first_on <= other.last_on
            and other.first_on <= self.last_on
            and not (self.weekdays or EVERY_DAY).isdisjoint(other.weekdays or EVERY_DAY)
        )


def season_on(day: date | None, seasons: Sequence[Season]) -> Season | None:
    """The season that decides about a trip that starts then; none while nobody knows the day."""
    holding = [season for season in seasons if day is not None and season.holds_on(day)]
    return max(holding, key=lambda season: season.priority, default=None)


def refuse_unsound_seasons(seasons: Sequence[Season], price: Money) -> None:
    """Hold an item's seasons to what they promise. Raises UnsoundPrices naming every field that cannot be."""
    faults = tuple(_faults(seasons, price))
    if faults:
        raise UnsoundPrices(faults=faults)


def _faults(seasons: Sequence[Season], price: Money) -> Iterator[FieldFault]:
    if len(seasons) > MOST_SEASONS:
        yield FieldFault("/seasons", "out_of_range", f"at most {MOST_SEASONS} seasons")
        return
    for i, season in enumerate(seasons):
        yield from _own_faults(i, season, price)
    for (_, earlier), (i, season) in itertools.combinations(enumerate(seasons), 2):
        if earlier.overlaps(season):
            detail = f"meets {earlier.name_en!r}: days of their own, or a priority that says which one counts"
            yield _fault(i, "priority", "overlap", detail)


def _own_faults(i: int, season: Season, price: Money) -> Iterator[FieldFault]:
    for name, text in (("name_ar", season.name_ar), ("name_en", season.name_en)):
        if not 1 <= len(text) <= SEASON_NAME_LENGTH:
            yield _fault(i, name, "out_of_range", f"1 to {SEASON_NAME_LENGTH} characters")
    if season.last_on < season.first_on:
        yield _fault(i, "last_on", "out_of_range", "on or after first_on")
    if not season.weekdays <= EVERY_DAY:
        yield _fault(i, "weekdays", "out_of_range", "1 (Monday) to 7 (Sunday)")
    if not 0 <= season.priority <= HIGHEST_PRIORITY:
        yield _fault(i, "priority", "out_of_range", f"0 to {HIGHEST_PRIORITY}")
    if isinstance(season.amount, Money):
        yield from amount_faults(f"/seasons/{i}/price", season.amount, price, least=1)
    elif season.adjustment is Adjustment.PERCENTAGE_DOWN and season.amount == WHOLE:
        yield _fault(i, "percentage", "out_of_range", "a season leaves something of the price")


def _fault(i: int, name: str, code: str, detail: str) -> FieldFault:
    return FieldFault(f"/seasons/{i}/{name}", code, detail)
