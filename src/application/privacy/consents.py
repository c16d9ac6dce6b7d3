"""Saying what one agrees to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.ports import UnitOfWork
from domain.privacy.consents import WORDING, Consent, ConsentChannel, ConsentPurpose, ConsentSource
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """One word about one channel; `granted` False takes back what was given."""

    user_id: UUID
    channel: ConsentChannel
    granted: bool
    source: ConsentSource = ConsentSource.PREFERENCES


def give_consent(command: GiveConsent, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Keep the person's word; saying the same again is kept, too."""
    with uow:
        uow.privacy.add_consent(
            Consent(
                id=new_id(),
                user_id=command.user_id,
                channel=command.channel,
                purpose=ConsentPurpose.MARKETING,
                granted=command.granted,
                source=command.source,
                wording=WORDING,
                given_at=clock.now(),
            )
        )
        uow.commit()
