"""What staff read of the audit log and of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from application.queries import After, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """Which rows; `since` is included, `until` is not. None asks for nothing."""

    user_id: UUID | None = None
    module: str | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: str | None = None
    request_id: str | None = None

    def asked(self) -> dict[str, Any]:
        """The filters that are set."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


class OperationsQueries(Protocol):
    """The record of what staff did, and the rows of settings."""

    def audit_logs(self, search: AuditSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        """Newest first, in the guide's columns."""
        ...

    def audit_log(self, log_id: UUID) -> Row | None: ...

    def settings(self) -> Mapping[str, Row]:
        """By key, for those that were ever changed: id, setting_value (None: the default), version, by whom, when."""
        ...

    def dead_letters(self, handler: str | None, *, limit: int, after: After | None) -> Sequence[Row]:
        """Events that were given up, the latest first: id, name, payload, occurred_at, dead_at, and `deliveries`:
        handler, attempts, reason and dead_at of each that is dead.
        """
        ...
