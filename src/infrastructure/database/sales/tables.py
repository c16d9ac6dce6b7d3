"""The tables of bookings and of the cancellation policies that they are sold under."""

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
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.sales.agreed import BookingSource
from domain.sales.amendments import AmendmentStatus
from domain.sales.booking_states import BookingPaymentStatus, BookingStatus
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
    touched,
    unit,
    version,
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
    # What the company has earned of a booking that was cancelled.
    money_at_zero("kept_amount"),
    # Until when a customer whose trip the company moved may cancel it for nothing.
    instant("free_cancellation_until", nullable=True),
    # What was paid beyond the price since amendments lowered it, and what of the price amendments cost.
    money_at_zero("overpaid_amount"),
    money_at_zero("amendment_fees"),
    Column("amended_times", SmallInteger, nullable=False, server_default="0"),
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
    # When staff recorded that the customer did not come.
    instant("no_show_at", nullable=True),
    # When it was long over: lists leave it out from then on.
    instant("archived_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    # Counted by the database; what `If-Match` names.
    Column("version", Integer, nullable=False, server_default="1"),
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
    CheckConstraint(
        "paid_amount_minor BETWEEN 0 AND final_amount_minor + overpaid_amount_minor", name="paid_within_price"
    ),
    CheckConstraint("overpaid_amount_minor BETWEEN 0 AND paid_amount_minor", name="overpaid_of_what_was_paid"),
    CheckConstraint("amendment_fees_minor BETWEEN 0 AND fee_amount_minor", name="amendments_cost_fees"),
    CheckConstraint("amended_times >= 0", name="amended_times_counted"),
    CheckConstraint(
        "status NOT IN ('CONFIRMED', 'IN_PROGRESS')"
        " OR paid_amount_minor >= coalesce(deposit_amount_minor, final_amount_minor)",
        name="confirmed_with_its_deposit",
    ),
    CheckConstraint(
        "status <> 'COMPLETED' OR paid_amount_minor = final_amount_minor + overpaid_amount_minor",
        name="completed_with_its_money",
    ),
    CheckConstraint("refunded_amount_minor BETWEEN 0 AND paid_amount_minor", name="refunds_within_payments"),
    CheckConstraint(
        "kept_amount_minor BETWEEN 0 AND paid_amount_minor - refunded_amount_minor", name="kept_of_what_did_not_go_back"
    ),
    CheckConstraint("points_paid_amount_minor BETWEEN 0 AND paid_amount_minor", name="points_within_payments"),
    Index("ix_bookings_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_bookings_created_at_id", "created_at", "id"),
    Index("ix_bookings_updated_at_id", "updated_at", "id"),
    # One for each thing that staff look for bookings by, newest first.
    *(Index(f"ix_bookings_{name}_created_at_id", name, "created_at", "id") for name in ("status", "departure_id")),
    *(
        Index(
            f"ix_bookings_{name}_created_at_id",
            name,
            "created_at",
            "id",
            postgresql_where=f"{name} IS NOT NULL",
        )
        for name in ("package_id", "activity_id")
    ),
    # Of the others there are so many that the newest bookings have them.
    Index(
        "ix_bookings_payment_status_created_at_id",
        "payment_status",
        "created_at",
        "id",
        postgresql_where="payment_status IN ('PARTIALLY_PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')",
    ),
    Index("ix_bookings_start_date_id", "start_date", "id"),
    Index(
        "ix_bookings_balance_due",
        "created_at",
        "id",
        postgresql_where=(
            "status IN ('PENDING_PAYMENT', 'CONFIRMED', 'IN_PROGRESS') AND paid_amount_minor < final_amount_minor"
        ),
    ),
    CheckConstraint("no_show_at IS NULL OR status NOT IN ('DRAFT', 'PENDING_PAYMENT')", name="missed_once_sold"),
    CheckConstraint(
        "archived_at IS NULL OR status IN ('COMPLETED', 'CANCELLED', 'REFUNDED')", name="archived_once_over"
    ),
    Index(
        "ix_bookings_agent_id_created_at_id",
        "agent_id",
        "created_at",
        "id",
        postgresql_where="agent_id IS NOT NULL",
    ),
    Index(
        "ix_bookings_to_archive",
        "updated_at",
        postgresql_where="archived_at IS NULL AND status IN ('COMPLETED', 'CANCELLED', 'REFUNDED')",
    ),
    # Of those that are certain and owe money: few, whatever the history.
    Index(
        "ix_bookings_owing",
        "id",
        postgresql_where="status = 'CONFIRMED' AND paid_amount_minor < final_amount_minor",
    ),
    Index(
        "uq_bookings_replaces_booking_id",
        "replaces_booking_id",
        unique=True,
        postgresql_where="replaces_booking_id IS NOT NULL",
    ),
)

