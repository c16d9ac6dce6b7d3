-- Erasing people without touching the books. The function that erases is made from the registry of
-- personal data after every migration (infrastructure/database/erasing.py). SQLSTATEs:
--   AL006 no erasure is due      AL007 money is open      AL008 the person was erased

-- Which columns of an append-only table a running erasure may change: none until the registry says so.
CREATE OR REPLACE FUNCTION erasable_columns(of_table text) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp RETURN '{}'::text[];

-- The mark is set by erase_person and ends with it, or with the transaction. The application could set it
-- and gain nothing, since it may not update these tables; the owner who forges it changes no more than
-- what the registry calls personal.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('altayar.erasing', true) = 'on'
       AND to_jsonb(OLD) - erasable_columns(TG_TABLE_NAME) = to_jsonb(NEW) - erasable_columns(TG_TABLE_NAME) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% rows are never changed: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'AL005', HINT = 'Correct a journal by a reversal, a document by another document.';
END $$;

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON consents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON consents FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A request that began before its person was erased must not leave anything behind. The row's lock is the
-- one that the foreign key takes anyway; it waits for an erasure under way.
CREATE FUNCTION refuse_for_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone timestamptz;
BEGIN
    SELECT erased_at INTO gone FROM users WHERE id = NEW.user_id FOR KEY SHARE;
    IF gone IS NOT NULL AND TG_TABLE_NAME = 'notifications' THEN
        -- Nobody reads it; what it tells of, such as a payment, has to go through.
        RETURN NULL;
    ELSIF gone IS NOT NULL THEN
        RAISE EXCEPTION 'person % was erased', NEW.user_id USING ERRCODE = 'AL008';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON email_verifications FOR EACH ROW
    EXECUTE FUNCTION refuse_for_erased();

-- Money that is open, in the words of domain/privacy/erasure.py. A payment is open while its provider may
-- still take money, or may have taken it.
CREATE FUNCTION erasure_blockers(person uuid, at timestamptz) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    RETURN ARRAY(
        SELECT 'WALLET' WHERE EXISTS (
            SELECT 1 FROM ledger_accounts a CROSS JOIN LATERAL (
                SELECT e.balance_after_minor FROM ledger_entries e WHERE e.account_id = a.id
                ORDER BY e.sequence DESC LIMIT 1) h
            WHERE a.user_id = person AND a.kind = 'WALLET' AND h.balance_after_minor <> 0)
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

-- What an audit row says of a change without the words in it: numbers, switches, states and ids stay.
CREATE FUNCTION without_texts(told jsonb, under text DEFAULT '') RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
BEGIN
    CASE jsonb_typeof(told)
        WHEN 'object' THEN
            RETURN (SELECT coalesce(jsonb_object_agg(key, without_texts(value, key)), '{}') FROM jsonb_each(told));
        WHEN 'array' THEN
            RETURN (SELECT coalesce(jsonb_agg(without_texts(value, under) ORDER BY place), '[]')
                    FROM jsonb_array_elements(told) WITH ORDINALITY AS e (value, place));
        WHEN 'string' THEN
            IF under ~ '(^|_)(status|roles|currency|permissions|id)$' THEN
                RETURN told;
            END IF;
            RETURN '"erased"'::jsonb;
        ELSE
            RETURN told;
    END CASE;
END $$;
