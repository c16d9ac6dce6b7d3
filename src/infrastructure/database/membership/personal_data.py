"""What membership holds about a person."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.membership import tables

HOLDINGS = (
    Holding(
        table=tables.membership_plans,
        plain=because("the business's own words", "tier_code", "tier_name_ar", "tier_name_en", "color_hex"),
    ),
    Holding(
        table=tables.membership_subscriptions,
        belongs="user_id = $person",
        exported_as="memberships",
        exported=("id", "membership_number", "plan_id", "price_minor", "currency", "status", "start_date",
                  "expiry_date", "created_at"),
        plain=because("a serial number", "membership_number"),
    ),
)  # fmt: skip
