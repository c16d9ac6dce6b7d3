-- What a payout consists of is asked once, when it is made, over all links of a batch together: they come in the statement
-- that makes their payouts, or not at all, and are taken away only with a payout that was cancelled. What they sum to can
-- therefore not change: entries, links, amounts and cut-offs are never changed.
-- SQLSTATEs: AL005 where a row is not to be changed like that, AL001 where an account would not bear it.

-- The same as before, resolved when it is defined: so it is a part of the statements that use it, and not a call.
CREATE OR REPLACE FUNCTION fresh_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1),
        'hex')::uuid;

-- Nobody who was erased is paid, and payouts are added to drafts alone (guarantee J7). `changed` are payouts.
CREATE OR REPLACE FUNCTION only_of_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE frozen text;
BEGIN
    SELECT b.batch_number INTO frozen FROM (SELECT DISTINCT batch_id FROM changed) c
    JOIN payout_batches b ON b.id = c.batch_id WHERE b.status <> 'DRAFT' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'batch % is frozen: % of % refused', frozen, TG_OP, TG_TABLE_NAME USING ERRCODE = 'AL005';
    END IF;
    IF EXISTS (SELECT 1 FROM changed c JOIN users u ON u.id = c.payee_id WHERE u.erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a payout to somebody who was erased' USING ERRCODE = 'AL005';
    END IF;
    RETURN NULL;
END $$;

-- In place of foreign keys, too: both rows are never deleted, so once for all links is as good as for each.
-- That a payout and its links are of one statement is seen by who wrote them: its transaction, and its place in it. So
-- there were none before, and a payout is the sum of those that are looked at here.
CREATE FUNCTION check_payout_links() RETURNS trigger LANGUAGE plpgsql
    SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '32MB' AS $$
DECLARE
    by_transaction xid;
    by_command cid;
    broken record;
BEGIN
    SELECT l.xmin, l.cmin INTO by_transaction, by_command FROM payout_entries l
    WHERE l.payable_entry_id = (SELECT c.payable_entry_id FROM changed c LIMIT 1);
    SELECT p.payout_number, b.batch_number, b.status, p.xmin = by_transaction AND p.cmin = by_command AS is_new INTO broken
    FROM (SELECT c.payout_id, sum(e.amount_minor) AS minor, max(e.released_at) AS released_at,
                 bool_and(e.account_id IS NOT DISTINCT FROM o.account_id) AS are_theirs
          FROM changed c LEFT JOIN payouts o ON o.id = c.payout_id
          LEFT JOIN payable_entries e ON e.id = c.payable_entry_id
          GROUP BY c.payout_id) t
    LEFT JOIN payouts p ON p.id = t.payout_id LEFT JOIN payout_batches b ON b.id = p.batch_id
    WHERE (b.status = 'DRAFT' AND p.xmin = by_transaction AND p.cmin = by_command AND t.are_theirs
           AND t.minor = p.amount_minor AND t.released_at <= b.cut_off) IS NOT TRUE
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF broken.payout_number IS NULL THEN
        RAISE EXCEPTION 'a link to a payout that is not there' USING ERRCODE = 'AL005';
    ELSIF broken.status <> 'DRAFT' THEN
        RAISE EXCEPTION 'batch % is frozen: its payouts take nothing more', broken.batch_number USING ERRCODE = 'AL005';
    ELSIF NOT broken.is_new THEN
        RAISE EXCEPTION 'payout % has what it takes', broken.payout_number USING ERRCODE = 'AL005';
    END IF;
    RAISE EXCEPTION 'payout % is not the sum of its entries', broken.payout_number USING ERRCODE = 'AL005';
END $$;

CREATE FUNCTION only_of_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept text;
BEGIN
    SELECT p.payout_number INTO kept FROM (SELECT DISTINCT payout_id FROM changed) c
    JOIN payouts p ON p.id = c.payout_id JOIN payout_batches b ON b.id = p.batch_id
    WHERE b.status <> 'DRAFT' OR p.status <> 'CANCELLED' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payout % keeps what it takes', kept USING ERRCODE = 'AL005';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER only_of_drafts_added ON payout_entries;
DROP TRIGGER only_of_drafts_taken ON payout_entries;
CREATE TRIGGER their_sums AFTER INSERT ON payout_entries REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION check_payout_links();
CREATE TRIGGER only_of_cancelled AFTER DELETE ON payout_entries REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION only_of_cancelled();

-- When a batch is approved: each payout that lives has its links, whose sum it is; its journal took that amount out of
-- the account; and no payee was ever paid more than was released (guarantee M8). What came back is a payable entry of
-- its own, so it counts on the other side. All of it is asked by payout, through indexes: what it costs is the batch,
-- whatever lies in these tables besides, and whatever the planner knows of rows that are as new as these.
CREATE OR REPLACE FUNCTION check_payout_batch() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE broken text;
BEGIN
    SELECT p.payout_number INTO broken FROM payouts p
    WHERE p.batch_id = NEW.id AND p.status <> 'CANCELLED'
      AND NOT EXISTS (SELECT 1 FROM payout_entries l WHERE l.payout_id = p.id)
    LIMIT 1;
    IF FOUND THEN
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
             WHERE e.account_id = p.account_id AND e.released_at <= NEW.approved_at)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'more than was released would be paid out by %', broken USING ERRCODE = 'AL001';
    END IF;
    RETURN NEW;
END $$;
