"""The system's clock and source of ids."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


class SystemClock:
    """Aware UTC instants from the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562)."""
    return uuid7()
