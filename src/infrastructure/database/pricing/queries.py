"""Vouchers and offers as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.pricing.ports import Offered
from application.pricing.queries import KnownVoucher, OfferSearch, Place, Row, VoucherSearch
from domain.pricing.vouchers import HeldVoucher
from infrastructure.database.pricing.promotions import folded, read_offered
from infrastructure.database.pricing.rows import OF_OFFERS, OF_VOUCHERS, TERMS, voucher_of
from infrastructure.database.transaction import Database

# Where no limit keeps their count, uses are counted.
_VOUCHER: Final = f"""
SELECT {", ".join(f"v.{name}" for name in (*TERMS, *OF_VOUCHERS) if name != "usage_count")},
       CASE WHEN v.usage_limit_total IS NOT NULL THEN v.usage_count ELSE (
           SELECT count(*)::integer FROM voucher_redemptions r WHERE r.voucher_id = v.id AND r.in_use
       ) END AS usage_count
FROM vouchers v
"""
_OFFER: Final = f"""
SELECT {", ".join(f"o.{name}" for name in (*TERMS, *OF_OFFERS))}, o.usage_limit_total - o.usage_count AS uses_left
FROM offers o
"""
_RUNNING: Final = "o.status = 'ACTIVE' AND o.start_date <= %(at)s AND (o.end_date IS NULL OR o.end_date > %(at)s)"

_KNOWN: Final = f"""
SELECT {", ".join(f"v.{name}" for name in (*TERMS, *OF_VOUCHERS))},
       a.user_id IS NOT NULL AS is_assigned, coalesce(u.used, 0) AS used_by_you
FROM vouchers v
LEFT JOIN voucher_assignments a ON a.voucher_id = v.id AND a.user_id = %(holder)s
LEFT JOIN voucher_uses u ON u.voucher_id = v.id AND u.user_id = %(holder)s
WHERE (v.is_public OR a.user_id IS NOT NULL)
"""
_USABLE: Final = f"""
{_KNOWN} AND v.status = 'ACTIVE' AND v.valid_from <= %(at)s AND (v.valid_until IS NULL OR v.valid_until > %(at)s)
AND (v.usage_limit_per_user IS NULL OR coalesce(u.used, 0) < v.usage_limit_per_user)
"""
_ASSIGNMENTS: Final = """
SELECT a.user_id AS id, a.assigned_by_user_id, a.assigned_at, coalesce(u.used, 0) AS used
FROM voucher_assignments a
LEFT JOIN voucher_uses u ON u.voucher_id = a.voucher_id AND u.user_id = a.user_id
WHERE a.voucher_id = %(voucher_id)s
"""
# {deal} is `voucher` or `offer`, {promised} what each promises beside the discount.
_STATISTICS: Final = """
SELECT d.id, count(r.booking_id) AS redemptions, count(r.booking_id) FILTER (WHERE r.in_use) AS in_use,
       count(r.booking_id) FILTER (WHERE NOT r.in_use) AS given_back,
       count(DISTINCT r.user_id) FILTER (WHERE r.in_use) AS users,
       count(b.id) FILTER (WHERE b.payment_status = 'PAID') AS bookings_paid,
       count(b.id) FILTER (WHERE b.status IN ('CANCELLED', 'REFUNDED')) AS bookings_cancelled,
       (SELECT coalesce(json_agg(g ORDER BY g.currency), '[]') FROM (
           SELECT i.currency, sum(i.discount_applied_minor)::bigint AS discount_minor,
                  sum(i.{promised})::bigint AS {promised}
           FROM {deal}_redemptions i WHERE i.{deal}_id = d.id AND i.in_use GROUP BY i.currency) g) AS given
