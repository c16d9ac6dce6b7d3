"""The demo's promotions: an offer on one activity, so that packages cost what they say, and a voucher for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.pricing.deals import AppliesTo
from domain.pricing.offers import Offer, OfferType
from domain.pricing.vouchers import Voucher, VoucherType
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.pricing.rows import OFFER_COLUMNS, VOUCHER_COLUMNS, row_of_offer, row_of_voucher
from infrastructure.seed_departures import Connection

DEMO_VOUCHER: Final = "WELCOME10"
_OFFER_ID: Final = UUID("01970000-0000-7000-8000-00000000de30")
"""Always the same: the offer is made once."""
_OFFERED: Final = "sunset-felucca-on-the-nile"
_ACTIVITY: Final = "SELECT id FROM activities WHERE slug = %s"


def seed_promotions(connection: Connection, *, admin: UUID, at: datetime) -> None:
    """Where they are missing; what staff changed of them stays."""
    found = connection.execute(_ACTIVITY, (_OFFERED,)).fetchone()
    if found is not None:
        _add(connection, "offers", "id", OFFER_COLUMNS, row_of_offer(demo_offer(found[0], admin=admin, at=at)))
    _add(connection, "vouchers", "code", VOUCHER_COLUMNS, row_of_voucher(demo_voucher(admin=admin, at=at)))


def demo_offer(activity_id: UUID, *, admin: UUID, at: datetime) -> Offer:
    """A fifth off one activity, running."""
    offer = Offer.create(
        offer_id=_OFFER_ID,
        created_by=admin,
        at=at,
        offer_type=OfferType.DISCOUNT_PERCENTAGE,
        title_ar="خصم الخُمس على غروب النيل",
        title_en="A fifth off sunsets on the Nile",
        discount_value=Percentage.parse("20"),
        applicable_to=AppliesTo.SPECIFIC_ITEMS,
        target_item_ids=(activity_id,),
        is_featured=True,
    )
    offer.activate(at=at)
    return offer


def demo_voucher(*, admin: UUID, at: datetime) -> Voucher:
    """A tenth off everything, once for each customer."""
    return Voucher.create(
        voucher_id=new_id(),
        created_by=admin,
        at=at,
        code=DEMO_VOUCHER,
        voucher_type=VoucherType.DISCOUNT_PERCENTAGE,
        title_ar="خصم الترحيب",
        title_en="Welcome aboard",
        discount_value=Percentage.parse("10"),
        usage_limit_per_user=1,
    )


def _add(connection: Connection, table: str, key: str, columns: Sequence[str], row: dict[str, Any]) -> None:
    values = ", ".join(f"%({name})s" for name in columns)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) ON CONFLICT ({key}) DO NOTHING"
    connection.execute(insert, row)
