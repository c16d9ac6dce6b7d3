"""Promotions as sales meet them: read in one statement, taken and given back by rows that triggers count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from psycopg.types.json import Jsonb

from application.pricing.ports import Offered
from domain.pricing.baskets import Benefit, NotApplied, Promotion, PromotionKind
from domain.pricing.codes import fold_code
from domain.pricing.offers import OpenOffer, redeemed_offer
from domain.pricing.vouchers import UNKNOWN, HeldVoucher, redeemed_voucher
from domain.shared.errors import InvalidValue
from infrastructure.database.pricing.rows import OF_OFFERS, OF_VOUCHERS, TERMS, offer_of, voucher_of
from infrastructure.database.transaction import Parameters, Row, Statements


def _columns(table: str, own: Mapping[str, str]) -> str:
    """The columns of both kinds, those of the other kind empty."""
    kinds = {**OF_VOUCHERS, **OF_OFFERS}
    shared = [f"{table}.{name}" for name in TERMS]
    return ", ".join(
        [*shared, *(f"{table}.{name}" if name in own else f"NULL::{kind} AS {name}" for name, kind in kinds.items())]
    )


_OFFERED: Final = f"""
SELECT {_columns("o", OF_OFFERS)}, coalesce(u.used, 0) AS used_by_buyer
FROM offers o LEFT JOIN offer_uses u ON u.offer_id = o.id AND u.user_id = %(buyer_id)s
WHERE o.status = 'ACTIVE' AND o.start_date <= %(at)s AND (o.end_date IS NULL OR o.end_date > %(at)s)
UNION ALL
SELECT {_columns("v", OF_VOUCHERS)}, coalesce(u.used, 0) AS used_by_buyer
FROM vouchers v LEFT JOIN voucher_uses u ON u.voucher_id = v.id AND u.user_id = %(buyer_id)s
WHERE v.code = %(code)s
  AND (v.is_public OR EXISTS (
      SELECT 1 FROM voucher_assignments a WHERE a.voucher_id = v.id AND a.user_id = %(buyer_id)s))
ORDER BY priority DESC NULLS LAST, id
"""

_REDEEMED: Final = f"""
SELECT {_columns("o", OF_OFFERS)}
FROM offer_redemptions r JOIN offers o ON o.id = r.offer_id WHERE r.booking_id = %(booking_id)s AND r.in_use
UNION ALL
SELECT {_columns("v", OF_VOUCHERS)}
FROM voucher_redemptions r JOIN vouchers v ON v.id = r.voucher_id WHERE r.booking_id = %(booking_id)s AND r.in_use
ORDER BY priority DESC NULLS LAST, id
"""

# Those with a limit are locked before anything else of this kind, in the order of their ids.
_LOCK_OFFERS: Final = """
SELECT 1 FROM offers WHERE id = ANY(%(ids)s) AND usage_limit_total IS NOT NULL ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_VOUCHERS: Final = """
SELECT 1 FROM vouchers WHERE id = ANY(%(ids)s) AND usage_limit_total IS NOT NULL ORDER BY id FOR NO KEY UPDATE
"""
_REDEEM_OFFERS: Final = """
INSERT INTO offer_redemptions AS r (offer_id, booking_id, user_id, discount_applied_minor, bonus_points, currency,
                                    in_use, redeemed_at)
SELECT b.source_id, %(booking_id)s, %(user_id)s, b.discount_minor, b.bonus_points, b.currency, true, %(at)s
FROM jsonb_to_recordset(%(benefits)s) AS b(
    source_id uuid, discount_minor bigint, bonus_points integer, currency text)
ORDER BY b.source_id
ON CONFLICT (offer_id, booking_id) DO UPDATE
SET in_use = true, redeemed_again_at = excluded.redeemed_at, discount_applied_minor = excluded.discount_applied_minor,
    bonus_points = excluded.bonus_points, currency = excluded.currency
WHERE NOT r.in_use
"""
_REDEEM_VOUCHERS: Final = """
INSERT INTO voucher_redemptions AS r (voucher_id, booking_id, user_id, discount_applied_minor, cashback_minor, currency,
                                      in_use, redeemed_at)
SELECT b.source_id, %(booking_id)s, %(user_id)s, b.discount_minor, b.cashback_minor, b.currency, true, %(at)s
FROM jsonb_to_recordset(%(benefits)s) AS b(
    source_id uuid, discount_minor bigint, cashback_minor bigint, currency text)
ORDER BY b.source_id
ON CONFLICT (voucher_id, booking_id) DO UPDATE
SET in_use = true, redeemed_again_at = excluded.redeemed_at, discount_applied_minor = excluded.discount_applied_minor,
    cashback_minor = excluded.cashback_minor, currency = excluded.currency
WHERE NOT r.in_use
"""
_LOCK_OFFERS_OF: Final = """
SELECT 1 FROM offers o JOIN offer_redemptions r ON r.offer_id = o.id
WHERE r.booking_id = %(booking_id)s AND o.usage_limit_total IS NOT NULL ORDER BY o.id FOR NO KEY UPDATE OF o
"""
_LOCK_VOUCHERS_OF: Final = """
SELECT 1 FROM vouchers v JOIN voucher_redemptions r ON r.voucher_id = v.id
WHERE r.booking_id = %(booking_id)s AND v.usage_limit_total IS NOT NULL ORDER BY v.id FOR NO KEY UPDATE OF v
"""
# What is given back and what is taken instead, in one order.
_LOCK_OFFERS_BESIDE: Final = """
SELECT 1 FROM offers WHERE usage_limit_total IS NOT NULL AND (
    id = ANY(%(ids)s) OR id IN (SELECT offer_id FROM offer_redemptions WHERE booking_id = %(booking_id)s))
ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_VOUCHERS_BESIDE: Final = """
SELECT 1 FROM vouchers WHERE usage_limit_total IS NOT NULL AND (
    id = ANY(%(ids)s) OR id IN (SELECT voucher_id FROM voucher_redemptions WHERE booking_id = %(booking_id)s))
