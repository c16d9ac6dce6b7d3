"""Payouts as rows, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.payouts.ports import Due
from domain.payouts.payouts import Payout, PayoutNotFound, PayoutStatus, id_in
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from infrastructure.database.transaction import Row, Statements

KEEP_PROFILES: Final = """
SELECT count(*) AS kept FROM (
    SELECT f.id FROM partner_profiles f
    WHERE f.id IN (SELECT p.profile_id FROM payouts p WHERE p.batch_id = %s AND p.status = 'PENDING')
    ORDER BY f.id FOR SHARE) k
"""
"""Whether the payees of a batch's payouts may be paid is asked in a statement after this: it sees what was decided
while this one waited."""

_INACTIVE = """
SELECT p.* FROM payouts p JOIN partner_profiles f ON f.id = p.profile_id
WHERE p.batch_id = %s AND p.status = 'PENDING' AND f.status <> 'ACTIVE' ORDER BY p.account_id FOR NO KEY UPDATE OF p
"""
_PAYEE = """
SELECT f.status = 'ACTIVE' AS is_active FROM payouts p JOIN partner_profiles f ON f.id = p.profile_id WHERE p.id = %s
FOR SHARE OF f
"""
_GET = "SELECT * FROM payouts WHERE id = %s FOR NO KEY UPDATE"
_IN_BATCH = """
SELECT * FROM payouts WHERE batch_id = %(batch_id)s AND (payout_number = %(number)s OR id = %(id)s) FOR NO KEY UPDATE
"""
_SAVE = """
UPDATE payouts SET status = %s, attempts = %s, next_try_at = %s, provider_reference = %s, bank_reference = %s,
    failure_code = %s, reason = %s, paid_journal_id = %s, return_journal_id = %s, decided_by_user_id = %s, sent_at = %s,
    closed_at = %s
WHERE id = %s
"""
_OWE_AGAIN = """
INSERT INTO payable_entries (id, payee_id, payee_type, kind, account_id, journal_id, amount_minor, currency,
                             released_at, occurred_at)
SELECT %(id)s, p.payee_id, p.payee_type, 'RETURNED', p.account_id, %(journal_id)s, p.amount_minor, p.currency, %(at)s,
       %(at)s
FROM payouts p WHERE p.id = %(payout_id)s
"""
# What was asked of a provider goes before what waits to be sent: a long queue must not keep its answer waiting.
_DUE = """
SELECT p.id, p.batch_id, p.status FROM payouts p JOIN payout_batches b ON b.id = p.batch_id
WHERE p.next_try_at <= %s AND p.status IN ('PENDING', 'SENT', 'UNKNOWN') AND b.status = 'PROCESSING'
ORDER BY p.status = 'PENDING', p.next_try_at LIMIT %s
"""


class SqlPayouts:
    """Implements `application.payouts.ports.Payouts`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Payout] = []

    def get(self, payout_id: UUID) -> Payout:
        row = self._statements.row(_GET, (payout_id,))
        if row is None:
            raise PayoutNotFound()
        return self._seen(row)

    def in_batch(self, batch_id: UUID, name: str) -> Payout | None:
        row = self._statements.row(_IN_BATCH, {"batch_id": batch_id, "number": name, "id": id_in(name)})
        return None if row is None else self._seen(row)

    def inactive(self, batch_id: UUID) -> Sequence[Payout]:
        self._statements.row(KEEP_PROFILES, (batch_id,))
        return [self._seen(row) for row in self._statements.rows(_INACTIVE, (batch_id,))]

    def has_active_payee(self, payout: Payout) -> bool:
        row = self._statements.row(_PAYEE, (payout.id,))
        return row is not None and bool(row["is_active"])

    def save(self, payout: Payout) -> None:
        self._statements.execute(
            _SAVE,
            (payout.status, payout.attempts, payout.next_try_at, payout.provider_reference, payout.bank_reference,
             payout.failure_code, payout.reason, payout.paid_journal_id, payout.return_journal_id, payout.decided_by,
             payout.sent_at, payout.closed_at, payout.id),
        )  # fmt: skip

    def owe_again(self, payout: Payout, *, entry_id: UUID, journal_id: UUID, at: datetime) -> None:
        self._statements.execute(
            _OWE_AGAIN, {"id": entry_id, "payout_id": payout.id, "journal_id": journal_id, "at": at}
        )

    def due(self, *, at: datetime, limit: int) -> Sequence[Due]:
        return [
            Due(row["id"], row["batch_id"], PayoutStatus(row["status"]))
            for row in self._statements.rows(_DUE, (at, limit))
        ]

    def _seen(self, row: Row) -> Payout:
        payout = _payout(row)
        self.seen.append(payout)
        return payout


def _payout(row: Row) -> Payout:
    return Payout(
        id=row["id"],
        payout_number=row["payout_number"],
        batch_id=row["batch_id"],
        payee_id=row["payee_id"],
        payee_type=PayeeType(row["payee_type"]),
        method=row["method"],
        stripe_account=row["stripe_account"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        status=PayoutStatus(row["status"]),
        journal_id=row["journal_id"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        version=row["version"],
        next_try_at=row["next_try_at"],
        provider_reference=row["provider_reference"],
        bank_reference=row["bank_reference"],
        failure_code=row["failure_code"],
        reason=row["reason"],
        paid_journal_id=row["paid_journal_id"],
        return_journal_id=row["return_journal_id"],
        decided_by=row["decided_by_user_id"],
        sent_at=row["sent_at"],
        closed_at=row["closed_at"],
    )
