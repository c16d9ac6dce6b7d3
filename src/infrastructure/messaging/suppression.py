"""Sparing addresses at which nobody can be reached: to go on writing to them costs the sender's good name."""

from __future__ import annotations

from typing import Final

import structlog

from application.messaging.ports import EmailMessage, EmailSender, RecipientRefused
from domain.shared.clock import Clock
from infrastructure.clock import new_id
from infrastructure.database.transaction import Database

_IS_SUPPRESSED: Final = "SELECT 1 FROM suppressed_addresses WHERE address = %s"
_SUPPRESS: Final = """
INSERT INTO suppressed_addresses (id, address, reason, suppressed_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

log = structlog.get_logger(__name__)


class SparingEmailSender:
    """EmailSender before another one: an address that was refused once is refused here, until staff lift that."""

    def __init__(self, sender: EmailSender, database: Database, clock: Clock) -> None:
        self._sender = sender
        self._database = database
        self._clock = clock

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail; raises what the other sender does, and RecipientRefused for a dead address."""
        if self._database.row(_IS_SUPPRESSED, (message.to,)) is not None:
            raise RecipientRefused(reason="suppressed")
        try:
            self._sender.send(message)
        except RecipientRefused as refused:
            self._suppress(message.to, refused)
            raise

    def _suppress(self, address: str, refused: RecipientRefused) -> None:
        reason = f"{refused.code} {refused.facts.get('status', '')}".strip()
        with self._database.transaction() as transaction:
            transaction.execute(_SUPPRESS, (new_id(), address, reason, self._clock.now()))
            transaction.commit()
        log.warning("address_suppressed", reason=reason)
