"""What is counted of packages: views in batches, everything else anew from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.catalogue.statistics import ItemKind
from infrastructure.database.transaction import Database

_CLAIM_BATCH: Final = "INSERT INTO view_batches (id, folded_at) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING id"
# In one order, as the refresh writes them: two that write the same rows wait for each other, and that is all.
_ADD_VIEWS: Final = """
INSERT INTO item_statistics AS s (item_kind, item_id, views_count)
SELECT v.item_kind, v.item_id, v.views
FROM unnest(%(kinds)s::text[], %(ids)s::uuid[], %(views)s::bigint[]) AS v (item_kind, item_id, views)
JOIN packages p ON v.item_kind = 'PACKAGE' AND p.id = v.item_id
ORDER BY v.item_kind, v.item_id
ON CONFLICT (item_kind, item_id) DO UPDATE SET views_count = s.views_count + excluded.views_count
"""
# Sold is what was paid for, and not cancelled; a rating counts while it is visible.
_REFRESH: Final = """
INSERT INTO item_statistics AS s (item_kind, item_id, bookings_count, rating_count, rating_sum)
SELECT 'PACKAGE', p.id, coalesce(b.sold, 0), coalesce(r.many, 0), coalesce(r.stars, 0)
FROM packages p
LEFT JOIN (SELECT package_id, count(*) AS sold FROM bookings
           WHERE status IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED') GROUP BY package_id) b ON b.package_id = p.id
LEFT JOIN (SELECT package_id, count(*) AS many, sum(stars) AS stars FROM ratings
           WHERE status = 'VISIBLE' GROUP BY package_id) r ON r.package_id = p.id
ORDER BY p.id
ON CONFLICT (item_kind, item_id) DO UPDATE
SET bookings_count = excluded.bookings_count, rating_count = excluded.rating_count, rating_sum = excluded.rating_sum
WHERE (s.bookings_count, s.rating_count, s.rating_sum)
      <> (excluded.bookings_count, excluded.rating_count, excluded.rating_sum)
RETURNING 1
"""
# What was paid and not given back, whatever became of the booking; a currency that came to nothing stays, as nothing.
_REFRESH_REVENUE: Final = """
INSERT INTO item_revenues AS s (item_kind, item_id, currency, revenue_minor)
SELECT 'PACKAGE', package_id, currency, sum(paid_amount_minor - refunded_amount_minor)::bigint
FROM bookings WHERE package_id IS NOT NULL AND paid_amount_minor > 0
GROUP BY package_id, currency ORDER BY package_id, currency
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
            changed = len(transaction.rows(_REFRESH))
            transaction.execute(_REFRESH_REVENUE)
            transaction.commit()
        return changed
