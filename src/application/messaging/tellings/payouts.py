"""What vendors and agents are told of what they earn and of how it is paid."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import Attach, Event, Mail, Message, Words
from application.messaging.tellings.saying import amount
from application.payouts.statements import files_of
from application.queries import Row
from domain.messaging.channels import MessageKind
from domain.shared.payees import PayeeType

_ACCRUED: Final = {
    PayeeType.VENDOR: ("استحققت حصة من رحلة", "You earned a share of a trip"),
    PayeeType.AGENT: ("استحققت عمولة", "You earned a commission"),
}
_REVERSED: Final = {
    PayeeType.VENDOR: ("استردت حصة من رحلة", "A share of a trip was taken back"),
    PayeeType.AGENT: ("استردت عمولة", "A commission was taken back"),
}


def earned(event: Event, use: Dependencies) -> Message:
    """So much is owed by a booking; no link, because the booking is the customer's."""
    number, earning = _booking_number(event, use), amount(event, "amount")
    return Message(
        user_id=UUID(event["payee_id"]),
        kind=MessageKind.WALLET,
        titles=_ACCRUED[PayeeType(event["payee_type"])],
        texts=(f"أضيف {earning} إلى مستحقاتك عن الحجز {number}.", f"{earning} is owed to you by booking {number}."),
    )


def taken_back(event: Event, use: Dependencies) -> Message:
    """Money went back to the customer, and the payee's part of it with it."""
    number, earning = _booking_number(event, use), amount(event, "amount")
    return Message(
        user_id=UUID(event["payee_id"]),
        kind=MessageKind.WALLET,
        titles=_REVERSED[PayeeType(event["payee_type"])],
        texts=(
            f"رد مبلغ من الحجز {number} إلى عميله، فخصم {earning} من مستحقاتك.",
            f"Money of booking {number} went back to its customer: {earning} was taken off what is owed to you.",
        ),
    )


def sent(event: Event, use: Dependencies) -> Message:
    """A payout is on its way."""
    facts, said = _payout(event, use)
    return _told(
        facts,
        titles=("مستحقاتك في الطريق", "Your payout is on its way"),
        texts=(
            f"{said} في الطريق إلى {facts['destination']}.",
            f"{said} is on its way to {facts['destination']}.",
        ),
        mail=MailName.PAYOUT_SENT,
    )


def paid(event: Event, use: Dependencies) -> Message:
    """A payout arrived; its mail brings the statement."""
    facts, said = _payout(event, use)
    return _told(
        facts,
        titles=("صرفت مستحقاتك", "You have been paid"),
        texts=(f"صرف {said} إلى {facts['destination']}.", f"{said} was paid to {facts['destination']}."),
        mail=MailName.PAYOUT_PAID,
        attach=lambda language: files_of(
            UUID(event["payout_id"]),
            language,
            statements=use.payout_statements,
            renderer=use.renderer,
            clock=use.clock,
        ),
    )


def failed(event: Event, use: Dependencies) -> Message:
    """A payout came back."""
    facts, said = _payout(event, use)
    return _told(
        facts,
        titles=("لم تصل مستحقاتك", "Your payout did not arrive"),
        texts=(
            f"عاد {said} إلى رصيد مستحقاتك ويصرف مع الدفعة القادمة. راجع بيانات الصرف لديك.",
            f"{said} is owed to you again and goes out with the next payroll. Please look at your payout details.",
        ),
        mail=MailName.PAYOUT_FAILED,
    )


def _booking_number(event: Event, use: Dependencies) -> str:
    number: str = use.queries.messaging.booking_facts(UUID(event["booking_id"]))["booking_number"]
    return number


def _payout(event: Event, use: Dependencies) -> tuple[Row, str]:
    """Its facts, and how it is called in both languages."""
    facts = use.queries.messaging.payout_facts(UUID(event["payout_id"]))
    return facts, f"{amount(facts, 'amount')} ({facts['payout_number']})"


def _told(facts: Row, *, titles: Words, texts: Words, mail: MailName, attach: Attach | None = None) -> Message:
    shown = {
        "payout_number": facts["payout_number"],
        "amount": amount(facts, "amount"),
        "destination": facts["destination"],
    }
    return Message(
        user_id=facts["user_id"], kind=MessageKind.WALLET, titles=titles, texts=texts, mail=Mail(mail, shown, attach)
    )
