"""Money that people confirm, as rows: the manual gateway's books, receipts, slips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.billing.manual_ports import Slip
from domain.billing.manual import (
    ManualCheckout,
    ManualReceipt,
    ManualReceiptNotFound,
    ManualReceiptStatus,
    reference_number,
)
from domain.shared.money import Money
from infrastructure.database.transaction import Database, Row, Statements

_OPEN = """
INSERT INTO manual_checkouts (id, merchant_reference, reference_number, amount_minor, currency, expires_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (merchant_reference) DO NOTHING
"""
_BY_MERCHANT = "SELECT * FROM manual_checkouts WHERE merchant_reference = %s"
_NEWEST = "SELECT * FROM manual_checkouts WHERE merchant_reference = ANY(%s) ORDER BY id DESC LIMIT 1"
_CHARGES = """
SELECT amount_minor, currency FROM manual_receipts
WHERE checkout_id = %s AND status = 'APPROVED' ORDER BY position
"""
_WAITS = "SELECT 1 FROM manual_receipts WHERE checkout_id = %s AND status = 'PENDING' LIMIT 1"
_STANDS = "SELECT 1 FROM manual_receipts WHERE payment_id = %s AND status <> 'REJECTED' LIMIT 1"
_POSITION = "SELECT count(*) AS taken FROM manual_receipts WHERE checkout_id = %s AND status = 'APPROVED'"
_ADD = """
INSERT INTO manual_receipts (id, checkout_id, payment_id, payer_user_id, reference, received_on, amount_minor,
                             currency, status, needs_approval, made_by_user_id, idempotency_key, created_at,
                             decided_at, position)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE = "UPDATE manual_receipts SET status = %s, decided_by_user_id = %s, decided_at = %s, position = %s WHERE id = %s"
_ADD_SLIP = """
INSERT INTO payment_slips (id, payment_id, user_id, storage_key, content_type, size_bytes, uploaded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


class SqlManualBooks:
    """The manual gateway's books, in transactions of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def in_transaction(self) -> bool:
        return self._database.in_transaction

    def open(
        self, checkout_id: UUID, merchant_reference: str, amount: Money, *, until: datetime, at: datetime
    ) -> ManualCheckout:
        """A new checkout, or the one that its merchant reference opened before."""
        with self._database.transaction() as statements:
            row = statements.row(_BY_MERCHANT, (merchant_reference,))
            if row is None:
                serial = statements.row("SELECT nextval('manual_references') AS serial") or {}
                number = reference_number(int(serial["serial"]))
                statements.execute(
                    _OPEN,
                    (checkout_id, merchant_reference, number, amount.minor, amount.currency.code, until, at),
                )
                row = statements.row(_BY_MERCHANT, (merchant_reference,))
            statements.commit()
        return _checkout(row or {})

    def get(self, checkout_id: UUID) -> ManualCheckout | None:
        row = self._database.row("SELECT * FROM manual_checkouts WHERE id = %s", (checkout_id,))
        return _checkout(row) if row is not None else None

    def charges(self, checkout_id: UUID) -> tuple[Money, ...]:
        """What was confirmed, in the order in which it was."""
        rows = self._database.rows(_CHARGES, (checkout_id,))
        return tuple(Money.of(row["amount_minor"], row["currency"]) for row in rows)

    def waits(self, checkout_id: UUID) -> bool:
        """Whether money waits for a second person."""
        return self._database.row(_WAITS, (checkout_id,)) is not None


class SqlManualReceipts:
    """Implements `application.billing.manual_ports.ManualReceipts`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[ManualReceipt] = []

    def checkout_of(self, merchant_references: Sequence[str]) -> ManualCheckout | None:
        row = self._statements.row(_NEWEST, (list(merchant_references),))
        return _checkout(row) if row is not None else None

    def by_key(self, idempotency_key: str) -> ManualReceipt | None:
        row = self._statements.row("SELECT * FROM manual_receipts WHERE idempotency_key = %s", (idempotency_key,))
        return _receipt(row) if row is not None else None

    def has_standing(self, payment_id: UUID) -> bool:
        return self._statements.row(_STANDS, (payment_id,)) is not None

    def next_position(self, checkout_id: UUID) -> int:
        row = self._statements.row(_POSITION, (checkout_id,)) or {}
        return int(row["taken"])

    def add(self, receipt: ManualReceipt) -> None:
        self._statements.execute(
            _ADD,
            (receipt.id, receipt.checkout_id, receipt.payment_id, receipt.payer_id, receipt.reference,
             receipt.received_on, receipt.amount.minor, receipt.amount.currency.code, receipt.status,
             receipt.needs_approval, receipt.made_by, receipt.idempotency_key, receipt.created_at,
             receipt.decided_at, receipt.position),
        )  # fmt: skip
        self.seen.append(receipt)

    def payment_of(self, receipt_id: UUID) -> UUID:
        row = self._statements.row("SELECT payment_id FROM manual_receipts WHERE id = %s", (receipt_id,))
        if row is None:
            raise ManualReceiptNotFound()
        payment_id: UUID = row["payment_id"]
        return payment_id

    def get(self, receipt_id: UUID) -> ManualReceipt:
        row = self._statements.row("SELECT * FROM manual_receipts WHERE id = %s FOR NO KEY UPDATE", (receipt_id,))
        if row is None:
            raise ManualReceiptNotFound()
        receipt = _receipt(row)
        self.seen.append(receipt)
        return receipt

    def save(self, receipt: ManualReceipt) -> None:
        self._statements.execute(
            _SAVE, (receipt.status, receipt.decided_by, receipt.decided_at, receipt.position, receipt.id)
        )


class SqlSlips:
    """Implements `application.billing.manual_ports.Slips`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, slip: Slip) -> None:
        self._statements.execute(
            _ADD_SLIP,
            (slip.id, slip.payment_id, slip.user_id, slip.storage_key, slip.content_type, slip.size_bytes,
             slip.uploaded_at),
        )  # fmt: skip

    def stored(self, slip: Slip, *, at: datetime) -> bool:
        sql = "UPDATE payment_slips SET stored_at = %s WHERE id = %s RETURNING id"
        return self._statements.row(sql, (at, slip.id)) is not None

    def older_than(self, slip: Slip) -> Sequence[Slip]:
        sql = "SELECT * FROM payment_slips WHERE payment_id = %s AND id < %s ORDER BY id"
        return [_slip(row) for row in self._statements.rows(sql, (slip.payment_id, slip.id))]

    def forget(self, slips: Sequence[Slip]) -> None:
        self._statements.execute("DELETE FROM payment_slips WHERE id = ANY(%s)", ([slip.id for slip in slips],))


def _checkout(row: Row) -> ManualCheckout:
    return ManualCheckout(
        id=row["id"],
        merchant_reference=row["merchant_reference"],
        reference_number=row["reference_number"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        expires_at=row["expires_at"],
    )


def _receipt(row: Row) -> ManualReceipt:
    return ManualReceipt(
        id=row["id"],
        checkout_id=row["checkout_id"],
        payment_id=row["payment_id"],
        payer_id=row["payer_user_id"],
        reference=row["reference"],
        received_on=row["received_on"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        status=ManualReceiptStatus(row["status"]),
        needs_approval=row["needs_approval"],
        made_by=row["made_by_user_id"],
        idempotency_key=row["idempotency_key"],
        created_at=row["created_at"],
        decided_by=row["decided_by_user_id"],
        decided_at=row["decided_at"],
        position=row["position"],
    )


def _slip(row: Row) -> Slip:
    return Slip(
        id=row["id"],
        payment_id=row["payment_id"],
        user_id=row["user_id"],
        storage_key=row["storage_key"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        uploaded_at=row["uploaded_at"],
    )
