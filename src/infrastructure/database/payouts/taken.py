"""Where a payable entry stands: which payout took it, and what became of that. The one place that joins payouts."""

from __future__ import annotations

from typing import Final

from infrastructure.database.billing.disputed import disputed

TAKEN: Final = """
LEFT JOIN payout_entries t ON t.payable_entry_id = e.id LEFT JOIN payouts o ON o.id = t.payout_id
"""
"""Beside `payable_entries e`; an entry is in one payout at most."""

DISPUTED: Final = disputed("e.booking_id")
"""Whether a bank questions what was paid for the booking: what it earned waits for the bank's word."""

# A payout has its journal from the moment that its batch is approved: before, its money is still in the account.
STATE: Final = f"""
CASE WHEN o.status = 'PAID' THEN 'PAID'
     WHEN o.journal_id IS NOT NULL AND o.status IN ('PENDING', 'SENT', 'UNKNOWN') THEN 'IN_TRANSIT'
     WHEN o.journal_id IS NOT NULL AND o.status IN ('FAILED', 'CANCELLED', 'RETURNED') THEN 'RETURNED'
     WHEN e.released_at > %(now)s OR {DISPUTED} THEN 'HELD' ELSE 'PAYABLE' END
"""
