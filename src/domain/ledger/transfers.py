"""Transfers between a customer's own wallets, at a rate that the customer saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Entry, transfer
from domain.shared.errors import NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money


class TransferNotFound(NotFound):
    """There is no such transfer, or it is not the viewer's."""

    code = "transfer_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTransferred(DomainEvent):
    name: ClassVar[str] = "ledger.wallet_transferred"
    transfer_id: UUID
    rate_id: UUID
    journal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTransfer:
    """What left the one wallet and what reached the other, and the rate between them: frozen for good."""

    id: UUID
    transfer_number: str
    user_id: UUID
    sent: Money
    received: Money
    rate_id: UUID
    journal_id: UUID
    created_at: datetime

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The legs: each currency sums to zero by itself, against the company's exchange position in it."""
        sent_in, received_in = self.sent.currency.code, self.received.currency.code
        return (
            *transfer(
                accounts.wallet(self.user_id, sent_in), accounts.platform(AccountKind.EXCHANGE, sent_in), self.sent
            ),
            *transfer(
                accounts.platform(AccountKind.EXCHANGE, received_in),
                accounts.wallet(self.user_id, received_in),
                self.received,
            ),
        )
