"""Quotes of trips that people price: what an offer would ask for; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.pricing.ports import OfferedPromotions
from application.queries import SalesQueries
from application.sales.hand_prices import hand_priced, quote_by_hand
from application.sales.offers import Offer, planned
from application.sales.quotes import Quoted, quoted_as
from domain.sales.requests import TripWish
from domain.shared.clock import Clock
from domain.shared.errors import OwnRequest
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """Staff or an agent think of a price for what a customer wishes."""

    actor_id: UUID
    user_id: UUID
    wish: TripWish
    offer: Offer


def quote_request(
    command: QuoteRequest, *, queries: SalesQueries, promotions: OfferedPromotions, clock: Clock, new_id: NewId
) -> Quoted:
    """The price as it would be now. Raises OwnRequest, CustomerNotFound, InvalidValue or UnsoundOffer."""
    if command.actor_id == command.user_id:
        raise OwnRequest()
    now, offer = clock.now(), command.offer
    trip = command.wish.trip(at=now)
    rewards = queries.rewards(command.user_id, at=now)
    promoted = promotions.offered(buyer_id=command.user_id, at=now, voucher_code=offer.voucher_code)
    items = hand_priced(offer.items, trip, new_id=new_id)
    priced = quote_by_hand(items, trip, promoted, tier_code=rewards.tier_code, fee_in=offer.settings.fee_in, at=now)
    _, instalments = planned(offer, trip, priced, at=now)
    return quoted_as(priced, rewards, offer.settings.points, instalments=instalments, seats_left=None, at=now)
