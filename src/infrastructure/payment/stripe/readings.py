"""Readings out of Stripe's objects: what was paid, given back and questioned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from application.billing.ports import (
    DisputeReading,
    DisputeState,
    Reading,
    ReadingStatus,
    RefundReading,
    RefundState,
    TransferReading,
    TransferState,
)
from domain.shared.money import Money
from infrastructure.payment.stripe import wire
from infrastructure.payment.stripe.wire import Document, unknown

REFUND_STATES: Final = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}

CLOSED_DISPUTES: Final = {
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""Every other status, one that Stripe may add too, is a dispute that is not over."""

OVER: Final = frozenset({"requires_payment_method", "canceled"})
"""Where the PaymentIntent of a completed session stands when its delayed payment failed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a session or a PaymentIntent says of itself; the money is told by the PaymentIntent."""

    status: ReadingStatus
    reference: str
    intent: str
    paid: tuple[Money, ...]
    live: bool
    merchant_reference: str

    def reading(self, refunds: tuple[RefundReading, ...], disputes: tuple[DisputeReading, ...]) -> Reading:
        return Reading(
            status=self.status,
            provider_reference=self.reference,
            provider_key="",
            paid=self.paid,
            live=self.live,
            merchant_reference=self.merchant_reference,
            charge_reference=self.intent,
            refunds=refunds,
            disputes=disputes,
        )


def of_session(session: Document) -> Standing:
    """Paid by `payment_status` and what its PaymentIntent received (contract §2.1).

    `no_payment_required` is a session that took nothing: never money. A completed session that is unpaid waits
    for a delayed method, until its PaymentIntent gives up.
    """
    intent = session.get("payment_intent")
    intent = intent if isinstance(intent, dict) else {}
    is_paid = session.get("payment_status") == "paid"
    return Standing(
        status=ReadingStatus.PAID if is_paid else _unpaid(session, intent),
        reference=wire.required_id(session),
        intent=wire.read_id(session.get("payment_intent")),
        paid=_received(intent) if is_paid else (),
        live=wire.read_flag(session, "livemode"),
        merchant_reference=wire.read_reference(session),
    )


def of_intent(intent: Document) -> Standing:
    """A PaymentIntent that no session made: a decline leaves it open, it ends succeeded or canceled (§2.2)."""
    told = wire.read_text(intent.get("status"))
    ends = {"succeeded": ReadingStatus.PAID, "canceled": ReadingStatus.FAILED}
    intent_id = wire.required_id(intent)
    return Standing(
        status=ends.get(told, ReadingStatus.OPEN),
        reference=intent_id,
        intent=intent_id,
        paid=_received(intent) if told == "succeeded" else (),
        live=wire.read_flag(intent, "livemode"),
        merchant_reference=wire.read_reference(intent),
    )


def _unpaid(session: Document, intent: Document) -> ReadingStatus:
    status = session.get("status")
    if status not in ("open", "complete", "expired"):
        raise unknown("a session that is neither open nor over")
    if status == "complete" and (session.get("payment_status") != "unpaid" or intent.get("status") in OVER):
        return ReadingStatus.FAILED
    return ReadingStatus.FAILED if status == "expired" else ReadingStatus.OPEN


def _received(intent: Document) -> tuple[Money, ...]:
    """The one charge, as it came: also when it was refunded since. Raises OutcomeUnknown where nothing came."""
    received = wire.read_amount(intent.get("amount_received"), intent.get("currency"))
    if not received.is_positive:
        raise unknown("paid, and nothing was received")
    return (received,)


def refund_of(refund: Document) -> RefundReading:
    return RefundReading(
        provider_refund_reference=wire.required_id(refund),
        merchant_reference=wire.read_reference(refund),
        amount=wire.read_amount(refund.get("amount"), refund.get("currency")),
        state=refund_state(refund),
        reason=wire.read_text(refund.get("failure_reason")),
    )


def refund_state(refund: Document) -> RefundState:
    """Raises OutcomeUnknown for a status that is none of Stripe's."""
    try:
        return REFUND_STATES[wire.read_text(refund.get("status"))]
    except KeyError:
        raise unknown("a refund without a status") from None


def dispute_of(dispute: Document) -> DisputeReading:
    return DisputeReading(
        provider_dispute_reference=wire.required_id(dispute),
        amount=wire.read_amount(dispute.get("amount"), dispute.get("currency")),
        state=CLOSED_DISPUTES.get(wire.read_text(dispute.get("status")), DisputeState.OPEN),
        reason=wire.read_text(dispute.get("reason")),
    )


def transfer_of(transfer: Document) -> TransferReading:
    """FAILED when all of it came back; when a part did, the amount is what the payee still has."""
    sent = wire.read_amount(transfer.get("amount"), transfer.get("currency"))
    returned = wire.read_amount(transfer.get("amount_reversed"), transfer.get("currency"))
    is_reversed = returned == sent
    return TransferReading(
        provider_transfer_reference=wire.required_id(transfer),
        merchant_reference=wire.read_reference(transfer),
        amount=sent if is_reversed else sent - returned,
        state=TransferState.FAILED if is_reversed else TransferState.SUCCEEDED,
    )
