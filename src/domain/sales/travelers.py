"""The people of a party, and what their papers are held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from domain.sales.agreed import Trip
from domain.shared.errors import Conflict, FieldFault, RuleBroken

OLDEST_YEARS: Final = 120


class TravelersFixed(Conflict):
    """Who travels is changed until the trip begins, and not after it was cancelled; `current` is its state."""

    code = "travelers_fixed"


class AgesArePriced(Conflict):
    """A birth date that is known may have made the price and the seats: an amendment changes it, and prices it anew."""

    code = "ages_are_priced"


class UnfitTravelers(RuleBroken):
    """These people cannot make this trip as they are written down."""

    code = "validation_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveler:
    """One person of the party; the document number is stored encrypted."""

    first_name: str
    last_name: str
    birth_date: date | None = None
    document_number: str | None = field(default=None, repr=False)
    document_expires_on: date | None = None


def refuse_unfit(travelers: Sequence[Traveler], trip: Trip, *, valid_days: int, today: date) -> None:
    """Hold travellers to their trip; documents are valid until `valid_days` after its last day.

    Raises UnfitTravelers that names every field that is wrong.
    """
    faults = tuple(_faults(travelers, trip, valid_days, today))
    if faults:
        raise UnfitTravelers(faults=faults)


def refuse_other_ages(before: Sequence[Traveler], after: Sequence[Traveler], trip: Trip) -> None:
    """Raises AgesArePriced where a birth date of somebody on a departure is known, and would be no more."""
    known, wanted = (Counter(each.birth_date for each in people if each.birth_date) for people in (before, after))
    if trip.departure_id is not None and known - wanted:
        raise AgesArePriced()


def _faults(travelers: Sequence[Traveler], trip: Trip, valid_days: int, today: date) -> Iterator[FieldFault]:
    if len(travelers) > trip.travelers_count:
        yield FieldFault("/travelers", "out_of_range", "more travellers are named than travel")
    seen: set[str] = set()
    for place, traveler in enumerate(travelers):
        at = f"/travelers/{place}"
        yield from _name_faults(traveler, at)
        yield from _birth_faults(traveler.birth_date, at, today)
        yield from _document_faults(traveler, at, seen)
        expires_on = traveler.document_expires_on
        if expires_on is not None and expires_on < (needed_until := trip.end_date + timedelta(days=valid_days)):
            yield FieldFault(f"{at}/document_expires_on", "document_expires", f"valid until {needed_until} at least")


def _name_faults(traveler: Traveler, at: str) -> Iterator[FieldFault]:
    for name in ("first_name", "last_name"):
        if not any(map(str.isalpha, getattr(traveler, name))):
            yield FieldFault(f"{at}/{name}", "invalid", "a name has letters, of any script")


def _birth_faults(born: date | None, at: str, today: date) -> Iterator[FieldFault]:
    if born is None:
        return
    if not born < today or today.year - born.year > OLDEST_YEARS:
        yield FieldFault(f"{at}/birth_date", "out_of_range", f"in the past, at most {OLDEST_YEARS} years ago")


def _document_faults(traveler: Traveler, at: str, seen: set[str]) -> Iterator[FieldFault]:
    if traveler.document_number is None:
        return
    number = "".join(char for char in traveler.document_number.casefold() if char not in _SEPARATORS)
    if not number.isalnum():
        yield FieldFault(f"{at}/document_number", "invalid", "letters and digits")
    elif number in seen:
        yield FieldFault(f"{at}/document_number", "duplicate", "another traveller has this document")
    seen.add(number)


_SEPARATORS: Final = frozenset(" -/.")


def masked(number: str) -> str:
    """A document number of which the last three characters are shown, fewer where that were more than half of it."""
    shown = min(3, len(number) // 2)
    return "*" * (len(number) - shown) + number[len(number) - shown :]
