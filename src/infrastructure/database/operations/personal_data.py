"""What operations holds about a person."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.operations import tables

# What staff did to the person, to what is the person's, or while naming them.
_ABOUT = """
resource_id = $person OR position($person::text in changes::text) > 0
OR position($email in changes::text) > 0 OR position($phone in changes::text) > 0
OR resource_id IN (SELECT id FROM bookings WHERE user_id = $person UNION ALL
                   SELECT id FROM payments WHERE user_id = $person UNION ALL
                   SELECT id FROM invoices WHERE user_id = $person UNION ALL
                   SELECT id FROM cashback_records WHERE user_id = $person UNION ALL
                   SELECT id FROM membership_subscriptions WHERE user_id = $person UNION ALL
                   SELECT id FROM withdrawals WHERE user_id = $person UNION ALL
                   SELECT id FROM adjustments WHERE user_id = $person)
"""

HOLDINGS = (
    Holding(
        table=tables.audit_logs,
        belongs=_ABOUT,
        erased={"changes": "without_texts(changes)"},
        plain=because(
            "names of actions, codes of problems and a random number",
            "action",
            "module",
            "resource_type",
            "error_message",
            "request_id",
        ),
    ),
    Holding(
        table=tables.audit_logs,
        belongs="user_id = $person",
        erased={"ip_address": "NULL", "user_agent": "NULL"},
    ),
    Holding(
        table=tables.system_settings,
        plain=because(
            "the company's own figures and words", "setting_key", "setting_value", "description_ar", "description_en"
        ),
    ),
)
