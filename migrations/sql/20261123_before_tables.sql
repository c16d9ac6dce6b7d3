-- What the tables' own definitions lean on: trigram search, and one spelling for what people type alike.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The twin of domain.catalogue.packages.fold_for_search; a test holds both to the same answers.
CREATE FUNCTION fold_for_search(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(
        regexp_replace(normalize(written, NFKD),
                       '[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]', '', 'g'),
        'ٱىةیک٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ABCDEFGHIJKLMNOPQRSTUVWXYZ',
        'ايهيك01234567890123456789abcdefghijklmnopqrstuvwxyz');

-- array_to_string is only stable (its output could depend on settings for other types); for text it is not.
CREATE FUNCTION words_of(words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN array_to_string(words, ' ');
