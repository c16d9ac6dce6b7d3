"""booking_types, bookings, booking_items, booking_travelers, booking_status_history, holds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.sales.agreed import BookingSource
from domain.sales.bookings import BookingPaymentStatus, BookingStatus
from domain.sales.holds import HoldStatus
from infrastructure.database.metadata import (
    Hundredths,
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    money_at_zero,
    reference,
    status,
    unit,
)

AGREED_BEFORE = '{"policy_id": null, "tiers": [{"hours_before": 0, "refund": 10000}]}'
"""All of it back until the trip begins."""

booking_numbers = Sequence("booking_numbers", metadata=metadata)

booking_types = Table(
    "booking_types",
    metadata,
    Column("type_code", Text, primary_key=True),
    Column("type_name_ar", Text, nullable=False),
    Column("type_name_en", Text, nullable=False),
    Column("icon_name", Text, nullable=False),
    Column("color_hex", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("display_order", Integer, nullable=False),
)

bookings = Table(
    "bookings",
    metadata,
    key(),
    Column("booking_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    reference("agent_id", "users.id", nullable=True),
    reference("created_by_user_id", "users.id"),
    *status("booking_source", BookingSource),
    Column("booking_type", Text, ForeignKey("booking_types.type_code"), nullable=False),
    reference("package_id", "packages.id", nullable=True),
    reference("activity_id", "activities.id", nullable=True),
    reference("departure_id", "departures.id", nullable=True),
    Column("booking_details", JSONB, nullable=False, server_default="{}"),
    *status("status", BookingStatus),
    *status("payment_status", BookingPaymentStatus),
    Column("price_lines", JSONB, nullable=False),
    money("base_amount"),
    money("discount_amount"),
    money("voucher_discount"),
    money("tax_amount"),
    money_at_zero("fee_amount"),
    money("final_amount"),
    # Points that were redeemed for a part of the discount.
    Column("points_redeemed", Integer, nullable=False, server_default="0"),
    money_at_zero("points_worth"),
    # What confirms it; NULL is all of the price.
    money("deposit_amount", nullable=True),
    money("paid_amount"),
    money_at_zero("points_paid_amount"),
    money_at_zero("refunded_amount"),
    unit(),
    # The dated rate that the price was converted with, from the currency of the catalogue.
    reference("exchange_rate_id", "exchange_rates.id", nullable=True),
    Column("exchange_from", Text),
    Column("exchange_rate", Numeric(21, 12)),
    Column("tax_rate", PercentageNumber, nullable=False),
    Column("tier_code", Text, nullable=False),
    Column("points_multiplier", Hundredths, nullable=False),
    Column("cashback_rate", PercentageNumber, nullable=False),
    Column("bonus_points", Integer, nullable=False, server_default="0"),
    money_at_zero("bonus_cashback"),
    # What was agreed about cancelling; everything comes back until the trip begins where nothing else was.
    Column("cancellation_terms", JSONB, nullable=False, server_default=AGREED_BEFORE),
    Column("customer_info", JSONB, nullable=False),
    Column("special_requests", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    # When the trip begins where it begins; NULL is midnight there: the release before wrote none.
    instant("starts_at", nullable=True),
    Column("time_zone", Text, nullable=False, server_default="Africa/Cairo"),
    Column("travelers_count", Integer, nullable=False),
    Column("cancellation_reason", Text),
    # The expired booking whose seats late money took again.
    reference("replaces_booking_id", "bookings.id", nullable=True),
    reference("cancelled_by_user_id", "users.id", nullable=True),
    instant("cancelled_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    CheckConstraint("travelers_count > 0", name="travelers_above_zero"),
    CheckConstraint(
        "base_amount_minor - discount_amount_minor - voucher_discount_minor + tax_amount_minor + fee_amount_minor"
        " = final_amount_minor",
        name="price_with_fee_adds_up",
    ),
    CheckConstraint(
        "points_redeemed >= 0 AND points_worth_minor BETWEEN 0 AND discount_amount_minor"
        " AND (points_redeemed > 0) = (points_worth_minor > 0)",
        name="points_are_discount",
    ),
    CheckConstraint("num_nonnulls(package_id, activity_id) <= 1", name="of_one_item"),
    CheckConstraint("paid_amount_minor BETWEEN 0 AND final_amount_minor", name="paid_within_price"),
    CheckConstraint(
        "status NOT IN ('CONFIRMED', 'IN_PROGRESS')"
        " OR paid_amount_minor >= coalesce(deposit_amount_minor, final_amount_minor)",
        name="confirmed_with_its_deposit",
    ),
    CheckConstraint("status <> 'COMPLETED' OR paid_amount_minor = final_amount_minor", name="completed_with_its_money"),
    CheckConstraint("refunded_amount_minor BETWEEN 0 AND paid_amount_minor", name="refunds_within_payments"),
    CheckConstraint("points_paid_amount_minor BETWEEN 0 AND paid_amount_minor", name="points_within_payments"),
    Index("ix_bookings_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_bookings_created_at_id", "created_at", "id"),
    Index("ix_bookings_departure_id", "departure_id"),
    Index("ix_bookings_updated_at_id", "updated_at", "id"),
    Index(
        "uq_bookings_replaces_booking_id",
        "replaces_booking_id",
        unique=True,
        postgresql_where="replaces_booking_id IS NOT NULL",
    ),
    Index("ix_bookings_activity_id", "activity_id", postgresql_where="activity_id IS NOT NULL"),
)

booking_items = Table(
    "booking_items",
    metadata,
    key(),
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False),
    Column("booking_type", Text, ForeignKey("booking_types.type_code"), nullable=False),
    Column("item_name_ar", Text, nullable=False),
    Column("item_name_en", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    money("unit_price"),
    # Its own shares; rows of the release before have none but the total.
    money_at_zero("price"),
    money_at_zero("discount"),
    money_at_zero("tax"),
    money_at_zero("fee"),
    money("total_price"),
    unit(),
    Column("item_details", JSONB, nullable=False, server_default="{}"),
    Column("notes", Text, nullable=False, server_default=""),
    CheckConstraint("quantity > 0", name="quantity_above_zero"),
    Index("ix_booking_items_booking_id", "booking_id"),
)

booking_travelers = Table(
    "booking_travelers",
    metadata,
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("birth_date", Date),
    Column("document_number_encrypted", LargeBinary),
    Column("document_expires_on", Date),
)

booking_status_history = Table(
    "booking_status_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("booking_id", Uuid, ForeignKey("bookings.id"), nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    reference("changed_by_user_id", "users.id", nullable=True),
    Column("change_reason", Text, nullable=False),
    instant("changed_at"),
    Index("ix_booking_status_history_booking_id", "booking_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("booking_id", Uuid, ForeignKey("bookings.id"), primary_key=True),
    reference("departure_id", "departures.id", nullable=True),
    Column("seats", Integer, nullable=False),
    *status("status", HoldStatus),
    instant("expires_at"),
    # When it would have ended without payment codes; NULL while none has changed that.
    instant("agreed_until", nullable=True),
    CheckConstraint("CASE WHEN departure_id IS NULL THEN seats = 0 ELSE seats > 0 END", name="seats_of_a_departure"),
    Index("ix_holds_expires_at", "expires_at", postgresql_where="status = 'ACTIVE'"),
)
