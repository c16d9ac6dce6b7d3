"""The attention queue: everything about payments that waits for a person, as one list of several kinds of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.billing.attention_ports import (
    STUCK_AFTER,
    UNFULFILLED_AFTER,
    UNFULFILLED_WITHIN,
    UNKNOWN_IS_OLD_AFTER,
    AttentionKind,
    AttentionSearch,
)
from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database


@dataclass(frozen=True, slots=True)
class Arm:
    """One kind of row: what it shows (the columns of the first arm, in that order), and which of them wait."""

    kind: AttentionKind
    reasons: frozenset[str]
    shown: str
    row_id: str
    waits: str


_DEAD: Final = """
SELECT (e.payload ->> 'webhook_id')::uuid FROM outbox_events e JOIN processed_events d ON d.event_id = e.id
WHERE e.name = 'billing.webhook_received' AND d.dead_at IS NOT NULL AND d.processed_at IS NULL
"""

_TAKEN: Final = "d.taken_minor + d.taken_from_suspense_minor + d.taken_from_wallet_minor"
_PARTLY_BOOKED: Final = f"d.status = 'LOST' AND {_TAKEN} < d.amount_minor"

_BEYOND: Final = """
SELECT refund_id, min(provider_refund_reference) AS reference, sum(amount_minor)::bigint AS amount_minor,
       min(currency) AS currency, max(updated_at) AS updated_at
