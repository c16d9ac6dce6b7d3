"""What must hold of a whole system, whatever was done to it (guarantees, fault catalogue): each query finds no row.

`STATES` hold at every moment. `IN_PEACE` hold once everything under way had its time: what is younger than 120 s still
has it. `GUARANTEED` says which queries hold each promise of the catalogue; `tests/faults/test_invariants.py` plants a
violation for each of them.
"""

from __future__ import annotations

from typing import Any

import psycopg

from fake_providers.fawaterk import FawaterkServer
from fake_providers.stripe import StripeServer
from infrastructure.database.ledger.verification import verify_ledger
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.databases import as_owner
from tests.integration.earning import EARNING_PROMISES
from tests.integration.payroll import PAYROLL_PROMISES
from tests.integration.promotions import PROMISES as PROMOTION_PROMISES
from tests.integration.refunding import REFUND_PROMISES
from tests.integration.shop import PROMISES

MONEY_ONCE = {
    "an attempt gives back no more than it brought": """
        SELECT p.attempt_id FROM refund_parts p WHERE p.attempt_id IS NOT NULL AND p.status <> 'FAILED'
        GROUP BY p.attempt_id HAVING sum(p.amount_minor) > (
            SELECT coalesce(sum(r.amount_minor), 0) FROM payment_receipts r WHERE r.attempt_id = p.attempt_id)""",
    "a payout leaves, arrives and returns once": """
        SELECT p.id FROM payouts p JOIN ledger_journals j ON j.reference_type = 'PAYOUT' AND j.reference_id = p.id
        GROUP BY p.id HAVING count(*) <> (p.journal_id IS NOT NULL)::int + (p.paid_journal_id IS NOT NULL)::int
                                       + (p.return_journal_id IS NOT NULL)::int""",
    "an entry is paid out once": """
        SELECT l.payable_entry_id FROM payout_entries l JOIN payouts p ON p.id = l.payout_id
        WHERE p.return_journal_id IS NULL GROUP BY l.payable_entry_id HAVING count(*) > 1""",
    "nobody is paid out more than was released to them": """
        SELECT p.account_id FROM payouts p WHERE p.journal_id IS NOT NULL
        GROUP BY p.account_id HAVING sum(p.amount_minor) > (
            SELECT coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0)
            FROM payable_entries e WHERE e.account_id = p.account_id)""",
    "a balance hold is resolved once, by one journal": """
        SELECT h.journal_id FROM balance_holds h WHERE h.journal_id IS NOT NULL
        GROUP BY h.journal_id, h.account_id HAVING count(*) > 1
        UNION ALL
        SELECT h.id FROM balance_holds h WHERE (h.status = 'CAPTURED') <> (h.journal_id IS NOT NULL)
           OR (h.status = 'ACTIVE') <> (h.resolved_at IS NULL)""",
    "holds of tenders end as their tenders do": """
        SELECT t.id FROM payment_tenders t JOIN balance_holds h ON h.id = t.hold_id
        WHERE (t.status = 'CAPTURED') <> (h.status = 'CAPTURED')""",
}

STATES = {
    **PROMISES,
    **REFUND_PROMISES,
    **EARNING_PROMISES,
    **PROMOTION_PROMISES,
    **PAYROLL_PROMISES,
    **MONEY_ONCE,
}

