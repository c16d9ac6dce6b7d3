"""Where a payable entry stands: which payout took it, and what became of that. The one place that joins payouts."""

from __future__ import annotations

from typing import Final

TAKEN: Final = """
LEFT JOIN payout_entries t ON t.payable_entry_id = e.id LEFT JOIN payouts o ON o.id = t.payout_id
"""
"""Beside `payable_entries e`; an entry is in one payout at most."""

# A payout has its journal from the moment that its batch is approved: before, its money is still in the account.
STATE: Final = """
CASE WHEN o.status = 'PAID' THEN 'PAID'
     WHEN o.journal_id IS NOT NULL AND o.status IN ('PENDING', 'SENT', 'UNKNOWN') THEN 'IN_TRANSIT'
     WHEN o.journal_id IS NOT NULL AND o.status IN ('FAILED', 'CANCELLED') THEN 'RETURNED'
     WHEN e.released_at > %(now)s THEN 'HELD' ELSE 'PAYABLE' END
"""
