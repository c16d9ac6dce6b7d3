"""Cancellation terms: how much comes back, by how long before its start a trip is cancelled.

Deadlines are wall-clock times of the place: three days before a start at 08:00 is 08:00 three days earlier there,
whatever the clocks did in between (traps 41 and 42). Terms are frozen into a booking when it is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage

MOST_TIERS: Final = 10
LONGEST_HOURS: Final = 365 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTier:
    """Until so many hours before the start, this share of the price comes back."""

    hours_before: int
    refund: Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationTerms:
    """Tiers, longest before the start first; after the last one nothing comes back. Raises InvalidValue."""

    tiers: tuple[RefundTier, ...]
    policy_id: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.tiers) > MOST_TIERS:
            raise InvalidValue(f"at most {MOST_TIERS} tiers", pointer="/tiers", code="out_of_range")
        for position, tier in enumerate(self.tiers):
            if not 0 <= tier.hours_before <= LONGEST_HOURS:
                raise InvalidValue("hours before the start", pointer=f"/tiers/{position}", code="out_of_range")
        for position, (longer, shorter) in enumerate(zip(self.tiers, self.tiers[1:], strict=False), start=1):
            if shorter.hours_before >= longer.hours_before or shorter.refund.hundredths > longer.refund.hundredths:
                detail = "each tier ends later than the one before, and gives back no more"
                raise InvalidValue(detail, pointer=f"/tiers/{position}", code="out_of_order")

    def refund_share(self, *, at: datetime, starts_at: datetime, time_zone: str) -> Percentage:
        """How much of the price comes back where it is cancelled at this instant; the deadline itself is in time."""
        for tier in self.tiers:
            if at <= deadline(tier, starts_at=starts_at, time_zone=time_zone):
                return tier.refund
        return NOTHING

    def kept_fee(self, price: Money, *, at: datetime, starts_at: datetime, time_zone: str) -> Money:
        """What the company keeps of a price; the refund is the rest, so the two are the price."""
        return price - self.refund_share(at=at, starts_at=starts_at, time_zone=time_zone).of(price)


NOTHING: Final = Percentage(0)
EVERYTHING: Final = Percentage(10_000)
ALWAYS: Final = CancellationTerms(tiers=(RefundTier(hours_before=0, refund=EVERYTHING),))
"""Until the trip begins, everything comes back."""
NEVER: Final = CancellationTerms(tiers=())


def deadline(tier: RefundTier, *, starts_at: datetime, time_zone: str) -> datetime:
    """The last instant (UTC) at which a tier holds: that time on the place's walls, the first where it comes twice."""
    zone = ZoneInfo(time_zone)
    on_the_wall = starts_at.astimezone(zone).replace(tzinfo=None) - timedelta(hours=tier.hours_before)
    return on_the_wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def deadlines(
    terms: CancellationTerms, *, starts_at: datetime, time_zone: str
) -> Sequence[tuple[datetime, Percentage]]:
    """When each tier ends, and what it gives back, as customers read it."""
    return [(deadline(tier, starts_at=starts_at, time_zone=time_zone), tier.refund) for tier in terms.tiers]
