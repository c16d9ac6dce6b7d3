-- What posting costs at least here: one function, a transfer of two legs. Rows locked in one order, no
-- balance below zero, each leg with the balance before and after it, once for each key. No users, no kinds
-- of account, no hash chain, no checks of what others insert.
CREATE SCHEMA floor;

CREATE TABLE floor.accounts (
    id integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
);
CREATE TABLE floor.journals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE floor.entries (
    journal_id bigint NOT NULL,
    line smallint NOT NULL,
    account_id integer NOT NULL,
    amount bigint NOT NULL,
    balance_before bigint NOT NULL,
    balance_after bigint NOT NULL,
    PRIMARY KEY (journal_id, line)
);
-- A statement of account is read by it.
CREATE INDEX ON floor.entries (account_id, journal_id);

CREATE FUNCTION floor.transfer(wanted_key text, source integer, target integer, amount bigint) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    journal bigint;
    source_after bigint;
    target_after bigint;
BEGIN
    INSERT INTO floor.journals (key) VALUES (wanted_key) ON CONFLICT (key) DO NOTHING RETURNING id INTO journal;
    IF journal IS NULL THEN
        RETURN (SELECT id FROM floor.journals WHERE key = wanted_key);
    END IF;
    PERFORM 1 FROM floor.accounts WHERE id IN (source, target) ORDER BY id FOR NO KEY UPDATE;
    UPDATE floor.accounts SET balance = balance - amount WHERE id = source RETURNING balance INTO source_after;
    UPDATE floor.accounts SET balance = balance + amount WHERE id = target RETURNING balance INTO target_after;
    INSERT INTO floor.entries VALUES
        (journal, 1, source, -amount, source_after + amount, source_after),
        (journal, 2, target, amount, target_after - amount, target_after);
    RETURN journal;
END $$;
