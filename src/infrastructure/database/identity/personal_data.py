"""What identity holds about a person."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.identity import tables

_OURS = "the business's own words"
_NOBODYS_PASSWORD = "'$2b$12$' || repeat('.', 53)"  # noqa: S105 - well formed, and the hash of nothing

# What staff did to the person, to what is the person's, or while naming them.
_ABOUT = """
resource_id = $person OR position($person::text in changes::text) > 0
OR position($email in changes::text) > 0 OR position($phone in changes::text) > 0
OR resource_id IN (SELECT id FROM bookings WHERE user_id = $person UNION ALL
                   SELECT id FROM payments WHERE user_id = $person UNION ALL
                   SELECT id FROM invoices WHERE user_id = $person UNION ALL
                   SELECT id FROM membership_subscriptions WHERE user_id = $person)
"""
_SESSIONS = "session_id IN (SELECT id FROM sessions WHERE user_id = $person)"

HOLDINGS = (
    Holding(
        table=tables.users,
        belongs="id = $person",
        erased={
            "email": "'erased-' || id || '@erased.invalid'",
            "password_hash": _NOBODYS_PASSWORD,
            "first_name": "'Erased'",
            "last_name": "'—'",
            "phone": "NULL",
            "status": "'DISABLED'",
            "deleted_at": "coalesce(deleted_at, $at)",
            "erased_at": "coalesce(erased_at, $at)",
        },
        exported_as="profile",
        exported=(
            "id",
            "email",
            "first_name",
            "last_name",
            "phone",
            "locale",
            "status",
            "roles",
            "email_verified_at",
            "created_at",
        ),
        plain=because("one of two languages, names of roles, and an instant", "locale", "roles", "email_verified_at"),
    ),
    Holding(
        table=tables.sessions,
        belongs="user_id = $person",
        deleted=True,
        exported_as="sessions",
        exported=("id", "user_agent", "created_at", "expires_at", "revoked_at", "revoked_reason"),
    ),
    Holding(table=tables.refresh_tokens, belongs=_SESSIONS, deleted=True),
    Holding(table=tables.email_verifications, belongs="user_id = $person", deleted=True),
    Holding(
        table=tables.audit_logs,
        belongs=_ABOUT,
        erased={"changes": "without_texts(changes)"},
        plain=because("names of actions and a random number", "action", "module", "resource_type", "request_id"),
    ),
    Holding(
        table=tables.roles,
        plain=because(_OURS, "role_name", "display_name_ar", "display_name_en"),
    ),
    Holding(
        table=tables.permissions,
        plain=because(_OURS, "permission_code", "module", "action", "description_en"),
    ),
)
