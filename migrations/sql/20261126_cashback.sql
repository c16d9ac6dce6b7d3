-- Cashback records: promised once, moved forward along their states, never changed otherwise. SQLSTATE, of
-- 20261126_ledger.sql: AL010, here for a record that would not add up.

CREATE FUNCTION check_cashback_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step text := TG_OP;
    may_change text[] := '{status,clawed_back_minor,eligible_at}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'PENDING' OR NEW.clawed_back_minor <> 0 THEN
            RAISE EXCEPTION 'cashback begins as a promise that is PENDING and whole' USING ERRCODE = 'AL010';
        END IF;
        -- The release before does not name its journal.
        IF NEW.promise_journal_id IS NULL THEN
            NEW.promise_journal_id := (SELECT id FROM ledger_journals
                                       WHERE idempotency_key = 'cashback:booking:' || NEW.booking_id);
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        step := CASE WHEN OLD.status = NEW.status THEN 'none' ELSE OLD.status || ' to ' || NEW.status END;
        -- Set by erase_person alone; the columns are what the registry of personal data says.
        IF current_setting('altayar.erasing', true) = 'on' THEN
            may_change := may_change || erasable_columns(TG_TABLE_NAME);
        END IF;
        -- What is written stays as it is; what is not, is written by the step that it belongs to (and the CHECKs).
        IF jsonb_strip_nulls(to_jsonb(OLD)) - may_change <@ to_jsonb(NEW)
           AND step IN ('none', 'PENDING to APPROVED', 'APPROVED to CREDITED', 'PENDING to CANCELLED',
                        'APPROVED to CANCELLED')
           AND (step = 'PENDING to APPROVED' OR OLD.approved_by_user_id IS NOT DISTINCT FROM NEW.approved_by_user_id)
           AND NEW.clawed_back_minor >= OLD.clawed_back_minor
           AND (OLD.status <> 'CANCELLED' OR NEW.clawed_back_minor = OLD.clawed_back_minor)
           AND NEW.eligible_at >= OLD.eligible_at
           AND (step <> 'APPROVED to CREDITED' OR EXISTS (
                SELECT 1 FROM ledger_journals
                WHERE id = NEW.credit_journal_id AND idempotency_key = 'cashback:credit:' || NEW.id)) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'cashback % moves forward and is otherwise never changed: % (%) refused', OLD.id, TG_OP, step
        USING ERRCODE = 'AL010';
END $$;
CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE OR DELETE ON cashback_records
    FOR EACH ROW EXECUTE FUNCTION check_cashback_record();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON cashback_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- At commit what a person's records still promise is what their account says: a status without its journal,
-- or a journal without its status, is refused.
CREATE FUNCTION check_cashback_against_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised bigint;
    in_account bigint;
BEGIN
    SELECT coalesce(sum(cashback_amount_minor - clawed_back_minor), 0) INTO promised FROM cashback_records
    WHERE user_id = NEW.user_id AND currency = NEW.currency AND status IN ('PENDING', 'APPROVED');
    SELECT coalesce(sum(e.balance_after_minor), 0) INTO in_account
    FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
    JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
    WHERE a.user_id = NEW.user_id AND a.kind = 'CASHBACK' AND a.currency = NEW.currency;
    IF promised <> in_account THEN
        RAISE EXCEPTION 'the cashback of % promises %, the account says %', NEW.user_id, promised, in_account
            USING ERRCODE = 'AL010';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER records_agree AFTER INSERT OR UPDATE ON cashback_records DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_cashback_against_account();

-- What analysts read, in the guide's words; new columns stand at its end.
CREATE OR REPLACE VIEW cashback_ledger AS
SELECT id, user_id, booking_id, booking_amount_minor AS booking_amount, cashback_rate,
       cashback_amount_minor AS cashback_amount, currency, status, eligible_at, created_at,
       clawed_back_minor AS clawed_back, approved_at, approved_by_user_id, credited_at, cancelled_at,
       cancel_reason, promise_journal_id, credit_journal_id
FROM cashback_records;
