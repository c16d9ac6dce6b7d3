"""What one item costs a party: by the travellers' ages and the day on which the trip starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from uuid import UUID

from domain.pricing.age_bands import ADULT, EVERYBODY, AgeBand, age_on
from domain.pricing.baskets import BasketItem, UnitPrice
from domain.pricing.exchange import ExchangeRate
from domain.pricing.rounding import as_price
from domain.pricing.seasons import Season, season_on
from domain.shared.errors import InvalidValue
from domain.shared.money import CurrencyMismatch, Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """How many travel; `birth_dates` of those who are known, in no order."""

    count: int
    birth_dates: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if len(self.birth_dates) > self.count:
            raise InvalidValue("more travellers are named than travel", pointer="/travelers", code="out_of_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A package's or an activity's prices. `price` is for one adult, with its tax where that is inclusive.

    Without `bands` everybody pays it. Bands and seasons are sound (`refuse_unsound_bands`, `…_seasons`).
    Raises CurrencyMismatch for an amount of theirs in another currency.
    """

    key: UUID
    booking_type: str
    name_ar: str
    name_en: str
    price: Money
    tax_rate: Percentage
    tax_inclusive: bool
    min_travelers: int
    max_travelers: int
    bands: tuple[AgeBand, ...] = ()
    seasons: tuple[Season, ...] = ()

    def __post_init__(self) -> None:
        amounts = (*(band.price for band in self.bands), *(season.amount for season in self.seasons))
        for amount in amounts:
            if isinstance(amount, Money) and amount.currency != self.price.currency:
                raise CurrencyMismatch(one=amount.currency.code, other=self.price.currency.code)

    def item_for(self, party: Party, *, starts_on: date | None) -> BasketItem:
        """The item at what it costs this party then: adults first, one unit price for each band that travels.

        Raises InvalidValue for a party that it does not take.
        """
        if not self.min_travelers <= party.count <= self.max_travelers:
            raise InvalidValue(
                f"takes {self.min_travelers} to {self.max_travelers} travellers",
                pointer="/travelers_count",
                code="out_of_range",
            )
        season = season_on(starts_on, self.seasons)
        return BasketItem(
            key=self.key,
            booking_type=self.booking_type,
            name_ar=self.name_ar,
            name_en=self.name_en,
            units=tuple(self._unit(band, count, season) for band, count in self._travelling(party, starts_on)),
            tax_rate=self.tax_rate,
            tax_inclusive=self.tax_inclusive,
            taken_off=Money.zero(self.price.currency.code),
        )

    def seats_for(self, party: Party, starts_on: date | None) -> int:
        """How many seats the party takes: infants may sit on a lap.

        Raises InvalidValue where nobody takes one, or somebody is not born by then.
        """
        seats = sum(count for band, count in self._travelling(party, starts_on) if band.takes_a_seat)
        if not seats:
            raise InvalidValue("somebody in the party takes a seat", pointer="/travelers", code="nobody_takes_a_seat")
        return seats

    def adult_on(self, day: date) -> UnitPrice:
        """What one adult pays for a trip that starts then."""
        return self._unit(self._adult, 1, season_on(day, self.seasons))

    def in_currency(self, rate: ExchangeRate) -> PriceList:
        """The same list in the rate's target; whatever is worked out from it is in that currency.

        Raises CurrencyMismatch for a rate from another currency than the list's.
        """
        return replace(
            self,
            price=rate.convert_price(self.price),
            bands=tuple(band.in_currency(rate) for band in self.bands),
            seasons=tuple(season.in_currency(rate) for season in self.seasons),
        )

    @property
    def _adult(self) -> AgeBand:
        return next((band for band in self.bands if band.code == ADULT), EVERYBODY)

    def _travelling(self, party: Party, starts_on: date | None) -> list[tuple[AgeBand, int]]:
        """How many of each band travel, the oldest first; whose age on the day is not known is an adult."""
        if starts_on is None or not party.birth_dates:
            return [(self._adult, party.count)]
        ages = [age_on(starts_on, birth_date) for birth_date in party.birth_dates]
        counts = Counter(self._band_of(age) for age in ages)
        counts[self._adult] += party.count - len(ages)
        present = [(band, count) for band, count in counts.items() if count]
        return sorted(present, key=lambda found: found[0].min_age, reverse=True)

    def _band_of(self, age: int) -> AgeBand:
        return next((band for band in self.bands if band.holds(age)), self._adult)

    def _unit(self, band: AgeBand, quantity: int, season: Season | None) -> UnitPrice:
        listed = self.price
        if not band.pays_all:
            listed = as_price(band.share_of(Fraction(self.price.minor)), self.price.currency)
        if season is None:
            return UnitPrice(
                quantity=quantity, listed=listed, price=listed, label_ar=band.name_ar, label_en=band.name_en
            )
        exact = band.share_of(season.adult_price(Fraction(self.price.minor))) * season.factor
        return UnitPrice(
            quantity=quantity,
            listed=listed,
            price=as_price(exact, self.price.currency),
            label_ar=band.name_ar,
            label_en=band.name_en,
            season_ar=season.name_ar,
            season_en=season.name_en,
        )
