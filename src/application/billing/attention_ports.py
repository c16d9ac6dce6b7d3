"""What the attention queue is read from, and what its actions change beside money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from application.billing.inbox import OpenAttempt, StoredWebhook
from domain.shared.errors import NotFound

if TYPE_CHECKING:
    from application.queries import After, Row

UNKNOWN_IS_OLD_AFTER: Final = timedelta(minutes=5)
STUCK_AFTER: Final = timedelta(minutes=30)
UNFULFILLED_AFTER: Final = timedelta(minutes=30)
UNFULFILLED_WITHIN: Final = timedelta(days=90)
"""What was paid longer ago is not looked through for its invoice at every reading of the queue."""


class AttemptNotFound(NotFound):
    """There is no such attempt."""

    code = "attempt_not_found"


class WebhookNotFound(NotFound):
    """There is no such webhook."""

    code = "webhook_not_found"


class AttentionKind(StrEnum):
    """What a row of the queue is; with the row's id it names the row."""

    SUSPENSE = "SUSPENSE"
    """An item of money in suspense; its id is its receipt's."""
    ATTEMPT = "ATTEMPT"
    WEBHOOK = "WEBHOOK"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"


REASONS: Final = (
    "SUSPENSE_SHORT",
    "SUSPENSE_OVER",
    "SUSPENSE_CURRENCY",
    "SUSPENSE_TWICE",
    "SUSPENSE_LATE",
    "SUSPENSE_MODE",
    "SUSPENSE_INCOMPLETE",
    "OUTCOME_UNKNOWN",
    "UNKNOWN_REFERENCE",
    "REFUND_UNVERIFIED",
    "WEBHOOK_STUCK",
    "UNFULFILLED",
    "REFUND_UNKNOWN",
    "REFUND_FAILED",
    "REFUND_AWAITING_OPERATOR",
    "REFUND_REQUESTED",
    "REFUND_BEYOND",
    "DISPUTE_OPEN",
    "DISPUTE_PARTLY_BOOKED",
)
"""Why a person has to look; these codes never change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionSearch:
    """Which rows, as they stand at an instant."""

    at: datetime
    reason: str | None = None
    provider: str | None = None


class AttentionQueries(Protocol):
    """The queue, newest first, and the whole story of a row."""

    def waiting(self, search: AttentionSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        """kind, id, reason, status, detail, payment_id, payment_number, booking_id, user_id, provider,
        provider_reference, amount, expected, noticed_at."""
        ...

    def one(self, kind: AttentionKind, row_id: UUID) -> Row | None:
        """A row, waiting or not any more."""
        ...

    def story(self, payment_id: UUID | None, webhook_id: UUID | None) -> Row:
        """`attempts`, `receipts`, `webhooks` (without bodies) and `journals` of a payment, or the one webhook."""
        ...


@dataclass(frozen=True, slots=True)
class NamedAttempt:
    """An attempt that staff name, and whose payment it is."""

    attempt: OpenAttempt
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedWebhook:
    """A webhook that staff name, locked."""

    stored: StoredWebhook
    status: str
    error: str | None
    owner: UUID | None
    """Whose payment it was found to speak of."""
    is_dismissed: bool

    @property
    def is_flagged(self) -> bool:
        """Whether it waits for a person, or is on its way; what was dismissed or done is over."""
        return self.status in ("RECEIVED", "FAILED") and not self.is_dismissed


@dataclass(frozen=True, slots=True)
class RawBody:
    """What arrived, as it arrived; empty once its time is over."""

    content_type: str
    content: bytes


class FlaggedRows(Protocol):
    """Attempts and webhooks as staff act on them."""

    def attempt(self, attempt_id: UUID) -> NamedAttempt:
        """Raises AttemptNotFound."""
        ...

    def attempts_of(self, payment_id: UUID, provider: str) -> Sequence[NamedAttempt]:
        """A payment's attempts at a provider, newest first; none where there is no such payment."""
        ...

    def webhook(self, webhook_id: UUID) -> FlaggedWebhook:
        """The webhook, locked. Raises WebhookNotFound."""
        ...

    def reopen(self, webhook_id: UUID) -> None:
        """It waits to be looked into, as when it came."""
        ...

    def dismiss(self, webhook_id: UUID, *, by: UUID, reason: str, at: datetime) -> None:
        """Nobody needs to look at it any more; nor does a machine."""
        ...

    def assign(self, webhook_id: UUID, payment_id: UUID, *, at: datetime) -> None:
        """It spoke of this payment, and has been looked into."""
        ...

    def body(self, webhook_id: UUID) -> RawBody:
        """Raises WebhookNotFound."""
        ...
