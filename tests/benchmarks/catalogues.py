"""Catalogues of any size for the search benchmark: texts with few common and many rare words, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from random import Random
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from infrastructure.database.roles import connect
from tests.benchmarks.servers import System

PLACES = (
    ("Cairo", "القاهرة"), ("Alexandria", "الإسكندرية"), ("Luxor", "الأقصر"), ("Aswan", "أسوان"), ("Siwa", "سيوة"),
    ("Hurghada", "الغردقة"), ("Dahab", "دهب"), ("Fayoum", "الفيوم"), ("Nuweiba", "نويبع"), ("Taba", "طابا"),
    ("Marsa Alam", "مرسى علم"), ("Sharm El Sheikh", "شرم الشيخ"), ("Dubai", "دبي"), ("Muscat", "مسقط"),
    ("Salalah", "صلالة"), ("Doha", "الدوحة"), ("Manama", "المنامة"), ("Riyadh", "الرياض"), ("Jeddah", "جدة"),
    ("Abha", "أبها"), ("Amman", "عمان"), ("Petra", "البتراء"), ("Aqaba", "العقبة"), ("Beirut", "بيروت"),
    ("Istanbul", "إسطنبول"), ("Antalya", "أنطاليا"), ("Trabzon", "طرابزون"), ("Baku", "باكو"), ("Tbilisi", "تبليسي"),
    ("Sarajevo", "سراييفو"), ("Paris", "باريس"), ("Rome", "روما"), ("Vienna", "فيينا"), ("Zanzibar", "زنجبار"),
    ("Male", "ماليه"), ("Bali", "بالي"), ("Phuket", "بوكيت"), ("Singapore", "سنغافورة"), ("Tunis", "تونس"),
    ("Marrakesh", "مراكش"),
)  # fmt: skip
CATEGORIES = ("HONEYMOON", "FAMILY", "ADVENTURE", "LUXURY", "BUSINESS", "WEEKEND", "SEASONAL")
RARE_EVERY, RARE_ITEMS = 199, 5
"""A catalogue of any size has as many items with the rare word, spread over its first thousand."""

_LEARNT = 5_000
"""Words that descriptions are made of in each language, the n-th about 1/n as often as the first."""

_COLUMNS = (
    "slug, name_ar, name_en, description_ar, description_en, category, base_price_minor, duration_days,"
    " destinations, is_featured"
)
_STAGE = """
CREATE TEMPORARY TABLE staged (slug text, name_ar text, name_en text, description_ar text, description_en text,
                               category text, base_price_minor bigint, duration_days int, destinations text[],
                               is_featured boolean, place serial)
"""
_ADD_PACKAGES = f"""
INSERT INTO packages (id, {_COLUMNS}, currency, tax_rate, tax_inclusive, duration_nights, min_travelers, max_travelers,
                      inclusions_ar, inclusions_en, exclusions_ar, exclusions_en, itinerary, display_order, status,
                      created_by_user_id, created_at, updated_at)
SELECT uuidv7(), {_COLUMNS}, 'EGP', 14, true, duration_days - 1, 1, 10, '{{}}', '{{}}', '{{}}', '{{}}', '[]', 0,
       'ACTIVE', (SELECT id FROM users LIMIT 1), now() - place * interval '1 minute', now()
FROM staged ORDER BY place
"""
# Each has three: in some of the coming 400 days, a third of them full.
_ADD_DEPARTURES = """
INSERT INTO departures (id, package_id, starts_on, ends_on, capacity, seats_taken, status, created_at)
SELECT uuidv7(), p.id, day, day + 4, 10, CASE WHEN n = 2 THEN 10 ELSE 3 END, 'OPEN', now()
FROM packages p, generate_series(0, 2) AS n,
     LATERAL (SELECT current_date + 1 + abs(hashtext(p.slug || n)) % 400 AS day) AS chosen
"""
_COUNT = """
UPDATE item_statistics s SET bookings_count = seed % 40, views_count = seed % 5000, rating_count = seed % 7,
                             rating_sum = (seed % 7) * (1 + seed % 5)
FROM (SELECT id, abs(hashtext(slug)) / 100 AS seed FROM packages) AS p
WHERE s.item_kind = 'PACKAGE' AND s.item_id = p.id
"""
_INVERTED = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'packages' AND indexdef LIKE '% USING gin %'"
_ADD_STAFF = """
INSERT INTO users (id, email, password_hash, first_name, last_name, phone, locale, status, roles, email_verified_at,
                   created_at)
SELECT uuidv7(), 'catalogue@example.com', '$2b$12$cannot.be.used.to.sign.in', 'Mona', 'Adel', '', 'en', 'ACTIVE',
       '{ADMIN}', now(), now()
"""


def fill_catalogue(system: System, packages: int) -> None:
    """That many packages on sale with three departures each; a smaller catalogue is the beginning of a larger one."""
    with connect(system.addresses.owner) as connection:
        with connection.transaction(), _indexes_built_afterwards(connection):
            connection.execute(_ADD_STAFF)
            connection.execute(_STAGE)
            with connection.cursor().copy(f"COPY staged ({_COLUMNS}) FROM STDIN") as copy:
                for row in _packages(packages):
                    copy.write_row(row)
            connection.execute(_ADD_PACKAGES)
            connection.execute(_ADD_DEPARTURES)
            connection.execute(_COUNT)
        connection.execute("VACUUM ANALYZE")


@contextmanager
def _indexes_built_afterwards(connection: Connection[Any]) -> Iterator[None]:
    """Without the indexes that cost as much as all else; made again as they were."""
    found = connection.execute(_INVERTED).fetchall()
    for name, _ in found:
        connection.execute(SQL("DROP INDEX {}").format(Identifier(name)))
    yield
    for _, definition in found:
        connection.execute(definition)


def _packages(many: int) -> Iterator[tuple[object, ...]]:
    random = Random(12)
    english, arabic = _words(random, "bdfgklmnprstvz", "aeiou"), _words(random, "بتجدرزسشعفقكلمنهي", "اوي")
    weights = list(accumulate(1 / rank for rank in range(1, _LEARNT + 1)))
    for number in range(many):
        place_en, place_ar = random.choice(PLACES)
        name_en, name_ar = (
            random.choices(english, cum_weights=weights, k=2),
            random.choices(arabic, cum_weights=weights, k=2),
        )
        rare = number % RARE_EVERY == 0 and number < RARE_EVERY * RARE_ITEMS
        yield (
            f"trip-{number}",
            f"رحلة {' '.join(name_ar)} في {place_ar}" + (" زرزورة" if rare else ""),
            f"{' '.join(name_en)} cruise from {place_en}" + (" Zerzura" if rare else ""),
            " ".join(random.choices(arabic, cum_weights=weights, k=20)),
            " ".join(random.choices(english, cum_weights=weights, k=20)),
            random.choice(CATEGORIES),
            int(random.lognormvariate(13.8, 0.9)) // 100 * 100,
            random.randint(1, 14),
            [place_en, place_ar],
            random.random() < 0.02,
        )


def _words(random: Random, consonants: str, vowels: str) -> list[str]:
    """Distinct words of two to four syllables."""
    words: dict[str, None] = {}
    while len(words) < _LEARNT:
        syllables = random.choices((2, 3, 4), (3, 4, 2))[0]
        words["".join(random.choice(consonants) + random.choice(vowels) for _ in range(syllables))] = None
    return list(words)
