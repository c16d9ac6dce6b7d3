"""What customers are told of offers that are theirs."""

from __future__ import annotations

from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.telling import Event, Message
from domain.messaging.channels import MessageKind


def voucher_assigned(event: Event, use: Dependencies) -> Message | None:
    """A voucher is theirs; nothing where it cannot be used any more."""
    facts = use.queries.messaging.voucher_facts(UUID(event["voucher_id"]))
    if not facts["is_usable"]:
        return None
    last_day = facts["last_day"]
    until_ar, until_en = (f" حتى {last_day}", f" until {last_day}") if last_day else ("", "")
    return Message(
        user_id=UUID(event["user_id"]),
        kind=MessageKind.OFFER_AVAILABLE,
        titles=("قسيمة لك", "A voucher for you"),
        texts=(
            f"استخدم القسيمة {facts['voucher_code']} في حجزك القادم{until_ar}.",
            f"Use voucher {facts['voucher_code']} on your next booking{until_en}.",
        ),
    )
