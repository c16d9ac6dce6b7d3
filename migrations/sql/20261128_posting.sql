-- Posting, second edition. An entry's place in its account's chain is worked out once, by `ledger_continue`: what is
-- posted is what it answers, and what is inserted by hand has to be what it would have answered.

-- Chains ---------------------------------------------------------------------------------------------

-- Continue accounts' chains with entries and move their heads; answers the entries with sequence, balances and hash.
-- They come, and go, ordered by account, and bring their journal's fingerprint as `hash`. Owned accounts are locked
-- in that order, so that two who need the same ones wait for each other; the platform's are not locked at all.
-- An account that moves for the first time is opened as the leg beside its entry names it; without legs none is.
-- Heads are moved by triggers alone: whoever calls this outside of one is refused.
CREATE FUNCTION ledger_continue(entries ledger_entries[], legs jsonb[] DEFAULT NULL) RETURNS ledger_entries[]
    LANGUAGE plpgsql AS $$
DECLARE
    entry ledger_entries;
    said bytea;
    account ledger_accounts;
    head ledger_heads;
    at_balance bigint;
    at_hash bytea;
BEGIN
    FOR number IN 1 .. cardinality(entries) LOOP
        entry := entries[number];
        said := entry.hash;
        IF account.id IS DISTINCT FROM entry.account_id THEN
            SELECT * INTO account FROM ledger_accounts a WHERE a.id = entry.account_id;
            IF NOT FOUND AND legs IS NOT NULL THEN
                PERFORM ledger_open_account(legs[number]);
                SELECT * INTO account FROM ledger_accounts a WHERE a.id = entry.account_id;
            END IF;
            IF account.is_chained THEN
                SELECT * INTO STRICT head FROM ledger_heads h WHERE h.account_id = account.id FOR NO KEY UPDATE;
                -- A statement of its own: its snapshot is taken after the lock, so it sees what the one before wrote.
                SELECT e.balance_after_minor, e.hash INTO at_balance, at_hash
                FROM ledger_entries e WHERE e.journal_id = head.journal_id AND e.line = head.line;
                at_balance := coalesce(at_balance, 0);
            END IF;
        END IF;
        IF account.currency IS DISTINCT FROM entry.currency THEN
            RAISE EXCEPTION 'there is no account % in %', entry.account_id, entry.currency USING ERRCODE = 'AL004';
        END IF;

        IF NOT account.is_chained THEN
            entry.sequence := NULL;
            entry.balance_before_minor := NULL;
            entry.balance_after_minor := NULL;
            entry.hash := ledger_entry_hash(NULL, said, entry.journal_id, entry.line, account.id, NULL,
                                            entry.amount_minor, entry.currency, NULL, entry.occurred_at);
            entries[number] := entry;
            CONTINUE;
        END IF;

        head.sequence := head.sequence + 1;
        entry.sequence := head.sequence;
        entry.balance_before_minor := at_balance;
        at_balance := at_balance + entry.amount_minor;
        entry.balance_after_minor := at_balance;
        at_hash := ledger_entry_hash(at_hash, said, entry.journal_id, entry.line, account.id, head.sequence,
                                     entry.amount_minor, entry.currency, at_balance, entry.occurred_at);
        entry.hash := at_hash;
        entries[number] := entry;

        IF entry.amount_minor < 0 AND NOT account.allows_debt THEN
            PERFORM 1 FROM balance_holds b WHERE b.account_id = account.id AND b.status = 'ACTIVE'
                HAVING coalesce(sum(b.amount_minor), 0) > at_balance;
            IF FOUND THEN
                RAISE EXCEPTION 'account % would fall below zero, or below what is held', account.id
                    USING ERRCODE = 'AL001';
            END IF;
        ELSIF account.kind = 'CUSTOMER_DEBT' AND at_balance > 0 THEN
            RAISE EXCEPTION 'more than account % owes would be paid back', account.id USING ERRCODE = 'AL010';
        END IF;
        -- Once for each account: moved for every entry, a head would drag a chain of dead rows through a batch.
        IF entries[number + 1].account_id IS DISTINCT FROM account.id THEN
            UPDATE ledger_heads SET sequence = entry.sequence, journal_id = entry.journal_id, line = entry.line
            WHERE account_id = account.id;
        END IF;
    END LOOP;
    RETURN entries;
END $$;
REVOKE ALL ON FUNCTION ledger_continue(ledger_entries[], jsonb[]) FROM PUBLIC;

-- What entries must satisfy, whoever inserts them ----------------------------------------------------

CREATE OR REPLACE FUNCTION check_ledger_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unit record;
    originals uuid[];
BEGIN
    FOR unit IN
        SELECT n.journal_id, sum(n.amount_minor) AS off,
               (SELECT j.reverses_journal_id FROM ledger_journals j WHERE j.id = n.journal_id) AS original
        FROM added n GROUP BY n.journal_id, n.currency
    LOOP
        IF unit.off <> 0 THEN
            RAISE EXCEPTION 'journal % is off by % in a unit', unit.journal_id, unit.off USING ERRCODE = 'AL003';
        ELSIF unit.original IS NOT NULL THEN
            originals := originals || unit.original;
        END IF;
    END LOOP;
    -- Within the trigger that posts, the entries are what `ledger_continue` has just answered.
    IF pg_trigger_depth() = 1 THEN
        PERFORM check_entries_by_hand(ARRAY(
            SELECT ROW(n.journal_id, n.line, n.account_id, n.sequence, n.amount_minor, n.currency,
                       n.balance_before_minor, n.balance_after_minor, n.hash, n.occurred_at)::ledger_entries
            FROM added n ORDER BY n.account_id, n.sequence));
    END IF;
    IF originals IS NOT NULL THEN
        PERFORM check_reversals(originals);
    END IF;
    RETURN NULL;
