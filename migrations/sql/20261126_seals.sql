-- Seals: a hash for each day over all that was posted until its midnight in Cairo, and over the seal before.
-- docs/ledger-audit.md says the format byte by byte.

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_seals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON ledger_seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Wait until every transaction that has written journals so far is over. Whoever writes holds a lock on the table
-- from before its row takes its instant until it ends: afterwards nothing can appear that was posted before now.
-- Locks, unlike the begin of a transaction, are shown to every role of whoever else.
CREATE FUNCTION ledger_await_writers() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    writing text[] := ARRAY(
        SELECT virtualtransaction FROM pg_locks
        WHERE relation = 'ledger_journals'::regclass AND mode = 'RowExclusiveLock' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND pid IS DISTINCT FROM pg_backend_pid());
BEGIN
    WHILE EXISTS (SELECT 1 FROM pg_locks WHERE virtualtransaction = ANY (writing)) LOOP
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION ledger_await_writers() FROM PUBLIC;

-- Seal the oldest day in Cairo that is over and is not sealed; the seal, or no row when there is none. The first
-- seal is yesterday's and covers all that was posted before. What a seal says follows from the rows alone: nobody
-- who may call this has a say in it.
CREATE FUNCTION ledger_seal() RETURNS SETOF ledger_seals
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- Not at midnight itself: a clock that is set back a little must not write into a day that is sealed.
    settled timestamptz := clock_timestamp() - interval '5 minutes';
    last ledger_seals;
    made ledger_seals;
    since timestamptz;
    first_id uuid;
    last_id uuid;
    digests bytea;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an older snapshot would miss what was committed before this seal' USING ERRCODE = 'AL011';
    END IF;
    -- Of two at once the second waits, and then finds the day sealed.
    LOCK TABLE ledger_seals IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM ledger_seals ORDER BY number DESC LIMIT 1;
    since := coalesce(last.sealed_until, '-infinity');
    made.number := coalesce(last.number, 0) + 1;
    made.business_day := coalesce(last.business_day + 1, (settled AT TIME ZONE 'Africa/Cairo')::date - 1);
    made.sealed_until := (made.business_day + 1)::timestamp AT TIME ZONE 'Africa/Cairo';
    made.previous_root := coalesce(last.root, decode(repeat('00', 32), 'hex'));
    IF made.sealed_until > settled THEN
        RETURN;
    END IF;
    PERFORM ledger_await_writers();

    SELECT count(*), (lpad(to_hex(coalesce(bit_xor(('x' || left(x.id, 16))::bit(64)::bigint), 0)), 16, '0')
                      || lpad(to_hex(coalesce(bit_xor(('x' || right(x.id, 16))::bit(64)::bigint), 0)), 16, '0'))::uuid,
           min(x.id COLLATE "C")::uuid, max(x.id COLLATE "C")::uuid
    INTO made.journals, made.journals_xor, first_id, last_id
    FROM (SELECT replace(id::text, '-', '') AS id FROM ledger_journals
          WHERE posted_at >= since AND posted_at < made.sealed_until) x;

    -- By the ids as well: only the partitions that they lie in are looked at.
    SELECT coalesce(sum(c.entries), 0), coalesce(string_agg(c.digest, ''::bytea ORDER BY c.chunk), ''::bytea)
    INTO made.entries, digests
    FROM (SELECT p.place / 1000 AS chunk, count(*) AS entries,
                 sha256(string_agg(p.hash, ''::bytea ORDER BY p.place)) AS digest
          FROM (SELECT e.hash, row_number() OVER (ORDER BY e.journal_id, e.line) - 1 AS place
                FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
                WHERE j.posted_at >= since AND j.posted_at < made.sealed_until
                  AND e.journal_id BETWEEN first_id AND last_id) p
          GROUP BY 1) c;

    made.root := sha256(made.previous_root || convert_to(
        concat_ws('|', made.number, to_char(made.business_day, 'YYYY-MM-DD'), made.journals, made.entries,
                  made.journals_xor), 'UTF8') || digests);
    made.sealed_at := clock_timestamp();
    INSERT INTO ledger_seals SELECT made.*;
    RETURN NEXT made;
END $$;
REVOKE ALL ON FUNCTION ledger_seal() FROM PUBLIC;
