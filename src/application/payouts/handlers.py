"""What happens when events of payroll arrive: payouts are sent, and payees are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from application.payouts.sending import Sending, send_payout
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.money import Money

Event = Mapping[str, Any]

_WORDS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "sent": (
        ("مستحقاتك في الطريق", "Your payout is on its way"),
        (
            "{amount} ({number}) في الطريق إلى {destination}.",
            "{amount} ({number}) is on its way to {destination}.",
        ),
    ),
    "paid": (
        ("صرفت مستحقاتك", "You have been paid"),
        ("صرف {amount} ({number}) إلى {destination}.", "{amount} ({number}) was paid to {destination}."),
    ),
    "failed": (
        ("لم تصل مستحقاتك", "Your payout did not arrive"),
        (
            "عاد {amount} ({number}) إلى رصيد مستحقاتك ويصرف مع الدفعة القادمة. راجع بيانات الصرف لديك.",
            "{amount} ({number}) is owed to you again and goes out with the next payroll. Please look at your payout"
            " details.",
        ),
    ),
}
"""Titles and messages, each in Arabic and English, by what became of a payout."""


def send_dispatched_payout(event: Event, use: Dependencies) -> None:
    """Send one payout of a batch that is being processed."""
    send_payout(UUID(event["payout_id"]), Sending(use.new_uow, use.gateways, use.clock, use.new_id))


def notify_payout_sent(event: Event, use: Dependencies) -> None:
    """In the app: a payout is on its way."""
    _notify(event, use, "sent")


def notify_payout_paid(event: Event, use: Dependencies) -> None:
    """In the app: a payout arrived."""
    _notify(event, use, "paid")


def notify_payout_failed(event: Event, use: Dependencies) -> None:
    """In the app: a payout came back."""
    _notify(event, use, "failed")


def mail_payout_sent(event: Event, use: Dependencies) -> None:
    """By mail: a payout is on its way."""
    _mail(event, use, MailName.PAYOUT_SENT)


def mail_payout_paid(event: Event, use: Dependencies) -> None:
    """By mail: a payout arrived."""
    _mail(event, use, MailName.PAYOUT_PAID)


def mail_payout_failed(event: Event, use: Dependencies) -> None:
    """By mail: a payout came back."""
    _mail(event, use, MailName.PAYOUT_FAILED)


def _notify(event: Event, use: Dependencies, step: str) -> None:
    facts = use.queries.messaging.payout_facts(UUID(event["payout_id"]))
    titles, (arabic, english) = _WORDS[step]
    shown = {
        "amount": Money.of(facts["amount_minor"], facts["currency"]),
        "number": facts["payout_number"],
        "destination": facts["destination"],
    }
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=titles,
        messages=(arabic.format_map(shown), english.format_map(shown)),
        link=(LinkType.NONE, None),
    )


def _mail(event: Event, use: Dependencies, name: MailName) -> None:
    facts = use.queries.messaging.payout_facts(UUID(event["payout_id"]))
    mail(
        use,
        name,
        facts,
        about=f"{name.replace('_', '-')}-{event['payout_id']}",
        shown={
            "payout_number": facts["payout_number"],
            "amount": Money.of(facts["amount_minor"], facts["currency"]),
            "destination": facts["destination"],
        },
    )
