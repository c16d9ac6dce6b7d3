"""What sales holds about a person."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.sales import operation_tables, tables, waiting_tables

_THEIRS = "booking_id IN (SELECT id FROM bookings WHERE user_id = $person)"

HOLDINGS = (
    Holding(
        table=tables.bookings,
        belongs="user_id = $person",
        erased={
            "customer_info": "'{}'::jsonb",
            "special_requests": "''",
            "booking_details": "'{}'::jsonb",
            "cancellation_reason": "CASE WHEN cancellation_reason IS NOT NULL THEN 'erased' END",
        },
        exported_as="bookings",
        exported=(
            "id", "booking_number", "booking_source", "booking_type", "package_id", "activity_id",
            "departure_id", "booking_details", "status", "payment_status", "price_lines", "base_amount_minor",
            "discount_amount_minor", "voucher_discount_minor", "tax_amount_minor", "fee_amount_minor",
            "final_amount_minor", "points_redeemed", "paid_amount_minor", "refunded_amount_minor", "kept_amount_minor",
            "overpaid_amount_minor", "amendment_fees_minor", "currency", "customer_info",
            "special_requests", "start_date", "end_date", "travelers_count", "cancellation_reason",
            "cancelled_at", "no_show_at", "created_at",
        ),
        plain=because(
            "numbers, codes and prices of what was sold, and on which terms", "booking_number", "booking_type",
            "price_lines", "tier_code", "exchange_from", "cancellation_terms", "time_zone",
        ),
    ),
    # Taken from the booking by a trigger: with what is erased there it is erased here.
    Holding(table=tables.booking_words, belongs=_THEIRS, erased={"words": "''"}),
    Holding(
        table=tables.booking_items,
        belongs=_THEIRS,
        erased={"item_details": "'{}'::jsonb", "notes": "''"},
        exported_as="booking_items",
        exported=("booking_id", "booking_type", "item_name_ar", "item_name_en", "quantity", "unit_price_minor",
                  "total_price_minor", "currency", "item_details", "notes"),
        plain=because("names of goods, as they stand in the catalogue", "booking_type", "item_name_ar", "item_name_en")
        | because("what of a price an agent earns", "agent_rate"),
    ),
    Holding(
        table=tables.booking_instalments,
        belongs=_THEIRS,
        exported_as="booking_instalments",
        exported=("booking_id", "position", "due_on", "amount_minor", "currency"),
    ),
    Holding(
        table=tables.booking_travelers,
        belongs=_THEIRS,
        erased={
            "first_name": "'Erased'",
            "last_name": "'—'",
            "birth_date": "NULL",
            "document_number_encrypted": "NULL",
            "document_expires_on": "NULL",
        },
        exported_as="travelers",
        exported=("booking_id", "position", "first_name", "last_name", "birth_date", "document_number_encrypted",
                  "document_expires_on"),
    ),
    Holding(
        table=tables.booking_status_history,
        belongs=_THEIRS,
        erased={"change_reason": "CASE WHEN change_reason = '' THEN '' ELSE 'erased' END"},
        exported_as="booking_history",
        exported=("booking_id", "from_status", "to_status", "change_reason", "changed_at"),
        plain=because("states", "from_status", "to_status"),
    ),
    Holding(table=tables.holds, belongs=_THEIRS),
    # The drawings name everybody on the departure.
    Holding(
        table=tables.departure_manifests,
        belongs="departure_id IN (SELECT departure_id FROM bookings WHERE user_id = $person)",
        deleted=True,
        objects="'manifests/' || id || '.pdf'",
        plain=because("a name of a language, and a digest", "language", "content"),
    ),
    Holding(
        table=tables.booking_amendments,
        belongs=_THEIRS,
        # What is written about the trip and its items goes as it does in the booking that they became.
        erased={
            "travelers_encrypted": "NULL",
            "agreed": """agreed || jsonb_build_object('booking_details', '{}'::jsonb, 'items', (
                SELECT coalesce(jsonb_agg(i || '{"item_details": {}, "notes": ""}'::jsonb), '[]'::jsonb)
                FROM jsonb_array_elements(agreed -> 'items') i))""",
        },
        exported_as="booking_amendments",
        exported=("booking_id", "status", "previous_departure_id", "departure_id", "previous_start_date", "start_date",
                  "previous_travelers_count", "travelers_count", "previous_amount_minor", "amount_minor", "fee_minor",
                  "refund_minor", "points_restored", "currency", "requested_at", "expires_at", "resolved_at"),
    ),
    Holding(
        table=tables.cancellation_policies,
        plain=because("the company's own terms", "name_ar", "name_en", "tiers"),
    ),
    Holding(
        table=operation_tables.departure_operations,
        plain=because("what the company says to all of a departure's customers", "reason_ar", "reason_en"),
    ),
    Holding(
        table=operation_tables.departure_operation_items,
        belongs=_THEIRS,
        plain=because("the code of a refusal", "error"),
    ),
    Holding(
        table=waiting_tables.waiting_list_entries,
        belongs="user_id = $person",
        # Nobody is there to be offered seats; those that are offered come back when their time is over.
        erased={"status": "CASE WHEN status = 'WAITING' THEN 'CANCELLED' ELSE status END"},
        exported_as="waiting_list",
        exported=("id", "departure_id", "seats", "status", "created_at", "offered_at", "offer_expires_at",
                  "booking_id", "ended_at"),
    ),
    Holding(
        table=tables.booking_types,
        plain=because("the business's own words", "type_code", "type_name_ar", "type_name_en", "icon_name",
                      "color_hex"),
    ),
)  # fmt: skip
