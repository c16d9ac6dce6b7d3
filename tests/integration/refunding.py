"""Refunds in the words of a test, and the promises that must hold of them beside the shop's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from application.billing import refund_submission, refunds
from application.billing.ports import DisputeReading, DisputeState, Reading, RefundReading, RefundState
from application.billing.refund_plans import PreviewRefund, RefundPlan, preview_refund
from application.billing.refund_submission import RefundsDriven, SubmitPart
from application.billing.refunds import ConfirmRefund, RefundSuspense, RequestRefund, RetryPart
from domain.billing.refunds import Destination
from domain.ledger.accounts import AccountRef
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Row
from tests.databases import as_owner
from tests.fakes.scripted_gateway import Book
from tests.integration.shop import Shop, broken_promises

# Each of these finds nothing, whatever happened before (guarantees M8, M9, P9).
REFUND_PROMISES = {
    "no tender gives back more than it took": """
        SELECT id FROM payment_tenders WHERE refunding_minor < 0 OR refunded_minor < 0
        OR refunding_minor + refunded_minor > CASE WHEN status = 'CAPTURED' THEN amount_minor ELSE 0 END""",
    "tenders count what parts and disputes did": """
        SELECT t.id FROM payment_tenders t WHERE t.refunded_minor <> (
            SELECT coalesce(sum(p.amount_minor), 0) FROM refund_parts p
            WHERE p.tender_id = t.id AND p.status = 'SUCCEEDED')
          + CASE WHEN t.kind = 'GATEWAY' THEN (
            SELECT coalesce(sum(d.taken_minor), 0) FROM disputes d
            WHERE d.payment_id = t.payment_id) ELSE 0 END""",
    "what is set aside is what open parts ask for": """
        SELECT t.id FROM payment_tenders t WHERE t.refunding_minor <> (
            SELECT coalesce(sum(p.amount_minor), 0) FROM refund_parts p
            WHERE p.tender_id = t.id AND p.status NOT IN ('SUCCEEDED', 'FAILED'))""",
    "payments count what their tenders gave back": """
        SELECT p.id FROM payments p WHERE p.refund_amount_minor <> (
            SELECT coalesce(sum(t.refunded_minor), 0) FROM payment_tenders t WHERE t.payment_id = p.id)""",
    "payments stand where their refunds stand": """
        SELECT p.id FROM payments p WHERE p.paid_at IS NOT NULL AND p.status <> CASE
            WHEN p.refund_amount_minor = 0 THEN 'PAID' WHEN p.refund_amount_minor = p.amount_minor THEN 'REFUNDED'
            ELSE 'PARTIALLY_REFUNDED' END""",
    "bookings count what their payments gave back": """
        SELECT b.id FROM bookings b WHERE b.refunded_amount_minor <> (
            SELECT coalesce(sum(p.refund_amount_minor), 0) FROM payments p WHERE p.booking_id = b.id)""",
    "completed trips earned what was not refunded": """
        SELECT b.id FROM bookings b WHERE b.paid_amount_minor - b.refunded_amount_minor <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_journals j
            JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
            WHERE j.reference_id = b.id AND a.kind = 'BOOKING_REVENUE') AND b.status = 'COMPLETED'""",
    "cancelled bookings earned what they keep": """
        SELECT b.id FROM bookings b WHERE b.kept_amount_minor <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_journals j
            JOIN ledger_entries e ON e.journal_id = j.id JOIN ledger_accounts a ON a.id = e.account_id
            WHERE j.reference_id = b.id AND a.kind = 'BOOKING_REVENUE') AND b.status <> 'COMPLETED'""",
    "prepayments are what was paid, and neither earned nor refunded": """
        SELECT b.currency FROM bookings b GROUP BY b.currency
        HAVING sum(CASE WHEN b.status = 'COMPLETED' THEN 0
                        ELSE b.paid_amount_minor - b.refunded_amount_minor - b.kept_amount_minor END) <> (
            SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_entries e
            JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'CUSTOMER_PREPAYMENTS'
            WHERE e.currency = b.currency)""",
    "a booking is REFUNDED when all that was paid is back": """
        SELECT b.id FROM bookings b WHERE b.status <> 'REFUNDED'
        AND b.paid_amount_minor > CASE WHEN b.status IN ('CANCELLED', 'COMPLETED') THEN 0
                                       ELSE b.overpaid_amount_minor END
        AND b.refunded_amount_minor = b.paid_amount_minor""",
    "what is REFUNDED has given its voucher and its offers back": """
        SELECT b.id FROM bookings b WHERE b.status = 'REFUNDED' AND (
            EXISTS (SELECT 1 FROM voucher_redemptions r WHERE r.booking_id = b.id AND r.in_use)
            OR EXISTS (SELECT 1 FROM offer_redemptions r WHERE r.booking_id = b.id AND r.in_use))""",
    "parts that are done have one journal each, of their amount": """
        SELECT p.id FROM refund_parts p JOIN ledger_journals j ON j.id = p.journal_id
        JOIN ledger_entries e ON e.journal_id = j.id AND e.currency = p.currency AND e.amount_minor > 0
        GROUP BY p.id HAVING sum(e.amount_minor) <> p.amount_minor""",
    "holds of refunds end with their parts": """
        SELECT p.id FROM refund_parts p JOIN balance_holds h ON h.id = p.hold_id WHERE h.status <> CASE
            WHEN p.journal_id IS NOT NULL THEN 'CAPTURED' WHEN p.status = 'FAILED' THEN 'RELEASED' ELSE 'ACTIVE' END""",
    "a refund stands where the worst of its parts stands": """
        SELECT r.id FROM refunds r WHERE r.status <> (
            SELECT p.status FROM refund_parts p WHERE p.refund_id = r.id AND p.replaced_by IS NULL
            ORDER BY array_position(ARRAY['UNKNOWN', 'AWAITING_OPERATOR', 'FAILED', 'REQUESTED', 'SUBMITTED',
                                          'SUCCEEDED'], p.status) LIMIT 1)""",
}


def broken_refund_promises(addresses: DatabaseAddresses) -> list[str]:
    """The names of the promises, of refunds or of anything else, that do not hold."""
    with as_owner(addresses) as connection:
        broken = [name for name, query in REFUND_PROMISES.items() if connection.execute(query).fetchone() is not None]
    return broken + broken_promises(addresses)


@dataclass(frozen=True)
class Counter:
    """Where a shop gives money back, with the scripted provider behind it."""

    shop: Shop

    def preview(
        self, payment_id: UUID, amount: Money | None = None, destination: Destination = Destination.ORIGINAL
    ) -> RefundPlan:
        use = self.shop.use
        command = PreviewRefund(payment_id=payment_id, amount=amount, destination=destination)
        return preview_refund(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)

    def ask(
        self,
        payment_id: UUID,
        amount: Money | None = None,
        *,
        destination: Destination = Destination.ORIGINAL,
        key: str | None = None,
        agreed: str | None = None,
    ) -> UUID:
        """Staff want money to go back; the provider is not asked yet."""
        use = self.shop.use
        command = RequestRefund(
            payment_id=payment_id,
            amount=amount,
            reason="a test",
            destination=destination,
            actor_id=self.shop.a_customer(),
            idempotency_key=key or new_id().hex,
            agreed=agreed,
        )
        return refunds.request_refund(
            command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id
        )

    def submit(self, refund_id: UUID) -> None:
        use = self.shop.use
        refund_submission.submit_refund(
            refund_id, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
        )

    def submit_part(self, refund_id: UUID, part_id: UUID) -> None:
        use = self.shop.use
        command = SubmitPart(refund_id, part_id)
        refund_submission.submit_refund_part(
            command, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
        )

    def refund(self, payment_id: UUID, amount: Money | None = None, **how: Any) -> UUID:
        """Ask, and send it to the provider."""
        refund_id = self.ask(payment_id, amount, **how)
        self.submit(refund_id)
        return refund_id

    def drive(self) -> RefundsDriven:
        use = self.shop.use
        return refund_submission.drive_refunds(
            new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live
        )

    def refund_suspense(self, receipt_id: UUID, amount: Money, key: str | None = None) -> UUID:
        use = self.shop.use
        command = RefundSuspense(
            receipt_id=receipt_id,
            amount=amount,
            reason="a test",
            actor_id=self.shop.a_customer(),
            idempotency_key=key or new_id().hex,
        )
        with use.new_uow() as uow:
            refund_id = refunds.refund_suspense(
                command, uow=uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
            )
            uow.commit()
        return refund_id

    def confirm(self, refund_id: UUID, reference: str, on: date) -> None:
        use = self.shop.use
        command = ConfirmRefund(
            refund_id=refund_id,
            part_id=self.parts(refund_id)[-1]["id"],
            actor_id=self.shop.a_customer(),
            provider_reference=reference,
            refunded_on=on,
        )
        refunds.confirm_refund(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)

    def resubmit(self, refund_id: UUID) -> None:
        use = self.shop.use
        refunds.resubmit_refund(
            self._retry(refund_id), uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id
        )

    def to_wallet(self, refund_id: UUID) -> None:
        use = self.shop.use
        refunds.refund_to_wallet_instead(self._retry(refund_id), uow=use.new_uow(), clock=use.clock, new_id=use.new_id)

    def give_up(self, refund_id: UUID) -> None:
        use = self.shop.use
        refunds.give_up_refund(self._retry(refund_id), uow=use.new_uow(), clock=use.clock, new_id=use.new_id)

    def _retry(self, refund_id: UUID) -> RetryPart:
        part_id = [part["id"] for part in self.parts(refund_id) if part["replaced_by"] is None][-1]
        return RetryPart(refund_id=refund_id, part_id=part_id, actor_id=self.shop.a_customer(), reason="a test")

    # What is known here ----------------------------------------------------------------------------------

    def status(self, refund_id: UUID) -> str:
        return str(self.shop.row("SELECT status FROM refunds WHERE id = %s", refund_id)["status"])

    def parts(self, refund_id: UUID) -> list[Row]:
        sql = "SELECT * FROM refund_parts WHERE refund_id = %s ORDER BY position"
        return self.shop.database.rows(sql, (refund_id,))

    def of_payment(self, payment_id: UUID) -> list[Row]:
        return self.shop.database.rows("SELECT * FROM refunds WHERE payment_id = %s ORDER BY id", (payment_id,))

    def tenders(self, payment_id: UUID) -> dict[str, tuple[int, int]]:
        """By kind: minor units that are asked back, and given back."""
        sql = "SELECT kind, refunding_minor, refunded_minor FROM payment_tenders WHERE payment_id = %s"
        rows = self.shop.database.rows(sql, (payment_id,))
        return {row["kind"]: (row["refunding_minor"], row["refunded_minor"]) for row in rows}

    def balances(self, *accounts: AccountRef) -> list[int]:
        return [self.shop.balance(account) for account in accounts]

    # What the provider does ------------------------------------------------------------------------------

    def book(self, payment_id: UUID) -> Book:
        return self.shop.gateway.books[self.shop.attempt_of(payment_id).provider_reference]

    def on_dashboard(
        self, payment_id: UUID, amount: Money, *, name: str = "re_dashboard", state: RefundState = RefundState.SUCCEEDED
    ) -> None:
        """Somebody gives money back on the provider's dashboard, or that refund comes to another state."""
        self.book(payment_id).refunds[name] = RefundReading(name, "", amount, state)

    def decide(self, payment_id: UUID, state: RefundState) -> None:
        """The provider's refunds, all of them, come to a state."""
        book = self.book(payment_id)
        for name, known in book.refunds.items():
            book.refunds[name] = RefundReading(
                known.provider_refund_reference, known.merchant_reference, known.amount, state
            )

    def dispute(self, payment_id: UUID, amount: Money, state: DisputeState, *, name: str = "dp_1") -> None:
        self.book(payment_id).disputes[name] = DisputeReading(name, amount, state, "fraudulent")

    def reading(self, payment_id: UUID) -> Reading:
        """What the provider says at this moment, to be settled whenever the test wants."""
        return self.shop.gateway.read(self.shop.attempt_of(payment_id).identity)
