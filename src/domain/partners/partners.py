"""A vendor or an agent, and how it is paid."""

from __future__ import annotations

from enum import StrEnum


class PartnerStatus(StrEnum):
    """The guide's states of an agent, for vendors too."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    """Sells nothing new and is paid nothing; what was earned waits."""


class PayoutMethod(StrEnum):
    """Where payouts go."""

    BANK_TRANSFER = "BANK_TRANSFER"
    WALLET = "WALLET"
    STRIPE = "STRIPE"
