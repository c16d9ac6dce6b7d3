-- Posting, fourth edition: what a journal may be is asked by posting and of entries by hand, in one function.

-- The types of journals there are.
CREATE FUNCTION ledger_journal_types() RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN '["DEPOSIT", "WITHDRAWAL", "PAYMENT", "REFUND", "CASHBACK", "BONUS", "COMMISSION", "EARNED", "REDEEMED", "EXPIRED",
         "ADJUSTMENT", "REVERSAL", "REVENUE", "SUSPENSE", "TRANSFER", "CLAWBACK", "REPAYMENT", "EARNING", "PAYOUT", "FEE",
         "DISPUTE", "WRITE_OFF"]'::jsonb;
REVOKE ALL ON FUNCTION ledger_journal_types() FROM PUBLIC;

-- Refuse a journal of no known type, and one that reverses another without being a reversal.
CREATE FUNCTION ledger_check_journal(journal_type text, reverses uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (ledger_journal_types() ? journal_type) IS NOT TRUE THEN
        RAISE EXCEPTION 'there are no journals of type %', journal_type USING ERRCODE = '23514';
    ELSIF reverses IS NOT NULL AND journal_type <> 'REVERSAL' THEN
        RAISE EXCEPTION 'only reversals reverse' USING ERRCODE = '23514';
    END IF;
END $$;
REVOKE ALL ON FUNCTION ledger_check_journal(text, uuid) FROM PUBLIC;

-- Entries by hand, ordered by account and sequence: their journals are there, are what they may be and come whole, their
-- balances add up, and each continues its account's chain as posting would.
CREATE OR REPLACE FUNCTION check_entries_by_hand(entries ledger_entries[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    broken record;
    continued ledger_entries[];
BEGIN
    PERFORM 1 FROM unnest(entries) AS e
    WHERE e.balance_after_minor <> e.balance_before_minor + e.amount_minor
       OR (e.sequence IS NULL) <> (e.balance_after_minor IS NULL)
       OR (e.sequence IS NULL) <> (e.balance_before_minor IS NULL);
    IF FOUND THEN
        RAISE EXCEPTION 'an entry does not add up' USING ERRCODE = '23514';
    END IF;

    SELECT e.journal_id, count(j.id) AS known INTO broken
    FROM unnest(entries) AS e LEFT JOIN ledger_journals j ON j.id = e.journal_id
    GROUP BY e.journal_id HAVING count(j.id) = 0 OR min(e.line) <> 1 LIMIT 1;
    IF broken.known = 0 THEN
        RAISE EXCEPTION 'there is no journal %', broken.journal_id USING ERRCODE = 'AL004';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'journal % is already posted', broken.journal_id USING ERRCODE = 'AL003';
    END IF;

    PERFORM ledger_check_journal(j.journal_type, j.reverses_journal_id)
    FROM ledger_journals j WHERE j.id IN (SELECT e.journal_id FROM unnest(entries) AS e);

    -- Each as a journal's only one: its own instant is in its hash.
    INSERT INTO ledger_continuations (of_journal, legs, posted)
    SELECT array_agg(ROW(e.journal_id, e.line, NULL, NULL, NULL, NULL, NULL, NULL, j.fingerprint,
                         e.occurred_at)::ledger_entries ORDER BY e.place),
           jsonb_agg(jsonb_build_array(e.account_id, NULL, e.currency, NULL, NULL, e.amount_minor, e.place - 1, e.line)
                     ORDER BY e.place),
           count(DISTINCT e.journal_id)
    FROM unnest(entries) WITH ORDINALITY AS e(journal_id, line, account_id, sequence, amount_minor, currency,
                                              balance_before_minor, balance_after_minor, hash, occurred_at, place)
    JOIN ledger_journals j ON j.id = e.journal_id
    RETURNING ledger_continuations.entries INTO continued;
    SELECT e.account_id, e.sequence INTO broken
    FROM unnest(entries) AS e JOIN unnest(continued) AS posted USING (journal_id, line)
    WHERE (e.sequence, e.balance_before_minor) IS DISTINCT FROM (posted.sequence, posted.balance_before_minor) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of account % does not continue its chain', broken.sequence, broken.account_id
            USING ERRCODE = 'AL004';
    END IF;
END $$;

-- Each journal
--   {"id", "type", "key", "fingerprint" (hex), "reference_type", "reference_id", "ar", "en", "at", "reverses"}
-- and their legs, ordered by account, then as they stand in the journals: each
--   [account_id, kind, currency, owner | null, provider, amount_minor, place of its journal from 0, line from 1]
-- A journal whose key exists with the same fingerprint is skipped: it was posted before. Owned accounts are locked in the
-- order of the legs, so that two who need the same ones wait for each other; the platform's are not locked at all.
-- An account that moves for the first time is opened as its leg names it, if it names a kind.
-- The application inserts into the view itself, so this runs as the owner, and looks nowhere else for tables.
CREATE OR REPLACE FUNCTION post_journals() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    journal jsonb;
    leg jsonb;
    entry ledger_entries;
    last ledger_entries;
    original uuid;
    originals uuid[];
    -- What a journal's entries have in common, with its fingerprint as `hash`; without an id they are not made.
    of_journal ledger_entries[];
    entries ledger_entries[];
    account uuid;
    account_kind text;
    held bigint;
    is_behind boolean := false;
    is_by_hand boolean := TG_RELNAME = 'ledger_continuations';
BEGIN
    IF is_by_hand THEN
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'chains are continued with entries alone' USING ERRCODE = 'AL005';
        END IF;
        of_journal := NEW.of_journal;
    ELSE
        NEW.posted := 0;
        FOR number IN 0 .. jsonb_array_length(NEW.journals) - 1 LOOP
            journal := NEW.journals -> number;
            INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id,
                                         description_ar, description_en, fingerprint, occurred_at, reverses_journal_id)
            VALUES ((journal ->> 'id')::uuid, journal ->> 'type', journal ->> 'key', journal ->> 'reference_type',
                    (journal ->> 'reference_id')::uuid, journal ->> 'ar', journal ->> 'en',
                    decode(journal ->> 'fingerprint', 'hex'), (journal ->> 'at')::timestamptz,
                    (journal ->> 'reverses')::uuid)
            ON CONFLICT (idempotency_key) DO NOTHING
            RETURNING id, fingerprint, occurred_at, reverses_journal_id
            INTO entry.journal_id, entry.hash, entry.occurred_at, original;
            IF FOUND THEN
                NEW.posted := NEW.posted + 1;
            ELSE
                PERFORM 1 FROM ledger_journals j WHERE j.idempotency_key = journal ->> 'key'
                                                   AND j.fingerprint = decode(journal ->> 'fingerprint', 'hex');
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'an idempotency key of the ledger was reused' USING ERRCODE = 'AL002';
                END IF;
            END IF;
            IF original IS NOT NULL THEN
                originals := originals || original;
            END IF;
            IF original IS NOT NULL OR (ledger_journal_types() ? (journal ->> 'type')) IS NOT TRUE THEN
                PERFORM ledger_check_journal(journal ->> 'type', original);
            END IF;
            of_journal := of_journal || entry;
        END LOOP;
        IF NEW.posted = 0 THEN
            RETURN NEW;
        END IF;
    END IF;

    FOR number IN 0 .. jsonb_array_length(NEW.legs) - 1 LOOP
        leg := NEW.legs -> number;
        entry := of_journal[(leg ->> 6)::integer + 1];
        CONTINUE WHEN entry.journal_id IS NULL;
        entry.line := (leg ->> 7)::smallint;
        entry.account_id := (leg ->> 0)::uuid;
        entry.amount_minor := (leg ->> 5)::bigint;
        entry.currency := leg ->> 2;

        IF account IS DISTINCT FROM entry.account_id THEN
            account := entry.account_id;
            IF is_behind THEN
                PERFORM ledger_move_head(last);
                is_behind := false;
            END IF;
            LOOP
                -- What another moved meanwhile is waited for, and then continued: READ COMMITTED computes anew.
                UPDATE ledger_heads h
                SET sequence = h.sequence + 1, journal_id = entry.journal_id, line = entry.line,
                    balance_minor = h.balance_minor + entry.amount_minor,
                    hash = ledger_entry_hash(h.hash, entry.hash, entry.journal_id, entry.line, entry.account_id,
                                             h.sequence + 1, entry.amount_minor, entry.currency,
                                             h.balance_minor + entry.amount_minor, entry.occurred_at)
                WHERE h.account_id = entry.account_id AND h.currency = entry.currency
                RETURNING h.sequence, h.balance_minor - entry.amount_minor, h.balance_minor, h.hash, h.kind, h.held_minor
                INTO entry.sequence, entry.balance_before_minor, entry.balance_after_minor, entry.hash, account_kind,
                     held;
                EXIT WHEN FOUND;
                -- No row has left nothing in what it should have been read into.
                entry.hash := of_journal[(leg ->> 6)::integer + 1].hash;
                EXIT WHEN NOT ledger_find_head(entry, leg);
            END LOOP;
        ELSE
            last := entries[cardinality(entries)];
            entry.sequence := last.sequence + 1;
            entry.balance_before_minor := last.balance_after_minor;
            entry.balance_after_minor := last.balance_after_minor + entry.amount_minor;
            IF entry.sequence IS NOT NULL THEN
                entry.hash := ledger_entry_hash(last.hash, entry.hash, entry.journal_id, entry.line, account,
                                                entry.sequence, entry.amount_minor, entry.currency,
                                                entry.balance_after_minor, entry.occurred_at);
                last := entry;
                -- Its head is moved once more: moved for every entry, it would drag a chain of dead rows along.
                is_behind := true;
            END IF;
        END IF;
        IF entry.sequence IS NULL THEN
            entry.hash := ledger_entry_hash(NULL, entry.hash, entry.journal_id, entry.line, account, NULL,
                                            entry.amount_minor, entry.currency, NULL, entry.occurred_at);
        END IF;
        IF entry.amount_minor = 0
           OR entry.amount_minor < 0 AND entry.balance_after_minor < held
           OR account_kind = 'CUSTOMER_DEBT' AND entry.balance_after_minor > 0 THEN
            PERFORM ledger_refuse(entry, held);
        END IF;
        entries := entries || entry;
    END LOOP;
    IF is_behind THEN
        PERFORM ledger_move_head(last);
    END IF;
    -- A plain pair is seen to be whole; all else is asked about.
    IF (NEW.posted = 1 AND cardinality(entries) = 2 AND 1 IN (entries[1].line, entries[2].line)
        AND entries[1].amount_minor = -entries[2].amount_minor AND entries[1].currency = entries[2].currency) IS NOT TRUE
    THEN
        PERFORM ledger_check_journals(entries, NEW.posted);
    END IF;
    IF is_by_hand THEN
        NEW.entries := entries;
        RETURN NEW;
    END IF;
    INSERT INTO ledger_entries SELECT * FROM unnest(entries);
    IF originals IS NOT NULL THEN
        PERFORM check_reversals(originals);
    END IF;
    RETURN NEW;
END $$;
