"""What happens when events of the catalogue arrive: vendors are told what staff decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import notify
from domain.catalogue.items import Item, ItemKind
from domain.messaging.notifications import LinkType, NotificationType

Event = Mapping[str, Any]


def notify_item_approved(event: Event, use: Dependencies) -> None:
    """In the app: what the vendor wants to sell is on sale."""
    item = _item(event)
    facts = use.queries.messaging.item_facts(item)
    words = _WORDS[item.kind]
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=words.approved,
        messages=(
            f"{words.name_ar} {_apart(facts['name_ar'])} {words.on_sale_ar}.",
            f"{_apart(facts['name_en'])} is on sale.",
        ),
        link=(LinkType(item.kind), item.id),
    )


def notify_item_rejected(event: Event, use: Dependencies) -> None:
    """In the app: it is not on sale, and why; a vendor who asked again meanwhile is not told why."""
    item = _item(event)
    facts = use.queries.messaging.item_facts(item)
    words, reason = _WORDS[item.kind], facts["approval_reason"]
    because_ar, because_en = (f" السبب: {_apart(reason)}", f" The reason: {_apart(reason)}") if reason else ("", "")
    notify(
        use,
        facts["user_id"],
        NotificationType.SYSTEM,
        titles=words.rejected,
        messages=(
            f"{words.name_ar} {_apart(facts['name_ar'] or facts['name_en'])} غير {words.on_sale_ar}.{because_ar}",
            f"{_apart(facts['name_en'] or facts['name_ar'])} is not on sale.{because_en}",
        ),
        link=(LinkType(item.kind), item.id),
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """What a kind is called; Arabic has a gender for it."""

    approved: tuple[str, str]
    rejected: tuple[str, str]
    name_ar: str
    on_sale_ar: str


_WORDS: Final = {
    ItemKind.PACKAGE: _Words(
        approved=("تم اعتماد باقتك", "Your package is approved"),
        rejected=("لم يتم اعتماد باقتك", "Your package was not approved"),
        name_ar="باقة",
        on_sale_ar="معروضة للبيع",
    ),
    ItemKind.ACTIVITY: _Words(
        approved=("تم اعتماد نشاطك", "Your activity is approved"),
        rejected=("لم يتم اعتماد نشاطك", "Your activity was not approved"),
        name_ar="نشاط",
        on_sale_ar="معروض للبيع",
    ),
}


def _item(event: Event) -> Item:
    return Item(ItemKind(event["item_kind"]), UUID(event["item_id"]))


def _apart(text: str) -> str:
    """Text of either direction, kept from turning the sentence around it (Unicode FSI and PDI, UAX 9)."""
    return f"\u2068{text}\u2069"
