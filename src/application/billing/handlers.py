"""What billing does when events arrive. What customers are told of refunds is written from what was committed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.billing.credit_notes import issue_credit_note
from application.billing.invoices import draw_invoice, issue_invoice
from application.billing.manual import settle_confirmed
from application.billing.refund_submission import submit_refund
from application.billing.sandbox import SandboxDisabled, SendWebhook, send_webhook
from application.billing.webhooks import process_webhook
from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from domain.billing.refunds import RefundStatus
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.money import Money

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


def notify_suspense_credited(event: Mapping[str, Any], use: Dependencies) -> None:
    """In the app: money that nothing could be done with is in the wallet."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    amount = Money.of(event["amount_minor"], event["currency"])
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("أضيف مبلغ إلى محفظتك", "Money was put into your wallet"),
        messages=(
            f"أضفنا {amount} مما وصل للدفعة {facts['payment_number']} إلى محفظتك.",
            f"We put {amount} of what came for payment {facts['payment_number']} into your wallet.",
        ),
        link=(LinkType.WALLET, None),
    )


def issue_invoice_of_payment(event: Mapping[str, Any], use: Dependencies) -> None:
    """Issue the invoice of a settled payment."""
    issue_invoice(UUID(event["payment_id"]), uow=use.new_uow(), clock=use.clock, new_id=use.new_id)


def submit_requested_refund(event: Mapping[str, Any], use: Dependencies) -> None:
    """Send a refund to the provider; what is not sent now, the job of refunds sends."""
    submit_refund(
        UUID(event["refund_id"]), new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
    )


def issue_credit_note_of_refund(event: Mapping[str, Any], use: Dependencies) -> None:
    """Issue the credit note of a refund that has succeeded."""
    issue_credit_note(UUID(event["refund_id"]), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


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


def notify_refund_found(event: Event, use: Dependencies) -> None:
    """In the app: the provider gives money back."""
    facts = _facts(event, use)
    amount = _amount("amount", facts)
    _notify(
        use,
        facts,
        titles=("مبلغ في طريقه إليك", "A refund is on its way"),
        messages=(
            f"يرد مزود الدفع {amount} من الدفعة {facts['payment_number']} ({facts['refund_number']}).",
            f"The payment provider gives back {amount} of payment {facts['payment_number']}"
            f" ({facts['refund_number']}).",
        ),
    )


def notify_refund_succeeded(event: Event, use: Dependencies) -> None:
    """In the app: money went back, and where to."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.SUCCEEDED:
        return
    where_ar, where_en = _where(facts)
    _notify(
        use,
        facts,
        titles=("تم رد المبلغ", "Your refund is done"),
        messages=(
            f"رددنا {_amount('amount', facts)} من الدفعة {facts['payment_number']}: {where_ar}.",
            f"We gave back {_amount('amount', facts)} of payment {facts['payment_number']}: {where_en}.",
        ),
    )


def notify_refund_failed(event: Event, use: Dependencies) -> None:
    """In the app: money did not arrive, and somebody is looking after it."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.FAILED:
        return
    amount = _amount("failed", facts)
    _notify(
        use,
        facts,
        titles=("لم يصل المبلغ المردود", "Your refund did not arrive"),
        messages=(
            f"لم يصل إليك {amount} ({facts['refund_number']}). نبحث عن طريقة أخرى لرده.",
            f"{amount} ({facts['refund_number']}) did not reach you. We are looking for another way.",
        ),
    )


def mail_refund_succeeded(event: Event, use: Dependencies) -> None:
    """By mail: money went back, and where to."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.SUCCEEDED:
        return
    mail(
        use,
        MailName.REFUND_SUCCEEDED,
        facts,
        about=f"refund-{event['refund_id']}",
        shown={
            "refund_number": facts["refund_number"],
            "payment_number": facts["payment_number"],
            "amount": _amount("amount", facts),
            "to_original": _amount("to_original", facts),
            "to_wallet": _amount("to_wallet", facts),
            "points": facts["points"],
        },
    )


def mail_refund_failed(event: Event, use: Dependencies) -> None:
    """By mail: money did not arrive, and somebody is looking after it."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.FAILED:
        return
    mail(
        use,
        MailName.REFUND_FAILED,
        facts,
        about=f"refund-failed-{event['refund_id']}-{facts['parts']}",
        shown={
            "refund_number": facts["refund_number"],
            "payment_number": facts["payment_number"],
            "amount": _amount("failed", facts),
        },
    )


def _facts(event: Event, use: Dependencies) -> Facts:
    return use.queries.messaging.refund_facts(UUID(event["refund_id"]))


def _amount(name: str, facts: Facts) -> Money:
    return Money.of(facts[f"{name}_minor"], facts["currency"])


def _where(facts: Facts) -> tuple[str, str]:
    """Where the parts went, in Arabic and English."""
    original, wallet, points = _amount("to_original", facts), _amount("to_wallet", facts), facts["points"]
    said = [
        *([(f"{original} إلى وسيلة الدفع", f"{original} to where you paid from")] if original.is_positive else []),
        *([(f"{wallet} إلى رصيدك", f"{wallet} to your balance")] if wallet.is_positive else []),
        *([(f"النقاط العائدة {points}", f"points back: {points}")] if points else []),
    ]
    return "، ".join(arabic for arabic, _ in said), ", ".join(english for _, english in said)


def _notify(use: Dependencies, facts: Facts, *, titles: tuple[str, str], messages: tuple[str, str]) -> None:
    booking_id = facts["booking_id"]
    link = (LinkType.BOOKING, booking_id) if booking_id is not None else (LinkType.WALLET, None)
    notify(use, facts["user_id"], NotificationType.SYSTEM, titles=titles, messages=messages, link=link)
