"""How a price is made: lines whose sum is the total, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class LineKind(StrEnum):
    """What a price line stands for."""

    BASE = "BASE"
    """The item itself, before tax."""
    TAX = "TAX"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One reason and its amount; `quantity` × `unit_price` is not always `amount` (taxes are rounded once)."""

    kind: LineKind
    description_ar: str
    description_en: str
    quantity: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedItem:
    """What is being priced: one package for a number of people, and the tax that it carries."""

    name_ar: str
    name_en: str
    unit_price: Money
    tax_rate: Percentage
    tax_inclusive: bool
    min_travelers: int
    max_travelers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A priced offer. `total` is the sum of the lines; what is frozen into a booking when it is placed."""

    lines: tuple[PriceLine, ...]
    base_amount: Money
    discount_amount: Money
    voucher_discount: Money
    tax_amount: Money
    total: Money
    tax_rate: Percentage


def quote_package(item: PricedItem, travelers_count: int) -> Quote:
    """Price a package for some people. Raises InvalidValue for a party that the package does not take.

    Tax is rounded once, on the whole line: a price that includes it stays exactly what was shown.
    """
    if not item.min_travelers <= travelers_count <= item.max_travelers:
        raise InvalidValue(
            f"this package takes {item.min_travelers} to {item.max_travelers} travellers",
            pointer="/travelers_count",
            code="out_of_range",
        )
    shown = item.unit_price * travelers_count
    tax = item.tax_rate.contained_in(shown) if item.tax_inclusive else item.tax_rate.of(shown)
    base = shown - tax if item.tax_inclusive else shown
    nothing = Money(0, shown.currency)
    lines = [
        PriceLine(
            kind=LineKind.BASE,
            description_ar=item.name_ar,
            description_en=item.name_en,
            quantity=travelers_count,
            amount=base,
        )
    ]
    if not tax.is_zero:
        lines.append(
            PriceLine(
                kind=LineKind.TAX,
                description_ar=f"ضريبة القيمة المضافة {item.tax_rate}%",
                description_en=f"VAT {item.tax_rate}%",
                quantity=1,
                amount=tax,
            )
        )
    return Quote(
        lines=tuple(lines),
        base_amount=base,
        discount_amount=nothing,
        voucher_discount=nothing,
        tax_amount=tax,
        total=base + tax,
        tax_rate=item.tax_rate,
    )
