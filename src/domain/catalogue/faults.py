"""What packages and activities are held to alike: texts, prices, parties, and what customers must see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from domain.shared.clock import is_place
from domain.shared.errors import FieldFault, RuleBroken
from domain.shared.money import Money

NAME_LENGTH: Final = 200
DESCRIPTION_LENGTH: Final = 10_000
MOST_TRAVELERS: Final = 200
"""How many people book together."""
HIGHEST_PRICE: Final = 10_000_000
"""In whole units of any currency, for one person."""
LAST_PLACE: Final = 10_000
"""The highest `display_order`."""


class NotPublishable(RuleBroken):
    """Something that customers must see is missing; the faults name each field."""

    code = "not_publishable"


_LONGEST_TEXT: Final = {
    "name_ar": NAME_LENGTH,
    "name_en": NAME_LENGTH,
    "description_ar": DESCRIPTION_LENGTH,
    "description_en": DESCRIPTION_LENGTH,
}


def out_of_range(pointer: str, detail: str) -> FieldFault:
    """A value that lies outside what its field admits; `pointer` without its first slash."""
    return FieldFault(pointer=f"/{pointer}", code="out_of_range", detail=detail)


def text_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    """A name in neither language, and texts that are too long."""
    if not details["name_ar"] and not details["name_en"]:
        yield FieldFault(pointer="/name_en", code="required", detail="a name in Arabic or English")
    yield from length_faults(_LONGEST_TEXT, details)


def length_faults(longest_of: Mapping[str, int], details: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Texts that are longer than theirs may be."""
    for name, longest in longest_of.items():
        if len(details[name]) > longest:
            yield out_of_range(name, f"at most {longest} characters")


def price_faults(pointer: str, price: Money) -> Iterator[FieldFault]:
    """A price that nobody would ask, or nobody would pay."""
    if not 0 < price.minor <= HIGHEST_PRICE * price.currency.scale:
        yield out_of_range(pointer, f"a price is above 0 and at most {HIGHEST_PRICE}")


def party_faults(least_name: str, most_name: str, details: Mapping[str, Any]) -> Iterator[FieldFault]:
    """How few and how many book together."""
    least, most = details[least_name], details[most_name]
    if not 1 <= least <= MOST_TRAVELERS:
        yield out_of_range(least_name, f"1 to {MOST_TRAVELERS} people book together")
    if not least <= most <= MOST_TRAVELERS:
        yield out_of_range(most_name, f"at least {least_name}, at most {MOST_TRAVELERS}")


def listing_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Where and when it is shown and offered."""
    start, end = details["availability_start"], details["availability_end"]
    if not 0 <= details["display_order"] <= LAST_PLACE:
        yield out_of_range("display_order", f"0 to {LAST_PLACE}")
    if start is not None and end is not None and end < start:
        yield out_of_range("availability_end", "on or after availability_start")
    if not is_place(details["time_zone"]):
        yield FieldFault(pointer="/time_zone", code="unknown_time_zone", detail="a zone such as Africa/Cairo")


def missing(names: Iterable[str], details: Mapping[str, Any]) -> Iterator[str]:
    """Which of these are not there."""
    return (name for name in names if not details[name])


def refuse_missing(names: Iterable[str]) -> None:
    """Raises NotPublishable naming every field that customers must see and is not there."""
    faults = tuple(
        FieldFault(pointer=f"/{name}", code="required", detail="needed before it is published") for name in names
    )
    if faults:
        raise NotPublishable(faults=faults)
