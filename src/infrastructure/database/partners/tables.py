"""partner_profiles, their bank accounts and their rates."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint

from domain.partners.partners import PartnerStatus, PayoutMethod
from domain.shared.payees import PayeeType
from infrastructure.database.metadata import (
    PercentageNumber,
    instant,
    key,
    metadata,
    reference,
    status,
    touched,
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
    instant("created_at"),
    touched(),
    version(),
    UniqueConstraint("user_id", "payee_type"),
    CheckConstraint("approved_by_user_id <> user_id", name="approved_by_another"),
    CheckConstraint("status = 'PENDING_APPROVAL' OR approved_at IS NOT NULL", name="active_once_approved"),
    CheckConstraint("(status = 'SUSPENDED') = (suspension_reason IS NOT NULL)", name="suspended_with_reason"),
    CheckConstraint("payout_method <> 'STRIPE' OR stripe_account IS NOT NULL", name="stripe_needs_account"),
    Index("ix_partner_profiles_created_at_id", "created_at", "id"),
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
