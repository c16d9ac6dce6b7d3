"""What money that people confirm is kept in: receipts, and pictures of the slips that payers send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing.manual import ManualCheckout, ManualReceipt


class ManualReceipts(Protocol):
    """Receipts of the manual gateway; whoever adds or decides one holds its payment's lock."""

    def checkout_of(self, merchant_references: Sequence[str]) -> ManualCheckout | None:
        """The newest checkout that was opened under one of these."""
        ...

    def by_key(self, idempotency_key: str) -> ManualReceipt | None: ...

    def has_standing(self, payment_id: UUID) -> bool:
        """Whether money of a payment is confirmed, or waits for a second person."""
        ...

    def next_position(self, checkout_id: UUID) -> int:
        """The place of the next charge of a checkout."""
        ...

    def add(self, receipt: ManualReceipt) -> None:
        """Raises ReceiptReferenceUsed, here or at commit."""
        ...

    def payment_of(self, receipt_id: UUID) -> UUID:
        """Whose payment it is, unlocked: that has to be locked first. Raises ManualReceiptNotFound."""
        ...

    def get(self, receipt_id: UUID) -> ManualReceipt:
        """The receipt, locked. Raises ManualReceiptNotFound."""
        ...

    def save(self, receipt: ManualReceipt) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A picture of a transfer, and where it lies."""

    id: UUID
    payment_id: UUID
    user_id: UUID
    storage_key: str
    content_type: str
    size_bytes: int
    uploaded_at: datetime


class Slips(Protocol):
    """Slips as rows: each file has one before it is written and until it is deleted."""

    def add(self, slip: Slip) -> None:
        """A file is about to be written."""
        ...

    def stored(self, slip: Slip, *, at: datetime) -> bool:
        """The file is there; False where its row is gone, because its payer was erased meanwhile."""
        ...

    def older_than(self, slip: Slip) -> Sequence[Slip]:
        """The payment's slips that this one replaces."""
        ...

    def forget(self, slips: Sequence[Slip]) -> None:
        """Their files are deleted."""
        ...


class QrCodes(Protocol):
    """Draws QR codes."""

    def png(self, text: str) -> bytes:
        """A PNG of the text. Raises InvalidValue for more than such a code holds."""
        ...
