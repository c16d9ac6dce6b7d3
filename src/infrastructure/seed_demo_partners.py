"""The demo's vendor and agent as partners: approved by its administrator, with bank accounts that can be paid to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
import psycopg

from application.ports import Encryption
from domain.partners.bank_accounts import BankAccount
from domain.shared.payees import PayeeType
from infrastructure.clock import new_id

Connection = psycopg.Connection[Any]

# e-mail, trade, company, licence, tax number, bank account
DEMO_PARTNERS: Final = (
    (
        "vendor@altayar.test",
        PayeeType.VENDOR,
        "Nile Voyages",
        "TR-2041",
        "402-118-733",
        BankAccount(
            holder_name="Nile Voyages",
            account_number="EG380019000500000000263180002",
            bank_name="Bank of the Delta",
            bank_branch="Luxor",
            swift_code="DELTEGCX",
        ),
    ),
    (
        "agent@altayar.test",
        PayeeType.AGENT,
        "مكتب سامح للسياحة",
        "AG-0417",
        "511-902-246",
        BankAccount(holder_name="Sameh Abdullah", account_number="100200300417", bank_name="Bank of the Delta"),
    ),
)

# Somebody who made a profile of their own keeps that one.
_ADD_PROFILE: Final = """
INSERT INTO partner_profiles (id, user_id, payee_type, status, company_name, license, tax_id, payout_method,
                              approved_by_user_id, approved_at, created_at)
SELECT %(id)s, u.id, %(payee_type)s, 'ACTIVE', %(company)s, %(license)s, %(tax_id)s, 'BANK_TRANSFER', a.id, %(at)s,
       %(at)s
FROM users u, users a
WHERE u.email = %(email)s AND u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL
  AND a.email = 'admin@altayar.test' AND a.email_verified_at IS NOT NULL AND a.deleted_at IS NULL
ON CONFLICT (user_id, payee_type) DO NOTHING RETURNING id
"""
_ADD_ACCOUNT: Final = """
INSERT INTO partner_bank_accounts (id, profile_id, details_encrypted, masked, added_by_user_id, created_at, usable_from)
SELECT %s, id, %s, %s, user_id, created_at, created_at FROM partner_profiles WHERE id = %s
"""


def seed_demo_partners(connection: Connection, *, at: datetime, encryption: Encryption) -> None:
    """Profiles that are missing; once they are there nothing of them is changed."""
    for email, payee_type, company, license_number, tax_id, account in DEMO_PARTNERS:
        values = {"id": new_id(), "email": email, "payee_type": payee_type, "company": company}
        values |= {"license": license_number, "tax_id": tax_id, "at": at}
        added = connection.execute(_ADD_PROFILE, values).fetchone()
        if added is None:
            continue
        sealed = encryption.encrypt(orjson.dumps(account.document()).decode())
        connection.execute(_ADD_ACCOUNT, (new_id(), sealed, account.masked, added[0]))
