-- What search looks things up by. Twins of functions in domain/catalogue/spelling.py; tests hold both to the same answers.

CREATE OR REPLACE FUNCTION fold_for_search(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(
        regexp_replace(normalize(written, NFKD),
                       '[\u00ad\u0300-\u036f\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06ed'
                       '\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]', '', 'g'),
        U&'ٱىةیېےکڪہھەۃپچژڤگ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ABCDEFGHIJKLMNOPQRSTUVWXYZ\0009\000a\000d',
        'ايهيييككههههبجزفك01234567890123456789abcdefghijklmnopqrstuvwxyz   ');

CREATE FUNCTION fold_each(written text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT coalesce(array_agg(fold_for_search(entry) ORDER BY place), '{}')
            FROM unnest(written) WITH ORDINALITY AS t(entry, place));

CREATE FUNCTION deletions_of(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT array_agg(DISTINCT left(word, place - 1) || substr(word, place + 1))
            FROM generate_series(1, length(word) + 1) AS place);

-- Words of letters of one script, and those with the article without it, too. A word that another transaction
-- is just learning is waited for, so all take them in one order. As the owner: the release before, which writes packages
-- while the tables are made, has no privilege on this one yet.
CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO search_words (word, deletions)
    SELECT word, deletions_of(word)
    FROM (
        SELECT part[1] COLLATE "C" AS word
        FROM regexp_matches(NEW.search_text, '[a-z]+|[ء-غف-ي]+', 'g') AS t(part)
        UNION
        SELECT part[1] COLLATE "C"
        FROM regexp_matches(NEW.search_text, '(?<![ء-غف-ي])(?:و?[بك]?ال|و?لل)([ء-غف-ي]+)', 'g') AS t(part)
    ) AS met
    WHERE length(word) BETWEEN 3 AND 32
      AND NOT EXISTS (SELECT 1 FROM search_words k WHERE k.word = met.word)
    ORDER BY word
    ON CONFLICT (word) DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION fold_package() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name_text := fold_for_search(NEW.name_ar || ' ' || NEW.name_en);
    NEW.destination_keys := fold_each(NEW.destinations);
    NEW.labels := ARRAY['category:' || NEW.category, 'currency:' || NEW.currency]
        || ARRAY(SELECT 'destination:' || place FROM unnest(NEW.destination_keys) AS place);
    RETURN NEW;
END $$;
