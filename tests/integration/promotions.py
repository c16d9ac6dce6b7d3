"""A shop with vouchers and offers: what its bookings take of them, and how the counts stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports import NewUnitOfWork
from domain.pricing.baskets import Benefit, PromotionKind
from domain.pricing.offers import Offer
from domain.pricing.vouchers import Voucher
from domain.shared.money import Money
from infrastructure.bootstrap import Running
from infrastructure.database.transaction import Row
from tests.builders import egp
from tests.deals import a_voucher, an_offer
from tests.integration.shop import Shop


def from_voucher(voucher: Voucher, discount: Money | None = None, cashback: Money | None = None) -> Benefit:
    return Benefit(
        kind=PromotionKind.VOUCHER,
        source_id=voucher.id,
        title_ar="",
        title_en="",
        discount=discount or egp("100.00"),
        keys=frozenset(),
        cashback=cashback,
    )


def from_offer(offer: Offer, discount: Money | None = None, *, points: int = 0) -> Benefit:
    return Benefit(
        kind=PromotionKind.OFFER,
        source_id=offer.id,
        title_ar="",
        title_en="",
        discount=discount or egp("50.00"),
        keys=frozenset(),
        bonus_points=points,
    )


@dataclass(frozen=True)
class Till:
    """Bookings of a shop, and what they take."""

    shop: Shop
    staff: UUID

    @classmethod
    def opened(cls, running: Running) -> Till:
        shop = Shop.opened(running)
        return cls(shop, shop.a_customer())

    @property
    def new_uow(self) -> NewUnitOfWork:
        return self.shop.use.new_uow

    @property
    def now(self) -> datetime:
        now: datetime = self.shop.use.clock.now()
        return now

    def voucher(self, **details: Any) -> Voucher:
        voucher = a_voucher(created_by=self.staff, at=self.now, **details)
        with self.new_uow() as uow:
            uow.vouchers.add([voucher])
            uow.commit()
        return voucher

    def offer(self, **details: Any) -> Offer:
        offer = an_offer(created_by=self.staff, at=self.now, **details)
        with self.new_uow() as uow:
            uow.offers.add(offer)
            uow.commit()
        return offer

    def assign(self, voucher: Voucher, *people: UUID) -> None:
        with self.new_uow() as uow:
            uow.vouchers.assign(voucher.id, people, by=self.staff, at=self.now)
            uow.commit()

    def bookings(self, count: int, *, of: UUID | None = None) -> list[tuple[UUID, UUID]]:
        """So many bookings, of one person or of as many: each as its id and the person's."""
        departure = self.shop.a_departure(seats=count)
        made = [self.shop.book(of or self.shop.a_customer(), departure) for _ in range(count)]
        return [(booking.id, booking.user_id) for booking in made]

    def redeem(self, booking: tuple[UUID, UUID], *benefits: Benefit) -> None:
        booking_id, user_id = booking
        with self.new_uow() as uow:
            uow.promotions.redeem(benefits, booking_id=booking_id, user_id=user_id, at=self.now)
            uow.commit()

    def release(self, booking: tuple[UUID, UUID]) -> None:
        with self.new_uow() as uow:
            uow.promotions.release(booking[0], at=self.now)
            uow.commit()

    def redeem_again(self, booking: tuple[UUID, UUID], of: tuple[UUID, UUID] | None = None) -> None:
        """Take for a booking what another gave back, or it itself."""
        replaced = (of or booking)[0]
        sql = "SELECT coalesce(max(released_at), now()) AS at FROM voucher_redemptions WHERE booking_id = %s"
        released_at = self.shop.row(sql, replaced)["at"]
        with self.new_uow() as uow:
            uow.promotions.redeem_again(booking[0], replaced_id=replaced, released_at=released_at, at=self.now)
            uow.commit()

    def redemptions(self, voucher: Voucher) -> Sequence[Row]:
        return self.shop.database.rows(
            "SELECT * FROM voucher_redemptions WHERE voucher_id = %s ORDER BY booking_id", (voucher.id,)
        )

    def stands(self, voucher: Voucher) -> tuple[int, str, int]:
        """A voucher's count, its status, and how many redemptions are in use."""
        row = self.shop.row(
            """SELECT usage_count, status, (SELECT count(*) FROM voucher_redemptions r
                                            WHERE r.voucher_id = v.id AND r.in_use) AS in_use
               FROM vouchers v WHERE id = %s""",
            voucher.id,
        )
        return row["usage_count"], row["status"], row["in_use"]


# Each finds nothing, whatever happened before.
PROMISES = {
    "counts of vouchers are their redemptions": """
        SELECT v.id FROM vouchers v WHERE v.usage_count <> CASE WHEN v.usage_limit_total IS NULL THEN 0 ELSE (
            SELECT count(*) FROM voucher_redemptions r WHERE r.voucher_id = v.id AND r.in_use) END""",
    "counts of offers are their redemptions": """
        SELECT o.id FROM offers o WHERE o.usage_count <> CASE WHEN o.usage_limit_total IS NULL THEN 0 ELSE (
            SELECT count(*) FROM offer_redemptions r WHERE r.offer_id = o.id AND r.in_use) END""",
    "uses of people are their redemptions": """
        SELECT u.voucher_id FROM voucher_uses u WHERE u.used <> (
            SELECT count(*) FROM voucher_redemptions r
            WHERE r.voucher_id = u.voucher_id AND r.user_id = u.user_id AND r.in_use)
        UNION ALL
        SELECT u.offer_id FROM offer_uses u WHERE u.used <> (
            SELECT count(*) FROM offer_redemptions r
            WHERE r.offer_id = u.offer_id AND r.user_id = u.user_id AND r.in_use)""",
    "nothing is used beyond its limit": """
        SELECT id FROM vouchers WHERE usage_count > usage_limit_total
        UNION ALL
        SELECT id FROM offers WHERE usage_count > usage_limit_total""",
}