END $$;

-- Entries by hand, ordered by account and sequence: their journals are there and come whole, and each continues its
-- account's chain as posting would.
CREATE FUNCTION check_entries_by_hand(entries ledger_entries[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE broken record;
BEGIN
    SELECT e.journal_id, count(j.id) AS known INTO broken
    FROM unnest(entries) AS e LEFT JOIN ledger_journals j ON j.id = e.journal_id
    GROUP BY e.journal_id HAVING count(j.id) = 0 OR min(e.line) <> 1 LIMIT 1;
    IF broken.known = 0 THEN
        RAISE EXCEPTION 'there is no journal %', broken.journal_id USING ERRCODE = 'AL004';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'journal % is already posted', broken.journal_id USING ERRCODE = 'AL003';
    END IF;

    SELECT e.account_id, e.sequence INTO broken
    FROM unnest(entries) AS e JOIN unnest(ledger_continue(entries)) AS posted USING (journal_id, line)
    WHERE (e.sequence, e.balance_before_minor) IS DISTINCT FROM (posted.sequence, posted.balance_before_minor) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of account % does not continue its chain', broken.sequence, broken.account_id
            USING ERRCODE = 'AL004';
    END IF;
END $$;
REVOKE ALL ON FUNCTION check_entries_by_hand(ledger_entries[]) FROM PUBLIC;

-- Posting --------------------------------------------------------------------------------------------

-- What is inserted here is posted. A view, because what its trigger does is done within a trigger: only there may
-- heads move, and entries inserted at the top are inserted by hand. `posted` tells how many journals were new.
CREATE VIEW ledger_postings AS SELECT NULL::jsonb AS journals, NULL::jsonb AS legs, NULL::integer AS posted WHERE false;

-- Each journal
--   {"id", "type", "key", "fingerprint" (hex), "reference_type", "reference_id", "ar", "en", "at", "reverses"}
-- and their legs, ordered by account, then as they stand in the journals: each
--   [account_id, kind, currency, owner | null, provider, amount_minor, place of its journal from 0, line from 1]
-- A journal whose key exists with the same fingerprint is skipped: it was posted before.
-- Every look-up is by a key, so one plan for all values is as good as one for each; where entries lie in partitions
-- PostgreSQL would otherwise plan anew every time.
CREATE FUNCTION post_journals() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    journal jsonb;
    leg jsonb;
    entry ledger_entries;
    of_journal ledger_entries[];
    first_lines integer := 0;
    entries ledger_entries[];
    legs jsonb[];
BEGIN
    NEW.posted := 0;
    FOR number IN 0 .. jsonb_array_length(NEW.journals) - 1 LOOP
        journal := NEW.journals -> number;
        INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id, description_ar,
                                     description_en, fingerprint, occurred_at, reverses_journal_id)
        VALUES ((journal ->> 'id')::uuid, journal ->> 'type', journal ->> 'key', journal ->> 'reference_type',
                (journal ->> 'reference_id')::uuid, journal ->> 'ar', journal ->> 'en',
                decode(journal ->> 'fingerprint', 'hex'), (journal ->> 'at')::timestamptz,
                (journal ->> 'reverses')::uuid)
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id, fingerprint, occurred_at INTO entry.journal_id, entry.hash, entry.occurred_at;
        IF FOUND THEN
            NEW.posted := NEW.posted + 1;
        ELSE
            PERFORM 1 FROM ledger_journals j
            WHERE j.idempotency_key = journal ->> 'key' AND j.fingerprint = decode(journal ->> 'fingerprint', 'hex');
            IF NOT FOUND THEN
                RAISE EXCEPTION 'an idempotency key of the ledger was reused' USING ERRCODE = 'AL002';
            END IF;
        END IF;
        -- What its entries have in common; without a journal_id they are not made.
        of_journal := of_journal || entry;
    END LOOP;
    IF NEW.posted = 0 THEN
        RETURN NEW;
    END IF;

    FOR number IN 0 .. jsonb_array_length(NEW.legs) - 1 LOOP
        leg := NEW.legs -> number;
        entry := of_journal[(leg ->> 6)::integer + 1];
        CONTINUE WHEN entry.journal_id IS NULL;
        entry.line := leg ->> 7;
        entry.account_id := leg ->> 0;
        entry.amount_minor := leg ->> 5;
        entry.currency := leg ->> 2;
        entries := entries || entry;
        legs := legs || leg;
        first_lines := first_lines + (entry.line = 1)::integer;
    END LOOP;
    IF first_lines <> NEW.posted THEN
        RAISE EXCEPTION 'a journal does not begin with its line 1' USING ERRCODE = 'AL003';
    END IF;
    INSERT INTO ledger_entries SELECT * FROM unnest(ledger_continue(entries, legs));
    RETURN NEW;
END $$;
CREATE TRIGGER post INSTEAD OF INSERT ON ledger_postings FOR EACH ROW EXECUTE FUNCTION post_journals();

-- The application's way in. Answers how many journals were new.
CREATE OR REPLACE FUNCTION ledger_post(journals jsonb, legs jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE new_ones integer;
BEGIN
    INSERT INTO ledger_postings (journals, legs) VALUES (journals, legs) RETURNING posted INTO new_ones;
    RETURN new_ones;
END $$;
