-- The ledger, second edition: entries in partitions, a pointer to each account's newest entry, holds, lots
-- that know what is left of them, reversals that never take back more than there was. SQLSTATEs, beside
-- those of 20261123_after_tables.sql:
--   AL009 a reversal takes back what was not there   AL010 a hold, a lot or a debt would not add up

-- Whose accounts may stand how -----------------------------------------------------------------------

-- The lines of domain/ledger/accounts.py; a test compares them. The guards go by these rows, not by what
-- the application says of an account.
CREATE FUNCTION account_as_its_kind_says() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE known ledger_account_kinds;
BEGIN
    SELECT * INTO known FROM ledger_account_kinds WHERE kind = NEW.kind;
    IF known.kind IS NULL OR known.is_owned <> (NEW.user_id IS NOT NULL) THEN
        RAISE EXCEPTION 'there is no account % %', NEW.kind, coalesce('of ' || NEW.user_id, 'of nobody')
            USING ERRCODE = 'AL004';
    END IF;
    -- Under another id than its own, `ledger_post` would look for it in vain.
    PERFORM 1 FROM ledger_accounts a
    WHERE a.user_id IS NOT DISTINCT FROM NEW.user_id AND a.kind = NEW.kind AND a.currency = NEW.currency
      AND a.provider = NEW.provider AND a.id <> NEW.id;
    IF FOUND THEN
        RAISE EXCEPTION 'account % has another id', NEW.kind USING ERRCODE = 'AL004';
    END IF;
    NEW.is_chained := known.is_owned;
    NEW.allows_debt := known.standing IS DISTINCT FROM 'NEVER_BELOW_ZERO';
    RETURN NEW;
END $$;
CREATE TRIGGER as_its_kind_says BEFORE INSERT ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION account_as_its_kind_says();