IN_PEACE = {
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

INVARIANTS = {**STATES, **IN_PEACE}

GUARANTEED: dict[str, tuple[str, ...]] = {
    "journals that do not sum to zero": ("journals sum to zero", "journals have entries"),
    "accounts whose chain breaks": ("chains are unbroken", "heads of chains are their newest entries"),
    "negative protected balances": ("nobody is below zero", "debts are debts", "holds are covered"),
    "confirmed bookings without their money": (
        "confirmed bookings have their money",
        "a booking is REFUNDED when all that was paid is back",
        "what bookings say is paid is what journals brought",
    ),
    "payments credited twice": ("a payment is credited once", "receipts are in the ledger to the minor unit"),
    "refunds above captures": (
        "no tender gives back more than it took",
        "tenders count what parts and disputes did",
        "an attempt gives back no more than it brought",
    ),
    "payout items submitted twice, or paid above earned": (
        "a payout leaves, arrives and returns once",
        "an entry is paid out once",
        "payouts are the sum of their entries",
        "nobody is paid out more than was released to them",
        "no payout leaves a payable account below zero",
    ),
    "verified webhooks neither done, dead nor younger than 120 s": ("verified webhooks are done, dead or young",),
    "outbox rows older than 120 s": ("events are handed on",),
    "holds resolved twice or stale": (
        "a balance hold is resolved once, by one journal",
        "holds of tenders end as their tenders do",
        "payments that are over hold nothing",
        "holds follow their bookings",
        "no hold is stale",
    ),
    "capacity or voucher oversold": (
        "nothing is oversold",
        "seats taken are those of holds and of offers to who waited",
        "pools give what their departures have taken",
        "nothing is used beyond its limit",
        "counts of vouchers are their redemptions",
        "uses of people are their redemptions",
    ),
}
"""Each promise of the catalogue, word for word, and its queries. Two promises are not of the database alone: `missing`
finds an acknowledged write missing, `unlike_books` and `unlike_transfers` a fake provider's books unlike ours."""

_OURS = """
SELECT a.provider_reference, sum(r.amount_minor) FROM payment_attempts a JOIN payment_receipts r ON r.attempt_id = a.id
WHERE a.provider = 'FAWATERK' GROUP BY a.provider_reference
"""
_PAID_OUT = """
SELECT 'po_' || replace(id::text, '-', ''), amount_minor FROM payouts WHERE method = 'STRIPE' AND status = 'PAID'
"""
_SOUGHT = {
    "BOOKING": "SELECT 1 FROM bookings WHERE id = %s",
    "PAYMENT": "SELECT 1 FROM payments WHERE id = %s",
    "USER": "SELECT 1 FROM users WHERE id = %s",
    "WEBHOOK": "SELECT 1 FROM payment_webhook_logs WHERE provider_reference = %s",
}


def broken(addresses: DatabaseAddresses, queries: dict[str, str] = INVARIANTS) -> list[str]:
    """The invariants that do not hold, by name; the hashes of the ledger's chains are computed again."""
    with as_owner(addresses) as connection:
        names = broken_of(connection, queries)
    verified = verify_ledger(addresses.owner, lambda _: None)
    return names if verified.fault is None else [*names, verified.fault.reason]


def broken_of(connection: psycopg.Connection[Any], queries: dict[str, str]) -> list[str]:
    """Those of some queries that find a row, by name, as a connection sees the database."""
    return [name for name, query in queries.items() if connection.execute(query.encode()).fetchone() is not None]


def missing(addresses: DatabaseAddresses, acknowledged: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was acknowledged, by kind and id, and is not there: no `201` or `accepted` is ever taken back."""
    with connect(addresses.owner) as connection:
        return [
            (kind, one) for kind, one in acknowledged if connection.execute(_SOUGHT[kind], (one,)).fetchone() is None
        ]


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
    return _unlike(theirs, ours)


def unlike_transfers(stripe: StripeServer, addresses: DatabaseAddresses) -> dict[str, tuple[int, int]]:
    """Where what Stripe sent on and what we call paid differ: by our reference, theirs and ours in cents."""
    with connect(addresses.owner) as connection:
        ours = {str(reference): int(str(minor)) for reference, minor in connection.execute(_PAID_OUT).fetchall()}
    theirs: dict[str, int] = {}
    for sent in stripe.books.all("transfer"):
        reference = str(sent["transfer_group"])
        theirs[reference] = theirs.get(reference, 0) + int(sent["amount"])
    return _unlike(theirs, ours)


def _unlike(theirs: dict[str, int], ours: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {
        reference: (theirs.get(reference, 0), ours.get(reference, 0))
        for reference in {*ours, *theirs}
        if theirs.get(reference, 0) != ours.get(reference, 0)
    }
