"""What the catalogue holds about a person: who made a package, by id."""

from infrastructure.database.catalogue import tables
from infrastructure.database.holdings import Holding, because

HOLDINGS = (
    Holding(
        table=tables.packages,
        plain=because(
            "what is said to everybody about a trip", "slug", "name_ar", "name_en", "description_ar",
            "description_en", "destinations", "inclusions_ar", "inclusions_en", "exclusions_ar", "exclusions_en",
            "itinerary", "search_text", "name_text", "destination_keys",
            "labels",
        ),
    ),
    Holding(table=tables.departures),
    Holding(table=tables.search_words, plain=because("words of what is said to everybody", "word", "deletions")),
)  # fmt: skip
