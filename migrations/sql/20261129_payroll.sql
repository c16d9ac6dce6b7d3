-- What is asked of payroll: batches and payouts that only go forward, entries that one payout takes once, and money that
-- leaves a payable account only as far as it was earned and released.
-- SQLSTATEs: AL005 where a row is not to be changed like that, AL001 where an account would not bear it.

-- A UUIDv7 (RFC 9562), for rows that are made many at a time by one statement.
CREATE FUNCTION fresh_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1),
        'hex')::uuid
$$;

-- The tables of steps in domain/payouts/batches.py and payouts.py; a test compares them.
CREATE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON payout_batches
    FOR EACH ROW EXECUTE FUNCTION goes_forward(
    '{>DRAFT,DRAFT>APPROVED,DRAFT>CANCELLED,APPROVED>PROCESSING,PROCESSING>COMPLETED}',
    '{approved_by_user_id,approved_at,debtor_name,debtor_iban,debtor_bic,processing_at,completed_at,cancelled_at}',
    '{updated_at,version}');
CREATE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON payouts FOR EACH ROW EXECUTE FUNCTION goes_forward(
    '{>PENDING,PENDING>SENT,PENDING>PAID,PENDING>FAILED,PENDING>CANCELLED,SENT>PAID,SENT>FAILED,SENT>UNKNOWN,UNKNOWN>SENT,UNKNOWN>PAID,UNKNOWN>FAILED,UNKNOWN>CANCELLED}',
    '{paid_journal_id,return_journal_id,bank_reference,failure_code,decided_by_user_id,sent_at,closed_at}',
    '{journal_id,attempts,next_try_at,provider_reference,destination_encrypted,reason,updated_at,version}');

CREATE TRIGGER keep_table BEFORE TRUNCATE ON payout_batches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON payouts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON payout_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE ON payout_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON payouts_left_out FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON payouts_left_out FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON payout_batches
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON payouts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER next_version BEFORE UPDATE ON payout_batches FOR EACH ROW EXECUTE FUNCTION next_version();
CREATE TRIGGER next_version BEFORE UPDATE ON payouts FOR EACH ROW EXECUTE FUNCTION next_version();

-- What a batch pays, and of which entries, is changed only while it is a draft (guarantee J7); nobody who was erased is
-- paid. `changed` are payouts that are added, or links that are added or taken away.
CREATE FUNCTION only_of_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE frozen text;
BEGIN
    IF TG_TABLE_NAME = 'payouts' THEN
        SELECT b.batch_number INTO frozen FROM (SELECT DISTINCT batch_id FROM changed) c
        JOIN payout_batches b ON b.id = c.batch_id WHERE b.status <> 'DRAFT' LIMIT 1;
        IF EXISTS (SELECT 1 FROM changed c JOIN users u ON u.id = c.payee_id
                                 WHERE u.erased_at IS NOT NULL) THEN
            RAISE EXCEPTION 'a payout to somebody who was erased' USING ERRCODE = 'AL005';
        END IF;
    ELSE
        -- In place of foreign keys: both rows are never deleted, so once for all links is as good as for each.
        IF TG_OP = 'INSERT' AND (
            EXISTS (SELECT 1 FROM changed c LEFT JOIN payable_entries e ON e.id = c.payable_entry_id WHERE e.id IS NULL)
            OR EXISTS (SELECT 1 FROM (SELECT DISTINCT payout_id FROM changed) c
                       LEFT JOIN payouts p ON p.id = c.payout_id WHERE p.id IS NULL)) THEN
            RAISE EXCEPTION 'a link between rows that are not there' USING ERRCODE = 'AL005';
        END IF;
        SELECT b.batch_number INTO frozen FROM (SELECT DISTINCT payout_id FROM changed) c
        JOIN payouts p ON p.id = c.payout_id JOIN payout_batches b ON b.id = p.batch_id
        WHERE b.status <> 'DRAFT' LIMIT 1;
    END IF;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION 'batch % is frozen: % of % refused', frozen, TG_OP, TG_TABLE_NAME USING ERRCODE = 'AL005';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER only_of_drafts AFTER INSERT ON payouts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION only_of_drafts();
CREATE TRIGGER only_of_drafts_added AFTER INSERT ON payout_entries REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION only_of_drafts();
CREATE TRIGGER only_of_drafts_taken AFTER DELETE ON payout_entries REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION only_of_drafts();

-- When a batch is approved: each payout that lives is the sum of its links, all of them the payee's own and released by
-- the cut-off; its journal took that amount out of the account; and no payee was ever paid more than was released
-- (guarantee M8). What came back is a payable entry of its own, so it counts on the other side.
-- Each question is asked by payout, through an index: what it costs is the batch, whatever lies in these tables besides,
-- and whatever the planner knows of rows that are as new as these. Where the batch has a good part of all entries, reading
-- them all is cheaper than looking each one up.
CREATE FUNCTION check_payout_batch() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    broken text;
    has_many boolean;
