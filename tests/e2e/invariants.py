"""What must hold of a whole system that was left in peace, whatever was done to it (guarantees, fault catalogue)."""

from __future__ import annotations

from fake_providers.fawaterk import FawaterkServer
from infrastructure.database.ledger.verification import verify_ledger
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import PROMISES

# Beside those of the tables alone: what holds once everything under way had its time. Each finds no row.
INVARIANTS = {
    **PROMISES,
    "verified webhooks are done, dead or young": """
        SELECT id FROM payment_webhook_logs
        WHERE status IN ('RECEIVED', 'PROCESSING') AND received_at < now() - interval '120 seconds'""",
    "events are handed on": """
        SELECT id FROM outbox_events
        WHERE published_at IS NULL AND dead_at IS NULL AND occurred_at < now() - interval '120 seconds'""",
    "no event was given up": "SELECT id FROM outbox_events WHERE dead_at IS NOT NULL",
    "no delivery was given up": "SELECT event_id FROM processed_events WHERE dead_at IS NOT NULL",
    "no hold is stale": """
        SELECT booking_id FROM holds WHERE status = 'ACTIVE' AND expires_at < now() - interval '10 minutes'""",
    "a settled payment has one invoice": """
        SELECT p.id FROM payments p LEFT JOIN invoices i ON i.payment_id = p.id
        WHERE p.status = 'PAID' AND p.payment_type <> 'WALLET_DEPOSIT' AND p.paid_at < now() - interval '120 seconds'
        GROUP BY p.id HAVING count(i.id) <> 1""",
    "invoice numbers have no gaps": """
        SELECT s.series FROM document_series s WHERE s.series = 'INV' AND s.last_number <> (
            SELECT count(*) FROM invoices i WHERE i.invoice_number LIKE 'INV-' || s.year || '-%')""",
    "a confirmation is told once": """
        SELECT link_id FROM notifications WHERE notification_type = 'BOOKING_CONFIRMED'
        GROUP BY link_id HAVING count(*) > 1""",
    "points are earned once for each trip that a booking has been": """
        SELECT j.reference_id FROM ledger_journals j LEFT JOIN bookings b ON b.id = j.reference_id
        WHERE j.journal_type = 'EARNED'
        GROUP BY j.reference_id, b.amended_times HAVING count(*) > 1 + coalesce(b.amended_times, 0)""",
    "lots are what was earned": """
        SELECT l.id FROM points_lots l WHERE l.points <> (
            SELECT sum(e.amount_minor) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
            WHERE e.journal_id = l.journal_id AND a.kind = 'POINTS')""",
    "money of the sandbox is in our books": """
        SELECT c.id FROM sandbox_checkouts c
        LEFT JOIN payment_attempts a ON a.provider = 'SANDBOX' AND a.provider_reference = c.id::text
        WHERE coalesce((SELECT sum(g.amount_minor) FROM sandbox_charges g
                        WHERE g.checkout_id = c.id AND g.charged_at < now() - interval '120 seconds'), 0)
            > coalesce((SELECT sum(r.amount_minor) FROM payment_receipts r WHERE r.attempt_id = a.id), 0)""",
}

_OURS = """
SELECT a.provider_reference, sum(r.amount_minor) FROM payment_attempts a JOIN payment_receipts r ON r.attempt_id = a.id
WHERE a.provider = 'FAWATERK' GROUP BY a.provider_reference
"""


def broken(addresses: DatabaseAddresses) -> list[str]:
    """The invariants that do not hold, by name."""
    with connect(addresses.owner) as connection:
        names = [name for name, query in INVARIANTS.items() if connection.execute(query).fetchone() is not None]
    verified = verify_ledger(addresses.owner, lambda _: None)
    return names if verified.fault is None else [*names, verified.fault.reason]


def unlike_books(fawaterk: FawaterkServer, addresses: DatabaseAddresses) -> dict[str, tuple[int, int]]:
    """Where the provider's books and ours differ: by its reference, what it took and what we booked, in piastres."""
    with connect(addresses.owner) as connection:
        ours = {str(reference): int(str(minor)) for reference, minor in connection.execute(_OURS).fetchall()}
    theirs = {
        invoice["invoice_id"]: sum(
            round(float(charge["amount"]) * 100) for charge in invoice["transactions"] if charge["paying"]
        )
        for invoice in fawaterk.books.all()
    }
    return {
        reference: (theirs.get(reference, 0), ours.get(reference, 0))
        for reference in {*ours, *theirs}
        if theirs.get(reference, 0) != ours.get(reference, 0)
    }
