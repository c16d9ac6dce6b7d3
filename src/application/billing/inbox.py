"""The inbox of verified webhooks, and the attempts that they speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.billing.ports import ProviderIdentity, WebhookNotice


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A verified webhook as it waits to be looked into."""

    id: UUID
    provider: str
    provider_reference: str
    provider_key: str
    merchant_reference: str
    reference_number: str
    received_at: datetime
    charge_reference: str = ""
    is_about_refund: bool = False

    @property
    def identity(self) -> ProviderIdentity:
        return ProviderIdentity(self.provider_reference, self.provider_key, self.charge_reference)


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt as the reconciler and webhooks find it."""

    attempt_id: UUID
    payment_id: UUID
    provider: str
    merchant_reference: str
    provider_reference: str
    """Empty where the provider's answer to our create call was lost."""
    provider_key: str
    charge_reference: str = ""

    @property
    def identity(self) -> ProviderIdentity:
        return ProviderIdentity(self.provider_reference, self.provider_key, self.charge_reference)


class WebhookInbox(Protocol):
    """Verified webhooks, one row per event of a provider."""

    def store(
        self,
        notice: WebhookNotice,
        *,
        webhook_id: UUID,
        provider: str,
        body: bytes,
        content_type: str,
        address: str,
        at: datetime,
    ) -> Callable[[], bool]:
        """Keep a new event and publish WebhookReceived of it; what is answered says, after the commit, if it was new.

        A known event that was looked into before its money was there is opened again, and counts as new:
        whoever sends a forged notice first must not silence the genuine one.
        """
        ...

    def get(self, webhook_id: UUID) -> StoredWebhook | None:
        """The webhook while it still waits to be looked into."""
        ...

    def attempt_of(self, webhook: StoredWebhook) -> OpenAttempt | None:
        """Our attempt that it speaks of: by the provider's reference, else ours, else the cash code."""
        ...

    def finish(self, webhook_id: UUID, *, payment_id: UUID | None, error: str | None, at: datetime) -> None: ...
