"""What people are told of money of their own: withdrawals, adjustments, and what was put into the wallet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import WALLET, Event, Mail, Message, Words
from application.messaging.tellings.saying import amount
from application.queries import Row
from domain.ledger.accounts import PAYEE_KINDS, POINTS_UNIT, AccountKind
from domain.messaging.channels import MessageKind
from domain.shared.money import Money


def withdrawal_requested(event: Event, use: Dependencies) -> Message:
    """A withdrawal was asked for: by mail too, so that somebody else's request is noticed."""
    facts, said = _withdrawal(event, use)
    return _told(
        facts,
        titles=("استلمنا طلب السحب", "We received your withdrawal"),
        texts=(
            f"طلب سحب {said} قيد المراجعة، والمبلغ محجوز في محفظتك.",
            f"{said} is set aside in your wallet until we have looked at it.",
        ),
        mail=_mail(MailName.WITHDRAWAL_REQUESTED, facts),
    )


def withdrawal_approved(event: Event, use: Dependencies) -> Message:
    """A withdrawal is on its way."""
    facts, said = _withdrawal(event, use)
    return _told(
        facts,
        titles=("تمت الموافقة على السحب", "Your withdrawal is approved"),
        texts=(f"{said} في الطريق إلى حسابك البنكي.", f"{said} is on its way to your bank."),
    )


def withdrawal_rejected(event: Event, use: Dependencies) -> Message:
    """A withdrawal was refused."""
    facts, said = _withdrawal(event, use)
    return _told(
        facts,
        titles=("لم تتم الموافقة على السحب", "Your withdrawal was not approved"),
        texts=(
            f"{said} متاح من جديد في محفظتك. السبب: {facts['reason']}",
            f"{said} is available in your wallet again. The reason: {facts['reason']}",
        ),
        mail=_mail(MailName.WITHDRAWAL_REJECTED, facts, "reason"),
    )


def withdrawal_paid(event: Event, use: Dependencies) -> Message:
    """A withdrawal was paid."""
    facts, said = _withdrawal(event, use)
    return _told(
        facts,
        titles=("تم تحويل السحب", "Your withdrawal was paid"),
        texts=(f"حول البنك {said} إلى حسابك.", f"The bank sent {said} to your account."),
        mail=_mail(MailName.WITHDRAWAL_PAID, facts, "bank_reference"),
    )


def withdrawal_returned(event: Event, use: Dependencies) -> Message:
    """A withdrawal came back."""
    facts, said = _withdrawal(event, use)
    return _told(
        facts,
        titles=("أعاد البنك السحب", "The bank returned your withdrawal"),
        texts=(
            f"عاد {said} إلى محفظتك. السبب: {facts['reason']}",
            f"{said} is back in your wallet. The reason: {facts['reason']}",
        ),
        mail=_mail(MailName.WITHDRAWAL_RETURNED, facts, "reason"),
    )


def adjusted(event: Event, use: Dependencies) -> Message:
    """Staff gave or took something."""
    facts = use.queries.messaging.adjustment_facts(UUID(event["adjustment_id"]))
    number, minor = facts["adjustment_number"], facts["amount_minor"]
    arabic, english = _much(facts, abs(minor))
    verbs = ("أضيف", "Added") if minor > 0 else ("خصم", "Taken")
    return _told(
        facts,
        titles=("تسوية على حسابك", "Your account was adjusted"),
        texts=(f"{verbs[0]} {arabic} ({number}).", f"{verbs[1]}: {english} ({number})."),
    )


def _much(facts: Row, minor: int) -> Words:
    if facts["currency"] == POINTS_UNIT:
        return f"{minor} نقطة", f"{minor} points"
    money = Money.of(minor, facts["currency"])
    if facts["account_kind"] == AccountKind.VOUCHER_CREDIT:
        return f"{money} (رصيد قسائم)", f"{money} of voucher credit"
    if facts["account_kind"] in PAYEE_KINDS:
        return f"{money} (مستحقاتك)", f"{money} of what is owed to you"
    return str(money), str(money)


def credited_from_suspense(event: Event, use: Dependencies) -> Message:
    """Money that nothing could be done with is in the wallet."""
    facts = use.queries.messaging.payment_facts(UUID(event["payment_id"]))
    credited = amount(event, "amount")
    return _told(
        facts,
        titles=("أضيف مبلغ إلى محفظتك", "Money was put into your wallet"),
        texts=(
            f"أضفنا {credited} مما وصل للدفعة {facts['payment_number']} إلى محفظتك.",
            f"We put {credited} of what came for payment {facts['payment_number']} into your wallet.",
        ),
    )


def _withdrawal(event: Event, use: Dependencies) -> tuple[Row, str]:
    """Its facts, and how it is called in both languages."""
    facts = use.queries.messaging.withdrawal_facts(UUID(event["withdrawal_id"]))
    return facts, f"{amount(facts, 'amount')} ({facts['withdrawal_number']})"


def _told(facts: Mapping[str, Any], *, titles: Words, texts: Words, mail: Mail | None = None) -> Message:
    return Message(
        user_id=facts["user_id"], kind=MessageKind.WALLET, titles=titles, texts=texts, link=WALLET, mail=mail
    )


def _mail(name: MailName, facts: Row, *facts_shown: str) -> Mail:
    shown = {"withdrawal_number": facts["withdrawal_number"], "amount": amount(facts, "amount")}
    return Mail(name, {**shown, **{fact: facts[fact] for fact in facts_shown}})
