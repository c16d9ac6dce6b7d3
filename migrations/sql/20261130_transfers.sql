-- Transfers: journals of two entries, told in columns.

-- A journal that moves one amount between two accounts, as most do. What is inserted here is posted.
--   first_account_id, second_account_id  the lower one first: in this order they are locked
--   amount_minor                         what the first one gets; below zero, what it gives
--   line                                 of its entry, 1 or 2; the second one's is the other
--   legs                                 both, as JSON and as `ledger_postings` takes them; read where an account has no
--                                        head: it is the platform's, or moves for the first time
-- All else is the journal's, and means what it means in `ledger_postings`.
CREATE VIEW ledger_transfers AS
SELECT NULL::uuid AS journal_id, NULL::text AS journal_type, NULL::text AS idempotency_key, NULL::bytea AS fingerprint,
       NULL::text AS reference_type, NULL::uuid AS reference_id,
       NULL::text AS description_ar, NULL::text AS description_en, NULL::timestamptz AS occurred_at,
       NULL::text AS currency, NULL::uuid AS first_account_id, NULL::uuid AS second_account_id,
       NULL::bigint AS amount_minor, NULL::smallint AS line, NULL::text AS legs
WHERE false;

-- The short way of `post_journals`: the same rules, without documents to read and entries to collect. Each account has
-- statements of its own: what PostgreSQL makes ready for a statement is most of what it costs.
CREATE FUNCTION post_transfer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    second_line smallint := 3 - NEW.line;
    first_sequence bigint;
    first_balance bigint;
    first_hash bytea;
    first_kind text;
    first_held bigint;
    second_sequence bigint;
    second_balance bigint;
    second_hash bytea;
    second_kind text;
    second_held bigint;
BEGIN
    IF (NEW.first_account_id < NEW.second_account_id AND NEW.amount_minor <> 0 AND NEW.line IN (1, 2)
        AND ledger_journal_types() ? NEW.journal_type) IS NOT TRUE THEN
        PERFORM ledger_check_journal(NEW.journal_type, NULL);
        RAISE EXCEPTION 'a transfer moves more than nothing between two accounts, the lower one first'
            USING ERRCODE = '23514';
    END IF;

    INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id,
                                 description_ar, description_en, fingerprint, occurred_at)
    VALUES (NEW.journal_id, NEW.journal_type, NEW.idempotency_key, NEW.reference_type, NEW.reference_id,
            NEW.description_ar, NEW.description_en, NEW.fingerprint, NEW.occurred_at)
    ON CONFLICT (idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
        PERFORM 1 FROM ledger_journals j
        WHERE j.idempotency_key = NEW.idempotency_key AND j.fingerprint = NEW.fingerprint;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an idempotency key of the ledger was reused' USING ERRCODE = 'AL002';
        END IF;
        RETURN NEW;
    END IF;

    LOOP
        UPDATE ledger_heads h
        SET sequence = h.sequence + 1, journal_id = NEW.journal_id, line = NEW.line,
            balance_minor = h.balance_minor + NEW.amount_minor,
            hash = ledger_entry_hash(h.hash, NEW.fingerprint, NEW.journal_id, NEW.line, NEW.first_account_id,
                                     h.sequence + 1, NEW.amount_minor, NEW.currency,
                                     h.balance_minor + NEW.amount_minor, NEW.occurred_at)
        WHERE h.account_id = NEW.first_account_id AND h.currency = NEW.currency
        RETURNING h.sequence, h.balance_minor, h.hash, h.kind, h.held_minor
        INTO first_sequence, first_balance, first_hash, first_kind, first_held;
        EXIT WHEN FOUND;
        first_hash := ledger_entry_hash(NULL, NEW.fingerprint, NEW.journal_id, NEW.line, NEW.first_account_id,
                                        NULL, NEW.amount_minor, NEW.currency, NULL, NEW.occurred_at);
        EXIT WHEN NOT ledger_find_head(
            ROW(NULL, NULL, NEW.first_account_id, NULL, NULL, NEW.currency, NULL, NULL, NULL, NULL)::ledger_entries,
            NEW.legs::jsonb -> 0);
    END LOOP;
    IF NEW.amount_minor < 0 AND first_balance < first_held OR first_kind = 'CUSTOMER_DEBT' AND first_balance > 0 THEN
        PERFORM ledger_refuse(ROW(NEW.journal_id, NULL, NEW.first_account_id, NULL, NEW.amount_minor, NULL, NULL,
                                  first_balance, NULL, NULL)::ledger_entries, first_held);
    END IF;

    LOOP
        UPDATE ledger_heads h
        SET sequence = h.sequence + 1, journal_id = NEW.journal_id, line = second_line,
            balance_minor = h.balance_minor - NEW.amount_minor,
            hash = ledger_entry_hash(h.hash, NEW.fingerprint, NEW.journal_id, second_line, NEW.second_account_id,
                                     h.sequence + 1, -NEW.amount_minor, NEW.currency,
                                     h.balance_minor - NEW.amount_minor, NEW.occurred_at)
        WHERE h.account_id = NEW.second_account_id AND h.currency = NEW.currency
        RETURNING h.sequence, h.balance_minor, h.hash, h.kind, h.held_minor
        INTO second_sequence, second_balance, second_hash, second_kind, second_held;
        EXIT WHEN FOUND;
        second_hash := ledger_entry_hash(NULL, NEW.fingerprint, NEW.journal_id, second_line, NEW.second_account_id,
                                         NULL, -NEW.amount_minor, NEW.currency, NULL, NEW.occurred_at);
        EXIT WHEN NOT ledger_find_head(
            ROW(NULL, NULL, NEW.second_account_id, NULL, NULL, NEW.currency, NULL, NULL, NULL, NULL)::ledger_entries,
            NEW.legs::jsonb -> 1);
    END LOOP;
    IF NEW.amount_minor > 0 AND second_balance < second_held OR second_kind = 'CUSTOMER_DEBT' AND second_balance > 0 THEN
        PERFORM ledger_refuse(ROW(NEW.journal_id, NULL, NEW.second_account_id, NULL, -NEW.amount_minor, NULL, NULL,
                                  second_balance, NULL, NULL)::ledger_entries, second_held);
    END IF;

    INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency,
                                balance_before_minor, balance_after_minor, hash, occurred_at)
    VALUES (NEW.journal_id, NEW.line, NEW.first_account_id, first_sequence, NEW.amount_minor, NEW.currency,
            first_balance - NEW.amount_minor, first_balance, first_hash, NEW.occurred_at),
           (NEW.journal_id, second_line, NEW.second_account_id, second_sequence, -NEW.amount_minor, NEW.currency,
            second_balance + NEW.amount_minor, second_balance, second_hash, NEW.occurred_at);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION post_transfer() FROM PUBLIC;
CREATE TRIGGER post INSTEAD OF INSERT ON ledger_transfers FOR EACH ROW EXECUTE FUNCTION post_transfer();
