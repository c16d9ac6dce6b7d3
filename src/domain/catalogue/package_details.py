"""What its owner decides about a package, what cannot be decided, and what a package on sale has to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypedDict
from uuid import UUID

from domain.catalogue.faults import (
    length_faults,
    listing_faults,
    missing,
    out_of_range,
    party_faults,
    price_faults,
    refuse_missing,
    text_faults,
)
from domain.shared.errors import FieldFault, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class UnsoundPackage(RuleBroken):
    """What was given cannot be a package; the faults name each field."""

    code = "validation_failed"


class PackageCategory(StrEnum):
    """The guide's categories."""

    HONEYMOON = "HONEYMOON"
    FAMILY = "FAMILY"
    ADVENTURE = "ADVENTURE"
    LUXURY = "LUXURY"
    BUSINESS = "BUSINESS"
    WEEKEND = "WEEKEND"
    SEASONAL = "SEASONAL"


class ItineraryStep(TypedDict):
    """What happens on one day of the trip, the first being 1."""

    day: int
    title_ar: str
    title_en: str
    description_ar: str
    description_en: str


class PackageDetails(TypedDict, total=False):
    """What its owner decides about a package; what is left out stays as it is.

    `discounted_price` is None where nothing is taken off; `time_zone` is the place's, by its IANA name. Empty
    `meta_` texts fall back to the name and the description.
    """

    name_ar: str
    name_en: str
    description_ar: str
    description_en: str
    category: PackageCategory
    base_price: Money
    discounted_price: Money | None
    tax_rate: Percentage
    tax_inclusive: bool
    duration_days: int
    duration_nights: int
    min_travelers: int
    max_travelers: int
    destinations: list[str]
    inclusions_ar: list[str]
    inclusions_en: list[str]
    exclusions_ar: list[str]
    exclusions_en: list[str]
    itinerary: list[ItineraryStep]
    is_customizable: bool
    is_featured: bool
    display_order: int
    availability_start: date | None
    availability_end: date | None
    time_zone: str
    cancellation_policy_id: UUID | None
    meta_title_ar: str
    meta_title_en: str
    meta_description_ar: str
    meta_description_en: str


REVIEWED: Final = frozenset(PackageDetails.__annotations__) - {
    "is_featured", "display_order", "is_customizable", "min_travelers", "max_travelers", "time_zone",
}  # fmt: skip
"""What a vendor's package is reviewed for: all that customers read, pay and travel by."""

META_TITLE_LENGTH: Final = 120
META_DESCRIPTION_LENGTH: Final = 320
LINE_LENGTH: Final = 300
MOST_DESTINATIONS: Final = 30
MOST_LINES: Final = 50
LONGEST_DAYS: Final = 365
MOST_STEPS: Final = 400

_LONGEST_META = {
    "meta_title_ar": META_TITLE_LENGTH,
    "meta_title_en": META_TITLE_LENGTH,
    "meta_description_ar": META_DESCRIPTION_LENGTH,
    "meta_description_en": META_DESCRIPTION_LENGTH,
}
_LONGEST_LIST = {
    "destinations": (MOST_DESTINATIONS, 100),
    "inclusions_ar": (MOST_LINES, LINE_LENGTH),
    "inclusions_en": (MOST_LINES, LINE_LENGTH),
    "exclusions_ar": (MOST_LINES, LINE_LENGTH),
    "exclusions_en": (MOST_LINES, LINE_LENGTH),
}


def refuse_unsound(details: Mapping[str, Any]) -> None:
    """Hold details, all of them, to what a package can be. Raises UnsoundPackage naming every field at once."""
    faults = (
        *_price_faults(details),
        *_number_faults(details),
        *text_faults(details),
        *length_faults(_LONGEST_META, details),
        *_list_faults(details),
        *_itinerary_faults(details),
    )
    if faults:
        raise UnsoundPackage(faults=faults)


def refuse_unpublishable(details: Mapping[str, Any]) -> None:
    """Hold details to what customers must see, in both languages. Raises NotPublishable naming every field."""
    refuse_missing((*missing(_SEEN_BY_CUSTOMERS, details), *_missing_translations(details), *_missing_steps(details)))


_SEEN_BY_CUSTOMERS: Final = ("name_ar", "name_en", "description_ar", "description_en", "destinations")
"""Pictures are not among them: a package may be sold without."""


def _missing_translations(details: Mapping[str, Any]) -> Iterator[str]:
    """Lists that are there in one language only."""
    for name in ("inclusions", "exclusions"):
        for language, other in (("ar", "en"), ("en", "ar")):
            if details[f"{name}_{other}"] and not details[f"{name}_{language}"]:
                yield f"{name}_{language}"


def _missing_steps(details: Mapping[str, Any]) -> Iterator[str]:
    """A step has both titles; what more it says, it says in both languages."""
    for i, step in enumerate(details["itinerary"]):
        for language, other in (("ar", "en"), ("en", "ar")):
            if not step[f"title_{language}"]:
                yield f"itinerary/{i}/title_{language}"
            if step[f"description_{other}"] and not step[f"description_{language}"]:
                yield f"itinerary/{i}/description_{language}"


def _price_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    base, discounted = details["base_price"], details["discounted_price"]
    yield from price_faults("base_price", base)
    if discounted is None:
        return
    if discounted.currency != base.currency:
        yield FieldFault(pointer="/discounted_price", code="invalid", detail="in the currency of base_price")
    elif not 0 < discounted.minor < base.minor:
        yield out_of_range("discounted_price", "above 0 and below base_price")


def _number_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    days, nights = details["duration_days"], details["duration_nights"]
    if not 1 <= days <= LONGEST_DAYS:
        yield out_of_range("duration_days", f"a trip has 1 to {LONGEST_DAYS} days")
    if not 0 <= nights <= days:
        yield out_of_range("duration_nights", "a trip has no more nights than days")
    yield from party_faults("min_travelers", "max_travelers", details)
    yield from listing_faults(details)


def _list_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name, (most, longest) in _LONGEST_LIST.items():
        if len(details[name]) > most:
            yield out_of_range(name, f"at most {most} entries")
        for i, line in enumerate(details[name][:most]):
            if not 1 <= len(line) <= longest:
                yield out_of_range(f"{name}/{i}", f"1 to {longest} characters")


def _itinerary_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    if len(details["itinerary"]) > MOST_STEPS:
        yield out_of_range("itinerary", f"at most {MOST_STEPS} entries")
    for i, step in enumerate(details["itinerary"][:MOST_STEPS]):
        if not 1 <= step["day"] <= details["duration_days"]:
            yield out_of_range(f"itinerary/{i}/day", "a day of the trip")
