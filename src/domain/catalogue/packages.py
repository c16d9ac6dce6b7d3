"""Travel packages: what they are made of, and the addresses of what is on sale."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from domain.catalogue.items import ItemKind
from domain.catalogue.package_details import (
    REVIEWED,
    ItineraryStep,
    PackageCategory,
    PackageDetails,
    refuse_unpublishable,
    refuse_unsound,
)
from domain.catalogue.publication import CatalogueItem
from domain.shared.clock import MIDNIGHT
from domain.shared.errors import Conflict, NotFound
from domain.shared.money import Money


class PackageNotFound(NotFound):
    """There is no such package, or it is not on sale to this viewer."""

    code = "package_not_found"


class SlugTaken(Conflict):
    """Another one of its kind has this address."""

    code = "slug_taken"


@dataclass(eq=False, kw_only=True)
class Package(CatalogueItem):
    """A trip that is sold by the seat; prices are for one traveller.

    `discounted_price_minor` is in the currency of `base_price`.
    """

    KIND = ItemKind.PACKAGE
    NOT_FOUND = PackageNotFound
    REVIEWED = REVIEWED

    category: PackageCategory
    base_price: Money
    discounted_price_minor: int | None = None
    duration_days: int
    duration_nights: int
    min_travelers: int
    max_travelers: int
    destinations: list[str] = field(default_factory=list)
    inclusions_ar: list[str] = field(default_factory=list)
    inclusions_en: list[str] = field(default_factory=list)
    exclusions_ar: list[str] = field(default_factory=list)
    exclusions_en: list[str] = field(default_factory=list)
    itinerary: list[ItineraryStep] = field(default_factory=list)
    is_customizable: bool = False
    meta_title_ar: str = ""
    meta_title_en: str = ""
    meta_description_ar: str = ""
    meta_description_en: str = ""

    @classmethod
    def create(
        cls,
        *,
        item_id: UUID,
        slug: str,
        vendor_id: UUID | None,
        created_by: UUID,
        at: datetime,
        discounted_price: Money | None = None,
        **details: Any,
    ) -> Package:
        """A draft that customers do not see yet. Raises UnsoundPackage naming every field that cannot be."""
        package = cls._drafted(item_id=item_id, slug=slug, vendor_id=vendor_id, created_by=created_by, at=at, **details)
        refuse_unsound({**package.details(), "discounted_price": discounted_price})
        package.discounted_price = discounted_price
        return package

    @classmethod
    def refuse_unsound(cls, details: Mapping[str, Any]) -> None:
        refuse_unsound(details)

    @classmethod
    def refuse_incomplete(cls, details: Mapping[str, Any]) -> None:
        refuse_unpublishable(details)

    def details(self) -> PackageDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in PackageDetails.__annotations__}  # type: ignore[return-value]

    @property
    def discounted_price(self) -> Money | None:
        """The lower price, beside which the base price is shown struck through; None where nothing is taken off."""
        minor = self.discounted_price_minor
        return None if minor is None else Money(minor, self.base_price.currency)

    @discounted_price.setter
    def discounted_price(self, price: Money | None) -> None:
        self.discounted_price_minor = None if price is None else price.minor

    @property
    def price_now(self) -> Money:
        """What one traveller is sold it at, before seasons, ages and offers. `PRICE_NOW` of its tables is its twin."""
        return self.discounted_price or self.base_price

    def last_day(self, starts_on: date, start_time: time = MIDNIGHT) -> date:
        """When a departure that starts then is over; the first day counts, at whatever hour it begins."""
        return starts_on + timedelta(days=self.duration_days - 1)


_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST_SLUG = 80
_ROUTES = {"facets"}
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def slug_of(name: str, *, kind: str = "package") -> str:
    """A name as it stands in an address: lower case words of any script joined by hyphens.

    Never one that reads as an id, packages are asked for by either, nor the name of a route beside them: in front of
    those its `kind` is put.
    """
    words = _NOT_WORD.sub("-", unicodedata.normalize("NFKC", name).casefold()).strip("-")
    slug = words[:_LONGEST_SLUG].rstrip("-") or kind
    is_taken = slug in _ROUTES or _LIKE_AN_ID.fullmatch(slug)
    return f"{kind}-{slug}"[:_LONGEST_SLUG].rstrip("-") if is_taken else slug
