"""Writing events to the outbox, in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache

from psycopg.types.json import Jsonb

from domain.shared.events import DomainEvent
from domain.shared.identifiers import NewId
from infrastructure.database.transaction import Statements

_ADD = """
INSERT INTO outbox_events (id, name, version, payload, occurred_at) VALUES (%s, %s, %s, %s, %s)
"""


def write_events(events: Sequence[DomainEvent], statements: Statements, new_id: NewId) -> None:
    """Add events to the outbox, in the order they happened."""
    for event in events:
        statements.execute(_ADD, (new_id(), event.name, event.version, _payload(event), event.at))


def _payload(event: DomainEvent) -> Jsonb:
    """The event's own fields as JSON; its time has a column of its own."""
    return Jsonb({name: getattr(event, name) for name in _own_fields(type(event))})  # type: ignore[arg-type]


@cache
def _own_fields(event: type[DomainEvent]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(event) if field.name != "at")
