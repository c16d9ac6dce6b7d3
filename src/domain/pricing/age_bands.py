"""Age bands: what travellers of an age pay for an item, as a share of an adult's price or an amount of its own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final

from domain.pricing.exchange import ExchangeRate
from domain.shared.errors import Conflict, FieldFault, InvalidValue, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage

ADULT: Final = "ADULT"
"""The band of those whose age nobody knows: it is open at the top and pays the item's own price."""
WHOLE: Final = Percentage(10_000)
MOST_BANDS: Final = 10
OLDEST: Final = 120
BAND_NAME_LENGTH: Final = 60
HIGHEST_PRICE: Final = 10_000_000
"""In whole units of any currency, for one traveller."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,19}")


class UnsoundPrices(RuleBroken):
    """What was given cannot be an item's age bands or seasons; the faults name each field."""

    code = "validation_failed"


class AmountsInOldCurrency(Conflict):
    """Bands or seasons of the item name amounts in the currency that it is to leave."""

    code = "amounts_in_old_currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBand:
    """Travellers of `min_age` to `max_age` on the first day of the trip, both ages inclusive; None is open.

    `price` is a percentage of what an adult pays, or a fixed amount in the item's currency.
    """

    code: str
    name_ar: str
    name_en: str
    min_age: int
    max_age: int | None
    price: Percentage | Money
    takes_a_seat: bool = True

    def holds(self, age: int) -> bool:
        return self.min_age <= age and (self.max_age is None or age <= self.max_age)

    @property
    def pays_all(self) -> bool:
        """As much as an adult, as adults do."""
        return isinstance(self.price, Percentage) and self.price.hundredths == WHOLE.hundredths

    def share_of(self, price: Fraction) -> Fraction:
        """What one of this band pays where an adult pays `price`; minor units, not rounded."""
        if isinstance(self.price, Money):
            return Fraction(self.price.minor)
        if self.pays_all:
            return price
        return price * Fraction(self.price.hundredths, WHOLE.hundredths)

    def in_currency(self, rate: ExchangeRate) -> AgeBand:
        """The same band with a fixed amount in the rate's target. Raises CurrencyMismatch."""
        return replace(self, price=rate.convert_price(self.price)) if isinstance(self.price, Money) else self


EVERYBODY: Final = AgeBand(code=ADULT, name_ar="", name_en="", min_age=0, max_age=None, price=WHOLE)
"""The band of an item that has none."""


def age_on(day: date, birth_date: date) -> int:
    """How many birthdays somebody has had; those born on 29 February have theirs on 1 March of common years.

    Raises InvalidValue for somebody who is not born yet.
    """
    if birth_date > day:
        raise InvalidValue("a traveller is born before the trip starts", pointer="/travelers", code="out_of_range")
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def refuse_unsound_bands(bands: Sequence[AgeBand], price: Money) -> None:
    """Hold an item's bands to what they promise: each age in just one, adults at the item's price.

    No bands at all are one price for everybody. Raises UnsoundPrices naming every field that cannot be.
    """
    faults = tuple(_faults(bands, price)) if bands else ()
    if faults:
        raise UnsoundPrices(faults=faults)


def _faults(bands: Sequence[AgeBand], price: Money) -> Iterator[FieldFault]:
    if len(bands) > MOST_BANDS:
        yield FieldFault("/age_bands", "out_of_range", f"at most {MOST_BANDS} age bands")
        return
    for i, band in enumerate(bands):
        yield from _own_faults(i, band, price)
    yield from _adult_faults(bands)
    yield from _coverage_faults(bands)


def _own_faults(i: int, band: AgeBand, price: Money) -> Iterator[FieldFault]:
    if not _CODE.fullmatch(band.code):
        yield _fault(i, "code", "invalid", "a code is like CHILD: capital letters, digits and _")
    for name, text in (("name_ar", band.name_ar), ("name_en", band.name_en)):
        if not 1 <= len(text) <= BAND_NAME_LENGTH:
            yield _fault(i, name, "out_of_range", f"1 to {BAND_NAME_LENGTH} characters")
    if not 0 <= band.min_age <= OLDEST:
        yield _fault(i, "min_age", "out_of_range", f"an age is 0 to {OLDEST}")
    if band.max_age is not None and not band.min_age <= band.max_age <= OLDEST:
        yield _fault(i, "max_age", "out_of_range", f"from min_age to {OLDEST}, or null for no end")
    if isinstance(band.price, Money):
        yield from amount_faults(f"/age_bands/{i}/price", band.price, price, least=0)


def amount_faults(pointer: str, amount: Money, price: Money, *, least: int) -> Iterator[FieldFault]:
    """What is wrong with a fixed amount beside an item's price; `least` in minor units."""
    if amount.currency != price.currency:
        yield FieldFault(pointer, "currency_mismatch", f"the item is priced in {price.currency}")
    elif not least <= amount.minor <= HIGHEST_PRICE * amount.currency.scale:
        yield FieldFault(pointer, "out_of_range", f"from {Money(least, amount.currency)} to {HIGHEST_PRICE}")


def _adult_faults(bands: Sequence[AgeBand]) -> Iterator[FieldFault]:
    codes = [band.code for band in bands]
    for i, code in enumerate(codes):
        if code in codes[:i]:
            yield _fault(i, "code", "duplicate", "each band has a code of its own")
    if ADULT not in codes:
        yield FieldFault("/age_bands", "adult_missing", f"one band is {ADULT}")
        return
    i = codes.index(ADULT)
    if bands[i].max_age is not None:
        yield _fault(i, "max_age", "out_of_range", "the adults' band has no end")
    if bands[i].price != WHOLE:
        yield _fault(i, "percentage", "out_of_range", "adults pay the item's price: 100.00")
    if not bands[i].takes_a_seat:
        yield _fault(i, "takes_a_seat", "invalid", "adults take a seat")


def _coverage_faults(bands: Sequence[AgeBand]) -> Iterator[FieldFault]:
    """Ages in two bands or in none. An open band that another one follows takes its ages, too."""
    ordered = sorted(enumerate(bands), key=lambda numbered: numbered[1].min_age)
    first, lowest = ordered[0]
    if lowest.min_age > 0:
        yield _fault(first, "min_age", "gap", "the youngest band begins at 0")
    for (_, band), (i, following) in itertools.pairwise(ordered):
        if band.max_age is None or following.min_age <= band.max_age:
            yield _fault(i, "min_age", "overlap", f"these ages are in {band.code}, too")
        elif following.min_age > band.max_age + 1:
            yield _fault(i, "min_age", "gap", f"begins at {band.max_age + 1}, where {band.code} ends")


def _fault(i: int, name: str, code: str, detail: str) -> FieldFault:
    return FieldFault(f"/age_bands/{i}/{name}", code, detail)
