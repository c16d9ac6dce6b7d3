"""What happens when events of the ledger arrive: people are told of their wallets, statements are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.ledger.statements import draw_statement
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from domain.ledger.accounts import PAYEE_KINDS, POINTS_UNIT, AccountKind
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.money import Money

Event = Mapping[str, Any]

_WITHDRAWAL_WORDS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "requested": (
        ("استلمنا طلب السحب", "We received your withdrawal"),
        (
            "طلب سحب {amount} ({number}) قيد المراجعة، والمبلغ محجوز في محفظتك.",
            "{amount} ({number}) is set aside in your wallet until we have looked at it.",
        ),
    ),
    "approved": (
        ("تمت الموافقة على السحب", "Your withdrawal is approved"),
        (
            "{amount} ({number}) في الطريق إلى حسابك البنكي.",
            "{amount} ({number}) is on its way to your bank.",
        ),
    ),
    "rejected": (
        ("لم تتم الموافقة على السحب", "Your withdrawal was not approved"),
        (
            "{amount} ({number}) متاح من جديد في محفظتك. السبب: {reason}",
            "{amount} ({number}) is available in your wallet again. The reason: {reason}",
        ),
    ),
    "paid": (
        ("تم تحويل السحب", "Your withdrawal was paid"),
        (
            "حول البنك {amount} ({number}) إلى حسابك.",
            "The bank sent {amount} ({number}) to your account.",
        ),
    ),
    "returned": (
        ("أعاد البنك السحب", "The bank returned your withdrawal"),
        (
            "عاد {amount} ({number}) إلى محفظتك. السبب: {reason}",
            "{amount} ({number}) is back in your wallet. The reason: {reason}",
        ),
    ),
}
"""Titles and messages, each in Arabic and English, by what became of a withdrawal."""


def notify_withdrawal_requested(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was asked for."""
    _notify_withdrawal(event, use, "requested")


def notify_withdrawal_approved(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal is on its way."""
    _notify_withdrawal(event, use, "approved")


def notify_withdrawal_rejected(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was refused."""
    _notify_withdrawal(event, use, "rejected")


def notify_withdrawal_paid(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal was paid."""
    _notify_withdrawal(event, use, "paid")


def notify_withdrawal_returned(event: Event, use: Dependencies) -> None:
    """In the app: a withdrawal came back."""
    _notify_withdrawal(event, use, "returned")


def mail_withdrawal_requested(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was asked for, so that somebody else's request is noticed."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_REQUESTED)


def mail_withdrawal_rejected(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was refused."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_REJECTED, "reason")


def mail_withdrawal_paid(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal was paid."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_PAID, "bank_reference")


def mail_withdrawal_returned(event: Event, use: Dependencies) -> None:
    """By mail: a withdrawal came back."""
    _mail_withdrawal(event, use, MailName.WITHDRAWAL_RETURNED, "reason")


def notify_adjustment(event: Event, use: Dependencies) -> None:
    """In the app: staff gave or took something."""
    facts = use.queries.messaging.adjustment_facts(UUID(event["adjustment_id"]))
    number, minor = facts["adjustment_number"], facts["amount_minor"]
    is_credit = facts["account_kind"] == AccountKind.VOUCHER_CREDIT
    if facts["currency"] == POINTS_UNIT:
        arabic, english = f"{abs(minor)} نقطة", f"{abs(minor)} points"
    else:
        arabic = english = str(Money.of(abs(minor), facts["currency"]))
    if is_credit:
        arabic, english = f"{arabic} (رصيد قسائم)", f"{english} of voucher credit"
    if facts["account_kind"] in PAYEE_KINDS:
        arabic, english = f"{arabic} (مستحقاتك)", f"{english} of what is owed to you"
    verbs = ("أضيف", "Added") if minor > 0 else ("خصم", "Taken")
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("تسوية على حسابك", "Your account was adjusted"),
        messages=(f"{verbs[0]} {arabic} ({number}).", f"{verbs[1]}: {english} ({number})."),
        link=(LinkType.WALLET, None),
    )


def _notify_withdrawal(event: Event, use: Dependencies, step: str) -> None:
    facts = use.queries.messaging.withdrawal_facts(UUID(event["withdrawal_id"]))
    titles, (arabic, english) = _WITHDRAWAL_WORDS[step]
    shown = {
        "amount": Money.of(facts["amount_minor"], facts["currency"]),
        "number": facts["withdrawal_number"],
        "reason": facts["reason"],
    }
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=titles,
        messages=(arabic.format_map(shown), english.format_map(shown)),
        link=(LinkType.WALLET, None),
    )


def _mail_withdrawal(event: Event, use: Dependencies, name: MailName, *facts_shown: str) -> None:
    facts = use.queries.messaging.withdrawal_facts(UUID(event["withdrawal_id"]))
    mail(
        use,
        name,
        facts,
        about=f"{name.replace('_', '-')}-{event['withdrawal_id']}",
        shown={
            "withdrawal_number": facts["withdrawal_number"],
            "amount": Money.of(facts["amount_minor"], facts["currency"]),
            **{fact: facts[fact] for fact in facts_shown},
        },
    )


def draw_requested_statement(event: Event, use: Dependencies) -> None:
    """Draw a statement of account that was asked for."""
    draw_statement(
        UUID(event["statement_id"]),
        statements=use.statements,
        renderer=use.renderer,
        storage=use.storage,
        clock=use.clock,
    )
