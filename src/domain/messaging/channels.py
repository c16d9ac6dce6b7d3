"""By which ways people are told, and of what kinds of things: what readers switch on and off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.messaging.notifications import NotificationType


class Channel(StrEnum):
    """Ways beside the app itself, where everything is shown."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


DISTURBING: Final = frozenset({Channel.SMS, Channel.PUSH})
"""They make a sound: held back during quiet hours."""


class MessageKind(StrEnum):
    """What a message is about, as readers choose by it."""

    BOOKING_CONFIRMED = "BOOKING_CONFIRMED"
    BOOKING_CANCELLED = "BOOKING_CANCELLED"
    BOOKING_CHANGED = "BOOKING_CHANGED"
    """Requested, priced anew, moved, amended, expired."""
    PAYMENT_REMINDER = "PAYMENT_REMINDER"
    PAYMENT_SUCCESS = "PAYMENT_SUCCESS"
    REFUND = "REFUND"
    """Money on its way back, and money that came too late."""
    WALLET = "WALLET"
    """Withdrawals, adjustments, payouts: money of one's own that moves."""
    CASHBACK = "CASHBACK"
    CASHBACK_CREDITED = "CASHBACK_CREDITED"
    POINTS_EARNED = "POINTS_EARNED"
    POINTS = "POINTS"
    """Points that end or have ended."""
    OFFER_AVAILABLE = "OFFER_AVAILABLE"
    WAITING_LIST = "WAITING_LIST"
    MEMBERSHIP_UPGRADE = "MEMBERSHIP_UPGRADE"
    SYSTEM = "SYSTEM"
    """Everything else, such as what staff decided about a vendor's package."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a kind goes out unless its reader says otherwise; `fixed` ways cannot be switched off."""

    shown_as: NotificationType
    usual: frozenset[Channel]
    fixed: frozenset[Channel] = frozenset()


def _ways(shown_as: NotificationType, *usual: Channel, is_money: bool = False) -> Ways:
    """Mails about money cannot be switched off: they are what a customer later shows to a bank."""
    return Ways(shown_as, frozenset(usual), frozenset({Channel.EMAIL}) if is_money else frozenset())


_EMAIL, _SMS, _PUSH, _SYSTEM = Channel.EMAIL, Channel.SMS, Channel.PUSH, NotificationType.SYSTEM

KINDS: Final[Mapping[MessageKind, Ways]] = {
    MessageKind.BOOKING_CONFIRMED: _ways(NotificationType.BOOKING_CONFIRMED, _EMAIL, _SMS, _PUSH),
    MessageKind.BOOKING_CANCELLED: _ways(_SYSTEM, _EMAIL, _SMS, _PUSH, is_money=True),
    MessageKind.BOOKING_CHANGED: _ways(_SYSTEM, _EMAIL, _PUSH),
    MessageKind.PAYMENT_REMINDER: _ways(_SYSTEM, _EMAIL, _SMS, _PUSH, is_money=True),
    MessageKind.PAYMENT_SUCCESS: _ways(NotificationType.PAYMENT_SUCCESS, _EMAIL, _PUSH, is_money=True),
    MessageKind.REFUND: _ways(_SYSTEM, _EMAIL, _PUSH, is_money=True),
    MessageKind.WALLET: _ways(_SYSTEM, _EMAIL, _PUSH, is_money=True),
    MessageKind.CASHBACK: _ways(_SYSTEM, _EMAIL, _PUSH, is_money=True),
    MessageKind.CASHBACK_CREDITED: _ways(NotificationType.CASHBACK_CREDITED, _EMAIL, _PUSH, is_money=True),
    MessageKind.POINTS_EARNED: _ways(NotificationType.POINTS_EARNED, _PUSH),
    MessageKind.POINTS: _ways(_SYSTEM, _EMAIL, _PUSH),
    MessageKind.OFFER_AVAILABLE: _ways(NotificationType.OFFER_AVAILABLE, _EMAIL, _PUSH),
    MessageKind.WAITING_LIST: _ways(_SYSTEM, _EMAIL, _PUSH),
    MessageKind.MEMBERSHIP_UPGRADE: _ways(NotificationType.MEMBERSHIP_UPGRADE, _EMAIL, _PUSH),
    MessageKind.SYSTEM: _ways(_SYSTEM, _EMAIL, _PUSH),
}
