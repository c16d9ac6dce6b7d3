"""Vouchers and offers as staff keep them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.pricing.offers import Offer, OfferNotFound
from domain.pricing.vouchers import Voucher, VoucherNotFound
from infrastructure.database.pricing.rows import (
    OFFER_COLUMNS,
    VOUCHER_COLUMNS,
    offer_of,
    row_of_offer,
    row_of_voucher,
    voucher_of,
)
from infrastructure.database.transaction import Row, Statements

_ROWS_AT_ONCE: Final = 500


def _insert(table: str, columns: Sequence[str], count: int) -> str:
    row = "({})".format(", ".join(["%s"] * len(columns)))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"


def _update(table: str, columns: Sequence[str]) -> str:
    changes = ", ".join(f"{name} = %({name})s" for name in columns if name not in ("id", "created_at"))
    return f"UPDATE {table} SET {changes} WHERE id = %(id)s"


# What is in use is looked for in a statement of its own, once the lock is there.
_LOCK: Final = "SELECT 1 FROM {} WHERE id = %s FOR UPDATE"
_READ_VOUCHER: Final = """
SELECT v.*, (SELECT count(*)::integer FROM voucher_redemptions r WHERE r.voucher_id = v.id AND r.in_use) AS in_use
FROM vouchers v WHERE v.id = %s
"""
_READ_OFFER: Final = """
SELECT o.*, (SELECT count(*)::integer FROM offer_redemptions r WHERE r.offer_id = o.id AND r.in_use) AS in_use
FROM offers o WHERE o.id = %s
"""
_ASSIGN: Final = """
INSERT INTO voucher_assignments (voucher_id, user_id, assigned_by_user_id, assigned_at)
SELECT %(voucher_id)s, person, %(by)s, %(at)s FROM unnest(%(user_ids)s::uuid[]) AS person ORDER BY person
ON CONFLICT DO NOTHING
RETURNING user_id
"""
_UNASSIGN: Final = "DELETE FROM voucher_assignments WHERE voucher_id = %s AND user_id = %s RETURNING user_id"
_UNKNOWN_USERS: Final = """
SELECT person FROM unnest(%s::uuid[]) AS person
WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = person AND u.status = 'ACTIVE' AND u.deleted_at IS NULL)
"""
_UNKNOWN_ITEMS: Final = """
SELECT item FROM unnest(%s::uuid[]) AS item
WHERE NOT EXISTS (SELECT 1 FROM packages p WHERE p.id = item)
  AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.id = item)
"""
_UNKNOWN_TIERS: Final = """
SELECT tier FROM unnest(%s::text[]) AS tier
WHERE NOT EXISTS (SELECT 1 FROM membership_plans p WHERE p.tier_code = tier)
"""


class SqlVouchers:
    """Implements `application.pricing.ports.Vouchers`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, vouchers: Sequence[Voucher]) -> None:
        for start in range(0, len(vouchers), _ROWS_AT_ONCE):
            rows = [row_of_voucher(voucher) for voucher in vouchers[start : start + _ROWS_AT_ONCE]]
            values = [row[name] for row in rows for name in VOUCHER_COLUMNS]
            self._statements.execute(_insert("vouchers", VOUCHER_COLUMNS, len(rows)), values)

    def get(self, voucher_id: UUID) -> Voucher:
        row = _locked("vouchers", _READ_VOUCHER, voucher_id, self._statements)
        if row is None:
            raise VoucherNotFound()
        return voucher_of({**row, "usage_count": row["in_use"]})

    def save(self, voucher: Voucher) -> None:
        self._statements.execute(_update("vouchers", VOUCHER_COLUMNS), row_of_voucher(voucher))

    def was_redeemed(self, voucher_id: UUID) -> bool:
        sql = "SELECT 1 FROM voucher_redemptions WHERE voucher_id = %s LIMIT 1"
        return self._statements.row(sql, (voucher_id,)) is not None

    def codes_taken(self, codes: Collection[str]) -> frozenset[str]:
        rows = self._statements.rows("SELECT code FROM vouchers WHERE code = ANY(%s)", (list(codes),))
        return frozenset(row["code"] for row in rows)

    def assign(self, voucher_id: UUID, user_ids: Collection[UUID], *, by: UUID, at: datetime) -> frozenset[UUID]:
        values = {"voucher_id": voucher_id, "user_ids": list(user_ids), "by": by, "at": at}
        return frozenset(row["user_id"] for row in self._statements.rows(_ASSIGN, values))

    def unassign(self, voucher_id: UUID, user_id: UUID) -> bool:
        return self._statements.row(_UNASSIGN, (voucher_id, user_id)) is not None

    def unknown_users(self, user_ids: Collection[UUID]) -> frozenset[UUID]:
        return frozenset(row["person"] for row in self._statements.rows(_UNKNOWN_USERS, (list(user_ids),)))


class SqlOffers:
    """Implements `application.pricing.ports.Offers`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, offer: Offer) -> None:
        row = row_of_offer(offer)
        self._statements.execute(_insert("offers", OFFER_COLUMNS, 1), [row[name] for name in OFFER_COLUMNS])

    def get(self, offer_id: UUID) -> Offer:
        row = _locked("offers", _READ_OFFER, offer_id, self._statements)
        if row is None:
            raise OfferNotFound()
        return offer_of({**row, "usage_count": row["in_use"]})

    def unknown_items(self, item_ids: Collection[UUID]) -> frozenset[UUID]:
        return frozenset(row["item"] for row in self._statements.rows(_UNKNOWN_ITEMS, (list(item_ids),)))

    def unknown_tiers(self, tiers: Collection[str]) -> frozenset[str]:
        return frozenset(row["tier"] for row in self._statements.rows(_UNKNOWN_TIERS, (list(tiers),)))

    def save(self, offer: Offer) -> None:
        self._statements.execute(_update("offers", OFFER_COLUMNS), row_of_offer(offer))


def _locked(table: str, read: str, row_id: UUID, statements: Statements) -> Row | None:
    statements.execute(_LOCK.format(table), (row_id,))
    return statements.row(read, (row_id,))
