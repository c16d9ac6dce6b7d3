"""membership_plans, membership_subscriptions."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, Sequence, Table, Text
from sqlalchemy.orm import composite

from domain.membership.memberships import MembershipSubscription, SubscriptionStatus
from domain.shared.money import Money
from infrastructure.database.metadata import (
    Hundredths,
    PercentageNumber,
    instant,
    key,
    mappers,
    metadata,
    money,
    reference,
    status,
    unit,
)

membership_numbers = Sequence("membership_numbers", metadata=metadata)

membership_plans = Table(
    "membership_plans",
    metadata,
    key(),
    Column("tier_code", Text, nullable=False, unique=True),
    Column("tier_name_ar", Text, nullable=False),
    Column("tier_name_en", Text, nullable=False),
    Column("tier_order", Integer, nullable=False),
    money("price"),
    unit(),
    Column("cashback_rate", Hundredths, nullable=False),
    Column("points_multiplier", Hundredths, nullable=False),
    # Percent off what members book; the guide names none, so plans begin without.
    Column("discount_rate", PercentageNumber, nullable=False, server_default="0"),
    Column("color_hex", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default="true"),
    CheckConstraint("price_minor >= 0", name="price_not_negative"),
    CheckConstraint("discount_rate BETWEEN 0 AND 100", name="discount_rate_is_percent"),
)

membership_subscriptions = Table(
    "membership_subscriptions",
    metadata,
    key(),
    Column("membership_number", Text, nullable=False, unique=True),
    reference("user_id", "users.id"),
    reference("plan_id", "membership_plans.id"),
    money("price"),
    unit(),
    *status("status", SubscriptionStatus),
    Column("start_date", Date),
    Column("expiry_date", Date),
    instant("created_at"),
    Index(
        "uq_membership_subscriptions_active_user",
        "user_id",
        unique=True,
        postgresql_where="status = 'ACTIVE'",
    ),
)

mappers.map_imperatively(
    MembershipSubscription,
    membership_subscriptions,
    properties={
        "_price_minor": membership_subscriptions.c.price_minor,
        "_currency": membership_subscriptions.c.currency,
        "price": composite(Money, "_price_minor", "_currency"),
    },
)
