"""What happened to vendors and agents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerApplied(DomainEvent):
    """Somebody made a profile, or changed one that was refused: it waits for staff."""

    name: ClassVar[str] = "partners.partner_applied"
    partner_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerApproved(DomainEvent):
    name: ClassVar[str] = "partners.partner_approved"
    partner_id: UUID
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRefused(DomainEvent):
    name: ClassVar[str] = "partners.partner_refused"
    partner_id: UUID
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSuspended(DomainEvent):
    name: ClassVar[str] = "partners.partner_suspended"
    partner_id: UUID
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerReinstated(DomainEvent):
    name: ClassVar[str] = "partners.partner_reinstated"
    partner_id: UUID
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccountChanged(DomainEvent):
    """Another account is on file; nothing is paid to it before `usable_from`."""

    name: ClassVar[str] = "partners.bank_account_changed"
    partner_id: UUID
    bank_account_id: UUID
    usable_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutMethodChanged(DomainEvent):
    """Payouts go another way; none goes before `usable_from`."""

    name: ClassVar[str] = "partners.payout_method_changed"
    partner_id: UUID
    payout_method: str
    usable_from: datetime
