"""What pricing needs of its rows: items' prices, promotions as a sale meets them, and as staff keep them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalogue.items import Item
from domain.pricing.age_bands import AgeBand
from domain.pricing.baskets import Benefit, NotApplied, Promotion
from domain.pricing.offers import Offer
from domain.pricing.seasons import Season
from domain.pricing.vouchers import Voucher


@dataclass(frozen=True, slots=True)
class Offered:
    """What one buyer could get: offers that run, the first to be tried first, and the voucher that they named."""

    offers: tuple[Promotion, ...]
    voucher: Promotion | NotApplied | None
    """None where no code was given; NotApplied (`voucher_unknown`) for one that this buyer may not know of."""


class OfferedPromotions(Protocol):
    """Reads promotions without a lock; the same in quotes and inside a unit of work."""

    def offered(self, *, buyer_id: UUID, at: datetime, voucher_code: str | None) -> Offered:
        """In one round trip, with the buyer's own uses. The code is as it was typed."""
        ...


class Promotions(OfferedPromotions, Protocol):
    """Uses of vouchers and offers, one for each of them and booking.

    They are counted when they are taken and given back, under locks that are the last ones a unit of work takes.
    Whatever is taken beyond a limit raises VoucherExhausted or OfferExhausted, here or at commit; then nothing was
    taken. One without a limit in total is locked by nobody.
    """

    def redeem(self, benefits: Sequence[Benefit], *, booking_id: UUID, user_id: UUID, at: datetime) -> None:
        """Take what a quote gave. What the booking has already is not taken twice; the booking's row is there."""
        ...

    def redeem_instead(self, benefits: Sequence[Benefit], *, booking_id: UUID, user_id: UUID, at: datetime) -> None:
        """Take what a new price of the booking gives, and give back what the price before had taken.

        What both have is the booking's all the while, with what it gives now.
        """
        ...

    def redeemed(self, booking_id: UUID, *, at: datetime) -> Offered:
        """What a booking used and did not give back, as it meets a basket of that instant: what it costs, what it is
        for and when one travels count again, but neither window, hours of the week, status nor limits.
        """
        ...

    def release(self, booking_id: UUID, *, at: datetime) -> None:
        """Give all of a booking back; what was given back before stays so."""
        ...

    def redeem_again(self, booking_id: UUID, *, replaced_id: UUID, released_at: datetime, at: datetime) -> None:
        """Take for a booking what the one that it replaces gave back at that instant: money came late.

        That is what its last price had used; what an offer before had used was given back before. Limits decide, not
        the time that is over since.
        """
        ...

    def expire(self, *, at: datetime) -> int:
        """Say of every voucher and offer whose time is over that it is; how many there were."""
        ...


class Vouchers(Protocol):
    """Vouchers, by id."""

    def add(self, vouchers: Sequence[Voucher]) -> None:
        """Raises VoucherCodeTaken, here or at commit."""
        ...

    def get(self, voucher_id: UUID) -> Voucher:
        """The voucher, locked, its redemptions held off: `usage_count` stays true. Raises VoucherNotFound."""
        ...

    def save(self, voucher: Voucher) -> None: ...

    def was_redeemed(self, voucher_id: UUID) -> bool:
        """Whether anybody ever used it, given back or not."""
        ...

    def codes_taken(self, codes: Collection[str]) -> frozenset[str]:
        """Which of these some voucher has."""
        ...

    def assign(self, voucher_id: UUID, user_ids: Collection[UUID], *, by: UUID, at: datetime) -> frozenset[UUID]:
        """Make it these people's; answers those who had it not. Whoever has it keeps it."""
        ...

    def unassign(self, voucher_id: UUID, user_id: UUID) -> bool:
        """Take it from somebody; whether they had it."""
        ...

    def unknown_users(self, user_ids: Collection[UUID]) -> frozenset[UUID]:
        """Which of these are no open accounts."""
        ...


class Offers(Protocol):
    """Offers, by id."""

    def unknown_items(self, item_ids: Collection[UUID]) -> frozenset[UUID]:
        """Which of these are no packages or activities."""
        ...

    def unknown_tiers(self, tiers: Collection[str]) -> frozenset[str]:
        """Which of these are codes of no membership plan."""
        ...

    def add(self, offer: Offer) -> None: ...

    def get(self, offer_id: UUID) -> Offer:
        """The offer, locked, its redemptions held off: `usage_count` stays true. Raises OfferNotFound."""
        ...

    def save(self, offer: Offer) -> None: ...


class ItemPrices(Protocol):
    """Age bands and seasons; whoever replaces them holds the item's lock, and has found the new ones sound."""

    def bands_of(self, item: Item) -> Sequence[AgeBand]:
        """The youngest first."""
        ...

    def seasons_of(self, item: Item) -> Sequence[Season]:
        """The earliest first."""
        ...

    def replace_bands(self, item: Item, bands: Sequence[AgeBand]) -> None: ...

    def replace_seasons(self, item: Item, seasons: Sequence[Season]) -> None: ...