ORDER BY id FOR NO KEY UPDATE
"""
_RELEASE: Final = "UPDATE {} SET in_use = false, released_at = %(at)s WHERE booking_id = %(booking_id)s AND in_use"
_REDEEM_OFFERS_AGAIN: Final = """
INSERT INTO offer_redemptions AS r (offer_id, booking_id, user_id, discount_applied_minor, bonus_points, currency,
                                    in_use, redeemed_at)
SELECT o.offer_id, %(booking_id)s, o.user_id, o.discount_applied_minor, o.bonus_points, o.currency, true, %(at)s
FROM offer_redemptions o
WHERE o.booking_id = %(replaced_id)s AND NOT o.in_use AND o.released_at = %(released_at)s ORDER BY o.offer_id
ON CONFLICT (offer_id, booking_id) DO UPDATE SET in_use = true, redeemed_again_at = excluded.redeemed_at
WHERE NOT r.in_use
"""
_REDEEM_VOUCHERS_AGAIN: Final = """
INSERT INTO voucher_redemptions AS r (voucher_id, booking_id, user_id, discount_applied_minor, cashback_minor, currency,
                                      in_use, redeemed_at)
SELECT v.voucher_id, %(booking_id)s, v.user_id, v.discount_applied_minor, v.cashback_minor, v.currency, true, %(at)s
FROM voucher_redemptions v
WHERE v.booking_id = %(replaced_id)s AND NOT v.in_use AND v.released_at = %(released_at)s ORDER BY v.voucher_id
ON CONFLICT (voucher_id, booking_id) DO UPDATE SET in_use = true, redeemed_again_at = excluded.redeemed_at
WHERE NOT r.in_use
"""
_EXPIRE: Final = """
WITH vouchers_over AS (
    UPDATE vouchers SET status = 'EXPIRED' WHERE status IN ('ACTIVE', 'EXHAUSTED') AND valid_until <= %(at)s RETURNING 1
), offers_over AS (
    UPDATE offers SET status = 'EXPIRED' WHERE status = 'ACTIVE' AND end_date <= %(at)s RETURNING 1
)
SELECT (SELECT count(*) FROM vouchers_over) + (SELECT count(*) FROM offers_over) AS count
"""


class Rows(Protocol):
    """What answers reads: the database by itself, or one transaction."""

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]: ...


def read_offered(source: Rows, *, buyer_id: UUID, at: datetime, voucher_code: str | None) -> Offered:
    """Implements `application.pricing.ports.OfferedPromotions`."""
    code = folded(voucher_code)
    rows = source.rows(_OFFERED, {"buyer_id": buyer_id, "at": at, "code": code})
    offers = tuple(OpenOffer(offer=offer_of(row), used_by_buyer=row["used_by_buyer"]) for row in rows if _is_offer(row))
    return Offered(offers, None if voucher_code is None else _voucher(row for row in rows if not _is_offer(row)))


def folded(typed: str | None) -> str | None:
    """A code as vouchers keep it; None for what can be none's."""
    try:
        return None if typed is None else fold_code(typed)
    except InvalidValue:
        return None


