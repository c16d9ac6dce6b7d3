"""What vendors are told of their packages and activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import Event, Message, Words
from application.messaging.tellings.saying import apart
from domain.catalogue.items import Item, ItemKind
from domain.messaging.channels import MessageKind
from domain.messaging.notifications import LinkType


def approved(event: Event, use: Dependencies) -> Message:
    """It is on sale."""
    item = _item(event)
    facts, called = use.queries.messaging.item_facts(item), _CALLED[item.kind]
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.SYSTEM,
        titles=called.approved,
        texts=(
            f"{called.name_ar} {apart(facts['name_ar'])} {called.on_sale_ar}.",
            f"{apart(facts['name_en'])} is on sale.",
        ),
        link=(LinkType(item.kind), item.id),
    )


def rejected(event: Event, use: Dependencies) -> Message:
    """It is not on sale, and why; a vendor who asked again meanwhile is not told why."""
    item = _item(event)
    facts, called = use.queries.messaging.item_facts(item), _CALLED[item.kind]
    reason = facts["approval_reason"]
    because_ar, because_en = (f" السبب: {apart(reason)}", f" The reason: {apart(reason)}") if reason else ("", "")
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.SYSTEM,
        titles=called.rejected,
        texts=(
            f"{called.name_ar} {apart(facts['name_ar'] or facts['name_en'])} غير {called.on_sale_ar}.{because_ar}",
            f"{apart(facts['name_en'] or facts['name_ar'])} is not on sale.{because_en}",
        ),
        link=(LinkType(item.kind), item.id),
    )


@dataclass(frozen=True, slots=True)
class _Called:
    """What a kind is called; Arabic has a gender for it."""

    approved: Words
    rejected: Words
    name_ar: str
    on_sale_ar: str


_CALLED: Final = {
    ItemKind.PACKAGE: _Called(
        approved=("تم اعتماد باقتك", "Your package is approved"),
        rejected=("لم يتم اعتماد باقتك", "Your package was not approved"),
        name_ar="باقة",
        on_sale_ar="معروضة للبيع",
    ),
    ItemKind.ACTIVITY: _Called(
        approved=("تم اعتماد نشاطك", "Your activity is approved"),
        rejected=("لم يتم اعتماد نشاطك", "Your activity was not approved"),
        name_ar="نشاط",
        on_sale_ar="معروض للبيع",
    ),
}


def _item(event: Event) -> Item:
    return Item(ItemKind(event["item_kind"]), UUID(event["item_id"]))
