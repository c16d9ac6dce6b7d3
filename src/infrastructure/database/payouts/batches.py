"""Batches as rows, and what is done to all payouts of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from application.payouts.ports import Filled, Selection, ToBank, ToPost
from application.ports import Encryption
from domain.ledger.accounts import AccountKind, AccountRef
from domain.payouts.batches import (
    Batch,
    BatchNotFound,
    BatchOrigin,
    BatchPayees,
    BatchPeriod,
    BatchStatus,
    Debtor,
)
from domain.payouts.payouts import PayoutDispatched, PayoutSent, bank_key_of
from domain.shared.money import Money
from infrastructure.database.payouts import selection as selecting
from infrastructure.database.payouts.repositories import KEEP_PROFILES
from infrastructure.database.transaction import Row, Statements

_TURN = "SELECT pg_advisory_xact_lock(hashtext('altayar payroll'))"
_ADD = """
INSERT INTO payout_batches (id, batch_number, period, payee_type, origin, period_start, cut_off, status,
                            created_by_user_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (period, period_start, payee_type) WHERE origin = 'SCHEDULE' DO NOTHING
RETURNING id
"""
_GET = "SELECT * FROM payout_batches WHERE id = %s FOR NO KEY UPDATE"
_SAVE = """
UPDATE payout_batches SET status = %s, approved_by_user_id = %s, debtor_name = %s, debtor_iban = %s, debtor_bic = %s,
    approved_at = %s, processing_at = %s, completed_at = %s, cancelled_at = %s
WHERE id = %s
"""
_LAST_SCHEDULED = """
SELECT * FROM payout_batches WHERE origin = 'SCHEDULE' AND period = %s AND payee_type = %s
ORDER BY period_start DESC LIMIT 1
"""
_CANCEL_PAYOUTS = """
WITH dropped AS (
    UPDATE payouts SET status = 'CANCELLED', failure_code = %(code)s, closed_at = %(at)s
    WHERE batch_id = %(batch_id)s AND status = 'PENDING' RETURNING id)
SELECT count(*) AS dropped FROM dropped
"""
_FREE = """
DELETE FROM payout_entries l USING payouts p
WHERE p.id = l.payout_id AND p.batch_id = %s AND p.status = 'CANCELLED'
"""
_LOCK_ACCOUNTS = """
SELECT count(*) AS locked FROM ledger_lock(ARRAY(
    SELECT p.account_id FROM payouts p WHERE p.batch_id = %s AND p.status = 'PENDING'))
"""
# In a statement after the one that locked: its snapshot sees what others wrote before. What an account bears is what
# was released and not paid out yet, and what it holds. Asked by payout, through indexes: the rows are newer than what
# the planner knows of their tables.
_DROP_UNBORNE = """
WITH dropped AS (
    UPDATE payouts p SET status = 'CANCELLED', failure_code = %(code)s, closed_at = %(at)s
    WHERE p.batch_id = %(batch_id)s AND p.status = 'PENDING' AND (
        p.amount_minor > (SELECT coalesce(sum(e.amount_minor), 0) FROM payable_entries e
                          WHERE e.account_id = p.account_id AND e.released_at <= %(at)s)
                       - (SELECT coalesce(sum(o.amount_minor), 0) FROM payouts o
                          WHERE o.payee_id = p.payee_id AND o.account_id = p.account_id AND o.journal_id IS NOT NULL)
        OR p.amount_minor > coalesce((SELECT n.balance_after_minor FROM ledger_heads h JOIN ledger_entries n
                                      ON n.journal_id = h.journal_id AND n.line = h.line
                                      WHERE h.account_id = p.account_id), 0)
                          - (SELECT coalesce(sum(b.amount_minor), 0) FROM balance_holds b
                             WHERE b.account_id = p.account_id AND b.status = 'ACTIVE'))
    RETURNING p.id)
SELECT count(*) AS dropped FROM dropped
"""
_DROP_INACTIVE = """
WITH dropped AS (
    UPDATE payouts p SET status = 'CANCELLED', failure_code = %(code)s, closed_at = %(at)s FROM partner_profiles f
    WHERE p.batch_id = %(batch_id)s AND p.status = 'PENDING' AND f.id = p.profile_id AND f.status <> 'ACTIVE'
    RETURNING p.id)
SELECT count(*) AS dropped FROM dropped
"""
# Disputes are few: what they are about is found by its booking, and not by a look at every entry.
_DROP_QUESTIONED = """
WITH dropped AS (
    UPDATE payouts p SET status = 'CANCELLED', failure_code = %(code)s, closed_at = %(at)s
    WHERE p.batch_id = %(batch_id)s AND p.status = 'PENDING' AND p.id IN (
        SELECT l.payout_id FROM disputes d JOIN payments y ON y.id = d.payment_id
        JOIN payable_entries e ON e.booking_id = y.booking_id JOIN payout_entries l ON l.payable_entry_id = e.id
        WHERE d.status = 'OPEN')
    RETURNING p.id)
SELECT count(*) AS dropped FROM dropped
"""
_TO_POST = """
SELECT p.id, p.payout_number, p.amount_minor, p.currency, p.payee_id, a.kind
FROM payouts p JOIN ledger_accounts a ON a.id = p.account_id
WHERE p.batch_id = %(batch_id)s AND p.status = 'PENDING' AND p.journal_id IS NULL
  AND (%(after)s::uuid IS NULL OR p.id > %(after)s)
ORDER BY p.id LIMIT %(limit)s
"""
_POSTED = """
UPDATE payouts p SET journal_id = j.journal_id
FROM unnest(%s::uuid[], %s::uuid[]) AS j (payout_id, journal_id) WHERE p.id = j.payout_id
"""
# The bank is told by the batch's file, so all its transfers are sent at once; the others are jobs of their own.
_SEND_TRANSFERS = """
WITH sent AS (
    UPDATE payouts SET status = 'SENT', sent_at = %(at)s, attempts = 1
    WHERE batch_id = %(batch_id)s AND status = 'PENDING' AND method = 'BANK_TRANSFER' RETURNING id)
INSERT INTO outbox_events (id, name, version, payload, occurred_at)
SELECT fresh_id(), %(name)s, %(version)s, jsonb_build_object('payout_id', s.id), %(at)s FROM sent s
"""
_DISPATCH = """
WITH due AS (
    UPDATE payouts SET next_try_at = %(driven_at)s WHERE batch_id = %(batch_id)s AND status = 'PENDING' RETURNING id)
INSERT INTO outbox_events (id, name, version, payload, occurred_at)
SELECT fresh_id(), %(name)s, %(version)s, jsonb_build_object('payout_id', d.id), %(at)s FROM due d
"""
_OPEN = "SELECT 1 FROM payouts WHERE batch_id = %s AND status IN ('PENDING', 'SENT', 'UNKNOWN') LIMIT 1"
_WAITING = "SELECT id FROM payout_batches WHERE status = 'APPROVED' ORDER BY id"
_FINISHED = """
SELECT b.id FROM payout_batches b WHERE b.status = 'PROCESSING' AND NOT EXISTS (
    SELECT 1 FROM payouts p WHERE p.batch_id = b.id AND p.status IN ('PENDING', 'SENT', 'UNKNOWN'))
ORDER BY b.id
"""
_UNSENT = "SELECT 1 FROM payouts WHERE batch_id = %s AND method = 'BANK_TRANSFER' AND status = 'PENDING' LIMIT 1"
_TRANSFERS = """
SELECT payout_number, id, amount_minor, currency, destination_encrypted FROM payouts
WHERE batch_id = %s AND method = 'BANK_TRANSFER' AND sent_at IS NOT NULL ORDER BY currency, payout_number, id
"""


class SqlPayoutBatches:
    """Implements `application.payouts.ports.PayoutBatches`."""

    def __init__(self, statements: Statements, encryption: Encryption) -> None:
        self._statements = statements
        self._encryption = encryption
        self.seen: list[Batch] = []

    def next_serial(self) -> int:
        row = self._statements.row("SELECT nextval('payout_batch_numbers') AS serial")
        return int(row["serial"]) if row else 0

    def wait_for_turn(self) -> None:
        # Whoever builds a large batch may keep the next one waiting for minutes.
        self._statements.execute("SET LOCAL lock_timeout = '15min'")
        self._statements.execute(selecting.PATIENCE)
        self._statements.row(_TURN)

    def add(self, batch: Batch) -> bool:
        values = (batch.id, batch.batch_number, batch.period, batch.payee_type, batch.origin, batch.period_start,
                  batch.cut_off, batch.status, batch.created_by, batch.created_at)  # fmt: skip
        if self._statements.row(_ADD, values) is None:
            return False
        self.seen.append(batch)
        return True

    def fill(self, batch: Batch, selection: Selection) -> Filled:
        return selecting.fill(batch, selection, self._statements)

    def get(self, batch_id: UUID) -> Batch:
        row = self._statements.row(_GET, (batch_id,))
        if row is None:
            raise BatchNotFound()
        batch = _batch(row)
        self.seen.append(batch)
        return batch

    def save(self, batch: Batch) -> None:
        debtor = batch.debtor
        named = (None, None, None) if debtor is None else (debtor.name, debtor.iban, debtor.bic)
        self._statements.execute(
            _SAVE,
            (batch.status, batch.approved_by, *named, batch.approved_at, batch.processing_at, batch.completed_at,
             batch.cancelled_at, batch.id),
        )  # fmt: skip

    def last_scheduled(self, period: BatchPeriod, payees: BatchPayees) -> Batch | None:
        row = self._statements.row(_LAST_SCHEDULED, (period, payees))
        return None if row is None else _batch(row)

    def cancel_payouts(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        self._statements.execute(selecting.PATIENCE)
        return self._dropped(_CANCEL_PAYOUTS, {"batch_id": batch_id, "code": failure_code, "at": at})

    def lock_accounts(self, batch_id: UUID) -> None:
        self._statements.execute(selecting.PATIENCE)
        self._statements.row(_LOCK_ACCOUNTS, (batch_id,))

    def drop_unborne(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        return self._dropped(_DROP_UNBORNE, {"batch_id": batch_id, "code": failure_code, "at": at})

    def drop_inactive(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        self._statements.row(KEEP_PROFILES, (batch_id,))
        return self._dropped(_DROP_INACTIVE, {"batch_id": batch_id, "code": failure_code, "at": at})

    def drop_questioned(self, batch_id: UUID, *, failure_code: str, at: datetime) -> int:
        return self._dropped(_DROP_QUESTIONED, {"batch_id": batch_id, "code": failure_code, "at": at})

    def _dropped(self, sql: str, values: Row) -> int:
        row = self._statements.row(sql, values)
        dropped = int(row["dropped"]) if row else 0
        if dropped:
            self._statements.execute(_FREE, (values["batch_id"],))
        return dropped

    def to_post(self, batch_id: UUID, *, after: UUID | None, limit: int) -> Sequence[ToPost]:
        rows = self._statements.rows(_TO_POST, {"batch_id": batch_id, "after": after, "limit": limit})
        return [
            ToPost(
                row["id"],
                row["payout_number"],
                AccountRef(AccountKind(row["kind"]), row["currency"], row["payee_id"]),
                row["amount_minor"],
            )
            for row in rows
        ]

    def posted(self, journals: Mapping[UUID, UUID]) -> None:
        self._statements.execute(_POSTED, (list(journals), list(journals.values())))

    def dispatch(self, batch_id: UUID, *, at: datetime, driven_at: datetime) -> None:
        sent = {"name": PayoutSent.name, "version": PayoutSent.version}
        self._statements.execute(_SEND_TRANSFERS, {"batch_id": batch_id, "at": at, **sent})
        dispatched = {"name": PayoutDispatched.name, "version": PayoutDispatched.version}
        self._statements.execute(_DISPATCH, {"batch_id": batch_id, "at": at, "driven_at": driven_at, **dispatched})

    def is_over(self, batch_id: UUID) -> bool:
        return self._statements.row(_OPEN, (batch_id,)) is None

    def waiting(self) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_WAITING)]

    def finished(self) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_FINISHED)]

    def has_unsent_transfers(self, batch_id: UUID) -> bool:
        return self._statements.row(_UNSENT, (batch_id,)) is not None

    def bank_transfers(self, batch_id: UUID) -> Sequence[ToBank]:
        return [self._to_bank(row) for row in self._statements.rows(_TRANSFERS, (batch_id,))]

    def _to_bank(self, row: Row) -> ToBank:
        sealed = row["destination_encrypted"]
        return ToBank(
            payout_number=row["payout_number"],
            key=bank_key_of(row["id"]),
            amount=Money.of(row["amount_minor"], row["currency"]),
            destination={} if sealed is None else orjson.loads(self._encryption.decrypt(bytes(sealed))),
        )


def _batch(row: Row) -> Batch:
    named = row["debtor_name"] is not None
    return Batch(
        id=row["id"],
        batch_number=row["batch_number"],
        period=BatchPeriod(row["period"]),
        payee_type=BatchPayees(row["payee_type"]),
        origin=BatchOrigin(row["origin"]),
        period_start=row["period_start"],
        cut_off=row["cut_off"],
        status=BatchStatus(row["status"]),
        created_by=row["created_by_user_id"],
        created_at=row["created_at"],
        version=row["version"],
        approved_by=row["approved_by_user_id"],
        debtor=Debtor(row["debtor_name"], row["debtor_iban"], row["debtor_bic"]) if named else None,
        approved_at=row["approved_at"],
        processing_at=row["processing_at"],
        completed_at=row["completed_at"],
        cancelled_at=row["cancelled_at"],
    )
