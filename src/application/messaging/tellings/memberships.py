"""What members are told of their membership."""

from __future__ import annotations

from uuid import UUID

from application.dependencies import Dependencies
from application.messaging.ports import MailName
from application.messaging.telling import Event, Mail, Message
from application.messaging.tellings.saying import in_language
from domain.membership.memberships import SubscriptionStatus
from domain.messaging.channels import MessageKind


def activated(event: Event, use: Dependencies) -> Message | None:
    """The membership is paid and runs; nothing where it is refunded or over by now."""
    facts = use.queries.messaging.membership_facts(UUID(event["subscription_id"]))
    if facts["status"] != SubscriptionStatus.ACTIVE:
        return None
    return Message(
        user_id=facts["user_id"],
        kind=MessageKind.MEMBERSHIP_UPGRADE,
        titles=("مرحبا بك في عضويتك الجديدة", "Welcome to your new membership"),
        texts=(
            f"عضوية {facts['tier_ar']} سارية حتى {facts['expiry_date']}.",
            f"Your {facts['tier_en']} membership is valid until {facts['expiry_date']}.",
        ),
        mail=Mail(
            MailName.MEMBERSHIP_ACTIVE,
            {
                "tier_name": in_language(facts, "tier"),
                "membership_number": facts["membership_number"],
                "valid_until": facts["expiry_date"],
            },
        ),
    )