FROM {deal}s d
LEFT JOIN {deal}_redemptions r ON r.{deal}_id = d.id
LEFT JOIN bookings b ON b.id = r.booking_id
WHERE d.id = %s
GROUP BY d.id
"""
_VOUCHER_STATISTICS: Final = _STATISTICS.format(deal="voucher", promised="cashback_minor")
_OFFER_STATISTICS: Final = _STATISTICS.format(deal="offer", promised="bonus_points")


class SqlPricingQueries:
    """Implements `application.pricing.queries.PricingQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def offered(self, *, buyer_id: UUID, at: datetime, voucher_code: str | None) -> Offered:
        return read_offered(self._database, buyer_id=buyer_id, at=at, voucher_code=voucher_code)

    def voucher(self, voucher_id: UUID) -> Row | None:
        return self._database.row(f"{_VOUCHER} WHERE v.id = %s", (voucher_id,))

    def vouchers(self, search: VoucherSearch, *, limit: int, after: Place | None) -> Sequence[Row]:
        conditions = {
            "v.status = %(status)s": search.status is not None,
            "starts_with(v.code, %(code)s)": search.code is not None,
            "v.import_id = %(import_id)s": search.import_id is not None,
        }
        values = {"status": search.status, "code": search.code, "import_id": search.import_id}
        return self._page(_VOUCHER, conditions, "(v.created_at, v.id)", "timestamptz", values, limit, after)

    def known_voucher(self, code: str, *, holder: UUID) -> KnownVoucher | None:
        row = self._database.row(f"{_KNOWN} AND v.code = %(code)s", {"holder": holder, "code": folded(code)})
        if row is None:
            return None
        return KnownVoucher(HeldVoucher(voucher=voucher_of(row), used_by_buyer=row["used_by_you"]), row)

    def usable_vouchers(self, holder: UUID, *, at: datetime, limit: int, after: Place | None) -> Sequence[Row]:
        values = {"holder": holder, "at": at, "limit": limit + 1, **_place(after)}
        behind = "AND (v.created_at, v.id) < (%(after_key)s::timestamptz, %(after_id)s::uuid)" if after else ""
        sql = f"{_USABLE} {behind} ORDER BY v.created_at DESC, v.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, values)

    def assignments(self, voucher_id: UUID, *, limit: int, after: Place | None) -> Sequence[Row]:
        behind = "AND (a.assigned_at, a.user_id) < (%(after_key)s::timestamptz, %(after_id)s::uuid)" if after else ""
        sql = f"{_ASSIGNMENTS} {behind} ORDER BY a.assigned_at DESC, a.user_id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"voucher_id": voucher_id, "limit": limit + 1, **_place(after)})

    def voucher_statistics(self, voucher_id: UUID) -> Row | None:
        return self._database.row(_VOUCHER_STATISTICS, (voucher_id,))

    def offer_statistics(self, offer_id: UUID) -> Row | None:
        return self._database.row(_OFFER_STATISTICS, (offer_id,))

    def offer(self, offer_id: UUID, *, running_at: datetime | None) -> Row | None:
        seen = f"AND {_RUNNING}" if running_at is not None else ""
        return self._database.row(f"{_OFFER} WHERE o.id = %(id)s {seen}", {"id": offer_id, "at": running_at})

    def offers(self, search: OfferSearch, *, limit: int, after: Place | None) -> Sequence[Row]:
        conditions = {
            _RUNNING: search.at is not None,
            "o.status = %(status)s": search.status is not None,
            "o.is_featured = %(featured)s": search.featured is not None,
        }
        values = {"at": search.at, "status": search.status, "featured": search.featured}
        return self._page(_OFFER, conditions, "(o.priority, o.id)", "integer", values, limit, after)

    def _page(
        self,
        select: str,
        conditions: dict[str, bool],
        key: str,
        kind: str,
        values: Mapping[str, object],
        limit: int,
        after: Place | None,
    ) -> Sequence[Row]:
        wanted = [condition for condition, is_asked in conditions.items() if is_asked]
        if after is not None:
            wanted.append(f"{key} < (%(after_key)s::{kind}, %(after_id)s::uuid)")
        where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
        first, second = key.strip("()").split(", ")
        sql = f"{select} {where} ORDER BY {first} DESC, {second} DESC LIMIT %(limit)s"
        return self._database.rows(sql, {**values, "limit": limit + 1, **_place(after)})


def _place(after: Place | None) -> dict[str, object]:
    return {} if after is None else {"after_key": after.key, "after_id": after.id}
