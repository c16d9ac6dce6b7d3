"""Exchange rates: dated, exact, one row for each direction; the newest valid one counts, and none is ever changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final
from uuid import UUID

from domain.pricing.rounding import as_price
from domain.shared.errors import Conflict, InvalidValue, NotAllowed, NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Currency, CurrencyMismatch, Money

_RATE: Final = re.compile(r"\d{1,9}(?:\.\d{1,12})?")
"""What the rate's column holds exactly."""


class RateNotFound(NotFound):
    """Nobody said what the one currency is worth in the other."""

    code = "exchange_rate_not_found"


class RateMoved(Conflict):
    """The rate that was shown is no longer the newest: `current_rate` says what is."""

    code = "rate_moved"

    def __init__(self, newest: ExchangeRate) -> None:
        super().__init__(current_rate=newest.shown)


class OwnRate(NotAllowed):
    """Whoever said what money is worth does not change their own at it."""

    code = "own_rate"


class ConversionTooSmall(InvalidValue):
    """The amount is worth less than the smallest coin of the other currency."""

    code = "conversion_too_small"

    def __init__(self, target: Currency) -> None:
        super().__init__(f"it is worth nothing in {target}", pointer="/amount", code="conversion_too_small")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRateSet(DomainEvent):
    name: ClassVar[str] = "pricing.exchange_rate_set"
    rate_id: UUID
    from_currency: str
    to_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How many whole units of `target` one whole unit of `source` is worth, from an instant on.

    `set_by` is who said so, where it is asked.
    """

    id: UUID
    source: Currency
    target: Currency
    rate: Decimal
    valid_from: datetime
    set_by: UUID | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise InvalidValue("a rate is between two currencies", pointer="/to_currency", code="same_currency")

    def refuse_own(self, by: UUID) -> None:
        """Raises OwnRate to whoever set it."""
        if by == self.set_by:
            raise OwnRate()

    @property
    def shown(self) -> Mapping[str, str]:
        """As the API shows it."""
        return {
            "id": str(self.id),
            "from_currency": self.source.code,
            "to_currency": self.target.code,
            "rate": plain(self.rate),
            "valid_from": self.valid_from.isoformat(),
        }

    def convert(self, amount: Money) -> Money:
        """What the amount is worth, down to the target's minor unit: what is less than one stays with the company.

        Raises CurrencyMismatch, or ConversionTooSmall where nothing is left.
        """
        exact = self._worth(amount)
        worth = Money(exact.numerator // exact.denominator, self.target)
        if not worth.is_positive:
            raise ConversionTooSmall(self.target)
        return worth

    def convert_price(self, price: Money) -> Money:
        """A price as customers see it in the target: half up, and never free where it was not.

        Not down as `convert`: there the company pays out, and what is less than a coin stays with it; here the
        customer pays, and a price that was always cut short would sell below the list. Raises CurrencyMismatch.
        """
        return as_price(self._worth(price), self.target)

    def _worth(self, amount: Money) -> Fraction:
        """In minor units of the target, exact."""
        if amount.currency != self.source:
            raise CurrencyMismatch(one=amount.currency.code, other=self.source.code)
        return Fraction(self.rate) * Fraction(amount.minor * self.target.scale, self.source.scale)


def read_rate(text: str) -> Decimal:
    """An exact rate above zero from a plain decimal such as "0.0204". Raises InvalidValue."""
    if not text.isascii() or not _RATE.fullmatch(text) or Decimal(text) == 0:
        raise InvalidValue(
            'a rate is a decimal string above zero such as "0.0204", with at most 12 decimals',
            pointer="/rate",
            code="invalid_rate",
        )
    return Decimal(text)


def plain(rate: Decimal) -> str:
    """A rate as a decimal string, without zeros at its end and never with an exponent."""
    text = format(rate, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
