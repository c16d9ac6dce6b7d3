"""What vendors are told of their packages."""

from __future__ import annotations

from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import Event, Link, Message
from application.messaging.tellings.saying import apart
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType


def approved(event: Event, use: Dependencies) -> Message:
    """The package is on sale."""
    facts = use.queries.messaging.package_facts(UUID(event["package_id"]))
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.SYSTEM,
        titles=("تم اعتماد باقتك", "Your package is approved"),
        texts=(f"باقة {apart(facts['name_ar'])} معروضة للبيع.", f"{apart(facts['name_en'])} is on sale."),
        link=_link(event),
    )


def rejected(event: Event, use: Dependencies) -> Message:
    """The package is not on sale, and why; a vendor who asked again meanwhile is not told why."""
    facts = use.queries.messaging.package_facts(UUID(event["package_id"]))
    reason = facts["approval_reason"]
    because_ar, because_en = (f" السبب: {apart(reason)}", f" The reason: {apart(reason)}") if reason else ("", "")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.SYSTEM,
        titles=("لم يتم اعتماد باقتك", "Your package was not approved"),
        texts=(
            f"باقة {apart(facts['name_ar'] or facts['name_en'])} غير معروضة للبيع.{because_ar}",
            f"{apart(facts['name_en'] or facts['name_ar'])} is not on sale.{because_en}",
        ),
        link=_link(event),
    )


def _link(event: Event) -> Link:
    return LinkType.PACKAGE, UUID(event["package_id"])
