"""What billing does when events arrive."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.billing.credit_notes import issue_credit_notes
from application.billing.invoices import draw_invoice, issue_invoice
from application.billing.manual import settle_confirmed
from application.billing.refund_submission import submit_refund
from application.billing.sandbox import SandboxDisabled, SendWebhook, send_webhook
from application.billing.webhooks import process_webhook
from application.dependencies import Dependencies

Event = Mapping[str, Any]
Facts = Mapping[str, Any]


def look_into_webhook(event: Mapping[str, Any], use: Dependencies) -> None:
    """Ask the provider about what a verified webhook hinted at."""
    process_webhook(
        UUID(event["webhook_id"]),
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        live=use.live,
    )


def settle_manual_money(event: Mapping[str, Any], use: Dependencies) -> None:
    """Settle what staff confirmed."""
    settle_confirmed(
        UUID(event["receipt_id"]),
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        live=use.live,
    )


def issue_invoice_of_payment(event: Mapping[str, Any], use: Dependencies) -> None:
    """Issue the invoice of a settled payment."""
    issue_invoice(UUID(event["payment_id"]), uow=use.new_uow(), clock=use.clock, new_id=use.new_id)


def submit_requested_refund(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send a refund to the provider; what is not sent now, the job of refunds sends."""
    submit_refund(
        UUID(event["refund_id"]), new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
    )


def issue_credit_notes_of_payment(event: Mapping[str, Any], use: Dependencies) -> None:
    """Issue the credit notes that a payment lacks, of which a refund or a dispute has moved."""
    issue_credit_notes(UUID(event["payment_id"]), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


def credit_done_part(event: Mapping[str, Any], use: Dependencies) -> None:
    """A part of a refund is done, and another is not."""
    issue_credit_notes_of_payment(event, use)


def credit_beside_failed_refund(event: Mapping[str, Any], use: Dependencies) -> None:
    """Other parts of it may be done; and what it leaves, a lost dispute takes."""
    issue_credit_notes_of_payment(event, use)


def credit_lost_dispute(event: Mapping[str, Any], use: Dependencies) -> None:
    """The bank took money of a sale."""
    issue_credit_notes_of_payment(event, use)


def draw_issued_invoice(event: Mapping[str, Any], use: Dependencies) -> None:
    """Draw an invoice that was issued."""
    draw_invoice(
        UUID(event["invoice_id"]),
        documents=use.documents,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )


def draw_invoices_of_erased(event: Mapping[str, Any], use: Dependencies) -> None:
    """Draw a person's invoices anew, without the name that was erased."""
    for invoice_id in use.documents.undrawn_of(UUID(event["user_id"])):
        draw_invoice(invoice_id, documents=use.documents, renderer=use.renderer, storage=use.storage, clock=use.clock)


def send_sandbox_webhook(event: Mapping[str, Any], use: Dependencies) -> None:
    """Tell of a sandbox outcome as a provider would: over HTTP, to the address that the checkout names."""
    if use.sandbox is None:
        raise SandboxDisabled()
    command = SendWebhook(
        checkout_id=UUID(event["checkout_id"]),
        notice_id=UUID(event["notice_id"]),
        notice_type=event["notice_type"],
    )
    send_webhook(command, books=use.sandbox.books, webhooks=use.sandbox.webhooks)
