-- Nothing is added to the profile of somebody who is gone.
CREATE FUNCTION refuse_partner_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM users u JOIN partner_profiles f ON f.user_id = u.id
        WHERE f.id = NEW.profile_id AND u.erased_at IS NULL FOR KEY SHARE OF u;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the person of profile % was erased', NEW.profile_id USING ERRCODE = 'AL008';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON partner_documents
    FOR EACH ROW EXECUTE FUNCTION refuse_partner_of_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON partner_bank_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_partner_of_erased();

-- What is owed to a vendor or an agent, or will be once trips that are sold are over, keeps its person. In the words
-- of domain/privacy/erasure.py.
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
            SELECT 1 FROM adjustments d WHERE d.user_id = person AND d.status = 'PENDING')
        UNION ALL
        SELECT 'EARNINGS' WHERE EXISTS (
            SELECT 1 FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
            JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
            WHERE a.user_id = person AND a.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE') AND e.balance_after_minor <> 0)
           OR EXISTS (
            SELECT 1 FROM bookings b WHERE b.agent_id = person AND b.status IN ('CONFIRMED', 'IN_PROGRESS'))
           OR EXISTS (
            SELECT 1 FROM booking_items i JOIN bookings b ON b.id = i.booking_id
            WHERE i.vendor_id = person AND b.status IN ('CONFIRMED', 'IN_PROGRESS')));

-- Profiles as analysts read them, in the guide's columns (guide §F). Money is minor units by currency, because sums
-- across currencies say nothing. Bookings are those that stand; revenue is what was paid and has not gone back, of
-- every booking. Without a rate of its own the company's holds. Bank accounts are kept encrypted and are not there.
CREATE VIEW agent_profiles AS
SELECT f.id, f.user_id, f.company_name, f.license AS license_number, r.rate AS commission_rate, f.status,
       coalesce(b.total_bookings, 0) AS total_bookings, coalesce(b.total_revenue, '{}') AS total_revenue,
       coalesce(e.total_commission_earned, '{}') AS total_commission_earned, coalesce(d.documents, '[]') AS documents,
       f.approved_by_user_id, f.approved_at, f.created_at, f.updated_at
FROM partner_profiles f
LEFT JOIN LATERAL (
    SELECT x.rate FROM partner_rates x WHERE x.profile_id = f.id AND x.valid_from <= now()
    ORDER BY x.valid_from DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (
    SELECT sum(s.bookings)::bigint AS total_bookings,
           jsonb_object_agg(s.currency, s.revenue) FILTER (WHERE s.revenue <> 0) AS total_revenue
    FROM (SELECT k.currency,
                 count(*) FILTER (WHERE k.status IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED')) AS bookings,
                 sum(k.paid_amount_minor - k.refunded_amount_minor) AS revenue
          FROM bookings k WHERE k.agent_id = f.user_id
          GROUP BY k.currency) s) b ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(s.currency, s.earned) AS total_commission_earned
    FROM (SELECT p.currency, sum(p.amount_minor) AS earned FROM payable_entries p
          WHERE p.payee_id = f.user_id AND p.payee_type = 'AGENT' AND p.kind IN ('EARNED', 'REVERSED')
          GROUP BY p.currency) s) e ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('kind', x.kind, 'expires_on', x.expires_on, 'verified_at', x.verified_at)
                     ORDER BY x.id) AS documents
    FROM partner_documents x WHERE x.profile_id = f.id AND x.stored_at IS NOT NULL) d ON true
WHERE f.payee_type = 'AGENT';

-- The same of vendors: their rate is their share of what is paid, their bookings those of what they supply.
CREATE VIEW vendor_profiles AS
SELECT f.id, f.user_id, f.company_name, f.license AS license_number, r.rate AS share_rate, f.status,
       coalesce(b.total_bookings, 0) AS total_bookings, coalesce(b.total_revenue, '{}') AS total_revenue,
       coalesce(e.total_share_earned, '{}') AS total_share_earned, coalesce(d.documents, '[]') AS documents,
       f.approved_by_user_id, f.approved_at, f.created_at, f.updated_at
FROM partner_profiles f
LEFT JOIN LATERAL (
    SELECT x.rate FROM partner_rates x WHERE x.profile_id = f.id AND x.valid_from <= now()
    ORDER BY x.valid_from DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (
    SELECT sum(s.bookings)::bigint AS total_bookings,
           jsonb_object_agg(s.currency, s.revenue) FILTER (WHERE s.revenue <> 0) AS total_revenue
    FROM (SELECT k.currency,
                 count(*) FILTER (WHERE k.status IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED')) AS bookings,
                 sum(k.paid_amount_minor - k.refunded_amount_minor) AS revenue
          FROM bookings k
          WHERE k.id IN (SELECT i.booking_id FROM booking_items i WHERE i.vendor_id = f.user_id)
           
          GROUP BY k.currency) s) b ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(s.currency, s.earned) AS total_share_earned
    FROM (SELECT p.currency, sum(p.amount_minor) AS earned FROM payable_entries p
          WHERE p.payee_id = f.user_id AND p.payee_type = 'VENDOR' AND p.kind IN ('EARNED', 'REVERSED')
          GROUP BY p.currency) s) e ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('kind', x.kind, 'expires_on', x.expires_on, 'verified_at', x.verified_at)
                     ORDER BY x.id) AS documents
    FROM partner_documents x WHERE x.profile_id = f.id AND x.stored_at IS NOT NULL) d ON true
WHERE f.payee_type = 'VENDOR';
