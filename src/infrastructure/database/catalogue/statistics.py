"""What is counted of packages and activities: views in batches, everything else anew from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.finding import ITEM_COLUMN, ITEM_TABLE
from infrastructure.database.transaction import Database, Statements

_CLAIM_BATCH: Final = "INSERT INTO view_batches (id, folded_at) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING id"
# In one order, as the refresh writes them: two that write the same rows wait for each other, and that is all.
_ADD_VIEWS: Final = """
INSERT INTO item_statistics AS s (item_kind, item_id, views_count)
SELECT v.item_kind, v.item_id, v.views
FROM unnest(%(kinds)s::text[], %(ids)s::uuid[], %(views)s::bigint[]) AS v (item_kind, item_id, views)
WHERE CASE v.item_kind WHEN 'PACKAGE' THEN EXISTS (SELECT 1 FROM packages p WHERE p.id = v.item_id)
                       ELSE EXISTS (SELECT 1 FROM activities a WHERE a.id = v.item_id) END
ORDER BY v.item_kind, v.item_id
ON CONFLICT (item_kind, item_id) DO UPDATE SET views_count = s.views_count + excluded.views_count
"""
# Sold is what was paid for, and not cancelled; a rating counts while it is visible.
_REFRESH: Final = """
INSERT INTO item_statistics AS s (item_kind, item_id, bookings_count, rating_count, rating_sum)
SELECT '{kind}', i.id, coalesce(b.sold, 0), coalesce(r.many, 0), coalesce(r.stars, 0)
FROM {table} i
LEFT JOIN (SELECT {column}, count(*) AS sold FROM bookings
           WHERE status IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED') GROUP BY {column}) b ON b.{column} = i.id
LEFT JOIN (SELECT {column}, count(*) AS many, sum(stars) AS stars FROM ratings
           WHERE status = 'VISIBLE' GROUP BY {column}) r ON r.{column} = i.id
ORDER BY i.id
ON CONFLICT (item_kind, item_id) DO UPDATE
SET bookings_count = excluded.bookings_count, rating_count = excluded.rating_count, rating_sum = excluded.rating_sum
WHERE (s.bookings_count, s.rating_count, s.rating_sum)
      <> (excluded.bookings_count, excluded.rating_count, excluded.rating_sum)
RETURNING 1
"""
# What was paid and not given back, whatever became of the booking; a currency that came to nothing stays, as nothing.
_REFRESH_REVENUE: Final = """
INSERT INTO item_revenues AS s (item_kind, item_id, currency, revenue_minor)
SELECT '{kind}', {column}, currency, sum(paid_amount_minor - refunded_amount_minor)::bigint
FROM bookings WHERE {column} IS NOT NULL AND paid_amount_minor > 0
GROUP BY {column}, currency ORDER BY {column}, currency
ON CONFLICT (item_kind, item_id, currency) DO UPDATE SET revenue_minor = excluded.revenue_minor
WHERE s.revenue_minor <> excluded.revenue_minor
"""
_PATIENCE: Final = "SET LOCAL statement_timeout = '80s'"


class SqlItemStatistics:
    """Implements `application.catalogue.ports.ItemStatistics`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fold_views(self, batch_id: UUID, views: Mapping[tuple[ItemKind, UUID], int], *, at: datetime) -> bool:
        with self._database.transaction() as transaction:
            if transaction.row(_CLAIM_BATCH, (batch_id, at)) is None:
                return False
            values = {
                "kinds": [kind.value for kind, _ in views],
                "ids": [item_id for _, item_id in views],
                "views": list(views.values()),
            }
            transaction.execute(_ADD_VIEWS, values)
            transaction.commit()
        return True

    def refresh(self) -> int:
        with self._database.transaction() as transaction:
            transaction.execute(_PATIENCE)
            changed = sum(_counted_anew(kind, transaction) for kind in sorted(ItemKind))
            transaction.commit()
        return changed


def _counted_anew(kind: ItemKind, transaction: Statements) -> int:
    names = {"kind": kind.value, "table": ITEM_TABLE[kind], "column": ITEM_COLUMN[kind]}
    transaction.execute(_REFRESH_REVENUE.format(**names))
    return len(transaction.rows(_REFRESH.format(**names)))
