"""What is earned, as payees and staff see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.queries import After, Row
from domain.payouts.standing import EarningState
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.payouts.expected import EXPECTED, PART
from infrastructure.database.payouts.taken import STATE, TAKEN
from infrastructure.database.transaction import Database

_WHOSE: Final = {
    "VENDOR": "i.vendor_id = %(payee)s",
    "AGENT": "b.agent_id = %(payee)s AND i.agent_rate IS NOT NULL",
}


def _upcoming(payee_type: str) -> str:
    """One row for each booking that somebody will earn by in one trade; its id is made of both."""
    return f"""
SELECT md5(b.id::text || '{payee_type}')::uuid AS id, '{payee_type}' AS payee_type, 'EXPECTED' AS kind,
       'UPCOMING' AS state, sum({EXPECTED[payee_type]})::bigint AS amount_minor, b.currency, b.id AS booking_id,
       b.booking_number, b.end_date AS trip_ends_on, b.created_at AS occurred_at, NULL::timestamptz AS released_at,
       'متوقع عند انتهاء رحلة الحجز ' || b.booking_number AS reason_ar,
       'Expected when the trip of ' || b.booking_number || ' is over' AS reason_en, NULL::uuid AS payout_id,
       NULL::text AS payout_number
FROM booking_items i JOIN bookings b ON b.id = i.booking_id {PART}
WHERE {_WHOSE[payee_type]} AND b.status IN ('CONFIRMED', 'IN_PROGRESS')
GROUP BY b.id
"""


_UPCOMING: Final = f"({_upcoming('VENDOR')} UNION ALL {_upcoming('AGENT')}) AS x"
_TOTALS: Final = f"""
WITH entries AS MATERIALIZED (
    SELECT e.currency, e.kind, e.amount_minor, e.released_at, {STATE} AS state
    FROM payable_entries e {TAKEN} WHERE e.payee_id = %(payee)s
), expected AS MATERIALIZED (SELECT x.currency, x.amount_minor FROM {_UPCOMING})
SELECT u.currency,
       (SELECT coalesce(sum(x.amount_minor), 0) FROM expected x WHERE x.currency = u.currency)::bigint
           AS upcoming_minor,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.state = 'HELD'), 0)::bigint AS held_minor,
       min(e.released_at) FILTER (WHERE e.state = 'HELD' AND e.released_at > %(now)s) AS next_release_at,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.state = 'PAYABLE'), 0)::bigint AS payable_minor,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.state = 'IN_TRANSIT'), 0)::bigint AS in_transit_minor,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.state = 'PAID'), 0)::bigint AS paid_minor,
       coalesce(-sum(e.amount_minor) FILTER (WHERE e.kind = 'REVERSED'), 0)::bigint AS clawed_back_minor,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.state IN ('HELD', 'PAYABLE')), 0)::bigint AS balance_minor
FROM (SELECT currency FROM entries UNION SELECT currency FROM expected) u LEFT JOIN entries e ON e.currency = u.currency
GROUP BY u.currency ORDER BY u.currency
"""
_ENTRIES: Final = f"""
SELECT x.* FROM (
    SELECT e.id, e.payee_type, e.kind, {STATE} AS state, e.amount_minor, e.currency, e.booking_id, b.booking_number,
           b.end_date AS trip_ends_on, e.occurred_at, e.released_at, j.description_ar AS reason_ar,
           j.description_en AS reason_en, o.id AS payout_id, o.payout_number
    FROM payable_entries e {TAKEN}
    JOIN ledger_journals j ON j.id = e.journal_id LEFT JOIN bookings b ON b.id = e.booking_id
    WHERE e.payee_id = %(payee)s) x
"""


class SqlEarningQueries:
    """Implements `application.queries.EarningQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def totals(self, payee_id: UUID, *, at: datetime) -> Sequence[Row]:
        return self._database.rows(_TOTALS, {"payee": payee_id, "now": at})

    def entries(
        self, payee_id: UUID, state: EarningState | None, *, at: datetime, limit: int, after: After | None
    ) -> Sequence[Row]:
        source = f"SELECT x.* FROM {_UPCOMING}" if state is EarningState.UPCOMING else _ENTRIES
        where = f"{_in(state)} AND {page_after(after, 'x.occurred_at', 'x.id')}"
        return self._database.rows(
            f"{source} WHERE {where} ORDER BY x.occurred_at DESC, x.id DESC LIMIT %(limit)s",
            {"payee": payee_id, "now": at, "state": state, **page_values(after, limit)},
            replan=state is not None,
        )


def _in(state: EarningState | None) -> str:
    if state is None or state is EarningState.UPCOMING:
        return "true"
    return "x.kind = 'REVERSED'" if state is EarningState.CLAWED_BACK else "x.state = %(state)s"
