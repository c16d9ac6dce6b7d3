"""Vendors and agents, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from application.partners.ports import FiledAccount
from application.ports import Encryption
from domain.partners.bank_accounts import BankAccount
from domain.partners.credit import CreditLimit
from domain.partners.documents import (
    MOST_DOCUMENTS,
    DocumentKind,
    PartnerDocument,
    PartnerDocumentNotFound,
    TooManyDocuments,
)
from domain.partners.partners import Partner, PartnerExists, PartnerNotFound, PartnerStatus, PayoutMethod
from domain.partners.rates import PartnerRate, RateExists
from domain.shared.money import Currency, Money
from domain.shared.payees import PayeeType
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, license, tax_id, payout_method, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (user_id, payee_type) DO NOTHING RETURNING id
"""
_GET: Final = """
SELECT * FROM partner_profiles
WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR user_id = %(owner)s)
  AND (%(payee_type)s::text IS NULL OR payee_type = %(payee_type)s)
FOR NO KEY UPDATE
"""
_SAVE: Final = """
UPDATE partner_profiles SET status = %s, company_name = %s, license = %s, tax_id = %s, payout_method = %s,
    stripe_account = %s, approved_by_user_id = %s, approved_at = %s, suspension_reason = %s, refusal_reason = %s,
    payouts_from = %s
WHERE id = %s
"""
_BARRED: Final = """
SELECT 1 FROM partner_profiles WHERE user_id = %s AND payee_type = 'AGENT' AND status <> 'ACTIVE'
"""
_STATUS_OF_AGENT: Final = "SELECT status FROM partner_profiles WHERE user_id = %s AND payee_type = 'AGENT'"
# As `ledger_refuse` asks it.
_CREDIT_LIMIT: Final = """
SELECT l.limit_minor FROM partner_profiles p JOIN agent_credit_limits l ON l.profile_id = p.id
WHERE p.user_id = %s AND p.payee_type = 'AGENT' AND l.currency = %s ORDER BY l.valid_from DESC, l.id DESC LIMIT 1
"""
_ADD_CREDIT_LIMIT: Final = """
INSERT INTO agent_credit_limits (id, profile_id, currency, limit_minor, reason, set_by_user_id, valid_from)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_NEWEST_ACCOUNT: Final = """
SELECT * FROM partner_bank_accounts WHERE profile_id = %s ORDER BY created_at DESC, id DESC LIMIT 1
"""
_ADD_ACCOUNT: Final = """
INSERT INTO partner_bank_accounts (id, profile_id, details_encrypted, masked, added_by_user_id, created_at, usable_from)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_ADD_RATE: Final = """
INSERT INTO partner_rates (id, profile_id, rate, valid_from, reason, set_by_user_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (profile_id, valid_from) DO NOTHING RETURNING id
"""
_COUNT_DOCUMENTS: Final = "SELECT count(*) AS kept FROM partner_documents WHERE profile_id = %s"
_ADD_DOCUMENT: Final = """
INSERT INTO partner_documents (id, profile_id, kind, expires_on, storage_key, content_type, size_bytes, uploaded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_DOCUMENT: Final = """
SELECT d.*, f.user_id FROM partner_documents d JOIN partner_profiles f ON f.id = d.profile_id
WHERE d.id = %s AND d.profile_id = %s AND d.stored_at IS NOT NULL FOR NO KEY UPDATE OF d
"""
_VERIFY: Final = "UPDATE partner_documents SET verified_by_user_id = %s, verified_at = %s WHERE id = %s"


class SqlPartners:
    """Implements `application.partners.ports.Partners`."""

    def __init__(self, statements: Statements, encryption: Encryption) -> None:
        self._statements = statements
        self._encryption = encryption
        self.seen: list[Partner] = []

    def add(self, partner: Partner) -> None:
        added = self._statements.row(
            _ADD,
            (partner.id, partner.user_id, partner.payee_type, partner.status, partner.company_name,
             partner.license_number, partner.tax_id, partner.payout_method, partner.created_at),
        )  # fmt: skip
        if added is None:
            raise PartnerExists()
        self.seen.append(partner)

    def get(self, partner_id: UUID, *, owner: UUID | None = None, payee_type: PayeeType | None = None) -> Partner:
        row = self._statements.row(_GET, {"id": partner_id, "owner": owner, "payee_type": payee_type})
        if row is None:
            raise PartnerNotFound()
        partner = _partner(row)
        self.seen.append(partner)
        return partner

    def save(self, partner: Partner) -> None:
        self._statements.execute(
            _SAVE,
            (partner.status, partner.company_name, partner.license_number, partner.tax_id, partner.payout_method,
             partner.stripe_account, partner.approved_by, partner.approved_at, partner.suspension_reason,
             partner.refusal_reason, partner.payouts_from, partner.id),
        )  # fmt: skip

    def may_book(self, agent_id: UUID) -> bool:
        return self._statements.row(_BARRED, (agent_id,)) is None

    def status_of_agent(self, agent_id: UUID) -> PartnerStatus | None:
        row = self._statements.row(_STATUS_OF_AGENT, (agent_id,))
        return PartnerStatus(row["status"]) if row is not None else None

    def credit_limit(self, agent_id: UUID, currency: Currency) -> Money:
        row = self._statements.row(_CREDIT_LIMIT, (agent_id, currency.code))
        return Money(row["limit_minor"] if row is not None else 0, currency)

    def add_credit_limit(self, limit: CreditLimit) -> None:
        granted = limit.limit
        self._statements.execute(
            _ADD_CREDIT_LIMIT,
            (limit.id, limit.partner_id, granted.currency.code, granted.minor, limit.reason, limit.set_by,
             limit.valid_from),
        )  # fmt: skip

    def newest_account(self, partner_id: UUID) -> FiledAccount | None:
        row = self._statements.row(_NEWEST_ACCOUNT, (partner_id,))
        if row is None:
            return None
        kept = orjson.loads(self._encryption.decrypt(bytes(row["details_encrypted"])))
        return FiledAccount(
            id=row["id"],
            partner_id=row["profile_id"],
            account=BankAccount.of(kept),
            added_by=row["added_by_user_id"],
            created_at=row["created_at"],
            usable_from=row["usable_from"],
        )

    def add_account(self, filed: FiledAccount) -> None:
        sealed = self._encryption.encrypt(orjson.dumps(filed.account.document()).decode())
        self._statements.execute(
            _ADD_ACCOUNT,
            (filed.id, filed.partner_id, sealed, filed.account.masked, filed.added_by, filed.created_at,
             filed.usable_from),
        )  # fmt: skip

    def add_rate(self, rate: PartnerRate) -> None:
        percent = decimal_of_hundredths(rate.rate.hundredths)
        added = self._statements.row(
            _ADD_RATE,
            (rate.id, rate.partner_id, percent, rate.valid_from, rate.reason, rate.set_by, rate.created_at),
        )
        if added is None:
            raise RateExists()

    def add_document(self, document: PartnerDocument) -> None:
        counted = self._statements.row(_COUNT_DOCUMENTS, (document.partner_id,)) or {}
        if counted["kept"] >= MOST_DOCUMENTS:
            raise TooManyDocuments()
        self._statements.execute(
            _ADD_DOCUMENT,
            (document.id, document.partner_id, document.kind, document.expires_on, document.storage_key,
             document.content_type, document.size_bytes, document.uploaded_at),
        )  # fmt: skip

    def document_stored(self, document_id: UUID, *, at: datetime) -> bool:
        sql = "UPDATE partner_documents SET stored_at = %s WHERE id = %s RETURNING id"
        return self._statements.row(sql, (at, document_id)) is not None

    def document(self, document_id: UUID, *, partner_id: UUID) -> PartnerDocument:
        row = self._statements.row(_DOCUMENT, (document_id, partner_id))
        if row is None:
            raise PartnerDocumentNotFound()
        return _document(row)

    def verify_document(self, document: PartnerDocument) -> None:
        self._statements.execute(_VERIFY, (document.verified_by, document.verified_at, document.id))


def _partner(row: Row) -> Partner:
    return Partner(
        id=row["id"],
        user_id=row["user_id"],
        payee_type=PayeeType(row["payee_type"]),
        status=PartnerStatus(row["status"]),
        company_name=row["company_name"],
        license_number=row["license"],
        tax_id=row["tax_id"],
        payout_method=PayoutMethod(row["payout_method"]),
        created_at=row["created_at"],
        stripe_account=row["stripe_account"],
        approved_by=row["approved_by_user_id"],
        approved_at=row["approved_at"],
        suspension_reason=row["suspension_reason"],
        refusal_reason=row["refusal_reason"],
        payouts_from=row["payouts_from"],
        version=row["version"],
    )


def _document(row: Row) -> PartnerDocument:
    return PartnerDocument(
        id=row["id"],
        partner_id=row["profile_id"],
        owner_id=row["user_id"],
        kind=DocumentKind(row["kind"]),
        expires_on=row["expires_on"],
        storage_key=row["storage_key"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        uploaded_at=row["uploaded_at"],
        verified_by=row["verified_by_user_id"],
        verified_at=row["verified_at"],
    )
