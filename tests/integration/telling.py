"""Telling of what happened, as workers would: from the outbox into the app, and by every channel."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from application.dependencies import Dependencies
from application.messaging.sending import send_delivery
from application.messaging.told import TOLD
from infrastructure.database.transaction import Database


def tell_of(name: str, database: Database, use: Dependencies, **payload: str) -> list[dict[str, Any]]:
    """Tell of the events of this name whose payload says so; what became of their deliveries."""
    events = database.rows(
        "SELECT id, payload FROM outbox_events WHERE name = %s AND payload @> %s ORDER BY id", (name, Jsonb(payload))
    )
    for event in events:
        TOLD[name].tell({**event["payload"], "event_id": str(event["id"])}, use)
    for delivery in database.rows("SELECT id FROM notification_deliveries WHERE status = 'PENDING' ORDER BY id"):
        send_delivery(delivery["id"], use)
    told = [event["id"] for event in events]
    return database.rows("SELECT * FROM notification_deliveries WHERE event_id = ANY(%s) ORDER BY id", (told,))
