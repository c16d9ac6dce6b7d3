-- Made once for vouchers and once for offers (20261129_05_promotions.py fills in what is in braces: which of them, the
-- SQLSTATE of "no use is left", and what the status does when the count moves).
--
-- Every use is a row of {deal}_redemptions. What is taken and given back is counted here, in the transaction that did
-- it, and refused beyond the limits that hold at that moment. No statement of the application moves the counts
-- otherwise.

-- The owner's rights: the application may not write what is counted.
CREATE FUNCTION count_{deal}_use() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    step integer := NEW.in_use::integer;
    in_total integer;
    for_each integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        step := step - OLD.in_use::integer;
    END IF;
    IF step = 0 THEN
        RETURN NULL;
    END IF;
    -- Shared with other redemptions. A change of the limits excludes it, and counts what is in use under that lock:
    -- so what is read here is either counted there, or knows of the new limit.
    SELECT usage_limit_total, usage_limit_per_user INTO STRICT in_total, for_each
    FROM {deal}s WHERE id = NEW.{deal}_id FOR KEY SHARE;
    -- One without a limit is nobody's queue: its row is not written.
    IF in_total IS NOT NULL THEN
        UPDATE {deal}s SET usage_count = usage_count + step{follow}
        WHERE id = NEW.{deal}_id AND (step < 0 OR usage_count < usage_limit_total);
        IF NOT FOUND THEN
            RAISE EXCEPTION '{deal} % has no use left', NEW.{deal}_id USING ERRCODE = '{state}';
        END IF;
    END IF;
    INSERT INTO {deal}_uses AS mine ({deal}_id, user_id, used) VALUES (NEW.{deal}_id, NEW.user_id, greatest(step, 0))
    ON CONFLICT ({deal}_id, user_id) DO UPDATE SET used = mine.used + step
    WHERE step < 0 OR for_each IS NULL OR mine.used < for_each;
    IF NOT FOUND THEN
        RAISE EXCEPTION '{deal} % has no use left for %', NEW.{deal}_id, NEW.user_id USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_use AFTER INSERT OR UPDATE OF in_use ON {deal}_redemptions
    FOR EACH ROW EXECUTE FUNCTION count_{deal}_use();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON {deal}_redemptions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON {deal}_uses FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The count begins when a limit is set, with what is in use, and is of no use once there is none.
CREATE FUNCTION keep_{deal}_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.usage_count := 0;
    ELSIF NEW.usage_count <> OLD.usage_count AND pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'uses of {deal} % are counted from its redemptions', NEW.id USING ERRCODE = 'AL010';
    ELSIF NEW.usage_limit_total IS NULL THEN
        NEW.usage_count := 0;
    ELSIF OLD.usage_limit_total IS NULL THEN
        NEW.usage_count := (SELECT count(*) FROM {deal}_redemptions WHERE {deal}_id = NEW.id AND in_use);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_count BEFORE INSERT OR UPDATE ON {deal}s FOR EACH ROW EXECUTE FUNCTION keep_{deal}_count();
-- A version is what staff see and change; being used is not a change of theirs.
CREATE TRIGGER next_version BEFORE UPDATE ON {deal}s FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION next_version();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON {deal}s
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
