"""Vendors and agents as they are shown: never more of a bank account than its mask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.partners.ports import PartnerSearch
from application.queries import After, Row
from domain.partners.partners import PartnerNotFound
from domain.shared.payees import PayeeType
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_COLUMNS: Final = """
SELECT f.id, f.user_id, u.email, u.first_name, u.last_name, f.payee_type, f.status, f.company_name,
       f.license AS license_number, f.tax_id, f.payout_method, f.stripe_account, f.payouts_from, f.suspension_reason,
       f.refusal_reason, f.approved_by_user_id, f.approved_at, f.created_at, f.updated_at, f.version,
       b.masked AS bank_masked, b.usable_from AS bank_usable_from, b.created_at AS bank_created_at, r.rate
FROM partner_profiles f JOIN users u ON u.id = f.user_id
LEFT JOIN LATERAL (
    SELECT a.masked, a.usable_from, a.created_at FROM partner_bank_accounts a WHERE a.profile_id = f.id
    ORDER BY a.created_at DESC, a.id DESC LIMIT 1) b ON true
LEFT JOIN LATERAL (
    SELECT x.rate FROM partner_rates x WHERE x.profile_id = f.id AND x.valid_from <= %(at)s
    ORDER BY x.valid_from DESC LIMIT 1) r ON true
"""
_ONE: Final = f"""{_COLUMNS}
WHERE f.id = %(id)s AND (%(owner)s::uuid IS NULL OR f.user_id = %(owner)s)
  AND (%(payee_type)s::text IS NULL OR f.payee_type = %(payee_type)s)
"""
_OWN: Final = f"{_COLUMNS} WHERE f.user_id = %(owner)s ORDER BY f.created_at DESC, f.id DESC"
_FOUND: Final = (
    "position(lower(%(q)s) IN lower(concat_ws(' ', f.company_name, u.first_name, u.last_name, u.email))) > 0"
)
_RATES: Final = """
SELECT id, rate, valid_from, reason, set_by_user_id, created_at FROM partner_rates
WHERE profile_id = %s ORDER BY valid_from DESC
"""
_LIMITS: Final = """
SELECT l.id, l.currency, l.limit_minor, l.reason, l.set_by_user_id, l.valid_from FROM agent_credit_limits l
"""
# By currency: the newest limit, and where the chain stands.
_DEPOSITS: Final = """
SELECT c.currency, coalesce(e.balance_after_minor, 0) AS balance_minor, coalesce(l.limit_minor, 0) AS limit_minor,
       greatest(coalesce(e.balance_after_minor, 0) + coalesce(l.limit_minor, 0), 0) AS available_minor
FROM partner_profiles f
CROSS JOIN LATERAL (
    SELECT a.currency FROM ledger_accounts a WHERE a.user_id = f.user_id AND a.kind = 'AGENT_DEPOSIT'
    UNION SELECT g.currency FROM agent_credit_limits g WHERE g.profile_id = f.id) c
LEFT JOIN ledger_accounts a ON a.user_id = f.user_id AND a.kind = 'AGENT_DEPOSIT' AND a.currency = c.currency
LEFT JOIN ledger_heads h ON h.account_id = a.id
LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
LEFT JOIN LATERAL (
    SELECT g.limit_minor FROM agent_credit_limits g WHERE g.profile_id = f.id AND g.currency = c.currency
    ORDER BY g.valid_from DESC, g.id DESC LIMIT 1) l ON true
WHERE f.id = %s AND f.payee_type = 'AGENT' ORDER BY c.currency
"""
_PAPERS: Final = """
SELECT d.id, d.profile_id AS partner_id, d.kind, d.expires_on, d.content_type, d.size_bytes, d.uploaded_at,
       d.verified_by_user_id, d.verified_at, coalesce(d.expires_on < %(today)s, false) AS is_expired,
       NOT EXISTS (SELECT 1 FROM partner_documents n WHERE n.profile_id = d.profile_id AND n.kind = d.kind
                   AND n.id > d.id AND n.stored_at IS NOT NULL) AS is_newest
FROM partner_documents d WHERE d.profile_id = %(id)s AND d.stored_at IS NOT NULL ORDER BY d.id DESC
"""
_FILE: Final = """
SELECT storage_key, content_type FROM partner_documents
WHERE id = %s AND profile_id = %s AND stored_at IS NOT NULL
"""
_EXPIRING: Final = """
SELECT d.id, d.profile_id AS partner_id, d.kind, d.expires_on, d.content_type, d.size_bytes, d.uploaded_at,
       d.verified_by_user_id, d.verified_at, d.expires_on < %(today)s AS is_expired, true AS is_newest,
       f.company_name, f.status AS partner_status
