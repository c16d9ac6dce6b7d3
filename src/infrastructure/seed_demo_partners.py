"""The demo's vendor and agent as partners with bank accounts, and the account that payouts are paid from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
import psycopg
from psycopg.types.json import Jsonb

from application.ports import Encryption
from domain.operations.settings import PAYOUT_DEBTOR_BIC, PAYOUT_DEBTOR_IBAN, PAYOUT_DEBTOR_NAME
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

DEMO_DEBTOR: Final = (
    (PAYOUT_DEBTOR_NAME, "AltayarVIP"),
    (PAYOUT_DEBTOR_IBAN, "EG850019000500000000263180417"),
    (PAYOUT_DEBTOR_BIC, "DELTEGCX"),
)
"""Who pays, in bank files."""

_ADD_SETTING: Final = """
INSERT INTO system_settings (id, setting_key, setting_value, setting_type, category, description_ar, description_en,
                             is_public, version, created_at, updated_at)
VALUES (%(id)s, %(key)s, %(value)s, %(type)s, %(category)s, %(ar)s, %(en)s, %(is_public)s, 1, %(at)s, %(at)s)
ON CONFLICT (setting_key) DO NOTHING
"""

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


def seed_demo_debtor(connection: Connection, *, at: datetime) -> None:
    """The settings that bank files need, where nobody has set them."""
    for setting, value in DEMO_DEBTOR:
        row = {"id": new_id(), "key": setting.key, "value": Jsonb(setting.kind.read(value)), "at": at}
        row |= {"type": setting.kind.setting_type, "category": setting.category, "is_public": setting.is_public}
        connection.execute(_ADD_SETTING, {**row, "ar": setting.description_ar, "en": setting.description_en})