BEGIN
    SELECT 20 * count(*) > greatest((SELECT c.reltuples FROM pg_class c WHERE c.oid = 'payable_entries'::regclass), 20000)
    INTO has_many FROM payouts p JOIN payout_entries l ON l.payout_id = p.id WHERE p.batch_id = NEW.id;
    IF has_many THEN
        PERFORM set_config('enable_hashjoin', 'on', true), set_config('enable_seqscan', 'on', true),
                set_config('enable_nestloop', 'off', true);
    END IF;
    -- Planned anew each time, for what was just said.
    EXECUTE $q$
        SELECT p.payout_number FROM payouts p LEFT JOIN (
            SELECT l.payout_id, sum(e.amount_minor) AS minor,
                   bool_and(e.account_id = q.account_id AND e.released_at <= $2) AS are_theirs
            FROM payouts q JOIN payout_entries l ON l.payout_id = q.id JOIN payable_entries e ON e.id = l.payable_entry_id
            WHERE q.batch_id = $1 GROUP BY l.payout_id) t ON t.payout_id = p.id
        WHERE p.batch_id = $1 AND p.status <> 'CANCELLED'
          AND (t.minor IS DISTINCT FROM p.amount_minor OR NOT t.are_theirs)
        LIMIT 1 $q$ INTO broken USING NEW.id, NEW.cut_off;
    PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_seqscan', 'off', true),
            set_config('enable_nestloop', 'on', true);
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'payout % is not the sum of its entries', broken USING ERRCODE = 'AL005';
    END IF;

    SELECT p.payout_number INTO broken FROM payouts p
    WHERE p.batch_id = NEW.id AND p.status <> 'CANCELLED'
      AND ((SELECT j.reference_id FROM ledger_journals j WHERE j.id = p.journal_id AND j.journal_type = 'PAYOUT')
           IS DISTINCT FROM p.id
           OR (SELECT sum(e.amount_minor) FROM ledger_entries e
               WHERE e.journal_id = p.journal_id AND e.account_id = p.account_id) IS DISTINCT FROM -p.amount_minor)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payout % did not leave its account', broken USING ERRCODE = 'AL005';
    END IF;

    SELECT p.payout_number INTO broken FROM payouts p
    WHERE p.batch_id = NEW.id AND p.status <> 'CANCELLED'
      AND (SELECT coalesce(sum(o.amount_minor), 0) FROM payouts o
           WHERE o.payee_id = p.payee_id AND o.account_id = p.account_id AND o.journal_id IS NOT NULL)
          > (SELECT coalesce(sum(e.amount_minor), 0) FROM payable_entries e
             WHERE e.payee_id = p.payee_id AND e.account_id = p.account_id AND e.released_at <= NEW.approved_at)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'more than was released would be paid out by %', broken USING ERRCODE = 'AL001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER its_sums BEFORE UPDATE OF status ON payout_batches FOR EACH ROW
    WHEN (NEW.status = 'APPROVED' AND OLD.status = 'DRAFT') EXECUTE FUNCTION check_payout_batch();

-- A payout's journal is set once, in its draft, by the approval.
CREATE FUNCTION payout_journal_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.journal_id IS NOT NULL
       OR (SELECT b.status FROM payout_batches b WHERE b.id = NEW.batch_id) <> 'DRAFT' THEN
        RAISE EXCEPTION 'the journal of payout % is not changed', OLD.payout_number USING ERRCODE = 'AL005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_once BEFORE UPDATE ON payouts FOR EACH ROW
    WHEN (NEW.journal_id IS DISTINCT FROM OLD.journal_id) EXECUTE FUNCTION payout_journal_once();

-- A batch is over when each of its payouts is.
CREATE FUNCTION check_batch_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM payouts p WHERE p.batch_id = NEW.id AND p.status IN ('PENDING', 'SENT', 'UNKNOWN')) THEN
        RAISE EXCEPTION 'batch % is not over', OLD.batch_number USING ERRCODE = 'AL005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER when_over BEFORE UPDATE OF status ON payout_batches FOR EACH ROW
    WHEN (NEW.status IN ('COMPLETED', 'CANCELLED') AND NEW.status <> OLD.status) EXECUTE FUNCTION check_batch_over();

-- Money on its way to somebody keeps its person: where it goes is still needed.
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
            WHERE i.vendor_id = person AND b.status IN ('CONFIRMED', 'IN_PROGRESS'))
        UNION ALL
        SELECT 'PAYOUTS' WHERE EXISTS (
            SELECT 1 FROM payouts o WHERE o.payee_id = person AND o.status IN ('PENDING', 'SENT', 'UNKNOWN')));
