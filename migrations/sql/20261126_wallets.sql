-- What is asked of wallets: withdrawals and adjustments that only go forward, rates and transfers that never
-- change. SQLSTATEs: AL005, as everywhere where a row is not to be changed like that.

-- A row's status takes one of the steps `before>after` of the first argument (an insert is a step from nothing).
-- With a step the columns of the second argument may change, at any time those of the third, nothing else ever.
CREATE FUNCTION goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := TG_ARGV[0];
    may_change text[] := TG_ARGV[2];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF '>' || NEW.status = ANY (steps) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% do not begin as %', TG_TABLE_NAME, NEW.status USING ERRCODE = 'AL005';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status AND OLD.status || '>' || NEW.status = ANY (steps) THEN
        may_change := may_change || TG_ARGV[1]::text[] || 'status'::text;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - may_change = to_jsonb(NEW) - may_change THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% % only goes forward from %: % refused', TG_TABLE_NAME, OLD.id, OLD.status, TG_OP
        USING ERRCODE = 'AL005';
END $$;

-- The tables of steps in domain/ledger/withdrawals.py and adjustments.py; a test compares them.
CREATE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON withdrawals FOR EACH ROW EXECUTE FUNCTION goes_forward(
    '{>REQUESTED,REQUESTED>APPROVED,REQUESTED>CANCELLED,REQUESTED>REJECTED,APPROVED>PAID,APPROVED>RETURNED}',
    '{decided_by_user_id,decided_at,closed_by_user_id,closed_at,journal_id,return_journal_id,bank_reference}',
    '{destination_encrypted,reason,updated_at}');
CREATE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON adjustments FOR EACH ROW EXECUTE FUNCTION goes_forward(
    '{>PENDING,>APPROVED,PENDING>APPROVED,PENDING>REJECTED}',
    '{decided_by_user_id,decided_at,journal_id}',
    '{reason,updated_at}');
CREATE TRIGGER keep_table BEFORE TRUNCATE ON withdrawals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON adjustments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON withdrawals
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON adjustments
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON withdrawals FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON adjustments FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON wallet_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON exchange_rates FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON exchange_rates FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON wallet_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON wallet_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A withdrawal that is not over keeps its person: where its money goes is still needed. So does an adjustment
-- that waits: approved later, it would move money of somebody who is gone.
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
        UNION ALL
        SELECT 'WITHDRAWALS' WHERE EXISTS (
            SELECT 1 FROM withdrawals w WHERE w.user_id = person AND w.status IN ('REQUESTED', 'APPROVED'))
        UNION ALL
        SELECT 'ADJUSTMENTS' WHERE EXISTS (
            SELECT 1 FROM adjustments d WHERE d.user_id = person AND d.status = 'PENDING'));