booking_words = Table(
    "booking_words",
    metadata,
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    # Number, names and addresses, folded for search; kept by a trigger of bookings.
    Column("words", Text, nullable=False),
    Index("ix_booking_words_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
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
    # Whose it is, and who earns how much of it, frozen when it was sold; NULL where nobody but the platform does.
    reference("vendor_id", "users.id", nullable=True),
    Column("vendor_rate", PercentageNumber),
    Column("agent_rate", PercentageNumber),
    CheckConstraint("quantity > 0", name="quantity_above_zero"),
    CheckConstraint("(vendor_id IS NULL) = (vendor_rate IS NULL)", name="vendors_have_a_rate"),
    Index("ix_booking_items_booking_id", "booking_id"),
    Index("ix_booking_items_vendor_id", "vendor_id", postgresql_where="vendor_id IS NOT NULL"),
)

# Frozen when the price was agreed; a constraint trigger sees that they are all of it, and the first is the deposit.
booking_instalments = Table(
    "booking_instalments",
    metadata,
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("due_on", Date, nullable=False),
    money("amount"),
    unit(),
    # When its customer was told, once each.
    instant("reminded_at", nullable=True),
    instant("due_told_at", nullable=True),
    instant("overdue_told_at", nullable=True),
    CheckConstraint("position > 0", name="position_from_one"),
    CheckConstraint("amount_minor > 0", name="amount_above_zero"),
    Index("ix_booking_instalments_due_on", "due_on", postgresql_where="overdue_told_at IS NULL AND position > 1"),
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

departure_manifests = Table(
    "departure_manifests",
    metadata,
    key(),
    reference("departure_id", "departures.id"),
    Column("language", Text, nullable=False),
    # A digest of what stands on it: where somebody is booked or cancelled, another document is made.
    Column("content", LargeBinary, nullable=False),
    reference("requested_by_user_id", "users.id"),
    instant("requested_at"),
    instant("made_at", nullable=True),
    Column("size_bytes", Integer),
    UniqueConstraint("departure_id", "language", "content", name="uq_departure_manifests_content"),
    Index("ix_departure_manifests_requested_at", "requested_at"),
    Index("ix_departure_manifests_requested_by_user_id", "requested_by_user_id"),
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

booking_amendments = Table(
    "booking_amendments",
    metadata,
    key(),
    Column("booking_id", Uuid, ForeignKey("bookings.id"), nullable=False),
    *status("status", AmendmentStatus),
    # NULL where people price it.
    reference("previous_departure_id", "departures.id", nullable=True),
    reference("departure_id", "departures.id", nullable=True),
    Column("previous_start_date", Date, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("previous_travelers_count", Integer, nullable=False),
    Column("travelers_count", Integer, nullable=False),
    money("previous_amount"),
    money("amount"),
    money("fee"),
    money("refund"),
    Column("points_restored", Integer, nullable=False),
    unit(),
    # Taken of the new departure when it was asked for.
    Column("seats_held", Integer, nullable=False),
    # Trip, price and items as the booking has them once it is applied.
    Column("agreed", JSONB, nullable=False),
    # Who travels then, where that changes; kept until it is decided.
    Column("travelers_encrypted", LargeBinary),
    reference("requested_by_user_id", "users.id"),
    instant("requested_at"),
    instant("expires_at", nullable=True),
    # When it would have ended without payment codes; NULL while none has changed that.
    instant("agreed_until", nullable=True),
    instant("resolved_at", nullable=True),
    CheckConstraint("(status = 'PENDING') = (resolved_at IS NULL)", name="pending_until_resolved"),
    CheckConstraint(
        "status <> 'PENDING' OR (expires_at IS NOT NULL AND amount_minor > previous_amount_minor)",
        name="waits_for_money",
    ),
    CheckConstraint("status = 'PENDING' OR travelers_encrypted IS NULL", name="keeps_travelers_while_pending"),
    CheckConstraint(
        "fee_minor >= 0 AND refund_minor >= 0 AND points_restored >= 0 AND seats_held >= 0 AND travelers_count > 0",
        name="figures_not_below_zero",
    ),
    CheckConstraint("(previous_departure_id IS NULL) = (departure_id IS NULL)", name="of_departures_or_of_none"),
    Index("ix_booking_amendments_booking_id", "booking_id"),
    Index("ix_booking_amendments_previous_departure_id", "previous_departure_id"),
    Index("ix_booking_amendments_departure_id", "departure_id"),
    Index("uq_booking_amendments_pending", "booking_id", unique=True, postgresql_where="status = 'PENDING'"),
    Index("ix_booking_amendments_expires_at", "expires_at", postgresql_where="status = 'PENDING'"),
)

cancellation_policies = Table(
    "cancellation_policies",
    metadata,
    key(),
    Column("name_ar", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    # As terms are frozen into bookings: hours before the start, and hundredths of a percent.
    Column("tiers", JSONB, nullable=False),
    # Until then the place can be handed back to its supplier for nothing; NULL where nobody said it.
    Column("supplier_hours_before", Integer),
    Column("is_default", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    # NULL is what an installation begins with.
    reference("created_by_user_id", "users.id", nullable=True),
    instant("created_at"),
    touched(),
    version(),
    CheckConstraint("is_active OR NOT is_default", name="default_is_active"),
    CheckConstraint("jsonb_typeof(tiers) = 'array'", name="tiers_are_a_list"),
    CheckConstraint("supplier_hours_before BETWEEN 0 AND 8760", name="supplier_hours_known"),
    Index("uq_cancellation_policies_default", "is_default", unique=True, postgresql_where="is_default"),
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
    # When it was priced; NULL where it began with its booking.
    instant("begun_at", nullable=True),
    CheckConstraint("CASE WHEN departure_id IS NULL THEN seats = 0 ELSE seats > 0 END", name="seats_of_a_departure"),
    Index("ix_holds_expires_at", "expires_at", postgresql_where="status = 'ACTIVE'"),
)
