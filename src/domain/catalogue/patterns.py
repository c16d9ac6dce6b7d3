"""Patterns: the weekdays on which a package or an activity departs, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypedDict, Unpack
from uuid import UUID

from domain.catalogue.pools import refuse_capacity
from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, InvalidValue, NotFound

MOST_EXCEPTIONS: Final = 400
MOST_SERIES: Final = 10
_DAY: Final = timedelta(days=1)


class PatternNotFound(NotFound):
    """There is no such pattern, or it is of somebody else's item."""

    code = "pattern_not_found"


class PatternStatus(StrEnum):
    """Whether it plans departures; a pattern that was stopped stays stopped."""

    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"


class PatternDetails(TypedDict, total=False):
    """What its owner decides about a pattern; what is left out stays as it is.

    Weekdays are ISO 8601's: 1 is Monday, 7 is Sunday. An open pattern has no `last_on`. On `exceptions` there is no
    departure. Each departure draws from the day's pool of each series.
    """

    weekdays: Sequence[int]
    first_on: date
    last_on: date | None
    exceptions: Sequence[date]
    start_time: time
    capacity: int
    series_ids: Sequence[UUID]


@dataclass(eq=False, kw_only=True)
class DeparturePattern(Aggregate):
    """When an item departs; its departures are planned some months ahead, one for each of its days."""

    id: UUID
    package_id: UUID | None
    activity_id: UUID | None
    weekdays: Sequence[int]
    first_on: date
    last_on: date | None
    exceptions: Sequence[date]
    start_time: time
    capacity: int
    series_ids: Sequence[UUID]
    status: PatternStatus
    created_by_user_id: UUID
    created_at: datetime
    version: int = 1

    @classmethod
    def begin(
        cls,
        *,
        pattern_id: UUID,
        package_id: UUID | None = None,
        activity_id: UUID | None = None,
        created_by: UUID,
        at: datetime,
        **details: Unpack[PatternDetails],
    ) -> DeparturePattern:
        """A pattern that has planned nothing yet. Raises InvalidValue."""
        if (package_id is None) == (activity_id is None):
            raise ValueError("a pattern is of a package or of an activity")
        pattern = cls(
            id=pattern_id,
            package_id=package_id,
            activity_id=activity_id,
            status=PatternStatus.ACTIVE,
            created_by_user_id=created_by,
            created_at=at,
            **details,
        )
        pattern._put_in_order()
        return pattern

    def change(self, **details: Unpack[PatternDetails]) -> None:
        """From here on it is so; everything ahead is planned anew. Raises InvalidValue, or IllegalTransition."""
        if self.status is not PatternStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=PatternStatus.ACTIVE)
        for name, value in details.items():
            setattr(self, name, value)
        self._put_in_order()

    def stop(self) -> None:
        """Plan nothing more. Raises IllegalTransition for one that was stopped."""
        if self.status is not PatternStatus.ACTIVE:
            raise IllegalTransition(current=self.status, wanted=PatternStatus.STOPPED)
        self.status = PatternStatus.STOPPED

    def details(self) -> PatternDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in PatternDetails.__annotations__}  # type: ignore[return-value]

    def dates(self, *, after: date, through: date) -> Iterator[date]:
        """The days on which it departs behind one day, up to another that is included."""
        day = max(after + _DAY, self.first_on)
        end = through if self.last_on is None else min(through, self.last_on)
        while day <= end:
            if day.isoweekday() in self.weekdays and day not in self.exceptions:
                yield day
            day += _DAY

    def _put_in_order(self) -> None:
        self.weekdays, self.exceptions = sorted(set(self.weekdays)), sorted(set(self.exceptions))
        self.series_ids = sorted(set(self.series_ids))
        refuse_capacity(self.capacity)
        if not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            raise InvalidValue("one or more of 1, Monday, to 7, Sunday", pointer="/weekdays", code="out_of_range")
        if self.last_on is not None and self.last_on < self.first_on:
            raise InvalidValue("on or after first_on", pointer="/last_on", code="out_of_range")
        if len(self.exceptions) > MOST_EXCEPTIONS:
            raise InvalidValue(f"at most {MOST_EXCEPTIONS}", pointer="/exceptions", code="out_of_range")
        if len(self.series_ids) > MOST_SERIES:
            raise InvalidValue(f"at most {MOST_SERIES}", pointer="/series_ids", code="out_of_range")
