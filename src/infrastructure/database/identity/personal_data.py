"""What identity holds about a person."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.identity import proof_tables, tables

_OURS = "the business's own words"
_NOBODYS_PASSWORD = "'$2b$12$' || repeat('.', 53)"  # noqa: S105 - well formed, and the hash of nothing

_INVITED = "invitation_id IN (SELECT id FROM invitations WHERE email = $email OR accepted_by = $person)"
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
        plain=because(
            "one of two languages, names of roles, and instants",
            "locale",
            "roles",
            "email_verified_at",
            "phone_verified_at",
        ),
    ),
    Holding(
        table=tables.sessions,
        belongs="user_id = $person",
        deleted=True,
        exported_as="sessions",
        exported=(
            "id",
            "user_agent",
            "address",
            "surface",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
            "revoked_reason",
        ),
    ),
    Holding(table=tables.refresh_tokens, belongs=_SESSIONS, deleted=True),
    Holding(table=tables.email_verifications, belongs="user_id = $person", deleted=True),
    Holding(table=tables.password_resets, belongs="user_id = $person", deleted=True),
    Holding(table=tables.login_failures, plain=because("a keyed digest that names nobody, for a day", "subject")),
    Holding(
        table=tables.api_keys,
        belongs="user_id = $person",
        deleted=True,
        exported_as="api_keys",
        exported=(
            "id",
            "name",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "last_used_address",
        ),
    ),
    Holding(
        table=proof_tables.second_factors,
        belongs="user_id = $person",
        deleted=True,
        exported_as="second_factor",
        exported=("created_at", "confirmed_at"),
    ),
    Holding(table=proof_tables.recovery_codes, belongs="user_id = $person", deleted=True),
    Holding(table=proof_tables.counted_guesses, belongs="subject LIKE '%:' || $person", deleted=True),
    Holding(table=proof_tables.phone_verifications, belongs="user_id = $person", deleted=True),
    Holding(table=proof_tables.invitation_tokens, belongs=_INVITED, deleted=True),
    Holding(
        table=proof_tables.invitations,
        belongs="email = $email OR accepted_by = $person",
        erased={"email": "'erased-' || id || '@erased.invalid'"},
        exported_as="invitations",
        exported=("email", "roles", "status", "created_at", "accepted_at"),
        plain=because("names of roles, and one of two languages", "roles", "locale"),
    ),
    Holding(
        table=tables.roles,
        plain=because(_OURS, "role_name", "display_name_ar", "display_name_en"),
    ),
    Holding(
        table=tables.permissions,
        plain=because(_OURS, "permission_code", "module", "action", "description_en", "description_ar"),
    ),
)
