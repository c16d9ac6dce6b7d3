"""What moved on each day: entries, folded into daily totals as far as they are settled, and added up from there.

The watermark is an instant of posting, not of occurrence: an entry that is written down late is folded into its own
day when it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from application.ledger.books_queries import TotalsFault
from domain.ledger.accounts import AccountKind
from domain.ledger.periods import Period
from domain.ledger.trial_balance import AccountTotals, TrialBalance, trial_balance
from infrastructure.database.pages import settled_before
from infrastructure.database.transaction import Database, Row

_SUMS: Final = """
SELECT a.kind, a.provider, e.currency, (e.occurred_at AT TIME ZONE 'Africa/Cairo')::date AS day,
       coalesce(-sum(e.amount_minor) FILTER (WHERE e.amount_minor < 0), 0)::bigint AS debits_minor,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0)::bigint AS credits_minor,
       count(*) AS entries
FROM ledger_journals j JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
WHERE {posted} GROUP BY 1, 2, 3, 4
"""
_WATERMARK: Final = "(SELECT posted_before FROM ledger_totals_through)"

MOVED: Final = f"""
SELECT kind, provider, currency, day, debits_minor, credits_minor FROM ledger_daily_totals
UNION ALL
SELECT kind, provider, currency, day, debits_minor, credits_minor
FROM ({_SUMS.format(posted=f"j.posted_at >= {_WATERMARK}")}) AS since_then
"""
"""kind, provider, currency, day, debits_minor, credits_minor: the totals, and all that was posted since.

One statement sees both by one snapshot, and the totals change together with their watermark.
"""

_TRIAL_BALANCE = f"""
SELECT kind, provider, currency,
       coalesce(sum(credits_minor - debits_minor) FILTER (WHERE day < %(since)s), 0)::bigint AS opening,
       coalesce(sum(debits_minor) FILTER (WHERE day >= %(since)s), 0)::bigint AS debits,
       coalesce(sum(credits_minor) FILTER (WHERE day >= %(since)s), 0)::bigint AS credits
FROM ({MOVED}) AS moved WHERE day < %(until)s GROUP BY 1, 2, 3
"""
_LOCK = "SELECT posted_before FROM ledger_totals_through FOR UPDATE"
_SLICE = """
SELECT least(%(until)s, min(posted_at) + interval '31 days') AS ends FROM ledger_journals
WHERE posted_at >= %(since)s AND posted_at < %(until)s
"""
_FOLD = f"""
INSERT INTO ledger_daily_totals AS t (kind, provider, currency, day, debits_minor, credits_minor, entries)
{_SUMS.format(posted="j.posted_at >= %(since)s AND j.posted_at < %(until)s")}
ON CONFLICT (kind, provider, currency, day) DO UPDATE
SET debits_minor = t.debits_minor + excluded.debits_minor, credits_minor = t.credits_minor + excluded.credits_minor,
    entries = t.entries + excluded.entries
"""
_MARK = "UPDATE ledger_totals_through SET posted_before = %(until)s"
_FORGET = "UPDATE ledger_totals_through SET posted_before = '1970-01-01 00:00:00+00'"
_FAULTS = f"""
SELECT coalesce(t.kind, s.kind) AS kind, coalesce(t.provider, s.provider) AS provider,
       coalesce(t.currency, s.currency) AS currency, coalesce(t.day, s.day) AS day
FROM ledger_daily_totals t
FULL JOIN ({_SUMS.format(posted=f"j.posted_at < {_WATERMARK}")}) AS s USING (kind, provider, currency, day)
WHERE (t.debits_minor, t.credits_minor, t.entries) IS DISTINCT FROM (s.debits_minor, s.credits_minor, s.entries)
ORDER BY 4, 1, 2, 3
"""
_PATIENCE = "SET LOCAL statement_timeout = '80s'"


class SqlLedgerTotals:
    """Implements `application.ledger.books_queries.LedgerTotals`."""

    def __init__(self, database: Database, *, settles_after: timedelta = timedelta(minutes=1)) -> None:
        self._database = database
        # Longer than the database's clock is ever set back by: what is stamped before the watermark is never looked at.
        self._settles_after = settles_after

    def trial_balance(self, period: Period) -> TrialBalance:
        rows = self._database.rows(_TRIAL_BALANCE, {"since": period.since, "until": period.until})
        return trial_balance(period, (_totals(row) for row in rows))

    def fold(self) -> None:
        # Asked before the rows: what commits in between is then seen, and not passed over.
        until = settled_before(self._database) - self._settles_after
        while not self._fold_slice(until):
            continue

    def _fold_slice(self, until: datetime) -> bool:
        """Fold a month of postings in one transaction; whether `until` is reached."""
        with self._database.transaction() as transaction:
            transaction.execute(_PATIENCE)
            row = transaction.row(_LOCK)
            if row is None or row["posted_before"] >= until:
                return True
            values = {"since": row["posted_before"], "until": until}
            found = transaction.row(_SLICE, values)
            values["until"] = found["ends"] if found is not None and found["ends"] is not None else until
            transaction.execute(_FOLD, values)
            transaction.execute(_MARK, values)
            transaction.commit()
        return bool(values["until"] == until)

    def rebuild(self) -> None:
        with self._database.transaction() as transaction:
            transaction.row(_LOCK)
            transaction.execute("DELETE FROM ledger_daily_totals")
            transaction.execute(_FORGET)
            transaction.commit()
        self.fold()

    def faults(self) -> Sequence[TotalsFault]:
        with self._database.transaction() as transaction:
            transaction.execute(_PATIENCE)
            return [TotalsFault(**row) for row in transaction.rows(_FAULTS)]


def _totals(row: Row) -> AccountTotals:
    return AccountTotals(
        kind=AccountKind(row["kind"]),
        provider=row["provider"],
        unit=row["currency"],
        opening=row["opening"],
        debits=row["debits"],
        credits=row["credits"],
    )