FROM refund_parts WHERE status = 'SUCCEEDED' AND way <> 'OWN' AND tender_id IS NULL AND receipt_id IS NULL
GROUP BY refund_id
"""

# One arm more is one entry more.
ARMS: Final = (
    Arm(
        AttentionKind.SUSPENSE,
        frozenset(
            f"SUSPENSE_{reason}" for reason in ("SHORT", "OVER", "CURRENCY", "TWICE", "LATE", "MODE", "INCOMPLETE")
        ),
        """
        SELECT 'SUSPENSE' AS kind, s.receipt_id AS id, 'SUSPENSE_' || s.reason AS reason, s.status,
               coalesce(s.resolution, l.hindrance) AS detail, p.id AS payment_id, p.payment_number, p.booking_id,
               p.user_id, s.provider,
               a.provider_reference, s.amount_minor, s.currency, p.amount_minor AS expected_minor,
               p.currency AS expected_currency, s.opened_at AS noticed_at
        FROM suspense_items s JOIN payments p ON p.id = s.payment_id LEFT JOIN late_money l USING (receipt_id)
        JOIN payment_receipts r ON r.id = s.receipt_id JOIN payment_attempts a ON a.id = r.attempt_id
        """,
        "s.receipt_id",
        "s.status = 'OPEN'",
    ),
    Arm(
        AttentionKind.ATTEMPT,
        frozenset({"OUTCOME_UNKNOWN"}),
        """
        SELECT 'ATTEMPT', a.id, 'OUTCOME_UNKNOWN', a.status, a.error_code, p.id, p.payment_number, p.booking_id,
               p.user_id, a.provider, a.provider_reference, p.amount_minor, p.currency, p.amount_minor, p.currency,
               a.updated_at
        FROM payment_attempts a JOIN payments p ON p.id = a.payment_id
        """,
        "a.id",
        "a.status IN ('CREATED', 'UNKNOWN') AND a.updated_at < %(unknown_before)s",
    ),
    Arm(
        AttentionKind.WEBHOOK,
        frozenset({"UNKNOWN_REFERENCE", "REFUND_UNVERIFIED"}),
        """
        SELECT 'WEBHOOK', w.id,
               CASE WHEN w.error_message = 'refund_unverified' THEN 'REFUND_UNVERIFIED' ELSE 'UNKNOWN_REFERENCE' END,
               CASE WHEN w.dismissed_at IS NULL THEN w.status ELSE 'DISMISSED' END, w.error_message, p.id,
               p.payment_number, p.booking_id, p.user_id, w.provider, w.provider_reference, NULL::bigint, NULL,
               NULL::bigint, NULL, w.received_at
        FROM payment_webhook_logs w LEFT JOIN payments p ON p.id = w.payment_id
        """,
        "w.status <> 'RECEIVED' AND w.id",
        "w.status = 'FAILED' AND w.dismissed_at IS NULL",
    ),
    Arm(
        AttentionKind.WEBHOOK,
        frozenset({"WEBHOOK_STUCK"}),
        """
        SELECT 'WEBHOOK', w.id, 'WEBHOOK_STUCK', w.status, w.error_message, p.id, p.payment_number, p.booking_id,
               p.user_id, w.provider, w.provider_reference, NULL::bigint, NULL, NULL::bigint, NULL, w.received_at
        FROM payment_webhook_logs w LEFT JOIN payments p ON p.id = w.payment_id
        """,
        "w.status = 'RECEIVED' AND w.id",
        f"w.status = 'RECEIVED' AND (w.received_at < %(stuck_before)s OR w.id IN ({_DEAD}))",
    ),
    Arm(
        AttentionKind.PAYMENT,
        frozenset({"UNFULFILLED"}),
        """
        SELECT 'PAYMENT', p.id, 'UNFULFILLED', p.status,
               (SELECT i.invoice_number FROM invoices i WHERE i.payment_id = p.id LIMIT 1), p.id, p.payment_number,
               p.booking_id, p.user_id, coalesce(p.provider, ''), NULL, p.amount_minor, p.currency,
               p.amount_minor, p.currency, p.paid_at
        FROM payments p
        """,
        "p.paid_at IS NOT NULL AND p.id",
        """p.paid_at < %(unfulfilled_before)s AND p.paid_at > %(unfulfilled_since)s
           AND p.payment_type <> 'WALLET_DEPOSIT'
           AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.payment_id = p.id)""",
    ),
    Arm(
        AttentionKind.REFUND,
        frozenset({"REFUND_UNKNOWN", "REFUND_FAILED", "REFUND_AWAITING_OPERATOR", "REFUND_REQUESTED"}),
        """
        SELECT 'REFUND', f.id, 'REFUND_' || f.status, f.status, f.refund_number, p.id, p.payment_number, p.booking_id,
               p.user_id, coalesce(p.provider, ''), NULL, f.amount_minor, f.currency, p.amount_minor, p.currency,
               f.updated_at
        FROM refunds f JOIN payments p ON p.id = f.payment_id
        """,
        "f.status IN ('UNKNOWN', 'FAILED', 'AWAITING_OPERATOR', 'REQUESTED') AND f.id",
        """f.status IN ('UNKNOWN', 'FAILED', 'AWAITING_OPERATOR', 'REQUESTED')
           AND (f.status <> 'UNKNOWN' OR f.updated_at < %(unknown_before)s)
           AND (f.status <> 'REQUESTED' OR f.created_at < %(stuck_before)s)""",
    ),
    Arm(
        AttentionKind.REFUND,
        frozenset({"REFUND_BEYOND"}),
        f"""
        SELECT 'REFUND', f.id, 'REFUND_BEYOND', f.status, f.refund_number, p.id, p.payment_number, p.booking_id,
               p.user_id, coalesce(p.provider, ''), b.reference, b.amount_minor, b.currency, p.amount_minor, p.currency,
               b.updated_at
        FROM ({_BEYOND}) b JOIN refunds f ON f.id = b.refund_id JOIN payments p ON p.id = f.payment_id
        """,
        "f.status = 'SUCCEEDED' AND f.id",
        "f.status = 'SUCCEEDED' AND b.updated_at > %(unfulfilled_since)s",
    ),
    Arm(
        AttentionKind.DISPUTE,
        frozenset({"DISPUTE_OPEN"}),
        """
        SELECT 'DISPUTE', d.id, 'DISPUTE_OPEN', d.status, d.reason, p.id, p.payment_number, p.booking_id, p.user_id,
               d.provider, d.provider_dispute_reference, d.amount_minor, d.currency, p.amount_minor, p.currency,
               d.opened_at
        FROM disputes d JOIN payments p ON p.id = d.payment_id
        """,
        f"NOT ({_PARTLY_BOOKED}) AND d.id",
        "d.status = 'OPEN'",
    ),
    Arm(
        AttentionKind.DISPUTE,
        frozenset({"DISPUTE_PARTLY_BOOKED"}),
        f"""
        SELECT 'DISPUTE', d.id, 'DISPUTE_PARTLY_BOOKED', d.status, d.reason, p.id, p.payment_number, p.booking_id,
               p.user_id, d.provider, d.provider_dispute_reference, {_TAKEN}, d.currency, d.amount_minor, d.currency,
               d.decided_at
        FROM disputes d JOIN payments p ON p.id = d.payment_id
        """,
        f"{_PARTLY_BOOKED} AND d.id",
        f"{_PARTLY_BOOKED} AND d.decided_at > %(unfulfilled_since)s",
    ),
)

_STORY: Final = {
    "attempts": """
        SELECT id, provider, status, merchant_reference, provider_reference, charge_reference, reference_number,
               error_code, receipts_count, reads, read_again_at, expires_at, created_at, updated_at
        FROM payment_attempts WHERE payment_id = %(payment_id)s ORDER BY id""",
    "receipts": """
        SELECT r.id, r.attempt_id, r.amount_minor, r.currency, r.disposition, r.reason, r.journal_id, r.received_at,
               s.status AS suspense_status, s.resolution, s.decided_by_user_id, s.decision_reason, s.decided_at
        FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
        LEFT JOIN suspense_items s ON s.receipt_id = r.id
        WHERE a.payment_id = %(payment_id)s ORDER BY r.received_at, r.position""",
    "webhooks": """
        SELECT id, event_type, status, error_message, provider, provider_reference, merchant_reference,
               reference_number, charge_reference, is_about_refund, received_at, processed_at, dismissed_at,
               dismissed_by_user_id, dismissed_reason
        FROM payment_webhook_logs WHERE id = %(webhook_id)s OR payment_id = %(payment_id)s
        ORDER BY received_at DESC, id LIMIT 200""",
    "journals": """
        SELECT j.id, j.journal_type, j.reference_type, j.reference_id, j.description_ar, j.description_en,
               j.occurred_at,
               (SELECT json_agg(json_build_object('account_kind', c.kind, 'provider', c.provider,
                                                  'amount_minor', e.amount_minor, 'currency', e.currency)
                                ORDER BY e.line)
                FROM ledger_entries e JOIN ledger_accounts c ON c.id = e.account_id
                WHERE e.journal_id = j.id) AS entries
        FROM ledger_journals j WHERE j.id IN (
            SELECT r.journal_id FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
            WHERE a.payment_id = %(payment_id)s
            UNION SELECT journal_id FROM suspense_items WHERE payment_id = %(payment_id)s
            UNION SELECT journal_id FROM payment_tenders WHERE payment_id = %(payment_id)s
            UNION SELECT id FROM ledger_journals WHERE reference_id = %(payment_id)s
            UNION SELECT id FROM ledger_journals WHERE reference_id IN (
                SELECT id FROM refunds WHERE payment_id = %(payment_id)s
                UNION SELECT id FROM disputes WHERE payment_id = %(payment_id)s))
        ORDER BY j.id""",
}


class SqlAttentionQueries:
    """Implements `application.billing.attention_ports.AttentionQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, search: AttentionSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        arms = [arm for arm in ARMS if search.reason is None or search.reason in arm.reasons]
        listed = " UNION ALL ".join(f"({arm.shown} WHERE {arm.waits})" for arm in arms)
        sql = f"""
            SELECT * FROM ({listed}) AS q({_COLUMNS})
            WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
              AND {page_after(after, "noticed_at", "id")}
            ORDER BY noticed_at DESC, id DESC LIMIT %(limit)s"""
        values = {
            "reason": search.reason,
            "provider": search.provider,
            "unknown_before": search.at - UNKNOWN_IS_OLD_AFTER,
            "stuck_before": search.at - STUCK_AFTER,
            "unfulfilled_before": search.at - UNFULFILLED_AFTER,
            "unfulfilled_since": search.at - UNFULFILLED_WITHIN,
            **page_values(after, limit),
        }
        return self._database.rows(sql, values, replan=True)

    def one(self, kind: AttentionKind, row_id: UUID) -> Row | None:
        arms = " UNION ALL ".join(f"({arm.shown} WHERE {arm.row_id} = %(id)s)" for arm in ARMS if arm.kind is kind)
        return self._database.row(f"SELECT * FROM ({arms}) AS q({_COLUMNS})", {"id": row_id})

    def story(self, payment_id: UUID | None, webhook_id: UUID | None) -> Row:
        named = {"payment_id": payment_id, "webhook_id": webhook_id}
        return {part: self._database.rows(sql, named) for part, sql in _STORY.items()}


_COLUMNS: Final = """kind, id, reason, status, detail, payment_id, payment_number, booking_id, user_id, provider,
    provider_reference, amount_minor, currency, expected_minor, expected_currency, noticed_at"""