-- An account's newest entry, found without looking through its history. The row is also the account's lock.
CREATE FUNCTION begin_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_heads (account_id, sequence) VALUES (NEW.id, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER begin_chain AFTER INSERT ON ledger_accounts
    FOR EACH ROW WHEN (NEW.is_chained) EXECUTE FUNCTION begin_chain();

-- Only the entries' own trigger moves a head.
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_heads
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON ledger_heads FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_account_kinds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON ledger_account_kinds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Partitions -----------------------------------------------------------------------------------------

-- A journal's id is a UUIDv7: its first 48 bits are the milliseconds since 1970, so a range of ids is a
-- range of time, and the primary key stays what it is.
CREATE FUNCTION first_id_of_year(year integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT
    RETURN (lpad(to_hex((extract(epoch FROM make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid;

-- Make the partition of a year's entries if it is not there. Attached, not created in place: that would lock
-- the whole ledger.
CREATE FUNCTION ledger_make_partition(year integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE partition text := 'ledger_entries_' || year;
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE ledger_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format('ALTER TABLE %I ADD CHECK (journal_id >= %L AND journal_id < %L)',
                   partition, first_id_of_year(year), first_id_of_year(year + 1));
    EXECUTE format('ALTER TABLE ledger_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first_id_of_year(year), first_id_of_year(year + 1));
    PERFORM ledger_guard_partition(partition);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION ledger_make_partition(integer) FROM PUBLIC;

-- What a partition needs of its own: triggers of statements that name it, and its part of the chain.
CREATE FUNCTION ledger_guard_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I (account_id, sequence)',
                   'uq_' || partition || '_account_id_sequence', partition);
    EXECUTE format('CREATE TRIGGER keep_table BEFORE TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
    EXECUTE format('CREATE TRIGGER hold_together AFTER INSERT ON %I REFERENCING NEW TABLE AS added
                    FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_entries()', partition);
END $$;
REVOKE ALL ON FUNCTION ledger_guard_partition(text) FROM PUBLIC;

-- What entries must satisfy, whoever inserts them ----------------------------------------------------

-- Entry by entry, each look-up by a key: what a posting costs does not depend on how many years there are. A join
-- would open every partition each time.
CREATE OR REPLACE FUNCTION check_ledger_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    journal record;
    original uuid;
    originals uuid[];
    entry record;
    account record;
    at_account uuid;
    at_sequence bigint;
    at_balance bigint;
BEGIN
    FOR journal IN
        SELECT n.journal_id, sum(n.amount_minor) AS off, min(min(n.line)) OVER (PARTITION BY n.journal_id) AS first
        FROM added n GROUP BY n.journal_id, n.currency
    LOOP
        IF journal.off <> 0 THEN
            RAISE EXCEPTION 'journal % is off by % in a unit', journal.journal_id, journal.off USING ERRCODE = 'AL003';
        ELSIF journal.first <> 1 THEN
            RAISE EXCEPTION 'journal % is already posted', journal.journal_id USING ERRCODE = 'AL003';
        END IF;
        SELECT j.reverses_journal_id INTO original FROM ledger_journals j WHERE j.id = journal.journal_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no journal %', journal.journal_id USING ERRCODE = 'AL004';
        END IF;
        IF original IS NOT NULL THEN
            originals := originals || original;
        END IF;
    END LOOP;

    FOR entry IN
        SELECT n.*, lead(n.account_id) OVER one IS DISTINCT FROM n.account_id AS is_last
        FROM added n WINDOW one AS (ORDER BY n.account_id, n.sequence)
    LOOP
        IF at_account IS DISTINCT FROM entry.account_id THEN
            at_account := entry.account_id;
            SELECT a.id, a.kind, a.currency, a.is_chained, a.allows_debt, h.sequence, h.journal_id, h.line INTO account
            FROM ledger_accounts a LEFT JOIN ledger_heads h ON h.account_id = a.id WHERE a.id = at_account;
            at_sequence := account.sequence;
            SELECT e.balance_after_minor INTO at_balance
            FROM ledger_entries e WHERE e.journal_id = account.journal_id AND e.line = account.line;
        END IF;
        IF account.currency IS DISTINCT FROM entry.currency OR account.is_chained <> (entry.sequence IS NOT NULL) THEN
            RAISE EXCEPTION 'an entry does not fit account %', entry.account_id USING ERRCODE = 'AL004';
        END IF;
        CONTINUE WHEN NOT account.is_chained;

        IF entry.sequence <> at_sequence + 1 OR entry.balance_before_minor <> coalesce(at_balance, 0) THEN
            RAISE EXCEPTION 'entry % of account % does not continue its chain', entry.sequence, account.id
                USING ERRCODE = 'AL004';
        ELSIF account.kind = 'CUSTOMER_DEBT' AND entry.balance_after_minor > 0 THEN
            RAISE EXCEPTION 'more than account % owes would be paid back', account.id USING ERRCODE = 'AL010';
        ELSIF entry.amount_minor < 0 AND NOT account.allows_debt THEN
            PERFORM 1 FROM balance_holds b WHERE b.account_id = account.id AND b.status = 'ACTIVE'
                HAVING coalesce(sum(b.amount_minor), 0) > entry.balance_after_minor;
            IF FOUND THEN
                RAISE EXCEPTION 'account % would fall below zero, or below what is held', account.id
                    USING ERRCODE = 'AL001';
            END IF;
        END IF;

        at_sequence := entry.sequence;
        at_balance := entry.balance_after_minor;
        CONTINUE WHEN NOT entry.is_last;

        -- Once for each account, and only from where its entries began: of two at once the second finds the head
        -- moved, and is refused.
        UPDATE ledger_heads SET sequence = entry.sequence, journal_id = entry.journal_id, line = entry.line
        WHERE account_id = account.id AND sequence = account.sequence;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % was moved by another', account.id USING ERRCODE = 'AL004';
        END IF;
    END LOOP;

    IF originals IS NOT NULL THEN
        PERFORM check_reversals(originals);
    END IF;
    RETURN NULL;
END $$;

-- All that reversals of a journal took, account by account, lies between nothing and what the journal gave.
-- What cannot be taken back because it was spent may become its owner's debt instead.
CREATE FUNCTION check_reversals(originals uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE broken record;
BEGIN
    -- One after another: two partial reversals at once must not both find enough.
    PERFORM 1 FROM ledger_journals WHERE id = ANY (originals) ORDER BY id FOR NO KEY UPDATE;
    SELECT x.journal_id INTO broken
    FROM (SELECT o.id AS journal_id, e.account_id,
                 coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id = o.id), 0) AS given,
                 coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id <> o.id), 0) AS taken
          FROM (SELECT DISTINCT id FROM unnest(originals) AS id) AS o(id)
          CROSS JOIN LATERAL (SELECT o.id UNION ALL
                              SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = o.id) AS told(id)
          JOIN ledger_entries e ON e.journal_id = told.id
          GROUP BY o.id, e.account_id) x
    JOIN ledger_accounts a ON a.id = x.account_id
    LEFT JOIN ledger_journals original ON original.id = x.journal_id
    -- What is not there gave nothing, so nothing can be taken back.
    WHERE original.id IS NULL OR original.reverses_journal_id IS NOT NULL
       OR (a.kind <> 'CUSTOMER_DEBT' AND (sign(x.given) * sign(x.taken) > 0 OR abs(x.taken) > abs(x.given)))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'more of journal % would be reversed than it moved', broken.journal_id USING ERRCODE = 'AL009';
    END IF;
END $$;

-- Posting --------------------------------------------------------------------------------------------

-- Post journals that the domain has made and checked: each
--   {"id", "type", "key", "fingerprint" (hex), "reference_type", "reference_id", "ar", "en", "at", "reverses"}
-- and their legs, ordered by account, then as they stand in the journals: each
--   [account_id, kind, currency, owner | null, provider, amount_minor, place of its journal from 0, line from 1]
-- A journal whose key exists with the same fingerprint is skipped: it was posted before. Owned accounts
-- are locked in the legs' order, so that two who need the same ones wait for each other; the platform's are
-- not locked at all. Answers how many were posted.
-- Every look-up is by a key, so one plan for all values is as good as one for each; where entries lie in partitions
-- PostgreSQL would otherwise plan anew every time.
CREATE FUNCTION ledger_post(journals jsonb, legs jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    posted integer := 0;
    journal jsonb;
    leg jsonb;
    said bytea;
    at timestamptz;
    place integer;
    line smallint;
    amount bigint;
    account uuid;
    is_chained boolean;
    head record;
    at_balance bigint;
    at_hash bytea;
    j_id uuid[]; j_said bytea[]; j_at timestamptz[];
    r_journal uuid[]; r_line smallint[]; r_account uuid[]; r_sequence bigint[]; r_amount bigint[];
    r_currency text[]; r_before bigint[]; r_after bigint[]; r_hash bytea[]; r_at timestamptz[];
BEGIN
    FOR number IN 0 .. jsonb_array_length(journals) - 1 LOOP
        journal := journals -> number;
        said := decode(journal ->> 'fingerprint', 'hex');
        at := journal ->> 'at';
        INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id,
                                     description_ar, description_en, fingerprint, occurred_at, reverses_journal_id)
        VALUES ((journal ->> 'id')::uuid, journal ->> 'type', journal ->> 'key', journal ->> 'reference_type',
                (journal ->> 'reference_id')::uuid, journal ->> 'ar', journal ->> 'en', said, at,
                (journal ->> 'reverses')::uuid)
        ON CONFLICT (idempotency_key) DO NOTHING;
        IF FOUND THEN
            posted := posted + 1;
            j_id := j_id || (journal ->> 'id')::uuid;
        ELSE
            PERFORM 1 FROM ledger_journals WHERE idempotency_key = journal ->> 'key' AND fingerprint = said;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'an idempotency key of the ledger was reused' USING ERRCODE = 'AL002';
            END IF;
            j_id := j_id || NULL::uuid;
        END IF;
        j_said := j_said || said;
        j_at := j_at || at;
    END LOOP;
    IF posted = 0 THEN
        RETURN 0;
    END IF;

    FOR number IN 0 .. jsonb_array_length(legs) - 1 LOOP
        leg := legs -> number;
        place := (leg ->> 6)::integer + 1;
        CONTINUE WHEN j_id[place] IS NULL;
        IF account IS DISTINCT FROM (leg ->> 0)::uuid THEN
            account := leg ->> 0;
            is_chained := leg ->> 3 IS NOT NULL;
            IF is_chained THEN
                SELECT h.sequence, h.journal_id, h.line INTO head
                FROM ledger_heads h WHERE h.account_id = account FOR NO KEY UPDATE;
                IF NOT FOUND THEN
                    PERFORM ledger_open_account(leg);
                    SELECT h.sequence, h.journal_id, h.line INTO STRICT head
                    FROM ledger_heads h WHERE h.account_id = account FOR NO KEY UPDATE;
                END IF;
                -- A statement of its own: its snapshot is taken after the lock, so it sees what the one before wrote.
                SELECT e.balance_after_minor, e.hash INTO at_balance, at_hash
                FROM ledger_entries e WHERE e.journal_id = head.journal_id AND e.line = head.line;
                at_balance := coalesce(at_balance, 0);
            ELSE
                PERFORM 1 FROM ledger_accounts a WHERE a.id = account;
                IF NOT FOUND THEN
                    PERFORM ledger_open_account(leg);
                END IF;
            END IF;
        END IF;
        line := (leg ->> 7)::smallint;
        amount := (leg ->> 5)::bigint;
        r_journal := r_journal || j_id[place];
        r_line := r_line || line;
        r_account := r_account || account;
        r_amount := r_amount || amount;
        r_currency := r_currency || (leg ->> 2);
        r_at := r_at || j_at[place];
        IF is_chained THEN
            head.sequence := head.sequence + 1;
            r_sequence := r_sequence || head.sequence;
            r_before := r_before || at_balance;
            at_balance := at_balance + amount;
            r_after := r_after || at_balance;
            at_hash := ledger_entry_hash(at_hash, j_said[place], j_id[place], line, account, head.sequence, amount,
                                         leg ->> 2, at_balance, j_at[place]);
            r_hash := r_hash || at_hash;
        ELSE
            r_sequence := r_sequence || NULL::bigint;
            r_before := r_before || NULL::bigint;
            r_after := r_after || NULL::bigint;
            r_hash := r_hash || ledger_entry_hash(NULL, j_said[place], j_id[place], line, account, NULL, amount,
                                                  leg ->> 2, NULL, j_at[place]);
        END IF;
    END LOOP;

    INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency,
                                balance_before_minor, balance_after_minor, hash, occurred_at)
    SELECT * FROM unnest(r_journal, r_line, r_account, r_sequence, r_amount, r_currency, r_before, r_after, r_hash, r_at);
    RETURN posted;
END $$;
REVOKE ALL ON FUNCTION ledger_post(jsonb, jsonb) FROM PUBLIC;

-- What the release before calls: journals that carry their own legs, without the last two places.
CREATE OR REPLACE FUNCTION ledger_post(journals jsonb) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT ledger_post(journals, coalesce((
            SELECT jsonb_agg(e.value || to_jsonb(ARRAY[j.place - 1, e.line]) ORDER BY (e.value ->> 0)::uuid, j.place, e.line)
            FROM jsonb_array_elements(journals) WITH ORDINALITY AS j(value, place),
                 jsonb_array_elements(j.value -> 'entries') WITH ORDINALITY AS e(value, line)), '[]'));
    END;

-- Make an account that moves for the first time, as a leg names it.
CREATE FUNCTION ledger_open_account(leg jsonb) RETURNS void LANGUAGE sql SET search_path = public, pg_temp
    BEGIN ATOMIC
        INSERT INTO ledger_accounts (id, kind, currency, user_id, provider, is_chained, allows_debt, created_at)
        VALUES ((leg ->> 0)::uuid, leg ->> 1, leg ->> 2, (leg ->> 3)::uuid, leg ->> 4, false, false, now())
        ON CONFLICT DO NOTHING;
    END;
REVOKE ALL ON FUNCTION ledger_open_account(jsonb) FROM PUBLIC;

-- Lock owned accounts in one order until the transaction ends; what each holds, and how much of it is held.
-- For rules that have to see a balance before they decide. An account that never moved is not answered.
CREATE FUNCTION ledger_lock(accounts uuid[]) RETURNS TABLE (account_id uuid, balance_minor bigint, held_minor bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_heads h WHERE h.account_id = ANY (accounts) ORDER BY h.account_id FOR NO KEY UPDATE;
    RETURN QUERY
        SELECT h.account_id, coalesce(e.balance_after_minor, 0),
               coalesce((SELECT sum(b.amount_minor) FROM balance_holds b
                         WHERE b.account_id = h.account_id AND b.status = 'ACTIVE'), 0)::bigint
        FROM ledger_heads h LEFT JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
        WHERE h.account_id = ANY (accounts) ORDER BY h.account_id;
END $$;
REVOKE ALL ON FUNCTION ledger_lock(uuid[]) FROM PUBLIC;

-- Holds ----------------------------------------------------------------------------------------------

CREATE FUNCTION check_balance_hold() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    available bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'ACTIVE' THEN
            RAISE EXCEPTION 'a hold begins as ACTIVE' USING ERRCODE = 'AL010';
        END IF;
        PERFORM 1 FROM ledger_accounts WHERE id = NEW.account_id AND currency <> NEW.currency;
        IF FOUND THEN
            RAISE EXCEPTION 'account % is in another unit than %', NEW.account_id, NEW.currency USING ERRCODE = 'AL010';
        END IF;
        SELECT l.balance_minor - l.held_minor INTO available FROM ledger_lock(ARRAY[NEW.account_id]) AS l;
        IF available IS NULL OR available < NEW.amount_minor THEN
            RAISE EXCEPTION 'account % has not that much to hold', NEW.account_id USING ERRCODE = 'AL001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status = 'ACTIVE' AND NEW.status <> 'ACTIVE'
       AND to_jsonb(OLD) - '{status,captured_minor,journal_id,resolved_at}'::text[]
         = to_jsonb(NEW) - '{status,captured_minor,journal_id,resolved_at}'::text[] THEN
        -- The same lock as whoever counts the hold.
        PERFORM 1 FROM ledger_lock(ARRAY[NEW.account_id]);
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'hold % ends once, and is otherwise never changed: % refused', OLD.id, TG_OP USING ERRCODE = 'AL010';
END $$;
CREATE TRIGGER ends_once BEFORE INSERT OR UPDATE OR DELETE ON balance_holds
    FOR EACH ROW EXECUTE FUNCTION check_balance_hold();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON balance_holds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Lots of points -------------------------------------------------------------------------------------

-- What is left of a lot follows from the rows that took from it and gave back to it; nothing else writes it.
DROP TRIGGER keep_rows ON points_lots;
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON points_lots
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON points_lot_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON points_lot_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION begin_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.remaining := NEW.points;
    NEW.grace_until := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER begin_lot BEFORE INSERT ON points_lots FOR EACH ROW EXECUTE FUNCTION begin_lot();

-- A row below zero takes from a lot, one above gives back what the journal that its own reverses took.
CREATE FUNCTION count_lot_entries() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- In one order: two statements that touch the same lots wait for each other.
    PERFORM 1 FROM points_lots WHERE id IN (SELECT lot_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    PERFORM 1 FROM added n WHERE n.points > 0 AND n.points > coalesce((
        SELECT -sum(t.points) FROM points_lot_entries t JOIN ledger_journals j ON j.id = n.journal_id
        WHERE t.lot_id = n.lot_id
          AND (t.journal_id = j.reverses_journal_id
               OR (t.journal_id <> n.journal_id
                   AND t.journal_id IN (SELECT r.id FROM ledger_journals r
                                        WHERE r.reverses_journal_id = j.reverses_journal_id)))), 0);
    IF FOUND THEN
        RAISE EXCEPTION 'more would be given back to a lot than was taken from it' USING ERRCODE = 'AL009';
    END IF;
    UPDATE points_lots l SET remaining = l.remaining + n.points, grace_until = greatest(l.grace_until, n.grace_until)
    FROM (SELECT lot_id, sum(points) AS points, max(grace_until) AS grace_until FROM added GROUP BY lot_id) n
    WHERE l.id = n.lot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER count_lot_entries AFTER INSERT ON points_lot_entries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_lot_entries();

-- At commit the lots of a person hold what their account says: points that no lot knows would never expire.
CREATE FUNCTION check_lots_against_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid;
    in_lots bigint;
    in_account bigint;
BEGIN
    CASE TG_ARGV[0]
        WHEN 'lot' THEN person := NEW.user_id;
        WHEN 'entry' THEN SELECT user_id INTO person FROM ledger_accounts WHERE id = NEW.account_id AND kind = 'POINTS';
        ELSE SELECT user_id INTO person FROM points_lots WHERE id = NEW.lot_id;
    END CASE;
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(remaining), 0) INTO in_lots FROM points_lots WHERE user_id = person AND remaining > 0;
    SELECT coalesce(sum(e.balance_after_minor), 0) INTO in_account
    FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
    JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
    WHERE a.user_id = person AND a.kind = 'POINTS';
    IF in_lots <> in_account THEN
        RAISE EXCEPTION 'the lots of % hold %, the account says %', person, in_lots, in_account USING ERRCODE = 'AL010';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lots_agree AFTER INSERT ON points_lots DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_lots_against_account('lot');
CREATE CONSTRAINT TRIGGER lots_agree AFTER INSERT ON points_lot_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_lots_against_account('lot entry');

-- What analysts read, in the guide's words -----------------------------------------------------------

CREATE VIEW wallet_ledger AS
SELECT a.user_id, e.sequence, j.journal_type AS transaction_type, e.amount_minor, e.currency,
       e.balance_before_minor AS balance_before, e.balance_after_minor AS balance_after,
       j.reference_type, j.reference_id, j.description_ar, j.description_en, j.id AS journal_id, j.occurred_at AS created_at
FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id JOIN ledger_journals j ON j.id = e.journal_id
WHERE a.kind = 'WALLET';

CREATE VIEW points_ledger AS
SELECT a.user_id, e.sequence, j.journal_type AS transaction_type, e.amount_minor AS points,
       e.balance_before_minor AS balance_before, e.balance_after_minor AS balance_after,
       j.reference_type, j.reference_id, j.description_ar, j.description_en, l.expires_at,
       j.id AS journal_id, j.occurred_at AS created_at
FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id JOIN ledger_journals j ON j.id = e.journal_id
LEFT JOIN points_lots l ON l.journal_id = j.id
WHERE a.kind = 'POINTS';

-- Erasure asks for the newest entry in the new way ---------------------------------------------------

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
                   OR (t.status = 'OPEN' AND coalesce(t.expires_at, t.created_at + interval '1 day') > at))));
