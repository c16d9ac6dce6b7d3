"""What travellers of an age pay, and what changes on which days: set as whole lists by staff, or by the vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.catalogue.authors import Author, audit_item, look_again, own_item
from application.ports import UnitOfWork
from domain.catalogue.items import Item
from domain.catalogue.publication import CatalogueItem
from domain.operations.audit import changed
from domain.pricing.age_bands import AgeBand, refuse_unsound_bands
from domain.pricing.seasons import Season, refuse_unsound_seasons
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPrices:
    """`expected_version` is the item's that the author saw, None where any will do.

    `vendors_are_reviewed` is whether what a vendor changes has to be looked at.
    """

    author: Author
    item: Item
    vendors_are_reviewed: bool
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgeBands(SetPrices):
    """`bands` are all there will be."""

    bands: Sequence[AgeBand]


def set_age_bands(command: SetAgeBands, *, uow: UnitOfWork, clock: Clock) -> None:
    """Replace an item's age bands; bookings keep the price that they were made at.

    Raises PackageNotFound, ActivityNotFound, PreconditionFailed or UnsoundPrices.
    """
    with uow:
        held = own_item(command.item, command.author, uow)
        refuse_stale(command.expected_version, current=held.version)
        refuse_unsound_bands(command.bands, held.price_now)
        before = _shown_bands(uow.item_prices.bands_of(command.item))
        uow.item_prices.replace_bands(command.item, command.bands)
        changes = changed({"age_bands": before}, {"age_bands": _shown_bands(command.bands)})
        _note(held, command, changes, uow=uow, clock=clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSeasons(SetPrices):
    """`seasons` are all there will be."""

    seasons: Sequence[Season]


def set_seasons(command: SetSeasons, *, uow: UnitOfWork, clock: Clock) -> None:
    """Replace an item's seasons; bookings keep the price that they were made at.

    Raises PackageNotFound, ActivityNotFound, PreconditionFailed or UnsoundPrices.
    """
    with uow:
        held = own_item(command.item, command.author, uow)
        refuse_stale(command.expected_version, current=held.version)
        refuse_unsound_seasons(command.seasons, held.price_now)
        before = _shown_seasons(uow.item_prices.seasons_of(command.item))
        uow.item_prices.replace_seasons(command.item, command.seasons)
        changes = changed({"seasons": before}, {"seasons": _shown_seasons(command.seasons)})
        _note(held, command, changes, uow=uow, clock=clock)
        uow.commit()


def _note(
    item: CatalogueItem,
    command: SetPrices,
    changes: Mapping[str, Mapping[str, object]],
    *,
    uow: UnitOfWork,
    clock: Clock,
) -> None:
    """The item's version moves with its prices, and the log has both sides, where they differ."""
    if changes["after"]:
        item.change(at=clock.now())
        look_again(item, command.author, vendors_are_reviewed=command.vendors_are_reviewed, at=clock.now())
        audit_item(uow, command.author, "update", item, changes, clock)


def _shown_bands(bands: Sequence[AgeBand]) -> list[dict[str, object]]:
    """In one order, whatever order they were given in; amounts and percentages as people read them."""
    return [
        {
            "band": band.code,
            "name_ar": band.name_ar,
            "name_en": band.name_en,
            "min_age": band.min_age,
            "max_age": band.max_age,
            "price": str(band.price),
            "takes_a_seat": band.takes_a_seat,
        }
        for band in sorted(bands, key=lambda band: band.min_age)
    ]


def _shown_seasons(seasons: Sequence[Season]) -> list[dict[str, object]]:
    return [
        {
            "name_ar": season.name_ar,
            "name_en": season.name_en,
            "first_on": season.first_on.isoformat(),
            "last_on": season.last_on.isoformat(),
            "weekdays": sorted(season.weekdays),
            "adjustment": season.adjustment.value,
            "amount": str(season.amount),
            "priority": season.priority,
        }
        for season in sorted(seasons, key=lambda season: (season.first_on, season.priority, season.name_en))
    ]
