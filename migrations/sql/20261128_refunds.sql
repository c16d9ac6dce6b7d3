-- A payment is open, too, while money of it is on its way back or a bank decides about it.
CREATE OR REPLACE FUNCTION erasure_blockers(person uuid, at timestamptz) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    RETURN ARRAY(
        SELECT 'WALLET' WHERE EXISTS (
            SELECT 1 FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
            JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
            WHERE a.user_id = person AND a.kind = 'WALLET' AND e.balance_after_minor <> 0)
        UNION ALL
        SELECT 'BOOKINGS' WHERE EXISTS (
            SELECT 1 FROM bookings b WHERE b.user_id = person
              AND (b.status IN ('PENDING_PAYMENT', 'IN_PROGRESS')
                   OR (b.status = 'CONFIRMED' AND b.end_date >= (at AT TIME ZONE 'Africa/Cairo')::date)))
        UNION ALL
        SELECT 'PAYMENTS' WHERE EXISTS (
            SELECT 1 FROM payments p JOIN payment_attempts t ON t.payment_id = p.id
            WHERE p.user_id = person
              AND (t.status IN ('CREATED', 'UNKNOWN')
                   OR (t.status = 'OPEN' AND coalesce(t.expires_at, t.created_at + interval '1 day') > at)))
           OR EXISTS (
            SELECT 1 FROM refunds r JOIN refund_parts n ON n.refund_id = r.id
            WHERE r.user_id = person AND n.status NOT IN ('SUCCEEDED', 'FAILED'))
           OR EXISTS (SELECT 1 FROM disputes d WHERE d.user_id = person AND d.status = 'OPEN')
        UNION ALL
        SELECT 'WITHDRAWALS' WHERE EXISTS (
            SELECT 1 FROM withdrawals w WHERE w.user_id = person AND w.status IN ('REQUESTED', 'APPROVED'))
        UNION ALL
        SELECT 'ADJUSTMENTS' WHERE EXISTS (
            SELECT 1 FROM adjustments d WHERE d.user_id = person AND d.status = 'PENDING'));
