"""In-app notifications, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class NotificationType(StrEnum):
    """The guide's kinds."""

    BOOKING_CONFIRMED = "BOOKING_CONFIRMED"
    PAYMENT_SUCCESS = "PAYMENT_SUCCESS"
    CASHBACK_CREDITED = "CASHBACK_CREDITED"
    POINTS_EARNED = "POINTS_EARNED"
    OFFER_AVAILABLE = "OFFER_AVAILABLE"
    MEMBERSHIP_UPGRADE = "MEMBERSHIP_UPGRADE"
    CHAT_MESSAGE = "CHAT_MESSAGE"
    SYSTEM = "SYSTEM"
    MARKETING = "MARKETING"


class LinkType(StrEnum):
    """Where tapping a notification leads."""

    BOOKING = "BOOKING"
    OFFER = "OFFER"
    WALLET = "WALLET"
    CHAT = "CHAT"
    PACKAGE = "PACKAGE"
    ACTIVITY = "ACTIVITY"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to one person, shown in the reader's language."""

    id: UUID
    user_id: UUID
    notification_type: NotificationType
    title_ar: str
    title_en: str
    message_ar: str
    message_en: str
    link_type: LinkType
    link_id: UUID | None
    created_at: datetime
