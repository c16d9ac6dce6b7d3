-- Posting, third edition: an account's head carries its balance, its newest hash and what is held of it, so a posting
-- continues a chain by one UPDATE, which is also the lock, and reads nothing else of the account.

-- Heads ----------------------------------------------------------------------------------------------

-- Only triggers write heads. By statements: a trigger for each row would lock the row a second time before its update.
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_heads
    FOR EACH STATEMENT WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_added AFTER INSERT ON ledger_heads
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE FUNCTION begin_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_heads (account_id, sequence, kind, currency, balance_minor, held_minor)
    VALUES (NEW.id, 0, NEW.kind, NEW.currency, 0, 0);
    RETURN NULL;
END $$;

-- Give a head that says less than it should what follows from its account, its newest entry and its holds.
CREATE FUNCTION ledger_complete_head(account uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_heads h WHERE h.account_id = account FOR NO KEY UPDATE;
    -- A statement of its own: its snapshot is taken after the lock, so it sees what the one before wrote.
    UPDATE ledger_heads h
    SET kind = a.kind, currency = a.currency,
        balance_minor = coalesce((SELECT e.balance_after_minor FROM ledger_entries e
                                  WHERE e.journal_id = h.journal_id AND e.line = h.line), 0),
        hash = (SELECT e.hash FROM ledger_entries e WHERE e.journal_id = h.journal_id AND e.line = h.line),
        held_minor = coalesce((SELECT sum(b.amount_minor) FROM balance_holds b
                               WHERE b.account_id = account AND b.status = 'ACTIVE'), 0)
    FROM ledger_accounts a
    WHERE h.account_id = account AND a.id = account AND h.balance_minor IS NULL;
END $$;
REVOKE ALL ON FUNCTION ledger_complete_head(uuid) FROM PUBLIC;

-- What is held of an account, counted as holds begin and end. A head that is not complete stays so.
CREATE FUNCTION count_hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ledger_heads h
    SET held_minor = h.held_minor + CASE TG_OP WHEN 'INSERT' THEN NEW.amount_minor ELSE -NEW.amount_minor END
    WHERE h.account_id = NEW.account_id;
    RETURN NULL;
END $$;
-- `ends_once` lets a hold begin ACTIVE, end once, and change in no other way.
CREATE TRIGGER counted AFTER INSERT OR UPDATE ON balance_holds FOR EACH ROW EXECUTE FUNCTION count_hold();

CREATE OR REPLACE FUNCTION account_as_its_kind_says() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE known ledger_account_kinds;
BEGIN
    SELECT * INTO known FROM ledger_account_kinds WHERE kind = NEW.kind;
    IF known.kind IS NULL OR known.is_owned <> (NEW.user_id IS NOT NULL) THEN
        RAISE EXCEPTION 'there is no account % %', NEW.kind, coalesce('of ' || NEW.user_id, 'of nobody')
            USING ERRCODE = 'AL004';
    END IF;
    -- Under another id than its own, posting would look for it in vain. Two questions, each through an index.
    IF NEW.user_id IS NULL THEN
        PERFORM 1 FROM ledger_accounts a
        WHERE a.user_id IS NULL AND a.kind = NEW.kind AND a.currency = NEW.currency AND a.provider = NEW.provider
          AND a.id <> NEW.id;
    ELSE
        PERFORM 1 FROM ledger_accounts a
        WHERE a.user_id = NEW.user_id AND a.kind = NEW.kind AND a.currency = NEW.currency
          AND a.provider = NEW.provider AND a.id <> NEW.id;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'account % has another id', NEW.kind USING ERRCODE = 'AL004';
    END IF;
    NEW.is_chained := known.is_owned;
    NEW.allows_debt := known.standing IS DISTINCT FROM 'NEVER_BELOW_ZERO';
    RETURN NEW;
END $$;

-- Chains ---------------------------------------------------------------------------------------------

-- Whether an account that has no complete head has one now: of the platform's accounts there are none. One that moves
-- for the first time is opened as the leg names it; one whose leg names no kind is not.
CREATE FUNCTION ledger_find_head(entry ledger_entries, leg jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE account ledger_accounts;
BEGIN
    SELECT * INTO account FROM ledger_accounts a WHERE a.id = entry.account_id;
    IF NOT FOUND AND leg ->> 1 IS NOT NULL THEN
        PERFORM ledger_open_account(leg);
        SELECT * INTO account FROM ledger_accounts a WHERE a.id = entry.account_id;
    END IF;
    IF account.currency IS DISTINCT FROM entry.currency THEN
        RAISE EXCEPTION 'there is no account % in %', entry.account_id, entry.currency USING ERRCODE = 'AL004';
    END IF;
    IF account.is_chained THEN
        PERFORM ledger_complete_head(account.id);
    END IF;
    RETURN account.is_chained;
END $$;
REVOKE ALL ON FUNCTION ledger_find_head(ledger_entries, jsonb) FROM PUBLIC;

-- Refuse an entry after which its account would stand as it never may. Asked only where a look at the head says that
-- it might: whoever changes when this is asked, in `post_journals`, and what is asked here, keeps both together.
CREATE FUNCTION ledger_refuse(entry ledger_entries, held bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE account ledger_accounts;
BEGIN
    IF entry.amount_minor = 0 THEN
        RAISE EXCEPTION 'an entry moves more than nothing' USING ERRCODE = '23514';
    END IF;
    SELECT * INTO account FROM ledger_accounts a WHERE a.id = entry.account_id;
    IF account.kind = 'CUSTOMER_DEBT' AND entry.balance_after_minor > 0 THEN
        RAISE EXCEPTION 'more than account % owes would be paid back', account.id USING ERRCODE = 'AL010';
    ELSIF entry.amount_minor > 0 THEN
        RETURN;
    ELSIF NOT account.allows_debt AND entry.balance_after_minor < held THEN
        RAISE EXCEPTION 'account % would fall below zero, or below what is held', account.id USING ERRCODE = 'AL001';
    ELSIF entry.balance_after_minor >= 0 THEN
        RETURN;
    ELSIF account.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')
          AND EXISTS (SELECT 1 FROM ledger_journals j
                      WHERE j.id = entry.journal_id AND j.journal_type = 'PAYOUT') THEN
        RAISE EXCEPTION 'account % does not bear the payout', account.id USING ERRCODE = 'AL001';
    -- What goes back into the wallet is the agent's own alone; all else may use the credit.
    ELSIF account.kind = 'AGENT_DEPOSIT'
          AND (EXISTS (SELECT 1 FROM ledger_journals j
                       WHERE j.id = entry.journal_id AND j.journal_type = 'TRANSFER')
               OR entry.balance_after_minor < -coalesce((
                   SELECT l.limit_minor FROM partner_profiles p JOIN agent_credit_limits l ON l.profile_id = p.id
                   WHERE p.user_id = account.user_id AND p.payee_type = 'AGENT' AND l.currency = account.currency
                   ORDER BY l.valid_from DESC, l.id DESC LIMIT 1), 0)) THEN
        RAISE EXCEPTION 'account % would fall below its credit limit', account.id USING ERRCODE = 'AL001';
    END IF;
END $$;
REVOKE ALL ON FUNCTION ledger_refuse(ledger_entries, bigint) FROM PUBLIC;

-- Journals are whole: each of the `many` begins with its line 1, and sums to zero in each unit.
CREATE FUNCTION ledger_check_journals(entries ledger_entries[], many bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE unit record;
BEGIN
    SELECT e.journal_id, sum(e.amount_minor) AS off INTO unit
    FROM unnest(entries) AS e GROUP BY e.journal_id, e.currency HAVING sum(e.amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % is off by % in a unit', unit.journal_id, unit.off USING ERRCODE = 'AL003';
    END IF;
    IF many <> (SELECT count(*) FROM unnest(entries) AS e WHERE e.line = 1) THEN
        RAISE EXCEPTION 'a journal does not begin with its line 1' USING ERRCODE = 'AL003';
    END IF;
END $$;
REVOKE ALL ON FUNCTION ledger_check_journals(ledger_entries[], bigint) FROM PUBLIC;

-- Point an account's head at an entry.
CREATE FUNCTION ledger_move_head(entry ledger_entries) RETURNS void LANGUAGE sql BEGIN ATOMIC
    UPDATE ledger_heads h
    SET sequence = entry.sequence, journal_id = entry.journal_id, line = entry.line,
        balance_minor = entry.balance_after_minor, hash = entry.hash
    WHERE h.account_id = entry.account_id;
END;
REVOKE ALL ON FUNCTION ledger_move_head(ledger_entries) FROM PUBLIC;

-- What entries must satisfy, whoever inserts them ----------------------------------------------------

-- Asked only of entries that are inserted by hand: posting checks what it inserts.
CREATE OR REPLACE FUNCTION check_ledger_entries() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    entries ledger_entries[] := ARRAY(
        SELECT ROW(n.journal_id, n.line, n.account_id, n.sequence, n.amount_minor, n.currency,
                   n.balance_before_minor, n.balance_after_minor, n.hash, n.occurred_at)::ledger_entries
        FROM added n ORDER BY n.account_id, n.sequence);
    originals uuid[];
BEGIN
    -- Whether each begins with its line 1 is asked behind that, where more is said of it.
    PERFORM ledger_check_journals(entries, (SELECT count(*) FROM added n WHERE n.line = 1));
    PERFORM check_entries_by_hand(entries);
    originals := ARRAY(SELECT DISTINCT j.reverses_journal_id FROM unnest(entries) e
                       JOIN ledger_journals j ON j.id = e.journal_id WHERE j.reverses_journal_id IS NOT NULL);
    IF cardinality(originals) > 0 THEN
        PERFORM check_reversals(originals);
    END IF;
    RETURN NULL;
END $$;

-- Entries by hand, ordered by account and sequence: their journals are there and come whole, their balances add up,
-- and each continues its account's chain as posting would.
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

-- One plan for all values: where entries lie in partitions PostgreSQL would otherwise plan anew every time.
ALTER FUNCTION check_reversals(uuid[]) SET plan_cache_mode = force_generic_plan;

-- Posting --------------------------------------------------------------------------------------------

-- How entries by hand are held against what posting would have made of them: inserted here, chains are continued, and
-- `entries` answers with what; only within the guard of entries. Posting does it in the same place, one function for both.
CREATE VIEW ledger_continuations AS
SELECT NULL::jsonb AS journals, NULL::jsonb AS legs, NULL::integer AS posted, NULL::ledger_entries[] AS of_journal,
       NULL::ledger_entries[] AS entries
WHERE false;

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
CREATE TRIGGER continue INSTEAD OF INSERT ON ledger_continuations FOR EACH ROW EXECUTE FUNCTION post_journals();
DROP FUNCTION ledger_continue(ledger_entries[], jsonb[]);
