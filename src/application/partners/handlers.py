"""Telling vendors and agents what became of their profiles, and that where their money goes has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import mail, notify
from domain.messaging.notifications import LinkType, NotificationType
from domain.shared.clock import BUSINESS_ZONE

Event = Mapping[str, Any]

_WORDS: Final[Mapping[MailName, tuple[tuple[str, str], tuple[str, str]]]] = {
    MailName.PARTNER_APPROVED: (
        ("تم اعتماد ملفك", "Your profile is approved"),
        (
            "اعتمدنا {company}. تصل أرباحك مع المدفوعات القادمة.",
            "{company} is approved. Earnings come with the payouts.",
        ),
    ),
    MailName.PARTNER_REFUSED: (
        ("ملفك يحتاج إلى تعديل", "Your profile needs a change"),
        ("لم نعتمد {company} بعد. السبب: {reason}", "{company} is not approved yet. The reason: {reason}"),
    ),
    MailName.PARTNER_SUSPENDED: (
        ("تم إيقاف ملفك", "Your profile is suspended"),
        (
            "أوقفنا {company}: لا مبيعات جديدة ولا مدفوعات، والحجوزات القائمة سارية. السبب: {reason}",
            "{company} sells nothing new and is paid nothing; bookings that were made stand. The reason: {reason}",
        ),
    ),
    MailName.PARTNER_REINSTATED: (
        ("ملفك يعمل من جديد", "Your profile is active again"),
        ("عاد {company} إلى البيع وتلقي المدفوعات.", "{company} sells and is paid again."),
    ),
    MailName.PAYOUT_DETAILS_CHANGED: (
        ("تغيرت وجهة أموالك", "Where your money goes has changed"),
        (
            "تغيرت وجهة مدفوعات {company}، ولا يدفع إليها قبل {usable_from}. إن لم تكن أنت فاتصل بنا فورا.",
            "Payouts of {company} go elsewhere, and none before {usable_from}. If it was not you, tell us at once.",
        ),
    ),
}
"""Titles and messages, each in Arabic and English, under the name of the mail that says the same."""


def notify_partner_approved(event: Event, use: Dependencies) -> None:
    """In the app: staff agreed."""
    _notify(event, use, MailName.PARTNER_APPROVED)


def notify_partner_refused(event: Event, use: Dependencies) -> None:
    """In the app: something has to be changed first."""
    _notify(event, use, MailName.PARTNER_REFUSED)


def notify_partner_suspended(event: Event, use: Dependencies) -> None:
    """In the app: nothing new is sold."""
    _notify(event, use, MailName.PARTNER_SUSPENDED)


def notify_partner_reinstated(event: Event, use: Dependencies) -> None:
    """In the app: all is as before."""
    _notify(event, use, MailName.PARTNER_REINSTATED)


def notify_bank_account_changed(event: Event, use: Dependencies) -> None:
    """In the app: somebody put another bank account on file."""
    _notify(event, use, MailName.PAYOUT_DETAILS_CHANGED)


def notify_payout_method_changed(event: Event, use: Dependencies) -> None:
    """In the app: payouts go another way."""
    _notify(event, use, MailName.PAYOUT_DETAILS_CHANGED)


def mail_partner_approved(event: Event, use: Dependencies) -> None:
    """By mail: staff agreed."""
    _mail(event, use, MailName.PARTNER_APPROVED)


def mail_partner_refused(event: Event, use: Dependencies) -> None:
    """By mail: something has to be changed first."""
    _mail(event, use, MailName.PARTNER_REFUSED)


def mail_partner_suspended(event: Event, use: Dependencies) -> None:
    """By mail: nothing new is sold."""
    _mail(event, use, MailName.PARTNER_SUSPENDED)


def mail_partner_reinstated(event: Event, use: Dependencies) -> None:
    """By mail: all is as before."""
    _mail(event, use, MailName.PARTNER_REINSTATED)


def mail_bank_account_changed(event: Event, use: Dependencies) -> None:
    """By mail: another bank account is on file, so that whoever did not ask for it notices in time."""
    _mail(event, use, MailName.PAYOUT_DETAILS_CHANGED)


def mail_payout_method_changed(event: Event, use: Dependencies) -> None:
    """By mail: payouts go another way, so that whoever did not ask for it notices in time."""
    _mail(event, use, MailName.PAYOUT_DETAILS_CHANGED)


def _notify(event: Event, use: Dependencies, name: MailName) -> None:
    facts = use.queries.partners.facts(UUID(event["partner_id"]))
    titles, (arabic, english) = _WORDS[name]
    shown = _shown(facts, event)
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=titles,
        messages=(arabic.format_map(shown), english.format_map(shown)),
        link=(LinkType.NONE, None),
    )


def _mail(event: Event, use: Dependencies, name: MailName) -> None:
    facts = use.queries.partners.facts(UUID(event["partner_id"]))
    # The same for every delivery of one event; the next suspension is another occasion.
    occasion = "".join(filter(str.isdigit, event.get("decided_at") or event["usable_from"]))
    about = f"{name.replace('_', '-')}-{event['partner_id']}-{occasion}"
    mail(use, name, facts, about=about, shown=_shown(facts, event))


def _shown(facts: Mapping[str, Any], event: Event) -> dict[str, object]:
    """The company, why, and from when, whatever the words need of it."""
    shown: dict[str, object] = {
        "company": facts["company_name"],
        "reason": facts["suspension_reason"] or facts["refusal_reason"] or "-",
    }
    if "usable_from" in event:
        usable_from = datetime.fromisoformat(event["usable_from"]).astimezone(BUSINESS_ZONE)
        shown["usable_from"] = f"{usable_from:%Y-%m-%d %H:%M}"
    return shown
