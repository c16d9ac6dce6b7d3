"""partner_profiles, their bank accounts, rates and papers."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from domain.partners.documents import DocumentKind
from domain.partners.partners import PartnerStatus, PayoutMethod
from domain.shared.payees import PayeeType
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    reference,
    status,
    touched,
    unit,
    version,
)

partner_profiles = Table(
    "partner_profiles",
    metadata,
    key(),
    reference("user_id", "users.id"),
    *status("payee_type", PayeeType),
    *status("status", PartnerStatus),
    Column("company_name", Text, nullable=False),
    Column("license", Text, nullable=False, server_default=""),
    Column("tax_id", Text, nullable=False, server_default=""),
    *status("payout_method", PayoutMethod),
    # The payee's account at Stripe (`acct_…`).
    Column("stripe_account", Text),
    reference("approved_by_user_id", "users.id", nullable=True),
    instant("approved_at", nullable=True),
    Column("suspension_reason", Text),
    # What staff found wrong while it waits for them; gone once the partner has changed something.
    Column("refusal_reason", Text),
    # No payout leaves before: the way that it goes has changed. NULL where it never did.
    instant("payouts_from", nullable=True),
    instant("created_at"),
    touched(),
    version(),
    UniqueConstraint("user_id", "payee_type"),
    CheckConstraint("approved_by_user_id <> user_id", name="approved_by_another"),
    CheckConstraint("status = 'PENDING_APPROVAL' OR approved_at IS NOT NULL", name="active_once_approved"),
    CheckConstraint("(status = 'SUSPENDED') = (suspension_reason IS NOT NULL)", name="suspended_with_reason"),
    CheckConstraint("payout_method <> 'STRIPE' OR stripe_account IS NOT NULL", name="stripe_needs_account"),
    CheckConstraint("refusal_reason IS NULL OR status = 'PENDING_APPROVAL'", name="refused_while_pending"),
    Index("ix_partner_profiles_created_at_id", "created_at", "id"),
    Index("ix_partner_profiles_status_created_at_id", "payee_type", "status", "created_at", "id"),
)

# Never changed: another account is another row, and the newest counts.
partner_bank_accounts = Table(
    "partner_bank_accounts",
    metadata,
    key(),
    reference("profile_id", "partner_profiles.id"),
    # JSON of holder_name, account_number (IBAN where there is one), bank_name, bank_branch and swift_code.
    Column("details_encrypted", LargeBinary, nullable=False),
    # What its owner and staff see of it: the bank, and the last four characters of the number.
    Column("masked", Text, nullable=False),
    reference("added_by_user_id", "users.id"),
    instant("created_at"),
    # No payout goes there before.
    instant("usable_from"),
    CheckConstraint("usable_from >= created_at", name="cools_off"),
    Index("ix_partner_bank_accounts_profile_id_created_at", "profile_id", "created_at"),
)

# What is agreed, and from when; never changed. Without any, it is what the settings say.
partner_rates = Table(
    "partner_rates",
    metadata,
    key(),
    reference("profile_id", "partner_profiles.id"),
    Column("rate", PercentageNumber, nullable=False),
    instant("valid_from"),
    Column("reason", Text, nullable=False, server_default=""),
    reference("set_by_user_id", "users.id"),
    instant("created_at"),
    UniqueConstraint("profile_id", "valid_from"),
    CheckConstraint("rate BETWEEN 0 AND 100", name="rate_of_a_whole"),
)

# How far below zero an agent's deposit account may stand; the newest counts, and without any it is zero.
agent_credit_limits = Table(
    "agent_credit_limits",
    metadata,
    key(),
    reference("profile_id", "partner_profiles.id"),
    unit(),
    money("limit"),
    Column("reason", Text, nullable=False),
    reference("set_by_user_id", "users.id"),
    instant("valid_from"),
    CheckConstraint("limit_minor >= 0", name="not_negative"),
    Index("ix_agent_credit_limits_newest", "profile_id", "currency", "valid_from", "id"),
)

# Every file has a row before it is written, and until it is deleted; shown is what is stored.
partner_documents = Table(
    "partner_documents",
    metadata,
    key(),
    reference("profile_id", "partner_profiles.id"),
    *status("kind", DocumentKind),
    Column("expires_on", Date),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    instant("uploaded_at"),
    instant("stored_at", nullable=True),
    reference("verified_by_user_id", "users.id", nullable=True),
    instant("verified_at", nullable=True),
    CheckConstraint("(verified_at IS NULL) = (verified_by_user_id IS NULL)", name="verified_by_somebody"),
    CheckConstraint("verified_at IS NULL OR stored_at IS NOT NULL", name="verified_when_seen"),
    Index("ix_partner_documents_profile_id_kind_id", "profile_id", "kind", "id"),
    Index(
        "ix_partner_documents_expires_on",
        "expires_on",
        "id",
        postgresql_where="expires_on IS NOT NULL AND stored_at IS NOT NULL",
    ),
)
