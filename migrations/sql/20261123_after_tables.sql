-- The ledger's guards and its posting path. Credits are positive. SQLSTATE class AL is the ledger's own:
--   AL001 an account would fall below zero      AL004 an account's chain would break
--   AL002 an idempotency key says something else AL005 append-only rows were to be changed
--   AL003 a journal does not sum to zero

-- Rows that are written once -------------------------------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'AL005', HINT = 'Correct a journal by a reversal, a document by another document.';
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_accounts', 'ledger_journals', 'ledger_entries', 'points_lots',
                                'booking_status_history', 'audit_logs', 'payment_receipts', 'invoice_items']
    LOOP
        EXECUTE format('CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE TRIGGER keep_table BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;

-- An invoice may become PAID or REFUNDED; its figures, number and customer stay, and it is never deleted.
CREATE FUNCTION refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'status' - 'paid_date' = to_jsonb(NEW) - 'status' - 'paid_date' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an issued invoice is never changed: % refused', TG_OP USING ERRCODE = 'AL005';
END $$;
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION refuse_invoice_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What entries must satisfy, whoever inserts them ----------------------------------------------------

-- One statement brings all entries of a journal (its line 1 exists once), so each journal is whole and
-- balanced from the moment its rows exist. There are no foreign keys from entries: their share locks on
-- the platform's few accounts would make those rows a hot spot; accounts and journals are never deleted,
-- and this trigger refuses entries that name none.
CREATE FUNCTION check_ledger_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE broken record;
BEGIN
    SELECT journal_id, currency, sum(amount_minor) AS off INTO broken
    FROM added GROUP BY journal_id, currency HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % is off by % %', broken.journal_id, broken.off, broken.currency USING ERRCODE = 'AL003';
    END IF;

    SELECT n.journal_id INTO broken FROM added n GROUP BY n.journal_id HAVING min(n.line) <> 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % is already posted', broken.journal_id USING ERRCODE = 'AL003';
    END IF;

    SELECT n.account_id, n.sequence INTO broken
    FROM added n
    LEFT JOIN ledger_accounts a ON a.id = n.account_id
    LEFT JOIN ledger_journals j ON j.id = n.journal_id
    LEFT JOIN ledger_entries p ON p.account_id = n.account_id AND p.sequence = n.sequence - 1
    WHERE a.id IS NULL OR j.id IS NULL OR a.currency <> n.currency
       OR a.is_chained <> (n.sequence IS NOT NULL)
       OR n.sequence < 1
       OR (n.sequence = 1 AND n.balance_before_minor <> 0)
       OR (n.sequence > 1 AND p.balance_after_minor IS DISTINCT FROM n.balance_before_minor)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of account % does not continue its chain', broken.sequence, broken.account_id
            USING ERRCODE = 'AL004';
    END IF;

    SELECT n.account_id INTO broken
    FROM added n JOIN ledger_accounts a ON a.id = n.account_id
    WHERE n.balance_after_minor < 0 AND NOT a.allows_debt LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % would fall below zero', broken.account_id USING ERRCODE = 'AL001';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER hold_together AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_entries();

-- Each entry's hash covers the one before it on its account, so that a changed row breaks every later one.
-- `altayar ledger verify` recomputes it.
CREATE FUNCTION ledger_entry_hash(previous bytea, fingerprint bytea, journal_id uuid, line smallint, account_id uuid,
                                  sequence bigint, amount_minor bigint, currency text, balance_after_minor bigint,
                                  occurred_at timestamptz) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(coalesce(previous, ''::bytea) || fingerprint || convert_to(
        concat_ws('|', journal_id, line, account_id, coalesce(sequence, 0), amount_minor, currency,
                  coalesce(balance_after_minor, 0), (extract(epoch FROM occurred_at) * 1000000)::bigint), 'UTF8'));

-- Posting --------------------------------------------------------------------------------------------

-- Post journals that the domain has made and checked: each
--   {"id", "type", "key", "fingerprint" (hex), "reference_type", "reference_id", "ar", "en", "at",
--    "entries": [[account_id, kind, currency, owner | null, provider, amount_minor], …]}
-- A journal whose key exists with the same fingerprint is skipped: it was posted before. Owned accounts
-- are locked in one order, once each; the platform's are not locked at all. Answers how many were posted.
CREATE FUNCTION ledger_post(journals jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    posted uuid[];
    entry record;
    account uuid;
    at_sequence bigint;
    at_balance bigint;
    at_hash bytea;
    r_journal uuid[]; r_line smallint[]; r_account uuid[]; r_sequence bigint[]; r_amount bigint[];
    r_currency text[]; r_before bigint[]; r_after bigint[]; r_hash bytea[]; r_at timestamptz[];
BEGIN
    WITH written AS (
        INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id,
                                     description_ar, description_en, fingerprint, occurred_at)
        SELECT j.id, j.type, j.key, j.reference_type, j.reference_id, j.ar, j.en,
               decode(j.fingerprint, 'hex'), j.at
        FROM jsonb_to_recordset(journals) AS j(id uuid, type text, key text, fingerprint text, reference_type text,
                                               reference_id uuid, ar text, en text, at timestamptz)
        ORDER BY j.key
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id)
    SELECT array_agg(id) INTO posted FROM written;

    IF coalesce(cardinality(posted), 0) < jsonb_array_length(journals) THEN
        PERFORM 1 FROM jsonb_to_recordset(journals) AS j(key text, fingerprint text)
            JOIN ledger_journals l ON l.idempotency_key = j.key
            WHERE l.fingerprint <> decode(j.fingerprint, 'hex');
        IF FOUND THEN
            RAISE EXCEPTION 'an idempotency key of the ledger was reused' USING ERRCODE = 'AL002';
        END IF;
        IF posted IS NULL THEN
            RETURN 0;
        END IF;
    END IF;

    INSERT INTO ledger_accounts (id, kind, currency, user_id, provider, is_chained, allows_debt, created_at)
    SELECT DISTINCT ON (1) (e ->> 0)::uuid, e ->> 1, e ->> 2, (e ->> 3)::uuid, e ->> 4, e ->> 3 IS NOT NULL,
           e ->> 3 IS NULL, now()
    FROM jsonb_array_elements(journals) AS j, jsonb_array_elements(j -> 'entries') AS e
    WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.id = (e ->> 0)::uuid)
    ORDER BY 1
    ON CONFLICT DO NOTHING;

    PERFORM 1 FROM ledger_accounts a
    WHERE a.is_chained AND a.id IN (
        SELECT (e ->> 0)::uuid FROM jsonb_array_elements(journals) AS j, jsonb_array_elements(j -> 'entries') AS e)
    ORDER BY a.id FOR NO KEY UPDATE;

    -- A statement of its own: its snapshot is taken after the locks, so it sees what their holders wrote.
    FOR entry IN
        SELECT x.*, a.is_chained, a.allows_debt, h.sequence AS head_sequence, h.balance_after_minor AS head_balance,
               h.hash AS head_hash
        FROM (SELECT (j.value ->> 'id')::uuid AS journal_id, decode(j.value ->> 'fingerprint', 'hex') AS fingerprint,
                     (j.value ->> 'at')::timestamptz AS occurred_at, j.ordinality AS place, e.ordinality AS line,
                     (e.value ->> 0)::uuid AS account_id, e.value ->> 2 AS currency, (e.value ->> 5)::bigint AS amount
              FROM jsonb_array_elements(journals) WITH ORDINALITY AS j,
                   jsonb_array_elements(j.value -> 'entries') WITH ORDINALITY AS e) x
        JOIN ledger_accounts a ON a.id = x.account_id
        LEFT JOIN LATERAL (
            SELECT l.sequence, l.balance_after_minor, l.hash FROM ledger_entries l
            WHERE a.is_chained AND l.account_id = x.account_id
            ORDER BY l.sequence DESC LIMIT 1) h ON true
        WHERE x.journal_id = ANY (posted)
        ORDER BY x.account_id, x.place, x.line
    LOOP
        IF account IS DISTINCT FROM entry.account_id THEN
            account := entry.account_id;
            at_sequence := coalesce(entry.head_sequence, 0);
            at_balance := coalesce(entry.head_balance, 0);
            at_hash := entry.head_hash;
        END IF;
        r_journal := r_journal || entry.journal_id;
        r_line := r_line || entry.line::smallint;
        r_account := r_account || entry.account_id;
        r_amount := r_amount || entry.amount;
        r_currency := r_currency || entry.currency;
        r_at := r_at || entry.occurred_at;
        IF entry.is_chained THEN
            at_sequence := at_sequence + 1;
            r_sequence := r_sequence || at_sequence;
            r_before := r_before || at_balance;
            at_balance := at_balance + entry.amount;
            r_after := r_after || at_balance;
            IF at_balance < 0 AND NOT entry.allows_debt THEN
                RAISE EXCEPTION 'account % would fall below zero', account USING ERRCODE = 'AL001';
            END IF;
            at_hash := ledger_entry_hash(at_hash, entry.fingerprint, entry.journal_id, entry.line::smallint, account,
                                         at_sequence, entry.amount, entry.currency, at_balance, entry.occurred_at);
            r_hash := r_hash || at_hash;
        ELSE
            r_sequence := r_sequence || NULL::bigint;
            r_before := r_before || NULL::bigint;
            r_after := r_after || NULL::bigint;
            r_hash := r_hash || ledger_entry_hash(NULL, entry.fingerprint, entry.journal_id, entry.line::smallint,
                                                  account, NULL, entry.amount, entry.currency, NULL, entry.occurred_at);
        END IF;
    END LOOP;

    INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency,
                                balance_before_minor, balance_after_minor, hash, occurred_at)
    SELECT * FROM unnest(r_journal, r_line, r_account, r_sequence, r_amount, r_currency, r_before, r_after, r_hash, r_at);
    RETURN cardinality(posted);
END $$;
REVOKE ALL ON FUNCTION ledger_post(jsonb) FROM PUBLIC;

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

CREATE VIEW cashback_ledger AS
SELECT id, user_id, booking_id, booking_amount_minor AS booking_amount, cashback_rate,
       cashback_amount_minor AS cashback_amount, currency, status, eligible_at, created_at
FROM cashback_records;