FROM partner_documents d JOIN partner_profiles f ON f.id = d.profile_id
WHERE f.payee_type = %(payee_type)s AND d.stored_at IS NOT NULL AND d.expires_on <= %(until)s
  AND NOT EXISTS (SELECT 1 FROM partner_documents n WHERE n.profile_id = d.profile_id AND n.kind = d.kind
                  AND n.id > d.id AND n.stored_at IS NOT NULL)
"""
_FACTS: Final = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, f.payee_type, f.company_name, f.payout_method,
       f.suspension_reason, f.refusal_reason
FROM partner_profiles f JOIN users u ON u.id = f.user_id WHERE f.id = %s
"""


class SqlPartnerQueries:
    """Implements `application.partners.ports.PartnerQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def own(self, user_id: UUID, *, at: datetime) -> Sequence[Row]:
        return [_shown(row) for row in self._database.rows(_OWN, {"owner": user_id, "at": at})]

    def partner(
        self, partner_id: UUID, *, owner: UUID | None = None, payee_type: PayeeType | None = None, at: datetime
    ) -> Row | None:
        row = self._database.row(_ONE, {"id": partner_id, "owner": owner, "payee_type": payee_type, "at": at})
        return None if row is None else _shown(row)

    def search(self, search: PartnerSearch, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        asked = {"f.status = %(status)s": search.status, _FOUND: search.q}
        conditions = "".join(f" AND {condition}" for condition, value in asked.items() if value is not None)
        sql = (
            f"{_COLUMNS} WHERE f.payee_type = %(payee_type)s{conditions}"
            f" AND {page_after(after, 'f.created_at', 'f.id')} ORDER BY f.created_at DESC, f.id DESC LIMIT %(limit)s"
        )
        values = {"payee_type": search.payee_type, "status": search.status, "q": search.q, "at": at}
        return [_shown(row) for row in self._database.rows(sql, {**values, **page_values(after, limit)})]

    def rates(self, partner_id: UUID) -> Sequence[Row]:
        return self._database.rows(_RATES, (partner_id,))

    def credit_limits(self, partner_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        sql = (
            f"{_LIMITS} WHERE l.profile_id = %(partner_id)s AND {page_after(after, 'l.valid_from', 'l.id')}"
            " ORDER BY l.valid_from DESC, l.id DESC LIMIT %(limit)s"
        )
        return self._database.rows(sql, {"partner_id": partner_id, **page_values(after, limit)})

    def credit_limit(self, limit_id: UUID) -> Row:
        return self._database.rows(f"{_LIMITS} WHERE l.id = %s", (limit_id,))[0]

    def deposits(self, partner_id: UUID) -> Sequence[Row]:
        return self._database.rows(_DEPOSITS, (partner_id,))

    def documents(self, partner_id: UUID, *, today: date) -> Sequence[Row]:
        return self._database.rows(_PAPERS, {"id": partner_id, "today": today})

    def document(self, document_id: UUID, *, partner_id: UUID) -> Row | None:
        return self._database.row(_FILE, (document_id, partner_id))

    def expiring_documents(
        self, payee_type: PayeeType, *, until: date, today: date, limit: int, after: After | None
    ) -> Sequence[Row]:
        behind = "(d.expires_on, d.id) > (%(after_key)s, %(after_id)s)" if after is not None else "true"
        sql = f"{_EXPIRING} AND {behind} ORDER BY d.expires_on, d.id LIMIT %(limit)s"
        values = {"payee_type": payee_type, "until": until, "today": today}
        return self._database.rows(sql, {**values, **page_values(after, limit)})

    def facts(self, partner_id: UUID) -> Row:
        row = self._database.row(_FACTS, (partner_id,))
        if row is None:
            raise PartnerNotFound()
        return row


def _shown(row: Row) -> Row:
    """The bank account as a part of its own, None where there is none."""
    filed = row["bank_masked"]
    account = {"masked": filed, "usable_from": row["bank_usable_from"], "created_at": row["bank_created_at"]}
    return {**row, "bank_account": account if filed is not None else None}