def _is_offer(row: Row) -> bool:
    return row["offer_type"] is not None


def _voucher(rows: Iterable[Row]) -> Promotion | NotApplied:
    found = next(iter(rows), None)
    return UNKNOWN if found is None else HeldVoucher(voucher=voucher_of(found), used_by_buyer=found["used_by_buyer"])


class SqlPromotions:
    """Implements `application.pricing.ports.Promotions`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def offered(self, *, buyer_id: UUID, at: datetime, voucher_code: str | None) -> Offered:
        return read_offered(self._statements, buyer_id=buyer_id, at=at, voucher_code=voucher_code)

    def redeem(self, benefits: Sequence[Benefit], *, booking_id: UUID, user_id: UUID, at: datetime) -> None:
        for kind, lock, add in (
            (PromotionKind.OFFER, _LOCK_OFFERS, _REDEEM_OFFERS),
            (PromotionKind.VOUCHER, _LOCK_VOUCHERS, _REDEEM_VOUCHERS),
        ):
            wanted = [benefit for benefit in benefits if benefit.kind is kind]
            if not wanted:
                continue
            self._statements.execute(lock, {"ids": [benefit.source_id for benefit in wanted]})
            taken = Jsonb([_benefit_row(benefit) for benefit in wanted])
            self._statements.execute(add, {"booking_id": booking_id, "user_id": user_id, "at": at, "benefits": taken})

    def redeem_instead(self, benefits: Sequence[Benefit], *, booking_id: UUID, user_id: UUID, at: datetime) -> None:
        wanted = [benefit.source_id for benefit in benefits]
        for lock in (_LOCK_OFFERS_BESIDE, _LOCK_VOUCHERS_BESIDE):
            self._statements.execute(lock, {"booking_id": booking_id, "ids": wanted})
        self.release(booking_id, at=at)
        self.redeem(benefits, booking_id=booking_id, user_id=user_id, at=at)

    def redeemed(self, booking_id: UUID, *, at: datetime) -> Offered:
        rows = self._statements.rows(_REDEEMED, {"booking_id": booking_id})
        offers = tuple(redeemed_offer(offer_of(row), at=at) for row in rows if _is_offer(row))
        vouchers = [redeemed_voucher(voucher_of(row), at=at) for row in rows if not _is_offer(row)]
        return Offered(offers, vouchers[0] if vouchers else None)

    def release(self, booking_id: UUID, *, at: datetime) -> None:
        self._lock_those_of(booking_id)
        for table in ("offer_redemptions", "voucher_redemptions"):
            self._statements.execute(_RELEASE.format(table), {"booking_id": booking_id, "at": at})

    def redeem_again(self, booking_id: UUID, *, replaced_id: UUID, released_at: datetime, at: datetime) -> None:
        self._lock_those_of(replaced_id)
        values = {"booking_id": booking_id, "replaced_id": replaced_id, "released_at": released_at, "at": at}
        for add in (_REDEEM_OFFERS_AGAIN, _REDEEM_VOUCHERS_AGAIN):
            self._statements.execute(add, values)

    def _lock_those_of(self, booking_id: UUID) -> None:
        for lock in (_LOCK_OFFERS_OF, _LOCK_VOUCHERS_OF):
            self._statements.execute(lock, {"booking_id": booking_id})

    def expire(self, *, at: datetime) -> int:
        row = self._statements.row(_EXPIRE, {"at": at})
        return 0 if row is None else int(row["count"])


def _benefit_row(benefit: Benefit) -> Row:
    return {
        "source_id": str(benefit.source_id),
        "discount_minor": benefit.discount.minor,
        "cashback_minor": benefit.cashback.minor if benefit.cashback is not None else 0,
        "bonus_points": benefit.bonus_points,
        "currency": benefit.discount.currency.code,
    }
