"""What the machinery holds about a person: remembered answers, and the sandbox provider's own books."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.platform import tables

# Asked by the person, of the person, or answered with something of theirs.
_REMEMBERED = """
position($person::text in scope) > 0 OR position(convert_to($person::text, 'UTF8') in body) > 0
OR position(convert_to('"' || $email || '"', 'UTF8') in body) > 0
OR position(convert_to('"' || $phone || '"', 'UTF8') in body) > 0
"""
_CHECKOUTS = """
merchant_reference IN (SELECT a.merchant_reference FROM payment_attempts a JOIN payments p ON p.id = a.payment_id
                       WHERE p.user_id = $person)
"""
_IDS = "ids and plain values; a test holds every event to it"

HOLDINGS = (
    Holding(table=tables.idempotency_keys, belongs=_REMEMBERED, deleted=True),
    Holding(
        table=tables.sandbox_checkouts,
        belongs=_CHECKOUTS,
        erased={"description": "''", "success_url": "''", "cancel_url": "''"},
        plain=because("made by us of ids", "merchant_reference", "webhook_url", "currency", "locale", "outcome"),
    ),
    Holding(table=tables.sandbox_charges, plain=because("a unit", "currency")),
    Holding(table=tables.sandbox_refunds, plain=because("made by us of ids", "merchant_reference", "currency")),
    Holding(table=tables.sandbox_disputes, plain=because("one of three words", "state")),
    Holding(
        table=tables.sandbox_transfers,
        plain=because("made by us of ids", "merchant_reference", "currency")
        | because("an account of a provider that takes no money", "destination"),
    ),
    Holding(table=tables.outbox_events, plain=because(_IDS, "name", "payload")),
    Holding(table=tables.processed_events, plain=because("names of handlers and of errors", "handler", "reason")),
    Holding(table=tables.revisions, plain=because("names of what is counted", "name")),
    Holding(table=tables.scheduled_runs, plain=because("names of jobs and hours", "job", "period")),
)
