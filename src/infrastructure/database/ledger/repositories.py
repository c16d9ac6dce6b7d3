"""The posting path: journals that the domain made, posted by one database function."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from domain.ledger.accounts import AccountRef
from domain.ledger.cashback import CashbackRecord
from domain.ledger.journal import Journal
from domain.ledger.points import PointsLot
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.transaction import Statements

_ADD_LOT = """
INSERT INTO points_lots (id, user_id, journal_id, points, earned_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (journal_id) DO NOTHING
"""
_ADD_CASHBACK = """
INSERT INTO cashback_records (id, user_id, booking_id, booking_amount_minor, cashback_rate, cashback_amount_minor,
                              currency, status, eligible_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class SqlLedger:
    """Implements `application.ports.Ledger`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def post(self, journals: Sequence[Journal]) -> None:
        posted = orjson.dumps([_document(journal) for journal in journals]).decode()
        self._statements.execute("SELECT ledger_post(%s::jsonb)", (posted,))

    def add_lot(self, lot: PointsLot) -> None:
        self._statements.execute(
            _ADD_LOT, (lot.id, lot.user_id, lot.journal_id, lot.points, lot.earned_at, lot.expires_at)
        )

    def add_cashback(self, record: CashbackRecord) -> None:
        self._statements.execute(
            _ADD_CASHBACK,
            (record.id, record.user_id, record.booking_id, record.booking_amount.minor,
             decimal_of_hundredths(record.cashback_rate.hundredths), record.cashback_amount.minor,
             record.cashback_amount.currency.code, record.status, record.eligible_at, record.created_at),
        )  # fmt: skip


def _document(journal: Journal) -> dict[str, object]:
    return {
        "id": journal.id,
        "type": journal.journal_type,
        "key": journal.idempotency_key,
        "fingerprint": fingerprint(journal).hex(),
        "reference_type": journal.reference_type,
        "reference_id": journal.reference_id,
        "ar": journal.description_ar,
        "en": journal.description_en,
        "at": journal.occurred_at,
        "entries": [_entry(entry.account, entry.amount_minor) for entry in journal.entries],
    }


def _entry(account: AccountRef, amount_minor: int) -> list[object]:
    return [account.id, account.kind, account.currency, account.owner, account.provider, amount_minor]


def fingerprint(journal: Journal) -> bytes:
    """SHA-256 of what a journal says, without its id and time: the same for every retry of one movement."""
    said = [
        journal.journal_type,
        journal.idempotency_key,
        journal.reference_type,
        journal.reference_id,
        journal.description_ar,
        journal.description_en,
        [[entry.account.id, entry.amount_minor] for entry in journal.entries],
    ]
    return hashlib.sha256(orjson.dumps(said)).digest()
