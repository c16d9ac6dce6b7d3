"""The sandbox provider's books: checkouts under addresses that nobody can guess, and their charges."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from domain.billing.sandbox import CheckoutNotFound, Outcome, SandboxCharge, SandboxCheckout
from domain.billing.sandbox_refunds import SandboxDispute, SandboxRefund
from domain.shared.money import Money, currency
from infrastructure.database.platform.sandbox_refunds import dispute_in, keep_dispute, mark_told
from infrastructure.database.transaction import Database, Row, Statements

_ADD = """
INSERT INTO sandbox_checkouts (id, merchant_reference, amount_minor, currency, description, locale, success_url,
                               cancel_url, webhook_url, expires_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (merchant_reference) DO NOTHING
"""
_LATE = """
SELECT * FROM sandbox_checkouts k
WHERE outcome = 'late' AND decided_at IS NULL
  AND EXISTS (SELECT 1 FROM sandbox_charges c WHERE c.checkout_id = k.id AND c.charged_at <= %s)
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_CHARGES = "SELECT * FROM sandbox_charges WHERE checkout_id = %s ORDER BY position"
_DECIDE = "UPDATE sandbox_checkouts SET outcome = %s, decided_at = %s WHERE id = %s"
_CHARGE = """
INSERT INTO sandbox_charges (id, checkout_id, position, amount_minor, currency, charged_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING
"""
_MAC_BYTES = 16


class SqlSandboxBooks:
    """Implements `application.billing.sandbox.SandboxBooks`, and opens checkouts for the gateway.

    A token is a checkout's id with a keyed digest of it: who knows the id from the API or a log does not
    know the page.
    """

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._secret = secret.encode()

    def open(self, checkout: SandboxCheckout) -> SandboxCheckout:
        """Store a new checkout, or answer the one that its merchant reference opened before."""
        with self._database.transaction() as statements:
            statements.execute(
                _ADD,
                (checkout.id, checkout.merchant_reference, checkout.amount.minor, checkout.amount.currency.code,
                 checkout.description, checkout.locale, checkout.success_url, checkout.cancel_url,
                 checkout.webhook_url, checkout.expires_at, checkout.created_at),
            )  # fmt: skip
            row = statements.row(
                "SELECT * FROM sandbox_checkouts WHERE merchant_reference = %s", (checkout.merchant_reference,)
            )
            statements.commit()
        return _checkout(_found(row), [])

    def token_of(self, checkout_id: UUID) -> str:
        """The unguessable end of the page's address."""
        return base64.urlsafe_b64encode(checkout_id.bytes + self._mac(checkout_id.bytes)).rstrip(b"=").decode()

    def by_token(self, token: str) -> SandboxCheckout:
        return self.get(self._id_of(token))

    def get(self, checkout_id: UUID) -> SandboxCheckout:
        row = _found(self._database.row("SELECT * FROM sandbox_checkouts WHERE id = %s", (checkout_id,)))
        return _checkout(row, self._database.rows(_CHARGES, (checkout_id,)))

    def lock(self, token: str) -> SandboxCheckout:
        checkout_id = self._id_of(token)
        with self._joined() as statements:
            row = statements.row("SELECT * FROM sandbox_checkouts WHERE id = %s FOR UPDATE", (checkout_id,))
            return _checkout(_found(row), statements.rows(_CHARGES, (checkout_id,)))

    def late_until(self, at: datetime, *, limit: int) -> Sequence[SandboxCheckout]:
        with self._joined() as statements:
            rows = statements.rows(_LATE, (at, limit))
            return [_checkout(row, statements.rows(_CHARGES, (row["id"],))) for row in rows]

    def keep(self, checkout: SandboxCheckout) -> None:
        with self._joined() as statements:
            statements.execute(_DECIDE, (checkout.outcome, checkout.decided_at, checkout.id))
            for charge in checkout.charges:
                statements.execute(
                    _CHARGE,
                    (charge.id, checkout.id, charge.position, charge.amount.minor, charge.amount.currency.code,
                     charge.charged_at),
                )  # fmt: skip

    def refunds_until(self, at: datetime, *, limit: int) -> Sequence[SandboxRefund]:
        with self._joined() as statements:
            return mark_told(statements, at=at, limit=limit)

    def dispute_of(self, checkout: SandboxCheckout) -> SandboxDispute | None:
        with self._joined() as statements:
            return dispute_in(statements, checkout.id)

    def keep_dispute(self, dispute: SandboxDispute, *, at: datetime) -> None:
        with self._joined() as statements:
            keep_dispute(statements, dispute, at=at)

    @contextlib.contextmanager
    def _joined(self) -> Iterator[Statements]:
        """The transaction of the unit of work that is open: a lock or a row outside one would be lost."""
        if not self._database.in_transaction:
            raise RuntimeError("the sandbox's books are locked and written inside a unit of work")
        with self._database.transaction() as statements:
            yield statements

    def _id_of(self, token: str) -> UUID:
        """The checkout that a token is for. Raises CheckoutNotFound for one that was not given out."""
        try:
            checkout_id = UUID(bytes=base64.urlsafe_b64decode(f"{token}=".encode("ascii"))[:16])
        except (ValueError, binascii.Error):
            raise CheckoutNotFound() from None
        # Made again rather than taken apart: one checkout has one address, however its end is padded.
        if not hmac.compare_digest(self.token_of(checkout_id), token):
            raise CheckoutNotFound()
        return checkout_id

    def _mac(self, identity: bytes) -> bytes:
        return hmac.digest(self._secret, b"sandbox checkout:" + identity, hashlib.sha256)[:_MAC_BYTES]


def _found(row: Row | None) -> Row:
    if row is None:
        raise CheckoutNotFound()
    return row


def _checkout(row: Row, charges: Sequence[Row]) -> SandboxCheckout:
    return SandboxCheckout(
        id=row["id"],
        merchant_reference=row["merchant_reference"],
        amount=Money(row["amount_minor"], currency(row["currency"])),
        description=row["description"],
        locale=row["locale"],
        success_url=row["success_url"],
        cancel_url=row["cancel_url"],
        webhook_url=row["webhook_url"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        decided_at=row["decided_at"],
        charges=[_charge(charge) for charge in charges],
    )


def _charge(row: Row) -> SandboxCharge:
    return SandboxCharge(
        id=row["id"],
        position=row["position"],
        amount=Money(row["amount_minor"], currency(row["currency"])),
        charged_at=row["charged_at"],
    )
