"""What the catalogue holds about a person: who made what, by id, and what a customer said of a trip."""

from infrastructure.database.catalogue import departure_tables, item_tables, price_tables, tables
from infrastructure.database.holdings import Holding, because

HOLDINGS = (
    Holding(
        table=tables.packages,
        plain=because(
            "what is said to everybody about a trip", "slug", "name_ar", "name_en", "description_ar",
            "description_en", "destinations", "inclusions_ar", "inclusions_en", "exclusions_ar", "exclusions_en",
            "itinerary", "search_text", "name_text", "destination_keys", "labels", "time_zone", "meta_title_ar",
            "meta_title_en", "meta_description_ar", "meta_description_en", "approval_reason",
        ),
    ),
    Holding(
        table=tables.activities,
        plain=because(
            "what is said to everybody about an activity", "slug", "name_ar", "name_en", "description_ar",
            "description_en", "location", "featured_image", "search_text", "name_text", "location_key", "labels",
            "time_zone", "approval_reason",
        ),
    ),
    Holding(
        table=price_tables.item_age_bands,
        plain=because("what is said to everybody about prices", "code", "name_ar", "name_en"),
    ),
    Holding(
        table=price_tables.item_seasons,
        plain=because("what is said to everybody about prices", "name_ar", "name_en", "weekdays"),
    ),
    Holding(table=tables.departures, plain=because("the zone of a place", "time_zone")),
    Holding(table=departure_tables.pool_series, plain=because("what a bus is called", "name_ar", "name_en")),
    Holding(table=departure_tables.pools, plain=because("what a bus is called", "name_ar", "name_en")),
    Holding(table=departure_tables.departure_pools),
    Holding(
        table=departure_tables.departure_patterns,
        plain=because("days of the calendar", "weekdays", "exceptions"),
    ),
    Holding(table=departure_tables.departure_pattern_series),
    Holding(
        table=item_tables.package_images,
        plain=because(
            "pictures of trips and what is said of them", "storage_key", "content_type", "digest", "caption_ar",
            "caption_en",
        ),
    ),
    # The stars stay: they are about the trip, and nobody's any more.
    Holding(
        table=item_tables.ratings,
        belongs="user_id = $person",
        erased={
            "title": "''",
            "comment": "''",
            "hidden_reason": "CASE WHEN hidden_reason IS NOT NULL THEN 'erased' END",
        },
        exported_as="ratings",
        exported=("id", "booking_id", "package_id", "activity_id", "stars", "title", "comment", "status",
                  "created_at", "updated_at"),
    ),
    Holding(
        table=departure_tables.calendar_feeds,
        belongs="user_id = $person",
        deleted=True,
        exported_as="calendar_feeds",
        exported=("id", "created_at", "revoked_at"),
    ),
    Holding(table=tables.search_words, plain=because("words of what is said to everybody", "word", "deletions")),
)  # fmt: skip
