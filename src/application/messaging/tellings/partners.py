"""What vendors and agents are told of their profiles, and of changes of where their money goes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import Event, Mail, Message, Words
from application.messaging.tellings.saying import on_the_wall
from application.queries import Row
from domain.messaging.channels import MessageKind


def approved(event: Event, use: Dependencies) -> Message:
    """Staff agreed."""
    facts = _facts(event, use)
    company = facts["company_name"]
    return _told(
        facts,
        titles=("تم اعتماد ملفك", "Your profile is approved"),
        texts=(
            f"اعتمدنا {company}. تصل أرباحك مع المدفوعات القادمة.",
            f"{company} is approved. Earnings come with the payouts.",
        ),
        mail=Mail(MailName.PARTNER_APPROVED, {"company": company}),
    )


def refused(event: Event, use: Dependencies) -> Message:
    """Something has to be changed first."""
    facts = _facts(event, use)
    company, reason = facts["company_name"], _reason(facts)
    return _told(
        facts,
        titles=("ملفك يحتاج إلى تعديل", "Your profile needs a change"),
        texts=(
            f"لم نعتمد {company} بعد. السبب: {reason}",
            f"{company} is not approved yet. The reason: {reason}",
        ),
        mail=Mail(MailName.PARTNER_REFUSED, {"company": company, "reason": reason}),
    )


def suspended(event: Event, use: Dependencies) -> Message:
    """Nothing new is sold."""
    facts = _facts(event, use)
    company, reason = facts["company_name"], _reason(facts)
    return _told(
        facts,
        titles=("تم إيقاف ملفك", "Your profile is suspended"),
        texts=(
            f"أوقفنا {company}: لا مبيعات جديدة ولا مدفوعات، والحجوزات القائمة سارية. السبب: {reason}",
            f"{company} sells nothing new and is paid nothing; bookings that were made stand. The reason: {reason}",
        ),
        mail=Mail(MailName.PARTNER_SUSPENDED, {"company": company, "reason": reason}),
    )


def reinstated(event: Event, use: Dependencies) -> Message:
    """All is as before."""
    facts = _facts(event, use)
    company = facts["company_name"]
    return _told(
        facts,
        titles=("ملفك يعمل من جديد", "Your profile is active again"),
        texts=(f"عاد {company} إلى البيع وتلقي المدفوعات.", f"{company} sells and is paid again."),
        mail=Mail(MailName.PARTNER_REINSTATED, {"company": company}),
    )


def bank_account_changed(event: Event, use: Dependencies) -> Message:
    """Another bank account is on file."""
    return _goes_elsewhere(event, use)


def payout_method_changed(event: Event, use: Dependencies) -> Message:
    """Payouts go another way."""
    return _goes_elsewhere(event, use)


def _goes_elsewhere(event: Event, use: Dependencies) -> Message:
    """By mail always, so that whoever did not ask for it notices in time."""
    facts = _facts(event, use)
    company, usable_from = facts["company_name"], on_the_wall(datetime.fromisoformat(event["usable_from"]))
    return _told(
        facts,
        titles=("تغيرت وجهة أموالك", "Where your money goes has changed"),
        texts=(
            f"تغيرت وجهة مدفوعات {company}، ولا يدفع إليها قبل {usable_from}. إن لم تكن أنت فاتصل بنا فورا.",
            f"Payouts of {company} go elsewhere, and none before {usable_from}. If it was not you, tell us at once.",
        ),
        mail=Mail(MailName.PAYOUT_DETAILS_CHANGED, {"company": company, "usable_from": usable_from}),
        kind=MessageKind.WALLET,
    )


def _facts(event: Event, use: Dependencies) -> Row:
    return use.queries.partners.facts(UUID(event["partner_id"]))


def _reason(facts: Row) -> str:
    return facts["suspension_reason"] or facts["refusal_reason"] or "-"


def _told(facts: Row, *, titles: Words, texts: Words, mail: Mail, kind: MessageKind = MessageKind.SYSTEM) -> Message:
    return Message(user_id=facts["user_id"], kind=kind, titles=titles, texts=texts, mail=mail)
