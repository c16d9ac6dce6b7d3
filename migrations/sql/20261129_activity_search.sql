-- Activities are found as packages are (20261129_search.sql), and each item has its row of counts from the beginning.

CREATE FUNCTION fold_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name_text := fold_for_search(NEW.name_ar || ' ' || NEW.name_en);
    NEW.location_key := fold_for_search(NEW.location);
    NEW.labels := ARRAY['category:' || NEW.category, 'difficulty:' || NEW.difficulty_level,
                        'currency:' || NEW.currency, 'destination:' || NEW.location_key];
    RETURN NEW;
END $$;

CREATE TRIGGER fold_activity BEFORE INSERT OR UPDATE OF name_ar, name_en, location, category, difficulty_level, currency
    ON activities FOR EACH ROW EXECUTE FUNCTION fold_activity();
CREATE TRIGGER learn_words_of_new AFTER INSERT ON activities FOR EACH ROW EXECUTE FUNCTION learn_words();
CREATE TRIGGER learn_words AFTER UPDATE ON activities
    FOR EACH ROW WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text OR OLD.name_text = '')
    EXECUTE FUNCTION learn_words();

-- As the owner: the release before may make an item before its role is given a privilege on the counts.
CREATE FUNCTION begin_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO item_statistics (item_kind, item_id) VALUES (TG_ARGV[0], NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER begin_counts AFTER INSERT ON packages FOR EACH ROW EXECUTE FUNCTION begin_counts('PACKAGE');
CREATE TRIGGER begin_counts AFTER INSERT ON activities FOR EACH ROW EXECUTE FUNCTION begin_counts('ACTIVITY');
