"""What happens when events of the catalogue arrive: vendors are told what staff decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import notify
from domain.messaging.notifications import LinkType, NotificationType

Event = Mapping[str, Any]


def notify_package_approved(event: Event, use: Dependencies) -> None:
    """In the app: the vendor's package is on sale."""
    facts = use.queries.messaging.package_facts(UUID(event["package_id"]))
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("تم اعتماد باقتك", "Your package is approved"),
        messages=(
            f"باقة {_apart(facts['name_ar'])} معروضة للبيع.",
            f"{_apart(facts['name_en'])} is on sale.",
        ),
        link=(LinkType.PACKAGE, UUID(event["package_id"])),
    )


def notify_package_rejected(event: Event, use: Dependencies) -> None:
    """In the app: the vendor's package is not on sale, and why; one who asked again meanwhile is not told why."""
    facts = use.queries.messaging.package_facts(UUID(event["package_id"]))
    reason = facts["approval_reason"]
    because_ar, because_en = (f" السبب: {_apart(reason)}", f" The reason: {_apart(reason)}") if reason else ("", "")
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=("لم يتم اعتماد باقتك", "Your package was not approved"),
        messages=(
            f"باقة {_apart(facts['name_ar'] or facts['name_en'])} غير معروضة للبيع.{because_ar}",
            f"{_apart(facts['name_en'] or facts['name_ar'])} is not on sale.{because_en}",
        ),
        link=(LinkType.PACKAGE, UUID(event["package_id"])),
    )


def _apart(text: str) -> str:
    """Text of either direction, kept from turning the sentence around it (Unicode FSI and PDI, UAX 9)."""
    return f"\u2068{text}\u2069"
