"""What customers are told of refunds, written from what was committed."""

from __future__ import annotations

from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import WALLET, Event, Link, Mail, Message, Words
from application.messaging.tellings.saying import amount
from application.queries import Row
from domain.billing.refunds import RefundStatus
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType


def found(event: Event, use: Dependencies) -> Message:
    """The provider gives money back."""
    facts = _facts(event, use)
    back = amount(facts, "amount")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.REFUND,
        titles=("مبلغ في طريقه إليك", "A refund is on its way"),
        texts=(
            f"يرد مزود الدفع {back} من الدفعة {facts['payment_number']} ({facts['refund_number']}).",
            f"The payment provider gives back {back} of payment {facts['payment_number']} ({facts['refund_number']}).",
        ),
        link=_link(facts),
    )


def succeeded(event: Event, use: Dependencies) -> Message | None:
    """Money went back, and where to."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.SUCCEEDED:
        return None
    back, (where_ar, where_en) = amount(facts, "amount"), _where(facts)
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.REFUND,
        titles=("تم رد المبلغ", "Your refund is done"),
        texts=(
            f"رددنا {back} من الدفعة {facts['payment_number']}: {where_ar}.",
            f"We gave back {back} of payment {facts['payment_number']}: {where_en}.",
        ),
        link=_link(facts),
        # What an agent had paid is no money of the customer's: it is not written home about.
        mail=None if amount(facts, "to_agent").is_positive else _succeeded_mail(facts),
    )


def _succeeded_mail(facts: Row) -> Mail:
    return Mail(
        MailName.REFUND_SUCCEEDED,
        {
            "refund_number": facts["refund_number"],
            "payment_number": facts["payment_number"],
            "amount": amount(facts, "amount"),
            "to_original": amount(facts, "to_original"),
            "to_wallet": amount(facts, "to_wallet"),
            "points": facts["points"],
        },
    )


def failed(event: Event, use: Dependencies) -> Message | None:
    """Money did not arrive, and somebody is looking after it."""
    facts = _facts(event, use)
    if facts["status"] != RefundStatus.FAILED:
        return None
    lost = amount(facts, "failed")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.REFUND,
        titles=("لم يصل المبلغ المردود", "Your refund did not arrive"),
        texts=(
            f"لم يصل إليك {lost} ({facts['refund_number']}). نبحث عن طريقة أخرى لرده.",
            f"{lost} ({facts['refund_number']}) did not reach you. We are looking for another way.",
        ),
        link=_link(facts),
        mail=Mail(
            MailName.REFUND_FAILED,
            {
                "refund_number": facts["refund_number"],
                "payment_number": facts["payment_number"],
                "amount": lost,
            },
        ),
    )


def _facts(event: Event, use: Dependencies) -> Row:
    return use.queries.messaging.refund_facts(UUID(event["refund_id"]))


def _link(facts: Row) -> Link:
    return (LinkType.BOOKING, facts["booking_id"]) if facts["booking_id"] is not None else WALLET


def _where(facts: Row) -> Words:
    """Where the parts went."""
    original, wallet, points = amount(facts, "to_original"), amount(facts, "to_wallet"), facts["points"]
    agents = amount(facts, "to_agent")
    said = [
        *([(f"{original} إلى وسيلة الدفع", f"{original} to where you paid from")] if original.is_positive else []),
        *([(f"{wallet} إلى رصيدك", f"{wallet} to your balance")] if wallet.is_positive else []),
        *(
            [(f"{agents} إلى وكيلك الذي دفعه", f"{agents} to your agent, who had paid it")]
            if agents.is_positive
            else []
        ),
        *([(f"النقاط العائدة {points}", f"points back: {points}")] if points else []),
    ]
    return "، ".join(arabic for arabic, _ in said), ", ".join(english for _, english in said)
