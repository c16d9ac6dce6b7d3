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

from domain.shared.errors import Conflict, InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage, divide_half_up


class CancellationPreviewStale(Conflict):
    """The preview is over, or cancelling would do something else by now."""

    code = "cancellation_preview_stale"


MOST_TIERS: Final = 10
LONGEST_HOURS: Final = 365 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTier:
    """Until so many hours before the start, this share of the price comes back."""

    hours_before: int
    refund: Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTier:
    """The share that comes back, and the last instant at which that holds; None where nothing ends it.

    `hours_before` is None where no tier says it: too late, before anything was paid, or somebody decided it.
    """

    refund: Percentage
    hours_before: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationTerms:
    """Tiers, longest before the start first; after the last one nothing comes back. Raises InvalidValue.

    Until `supplier_hours_before` the company hands the place back to its supplier for nothing; None where it does not
    say. Customers have everything back no longer than that: what they get then, the company would pay (trap 42).
    """

    tiers: tuple[RefundTier, ...]
    policy_id: UUID | None = None
    supplier_hours_before: int | None = None

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
        if self.supplier_hours_before is not None:
            self._refuse_unsafe(self.supplier_hours_before)

    def _refuse_unsafe(self, supplier_hours: int) -> None:
        pointer = "/supplier_hours_before"
        if not 0 <= supplier_hours <= LONGEST_HOURS:
            raise InvalidValue("hours before the start", pointer=pointer, code="out_of_range")
        if any(tier.refund == EVERYTHING and tier.hours_before < supplier_hours for tier in self.tiers):
            detail = "customers get everything back no later than the supplier takes the place back for nothing"
            raise InvalidValue(detail, pointer=pointer, code="out_of_order")

    def supplier_deadline(self, *, starts_at: datetime, time_zone: str) -> datetime | None:
        """The last instant (UTC) at which the place can be handed back for nothing; None where nobody said it."""
        if self.supplier_hours_before is None:
            return None
        return _before(starts_at.astimezone(ZoneInfo(time_zone)), self.supplier_hours_before)

    def applied(self, *, at: datetime, starts_at: datetime, time_zone: str) -> AppliedTier:
        """What cancelling at this instant gives back; a deadline itself is in time."""
        for tier in self.tiers:
            until = deadline(tier, starts_at=starts_at, time_zone=time_zone)
            if at <= until:
                return AppliedTier(refund=tier.refund, hours_before=tier.hours_before, until=until)
        return AppliedTier(refund=NOTHING)


NOTHING: Final = Percentage(0)
EVERYTHING: Final = Percentage(10_000)
ALWAYS: Final = CancellationTerms(tiers=(RefundTier(hours_before=0, refund=EVERYTHING),))
"""Until the trip begins, everything comes back."""
NEVER: Final = CancellationTerms(tiers=())


def deadline(tier: RefundTier, *, starts_at: datetime, time_zone: str) -> datetime:
    """The last instant (UTC) at which a tier holds: that time on the place's walls, the first where it comes twice."""
    return _before(starts_at.astimezone(ZoneInfo(time_zone)), tier.hours_before)


def _before(starts_at: datetime, hours: int) -> datetime:
    # Between times of one zone, walls are what Python counts on.
    return (starts_at - timedelta(hours=hours)).replace(fold=0).astimezone(UTC)


def deadlines(
    terms: CancellationTerms, *, starts_at: datetime, time_zone: str
) -> Sequence[tuple[datetime, Percentage]]:
    """When each tier ends, and what it gives back, as customers read it."""
    on_the_wall = starts_at.astimezone(ZoneInfo(time_zone))
    return [(_before(on_the_wall, tier.hours_before), tier.refund) for tier in terms.tiers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What was taken for a booking, parted by a share: what goes back, and what the company keeps.

    `refund` and `kept` are all of the money, `points_restored` are of the points that its price was reduced by.
    """

    refund: Money
    kept: Money
    points_restored: int
    returns_promotions: bool
    """Voucher and offers can be used again only where nothing of their benefit is kept (trap 31)."""


def split(money: Money, *, points: int, share: Percentage, kept_fees: Money) -> Split:
    """Part what is left of the money, and the points, by the policy's own percentage (trap 41).

    `kept_fees` are kept whatever the share is, as far as there is so much.
    """
    refund = share.of(max(money - kept_fees, Money(0, money.currency)))
    return Split(
        refund=refund,
        kept=money - refund,
        points_restored=divide_half_up(points * share.hundredths, EVERYTHING.hundredths),
        returns_promotions=share == EVERYTHING,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a cancellation does with the money, by where it goes; all but `kept` is what goes back.

    `to_agent` is what the agent had paid from its credit. `points` go back with `in_points`; `points_restored` are
    those that had reduced the price.
    """

    to_original: Money
    to_wallet: Money
    to_voucher_credit: Money
    in_points: Money
    kept: Money
    to_agent: Money
    points: int = 0
    points_restored: int = 0

    @classmethod
    def of_unpaid(cls, currency: str, *, points_restored: int = 0) -> Settlement:
        """Of a booking that nothing was paid for, or that has nothing left of it."""
        nothing = Money.zero(currency)
        return cls(
            to_original=nothing,
            to_wallet=nothing,
            to_voucher_credit=nothing,
            in_points=nothing,
            kept=nothing,
            to_agent=nothing,
            points_restored=points_restored,
        )

    @property
    def refund(self) -> Money:
        return self.to_original + self.to_wallet + self.to_voucher_credit + self.in_points + self.to_agent
