"""What is held about vendors and agents as persons."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.partners import tables

_THEIRS = "profile_id IN (SELECT id FROM partner_profiles WHERE user_id = $person)"

HOLDINGS = (
    Holding(
        table=tables.partner_profiles,
        belongs="user_id = $person",
        erased={
            "company_name": "'erased'",
            "license": "''",
            "tax_id": "''",
            "suspension_reason": "CASE WHEN suspension_reason IS NOT NULL THEN 'erased' END",
            "refusal_reason": "NULL",
        },
        exported_as="partner_profiles",
        exported=(
            "id",
            "payee_type",
            "status",
            "company_name",
            "license",
            "tax_id",
            "payout_method",
            "stripe_account",
            "approved_at",
            "suspension_reason",
            "refusal_reason",
            "payouts_from",
            "created_at",
        ),
        plain=because("what payouts were sent to; books are kept", "stripe_account"),
    ),
    Holding(
        table=tables.partner_bank_accounts,
        belongs=_THEIRS,
        deleted=True,
        exported_as="partner_bank_accounts",
        exported=("profile_id", "details_encrypted", "masked", "created_at", "usable_from"),
    ),
    Holding(
        table=tables.partner_rates,
        belongs=_THEIRS,
        exported_as="partner_rates",
        exported=("profile_id", "rate", "valid_from", "reason", "created_at"),
        plain=because("why a rate was agreed", "reason"),
    ),
    Holding(
        table=tables.agent_credit_limits,
        belongs=_THEIRS,
        exported_as="agent_credit_limits",
        exported=("profile_id", "currency", "limit_minor", "reason", "valid_from"),
        plain=because("why a limit was set", "reason"),
    ),
    Holding(
        table=tables.partner_documents,
        belongs=_THEIRS,
        deleted=True,
        objects="storage_key",
        exported_as="partner_documents",
        exported=("profile_id", "kind", "expires_on", "uploaded_at", "verified_at"),
    ),
)
