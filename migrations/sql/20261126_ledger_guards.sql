-- What attempts to break the ledger in plain SQL showed to be open (tests/integration/test_ledger_guards.py).

-- A reversal of a journal that is not there moved whatever it liked: no row stood for what it might take.
CREATE OR REPLACE FUNCTION check_reversals(originals uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE broken record;
BEGIN
    -- One after another: two partial reversals at once must not both find enough.
    PERFORM 1 FROM ledger_journals WHERE id = ANY (originals) ORDER BY id FOR NO KEY UPDATE;
    SELECT x.journal_id INTO broken
    FROM (SELECT o.id AS journal_id, e.account_id,
                 coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id = o.id), 0) AS given,
                 coalesce(sum(e.amount_minor) FILTER (WHERE e.journal_id <> o.id), 0) AS taken
          FROM unnest(originals) AS o(id)
          CROSS JOIN LATERAL (SELECT o.id UNION ALL
                              SELECT r.id FROM ledger_journals r WHERE r.reverses_journal_id = o.id) AS told(id)
          JOIN ledger_entries e ON e.journal_id = told.id
          GROUP BY o.id, e.account_id) x
    JOIN ledger_accounts a ON a.id = x.account_id
    LEFT JOIN ledger_journals original ON original.id = x.journal_id
    WHERE original.id IS NULL OR original.reverses_journal_id IS NOT NULL
       OR (a.kind <> 'CUSTOMER_DEBT' AND (sign(x.given) * sign(x.taken) > 0 OR abs(x.taken) > abs(x.given)))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'more of journal % would be reversed than it moved', broken.journal_id USING ERRCODE = 'AL009';
    END IF;
END $$;

-- A person's account under another id than its first one was waited for without end by `ledger_post`.
CREATE OR REPLACE FUNCTION account_as_its_kind_says() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE known ledger_account_kinds;
BEGIN
    SELECT * INTO known FROM ledger_account_kinds WHERE kind = NEW.kind;
    IF known.kind IS NULL OR known.is_owned <> (NEW.user_id IS NOT NULL) THEN
        RAISE EXCEPTION 'there is no account % %', NEW.kind, coalesce('of ' || NEW.user_id, 'of nobody')
            USING ERRCODE = 'AL004';
    END IF;
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

-- A hold said to be in another unit than its account's.
CREATE OR REPLACE FUNCTION check_balance_hold() RETURNS trigger
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
