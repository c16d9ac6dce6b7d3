"""The sandbox provider's books, the other way: refunds, disputes, transfers, and what it states of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from domain.billing.sandbox import CheckoutNotFound, NoticeType, SandboxOutcomeChosen
from domain.billing.sandbox_refunds import (
    SandboxDispute,
    SandboxDisputeState,
    SandboxRefund,
    SandboxTransfer,
)
from domain.ledger.reconciliation import LineKind, StatementLine
from domain.shared.clock import start_of_business_day
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.outbox import write_events
from infrastructure.database.transaction import Database, Row, Statements

_CHARGED = """
SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM sandbox_charges
WHERE checkout_id = %s AND currency = %s AND charged_at <= %s
"""
_GIVEN = """
SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM sandbox_refunds
WHERE checkout_id = %s AND currency = %s AND NOT (fails AND settles_at <= %s)
"""
_ADD_REFUND = """
INSERT INTO sandbox_refunds (id, checkout_id, merchant_reference, amount_minor, currency, fails, settles_at, told_at,
                             created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_TELL = """
UPDATE sandbox_refunds SET told_at = %(at)s WHERE id IN (
    SELECT id FROM sandbox_refunds WHERE told_at IS NULL AND settles_at <= %(at)s
    ORDER BY settles_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING *
"""
_DISPUTE = """
INSERT INTO sandbox_disputes (checkout_id, state, opened_at, changed_at) VALUES (%(id)s, %(state)s, %(at)s, %(at)s)
ON CONFLICT (checkout_id) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at
"""
_ADD_TRANSFER = """
INSERT INTO sandbox_transfers (id, merchant_reference, destination, amount_minor, currency, created_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (merchant_reference) DO NOTHING
"""
_BOOKED = """
SELECT checkout_id::text AS reference, 'PAYMENT' AS kind, amount_minor, currency, charged_at AS at
FROM sandbox_charges WHERE charged_at >= %(since)s AND charged_at < %(until)s AND charged_at <= %(now)s
UNION ALL
SELECT id::text, 'REFUND', -amount_minor, currency, settles_at
FROM sandbox_refunds WHERE NOT fails AND settles_at >= %(since)s AND settles_at < %(until)s AND settles_at <= %(now)s
UNION ALL
SELECT id::text, 'PAYOUT', -amount_minor, currency, created_at
FROM sandbox_transfers WHERE created_at >= %(since)s AND created_at < %(until)s
ORDER BY at, reference
"""


class SqlSandboxRefunds:
    """What the sandbox's gateway keeps of money that goes back or on, in transactions of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refund(
        self, checkout_id: UUID, merchant_reference: str, amount: Money, *, at: datetime
    ) -> SandboxRefund | None:
        """A new refund, or the one of this merchant reference; None where it is more than is left of the charges.

        How it ended is told by webhook, in the same transaction where it ends at once. Raises CheckoutNotFound.
        """
        with self._database.transaction() as statements:
            if statements.row("SELECT 1 FROM sandbox_checkouts WHERE id = %s FOR UPDATE", (checkout_id,)) is None:
                raise CheckoutNotFound()
            known = statements.row("SELECT * FROM sandbox_refunds WHERE merchant_reference = %s", (merchant_reference,))
            if known is not None:
                return _refund(known)
            if amount.minor > _left(statements, checkout_id, amount.currency.code, at):
                return None
            refund = SandboxRefund.asked(
                refund_id=new_id(),
                checkout_id=checkout_id,
                merchant_reference=merchant_reference,
                amount=amount,
                at=at,
            )
            told_at = at if refund.settles_at <= at else None
            statements.execute(
                _ADD_REFUND,
                (refund.id, checkout_id, merchant_reference, amount.minor, amount.currency.code, refund.fails,
                 refund.settles_at, told_at, at),
            )  # fmt: skip
            if told_at is not None:
                write_events([refund_notice(refund, at=at)], statements, new_id)
            statements.commit()
        return refund

    def refunds_of(self, checkout_id: UUID) -> Sequence[SandboxRefund]:
        rows = self._database.rows("SELECT * FROM sandbox_refunds WHERE checkout_id = %s ORDER BY id", (checkout_id,))
        return [_refund(row) for row in rows]

    def dispute_of(self, checkout_id: UUID) -> SandboxDispute | None:
        row = self._database.row("SELECT * FROM sandbox_disputes WHERE checkout_id = %s", (checkout_id,))
        return _dispute(row) if row is not None else None

    def checkout_of_charge(self, charge_id: UUID) -> UUID:
        """Raises CheckoutNotFound."""
        row = self._database.row("SELECT checkout_id FROM sandbox_charges WHERE id = %s", (charge_id,))
        if row is None:
            raise CheckoutNotFound()
        checkout_id: UUID = row["checkout_id"]
        return checkout_id

    def transfer(self, merchant_reference: str, destination: str, amount: Money, *, at: datetime) -> SandboxTransfer:
        """A new transfer, or the one of this merchant reference."""
        with self._database.transaction() as statements:
            statements.execute(
                _ADD_TRANSFER, (new_id(), merchant_reference, destination, amount.minor, amount.currency.code, at)
            )
            row = statements.row("SELECT * FROM sandbox_transfers WHERE merchant_reference = %s", (merchant_reference,))
            statements.commit()
        return _transfer(row or {})

    def find_transfer(self, merchant_reference: str) -> SandboxTransfer | None:
        row = self._database.row("SELECT * FROM sandbox_transfers WHERE merchant_reference = %s", (merchant_reference,))
        return _transfer(row) if row is not None else None

    def booked_on(self, day: date, *, now: datetime) -> tuple[StatementLine, ...]:
        """What happened on a day in Cairo, as far as it has."""
        since, until = start_of_business_day(day), start_of_business_day(day + timedelta(days=1))
        rows = self._database.rows(_BOOKED, {"since": since, "until": until, "now": now})
        return tuple(
            StatementLine(
                provider_reference=row["reference"],
                kind=LineKind(row["kind"]),
                amount=Money.of(row["amount_minor"], row["currency"]),
                booked_on=day,
            )
            for row in rows
        )


def mark_told(statements: Statements, *, at: datetime, limit: int) -> Sequence[SandboxRefund]:
    """Refunds that have ended and were not told of, now marked as told."""
    return [_refund(row) for row in statements.rows(_TELL, {"at": at, "limit": limit})]


def dispute_in(statements: Statements, checkout_id: UUID) -> SandboxDispute | None:
    row = statements.row("SELECT * FROM sandbox_disputes WHERE checkout_id = %s", (checkout_id,))
    return _dispute(row) if row is not None else None


def keep_dispute(statements: Statements, dispute: SandboxDispute, *, at: datetime) -> None:
    statements.execute(_DISPUTE, {"id": dispute.checkout_id, "state": dispute.state, "at": at})


def refund_notice(refund: SandboxRefund, *, at: datetime) -> SandboxOutcomeChosen:
    """One webhook for each refund, when it has ended."""
    return SandboxOutcomeChosen(
        at=at, checkout_id=refund.checkout_id, notice_id=refund.id, notice_type=NoticeType.REFUND.value
    )


def _left(statements: Statements, checkout_id: UUID, unit: str, at: datetime) -> int:
    charged = statements.row(_CHARGED, (checkout_id, unit, at)) or {}
    given = statements.row(_GIVEN, (checkout_id, unit, at)) or {}
    return int(charged["minor"]) - int(given["minor"])


def _refund(row: Row) -> SandboxRefund:
    return SandboxRefund(
        id=row["id"],
        checkout_id=row["checkout_id"],
        merchant_reference=row["merchant_reference"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        fails=row["fails"],
        settles_at=row["settles_at"],
        created_at=row["created_at"],
    )


def _dispute(row: Row) -> SandboxDispute:
    return SandboxDispute(checkout_id=row["checkout_id"], state=SandboxDisputeState(row["state"]))


def _transfer(row: Row) -> SandboxTransfer:
    return SandboxTransfer(
        id=row["id"],
        merchant_reference=row["merchant_reference"],
        destination=row["destination"],
        amount=Money.of(row["amount_minor"], row["currency"]),
    )
