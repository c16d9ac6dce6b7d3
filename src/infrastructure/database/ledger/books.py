"""Accounts, journals and entries as staff see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from application.ledger.books_queries import AccountSearch, JournalSearch
from application.queries import After
from domain.ledger.accounts import CHART, AccountKind
from infrastructure.database.ledger.queries import NO_SEQUENCE
from infrastructure.database.ledger.totals import MOVED
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database, Row

_LAST: Final = UUID(int=2**128 - 1)
# The page's accounts first: only theirs are balances looked up for, and only platform accounts are added up.
_ACCOUNTS = f"""
WITH page AS ({{page}}),
summed AS (
    SELECT m.kind, m.provider, m.currency, sum(m.credits_minor - m.debits_minor)::bigint AS balance_minor
    FROM ({MOVED}) AS m WHERE EXISTS (SELECT 1 FROM page WHERE NOT page.is_chained) GROUP BY 1, 2, 3)
SELECT p.id, p.kind, p.currency, p.provider, p.user_id, p.created_at,
       coalesce(e.balance_after_minor, s.balance_minor, 0) AS balance_minor,
       coalesce((SELECT sum(b.amount_minor) FROM balance_holds b
                 WHERE b.account_id = p.id AND b.status = 'ACTIVE'), 0)::bigint AS held_minor
FROM page p
LEFT JOIN ledger_heads h ON h.account_id = p.id
LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
LEFT JOIN summed s ON NOT p.is_chained AND s.kind = p.kind AND s.provider = p.provider AND s.currency = p.currency
ORDER BY p.created_at DESC, p.id DESC
"""
_ENTRIES = """
SELECT e.journal_id, e.line, e.sequence, j.journal_type, e.amount_minor, e.currency, e.balance_before_minor,
       e.balance_after_minor, j.reference_type, j.reference_id, j.description_ar, j.description_en, e.occurred_at
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
WHERE e.account_id = %(account_id)s
"""
_BY_SEQUENCE = f"{_ENTRIES} AND e.sequence < %(before)s ORDER BY e.sequence DESC LIMIT %(limit)s"
_BY_JOURNAL = f"""
{_ENTRIES} AND (e.journal_id, e.line) < (%(journal_id)s, %(line)s)
ORDER BY e.journal_id DESC, e.line DESC LIMIT %(limit)s
"""
_JOURNALS = """
SELECT j.id, j.journal_type, j.reference_type, j.reference_id, j.description_ar, j.description_en, j.occurred_at,
       j.posted_at, j.reverses_journal_id
FROM ledger_journals j
"""
_JOURNAL = f"""
SELECT of_it.*,
       ARRAY(SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = of_it.id ORDER BY r.id) AS reversed_by,
       (SELECT json_agg(l ORDER BY l.line) FROM (
            SELECT e.line, e.account_id, a.kind, a.user_id, a.provider, e.currency, e.amount_minor, e.sequence,
                   e.balance_after_minor
            FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
            WHERE e.journal_id = of_it.id) AS l) AS entries
FROM ({_JOURNALS}) AS of_it WHERE of_it.id = %s
"""
_ACCOUNT_FILTERS: Final = {"kind": "kind = %(kind)s", "currency": "currency = %(currency)s",
                           "owner": "user_id = %(owner)s"}  # fmt: skip
_JOURNAL_FILTERS: Final = {
    "journal_type": "j.journal_type = %(journal_type)s",
    "reference_type": "j.reference_type = %(reference_type)s",
    "reference_id": "j.reference_id = %(reference_id)s",
    "since": "j.occurred_at >= %(since)s",
    "until": "j.occurred_at < %(until)s",
}


class SqlBooksQueries:
    """Implements `application.ledger.books_queries.BooksQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accounts(self, search: AccountSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        asked = search.asked()
        conditions = [*(_ACCOUNT_FILTERS[name] for name in asked), page_after(after, "created_at", "id")]
        page = f"""SELECT * FROM ledger_accounts WHERE {" AND ".join(conditions)}
                   ORDER BY created_at DESC, id DESC LIMIT %(limit)s"""
        rows = self._database.rows(_ACCOUNTS.format(page=page), {**asked, **page_values(after, limit)}, replan=True)
        return [named(row) for row in rows]

    def account(self, account_id: UUID) -> Row | None:
        page = "SELECT * FROM ledger_accounts WHERE id = %s"
        row = self._database.row(_ACCOUNTS.format(page=page), (account_id,))
        return None if row is None else named(row)

    def owned_entries(self, account_id: UUID, *, limit: int, before: int | None) -> Sequence[Row]:
        values = {"account_id": account_id, "before": NO_SEQUENCE if before is None else before, "limit": limit + 1}
        return self._database.rows(_BY_SEQUENCE, values)

    def platform_entries(self, account_id: UUID, *, limit: int, before: tuple[UUID, int] | None) -> Sequence[Row]:
        journal_id, line = before or (_LAST, 0)
        values = {"account_id": account_id, "journal_id": journal_id, "line": line, "limit": limit + 1}
        # A busy account is best walked back by its journals, a rare one by its own few entries.
        return self._database.rows(_BY_JOURNAL, values, replan=True)

    def journal(self, journal_id: UUID) -> Row | None:
        row = self._database.row(_JOURNAL, (journal_id,))
        return None if row is None else {**row, "entries": [named(entry) for entry in row["entries"]]}

    def journals(self, search: JournalSearch, *, limit: int, before: UUID | None) -> Sequence[Row]:
        asked = search.asked()
        conditions = [*(_JOURNAL_FILTERS[name] for name in asked), "j.id < %(before)s"]
        sql = f"{_JOURNALS} WHERE {' AND '.join(conditions)} ORDER BY j.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {**asked, "before": before or _LAST, "limit": limit + 1}, replan=True)


def named(row: Mapping[str, Any]) -> Row:
    """A row of an account with what the chart calls its kind."""
    line = CHART[AccountKind(row["kind"])]
    return {**row, "name_ar": line.name_ar, "name_en": line.name_en, "nature": line.nature}
