"""What a person agreed to be sent, channel by channel; every word of it is kept, none is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

WORDING: Final = "2026-11"
"""The version of the text that people agree to; a new text gets a new one."""


class ConsentChannel(StrEnum):
    """How somebody may be written to."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"
    WHATSAPP = "WHATSAPP"


class ConsentPurpose(StrEnum):
    """What for; messages about one's own bookings and payments need no consent."""

    MARKETING = "MARKETING"


class ConsentSource(StrEnum):
    """Where the person said so."""

    REGISTRATION = "REGISTRATION"
    PREFERENCES = "PREFERENCES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One word of a person about one channel; the newest holds. Where there is none, nothing was agreed to."""

    id: UUID
    user_id: UUID
    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: bool
    source: ConsentSource
    wording: str
    given_at: datetime

    @classmethod
    def by_email(cls, *, consent_id: UUID, user_id: UUID, at: datetime) -> Consent:
        """What somebody ticked when they registered; the box is never ticked for them."""
        return cls(
            id=consent_id,
            user_id=user_id,
            channel=ConsentChannel.EMAIL,
            purpose=ConsentPurpose.MARKETING,
            granted=True,
            source=ConsentSource.REGISTRATION,
            wording=WORDING,
            given_at=at,
        )
