"""The tables of the first slice, the guards of the ledger and its posting function."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_01"
down_revision = None


SQL = Path(__file__).resolve().parents[1] / "sql"
SEQUENCES = ("booking_numbers", "membership_numbers", "payment_numbers")


def run_file(name: str) -> None:
    """Run a file of statements as it stands: its % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute((SQL / name).read_text("utf-8"))


def upgrade() -> None:
    run_file("20261123_before_tables.sql")
    for sequence in SEQUENCES:
        op.execute(sa.schema.CreateSequence(sa.Sequence(sequence)))
    op.create_table(
        "booking_types",
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("type_name_ar", sa.Text(), nullable=False),
        sa.Column("type_name_en", sa.Text(), nullable=False),
        sa.Column("icon_name", sa.Text(), nullable=False),
        sa.Column("color_hex", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("type_code", name=op.f("pk_booking_types")),
    )
    op.create_table(
        "document_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_document_series")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status_code", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance_before_minor", sa.BigInteger(), nullable=True),
        sa.Column("balance_after_minor", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(sequence IS NULL) = (balance_after_minor IS NULL) AND (sequence IS NULL) = (balance_before_minor IS NULL)",
            name=op.f("ck_ledger_entries_chained_or_not"),
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_entries_amount_not_zero")),
        sa.CheckConstraint(
            "balance_after_minor = balance_before_minor + amount_minor",
            name=op.f("ck_ledger_entries_balance_adds_up"),
        ),
        sa.PrimaryKeyConstraint("journal_id", "line", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("account_id", "sequence", name=op.f("uq_ledger_entries_account_id_sequence")),
    )
    op.create_table(
        "ledger_journals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("journal_type", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("reference_type", sa.Text(), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "journal_type IN ('DEPOSIT', 'WITHDRAWAL', 'PAYMENT', 'REFUND', 'CASHBACK', 'BONUS', 'COMMISSION', 'EARNED', 'REDEEMED', 'EXPIRED', 'ADJUSTMENT', 'REVERSAL', 'REVENUE', 'SUSPENSE')",
            name=op.f("ck_ledger_journals_journal_type_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_journals")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_ledger_journals_idempotency_key")),
    )
    op.create_index("ix_ledger_journals_reference_id", "ledger_journals", ["reference_id"], unique=False)
    op.create_table(
        "membership_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tier_code", sa.Text(), nullable=False),
        sa.Column("tier_name_ar", sa.Text(), nullable=False),
        sa.Column("tier_name_en", sa.Text(), nullable=False),
        sa.Column("tier_order", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cashback_rate", sa.Numeric(7, 2), nullable=False),
        sa.Column("points_multiplier", sa.Numeric(7, 2), nullable=False),
        sa.Column("color_hex", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_membership_plans_price_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_plans")),
        sa.UniqueConstraint("tier_code", name=op.f("uq_membership_plans_tier_code")),
    )
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
    )
    op.create_index(
        "ix_outbox_events_unpublished",
        "outbox_events",
        ["id"],
        unique=False,
        postgresql_where="published_at IS NULL AND dead_at IS NULL",
    )
    op.create_table(
        "permissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("permission_code", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permissions")),
        sa.UniqueConstraint("permission_code", name=op.f("uq_permissions_permission_code")),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role_name", sa.Text(), nullable=False),
        sa.Column("display_name_ar", sa.Text(), nullable=False),
        sa.Column("display_name_en", sa.Text(), nullable=False),
        sa.Column("is_system_role", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("role_name", name=op.f("uq_roles_role_name")),
    )
    op.create_table(
        "sandbox_checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("success_url", sa.Text(), nullable=False),
        sa.Column("cancel_url", sa.Text(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('paid', 'declined', 'late', 'twice', 'short', 'never')",
            name=op.f("ck_sandbox_checkouts_outcome_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_checkouts")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_sandbox_checkouts_merchant_reference")),
    )
    op.create_table(
        "scheduled_runs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job", "period", name=op.f("pk_scheduled_runs")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('ACTIVE', 'DISABLED')", name=op.f("ck_users_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_logs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    op.create_index("ix_audit_logs_created_at_id", "audit_logs", ["created_at", "id"], unique=False)
    op.create_table(
        "email_verifications",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_verifications_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_email_verifications")),
    )
    op.create_index("ix_email_verifications_user_id", "email_verifications", ["user_id"], unique=False)
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("is_chained", sa.Boolean(), nullable=False),
        sa.Column("allows_debt", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("is_chained = (user_id IS NOT NULL)", name=op.f("ck_ledger_accounts_chained_when_owned")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ledger_accounts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint(
            "user_id",
            "kind",
            "currency",
            "provider",
            name=op.f("uq_ledger_accounts_user_id_kind_currency_provider"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "membership_subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("expiry_date", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('PENDING_PAYMENT', 'ACTIVE', 'EXPIRED', 'CANCELLED')",
            name=op.f("ck_membership_subscriptions_status_known"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["membership_plans.id"], name=op.f("fk_membership_subscriptions_plan_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_membership_subscriptions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_subscriptions")),
        sa.UniqueConstraint("membership_number", name=op.f("uq_membership_subscriptions_membership_number")),
    )
    op.create_index(
        "uq_membership_subscriptions_active_user",
        "membership_subscriptions",
        ["user_id"],
        unique=True,
        postgresql_where="status = 'ACTIVE'",
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("notification_type", sa.Text(), nullable=False),
        sa.Column("title_ar", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("message_ar", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.Column("link_type", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("is_read", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "link_type IN ('BOOKING', 'OFFER', 'WALLET', 'CHAT', 'PACKAGE', 'NONE')",
            name=op.f("ck_notifications_link_type_known"),
        ),
        sa.CheckConstraint(
            "notification_type IN ('BOOKING_CONFIRMED', 'PAYMENT_SUCCESS', 'CASHBACK_CREDITED', 'POINTS_EARNED', 'OFFER_AVAILABLE', 'MEMBERSHIP_UPGRADE', 'CHAT_MESSAGE', 'SYSTEM', 'MARKETING')",
            name=op.f("ck_notifications_notification_type_known"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_user_id_created_at_id",
        "notifications",
        ["user_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "packages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("base_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("tax_inclusive", sa.Boolean(), nullable=False),
        sa.Column("duration_days", sa.Integer(), nullable=False),
        sa.Column("duration_nights", sa.Integer(), nullable=False),
        sa.Column("min_travelers", sa.Integer(), nullable=False),
        sa.Column("max_travelers", sa.Integer(), nullable=False),
        sa.Column("destinations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("inclusions_ar", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("inclusions_en", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("exclusions_ar", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("exclusions_en", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("itinerary", postgresql.JSONB(), nullable=False),
        sa.Column("is_featured", sa.Boolean(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("availability_start", sa.Date(), nullable=True),
        sa.Column("availability_end", sa.Date(), nullable=True),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed(
                "fold_for_search(name_ar || ' ' || name_en || ' ' || description_ar || ' ' || description_en || ' ' || words_of(destinations))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "category IN ('HONEYMOON', 'FAMILY', 'ADVENTURE', 'LUXURY', 'BUSINESS', 'WEEKEND', 'SEASONAL')",
            name=op.f("ck_packages_category_known"),
        ),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'ACTIVE', 'INACTIVE', 'ARCHIVED')", name=op.f("ck_packages_status_known")
        ),
        sa.Column(
            "listing_place",
            sa.Integer(),
            sa.Computed("display_order + CASE WHEN is_featured THEN 0 ELSE 1000000 END", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "price_thousandths",
            sa.BigInteger(),
            sa.Computed(
                "base_price_minor * CASE WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1"
                " WHEN currency IN ('JPY', 'KRW') THEN 1000 ELSE 10 END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("base_price_minor >= 0", name=op.f("ck_packages_base_price_not_negative")),
        sa.CheckConstraint("display_order BETWEEN 0 AND 10000", name=op.f("ck_packages_display_order_known")),
        sa.CheckConstraint("min_travelers BETWEEN 1 AND max_travelers", name=op.f("ck_packages_travelers_in_order")),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name=op.f("fk_packages_created_by_user_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["users.id"], name=op.f("fk_packages_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("slug", name=op.f("uq_packages_slug")),
    )
    op.create_index("ix_packages_listing_place_id", "packages", ["listing_place", "id"], unique=False)
    op.create_index("ix_packages_price_thousandths_id", "packages", ["price_thousandths", "id"], unique=False)
    op.create_index("ix_packages_created_at_id", "packages", ["created_at", "id"], unique=False)
    op.create_index("ix_packages_vendor_id", "packages", ["vendor_id"], unique=False)
    op.create_index(
        "ix_packages_search_text",
        "packages",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_table(
        "points_lots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_points_lots_points_above_zero")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_points_lots_journal_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_points_lots_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points_lots")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_points_lots_journal_id")),
    )
    op.create_index("ix_points_lots_user_id_expires_at", "points_lots", ["user_id", "expires_at"], unique=False)
    op.create_table(
        "processed_events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["outbox_events.id"], name=op.f("fk_processed_events_event_id")),
        sa.PrimaryKeyConstraint("event_id", "handler", name=op.f("pk_processed_events")),
    )
    op.create_index(
        "ix_processed_events_open",
        "processed_events",
        ["due_at"],
        unique=False,
        postgresql_where="processed_at IS NULL AND dead_at IS NULL",
    )
    op.create_table(
        "role_permissions",
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("permission_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["permissions.id"],
            name=op.f("fk_role_permissions_permission_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_role_permissions_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role_id", "permission_id", name=op.f("pk_role_permissions")),
    )
    op.create_table(
        "sandbox_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checkout_id"], ["sandbox_checkouts.id"], name=op.f("fk_sandbox_charges_checkout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_charges")),
        sa.UniqueConstraint("checkout_id", "position", name=op.f("uq_sandbox_charges_checkout_id_position")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_table(
        "departures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('OPEN', 'CLOSED', 'CANCELLED')", name=op.f("ck_departures_status_known")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_departures_dates_in_order")),
        sa.CheckConstraint("seats_taken BETWEEN 0 AND capacity", name=op.f("ck_departures_never_oversold")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_departures_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
        sa.UniqueConstraint("package_id", "starts_on", "id", name=op.f("uq_departures_package_id_starts_on_id")),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("booking_source", sa.Text(), nullable=False),
        sa.Column("booking_type", sa.Text(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_status", sa.Text(), nullable=False),
        sa.Column("price_lines", postgresql.JSONB(), nullable=False),
        sa.Column("base_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("voucher_discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("final_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("tier_code", sa.Text(), nullable=False),
        sa.Column("points_multiplier", sa.Numeric(7, 2), nullable=False),
        sa.Column("cashback_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("customer_info", postgresql.JSONB(), nullable=False),
        sa.Column("special_requests", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=False),
        sa.Column("travelers_count", sa.Integer(), nullable=False),
        sa.Column("cancellation_reason", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "booking_source IN ('SELF', 'ADMIN', 'AGENT')", name=op.f("ck_bookings_booking_source_known")
        ),
        sa.CheckConstraint(
            "payment_status IN ('UNPAID', 'PARTIALLY_PAID', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')",
            name=op.f("ck_bookings_payment_status_known"),
        ),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'PENDING_PAYMENT', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'REFUNDED')",
            name=op.f("ck_bookings_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED') OR paid_amount_minor = final_amount_minor",
            name=op.f("ck_bookings_confirmed_with_its_money"),
        ),
        sa.CheckConstraint(
            "base_amount_minor - discount_amount_minor - voucher_discount_minor + tax_amount_minor = final_amount_minor",
            name=op.f("ck_bookings_price_adds_up"),
        ),
        sa.CheckConstraint(
            "paid_amount_minor BETWEEN 0 AND final_amount_minor", name=op.f("ck_bookings_paid_within_price")
        ),
        sa.CheckConstraint("travelers_count > 0", name=op.f("ck_bookings_travelers_above_zero")),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name=op.f("fk_bookings_agent_id")),
        sa.ForeignKeyConstraint(["booking_type"], ["booking_types.type_code"], name=op.f("fk_bookings_booking_type")),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name=op.f("fk_bookings_created_by_user_id")),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_bookings_departure_id")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_bookings_package_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bookings_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("booking_number", name=op.f("uq_bookings_booking_number")),
    )
    op.create_index("ix_bookings_created_at_id", "bookings", ["created_at", "id"], unique=False)
    op.create_index("ix_bookings_departure_id", "bookings", ["departure_id"], unique=False)
    op.create_index("ix_bookings_user_id_created_at_id", "bookings", ["user_id", "created_at", "id"], unique=False)
    op.create_table(
        "booking_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("booking_type", sa.Text(), nullable=False),
        sa.Column("item_name_ar", sa.Text(), nullable=False),
        sa.Column("item_name_en", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_booking_items_quantity_above_zero")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_items_booking_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["booking_type"], ["booking_types.type_code"], name=op.f("fk_booking_items_booking_type")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_items")),
    )
    op.create_index("ix_booking_items_booking_id", "booking_items", ["booking_id"], unique=False)
    op.create_table(
        "booking_status_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("changed_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("change_reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_status_history_booking_id")),
        sa.ForeignKeyConstraint(
            ["changed_by_user_id"], ["users.id"], name=op.f("fk_booking_status_history_changed_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_status_history")),
    )
    op.create_index("ix_booking_status_history_booking_id", "booking_status_history", ["booking_id"], unique=False)
    op.create_table(
        "booking_travelers",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("document_number_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("document_expires_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_travelers_booking_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "position", name=op.f("pk_booking_travelers")),
    )
    op.create_table(
        "cashback_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("booking_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cashback_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("cashback_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("eligible_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('PENDING', 'APPROVED', 'CREDITED', 'CANCELLED')",
            name=op.f("ck_cashback_records_status_known"),
        ),
        sa.CheckConstraint("cashback_amount_minor > 0", name=op.f("ck_cashback_records_amount_above_zero")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_cashback_records_booking_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_cashback_records_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cashback_records")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_cashback_records_booking_id")),
    )
    op.create_index(
        "ix_cashback_records_user_id_created_at_id",
        "cashback_records",
        ["user_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "holds",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'CAPTURED', 'RELEASED', 'EXPIRED')", name=op.f("ck_holds_status_known")
        ),
        sa.CheckConstraint("seats > 0", name=op.f("ck_holds_seats_above_zero")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_holds_booking_id")),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_holds_departure_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_expires_at", "holds", ["expires_at"], unique=False, postgresql_where="status = 'ACTIVE'")
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("payment_type", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("success_url", sa.Text(), nullable=True),
        sa.Column("cancel_url", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "payment_method IN ('CREDIT_CARD', 'DEBIT_CARD', 'WALLET', 'BANK_TRANSFER', 'CASH', 'FAWRY', 'MEEZA', 'VODAFONE_CASH', 'MIXED', 'OTHER')",
            name=op.f("ck_payments_payment_method_known"),
        ),
        sa.CheckConstraint(
            "payment_type IN ('BOOKING', 'MEMBERSHIP_PURCHASE', 'MEMBERSHIP_RENEWAL', 'WALLET_DEPOSIT', 'MANUAL', 'ORDER')",
            name=op.f("ck_payments_payment_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'PAID', 'FAILED', 'CANCELLED', 'REFUNDED', 'PARTIALLY_REFUNDED')",
            name=op.f("ck_payments_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_amount_above_zero")),
        sa.CheckConstraint(
            "refund_amount_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payments_refunds_within_amount")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_payments_booking_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["membership_subscriptions.id"], name=op.f("fk_payments_subscription_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_payments_idempotency_key")),
        sa.UniqueConstraint("payment_number", name=op.f("uq_payments_payment_number")),
    )
    op.create_index("ix_payments_booking_id", "payments", ["booking_id"], unique=False)
    op.create_index("ix_payments_user_id_created_at_id", "payments", ["user_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_payments_paid_booking_id",
        "payments",
        ["booking_id"],
        unique=True,
        postgresql_where="status = 'PAID'",
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("tax_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("paid_date", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "invoice_type IN ('STANDARD', 'PROFORMA', 'CREDIT_NOTE')",
            name=op.f("ck_invoices_invoice_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'ISSUED', 'PAID', 'OVERDUE', 'CANCELLED', 'REFUNDED')",
            name=op.f("ck_invoices_status_known"),
        ),
        sa.CheckConstraint(
            "subtotal_minor - discount_amount_minor + tax_amount_minor = total_amount_minor",
            name=op.f("ck_invoices_adds_up"),
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_invoices_booking_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_invoices_payment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoices_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("invoice_number", name=op.f("uq_invoices_invoice_number")),
        sa.UniqueConstraint("payment_id", "invoice_type", name=op.f("uq_invoices_payment_id_invoice_type")),
    )
    op.create_index("ix_invoices_user_id_issued_at_id", "invoices", ["user_id", "issued_at", "id"], unique=False)
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("provider_key", sa.Text(), nullable=False),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("reference_number", sa.Text(), nullable=True),
        sa.Column("qr_code", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("receipts_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('CREATED', 'OPEN', 'UNKNOWN', 'PAID', 'FAILED', 'EXPIRED')",
            name=op.f("ck_payment_attempts_status_known"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_attempts_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempts")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_payment_attempts_merchant_reference")),
        sa.UniqueConstraint(
            "provider", "provider_reference", name=op.f("uq_payment_attempts_provider_provider_reference")
        ),
    )
    op.create_index("ix_payment_attempts_payment_id", "payment_attempts", ["payment_id"], unique=False)
    op.create_index(
        "ix_payment_attempts_unfinished",
        "payment_attempts",
        ["updated_at"],
        unique=False,
        postgresql_where="status IN ('CREATED', 'OPEN', 'UNKNOWN')",
    )
    op.create_table(
        "payment_webhook_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("webhook_event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=False),
        sa.Column("provider_key", sa.Text(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("reference_number", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('RECEIVED', 'PROCESSING', 'PROCESSED', 'FAILED', 'DUPLICATE')",
            name=op.f("ck_payment_webhook_logs_status_known"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_webhook_logs_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_webhook_logs")),
        sa.UniqueConstraint(
            "provider", "webhook_event_id", name=op.f("uq_payment_webhook_logs_provider_webhook_event_id")
        ),
    )
    op.create_index(
        "ix_payment_webhook_logs_received_at",
        "payment_webhook_logs",
        ["received_at"],
        unique=False,
        postgresql_where="status = 'RECEIVED'",
    )
    op.create_table(
        "invoice_documents",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_documents_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", "language", name=op.f("pk_invoice_documents")),
    )
    op.create_table(
        "invoice_items",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("item_type", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "item_type IN ('BOOKING_FEE', 'SERVICE_CHARGE', 'DISCOUNT', 'TAX', 'MEMBERSHIP_FEE')",
            name=op.f("ck_invoice_items_item_type_known"),
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_items_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", "position", name=op.f("pk_invoice_items")),
    )
    op.create_table(
        "payment_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(disposition = 'SUSPENSE') = (reason IS NOT NULL)",
            name=op.f("ck_payment_receipts_suspense_has_a_reason"),
        ),
        sa.CheckConstraint(
            "disposition IN ('SETTLED', 'SUSPENSE')", name=op.f("ck_payment_receipts_disposition_known")
        ),
        sa.CheckConstraint(
            "reason IN ('SHORT', 'OVER', 'CURRENCY', 'TWICE', 'LATE', 'MODE')",
            name=op.f("ck_payment_receipts_reason_known"),
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempts.id"], name=op.f("fk_payment_receipts_attempt_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_payment_receipts_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_receipts")),
        sa.UniqueConstraint("attempt_id", "position", name=op.f("uq_payment_receipts_attempt_id_position")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_payment_receipts_journal_id")),
    )

    run_file("20261123_after_tables.sql")


def downgrade() -> None:
    for view in ("wallet_ledger", "points_ledger", "cashback_ledger"):
        op.execute(f"DROP VIEW {view}")
    op.drop_table("payment_receipts")
    op.drop_table("invoice_items")
    op.drop_table("invoice_documents")
    op.drop_index(
        "ix_payment_webhook_logs_received_at",
        table_name="payment_webhook_logs",
        postgresql_where="status = 'RECEIVED'",
    )
    op.drop_table("payment_webhook_logs")
    op.drop_index(
        "ix_payment_attempts_unfinished",
        table_name="payment_attempts",
        postgresql_where="status IN ('CREATED', 'OPEN', 'UNKNOWN')",
    )
    op.drop_index("ix_payment_attempts_payment_id", table_name="payment_attempts")
    op.drop_table("payment_attempts")
    op.drop_index("ix_invoices_user_id_issued_at_id", table_name="invoices")
    op.drop_table("invoices")
    op.drop_index("uq_payments_paid_booking_id", table_name="payments", postgresql_where="status = 'PAID'")
    op.drop_index("ix_payments_user_id_created_at_id", table_name="payments")
    op.drop_index("ix_payments_booking_id", table_name="payments")
    op.drop_table("payments")
    op.drop_index("ix_holds_expires_at", table_name="holds", postgresql_where="status = 'ACTIVE'")
    op.drop_table("holds")
    op.drop_index("ix_cashback_records_user_id_created_at_id", table_name="cashback_records")
    op.drop_table("cashback_records")
    op.drop_table("booking_travelers")
    op.drop_index("ix_booking_status_history_booking_id", table_name="booking_status_history")
    op.drop_table("booking_status_history")
    op.drop_index("ix_booking_items_booking_id", table_name="booking_items")
    op.drop_table("booking_items")
    op.drop_index("ix_bookings_user_id_created_at_id", table_name="bookings")
    op.drop_index("ix_bookings_departure_id", table_name="bookings")
    op.drop_index("ix_bookings_created_at_id", table_name="bookings")
    op.drop_table("bookings")
    op.drop_index("ix_refresh_tokens_session_id", table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("departures")
    op.drop_index("ix_sessions_user_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("sandbox_charges")
    op.drop_table("role_permissions")
    op.drop_index(
        "ix_processed_events_open",
        table_name="processed_events",
        postgresql_where="processed_at IS NULL AND dead_at IS NULL",
    )
    op.drop_table("processed_events")
    op.drop_index("ix_points_lots_user_id_expires_at", table_name="points_lots")
    op.drop_table("points_lots")
    op.drop_index(
        "ix_packages_search_text",
        table_name="packages",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.drop_index("ix_packages_listing_place_id", table_name="packages")
    op.drop_index("ix_packages_price_thousandths_id", table_name="packages")
    op.drop_index("ix_packages_created_at_id", table_name="packages")
    op.drop_index("ix_packages_vendor_id", table_name="packages")
    op.drop_table("packages")
    op.drop_index("ix_notifications_user_id_created_at_id", table_name="notifications")
    op.drop_table("notifications")
    op.drop_index(
        "uq_membership_subscriptions_active_user",
        table_name="membership_subscriptions",
        postgresql_where="status = 'ACTIVE'",
    )
    op.drop_table("membership_subscriptions")
    op.drop_table("ledger_accounts")
    op.drop_index("ix_email_verifications_user_id", table_name="email_verifications")
    op.drop_table("email_verifications")
    op.drop_index("ix_audit_logs_created_at_id", table_name="audit_logs")
    op.drop_table("audit_logs")
    op.drop_table("users")
    op.drop_table("scheduled_runs")
    op.drop_table("sandbox_checkouts")
    op.drop_table("roles")
    op.drop_table("permissions")
    op.drop_index(
        "ix_outbox_events_unpublished",
        table_name="outbox_events",
        postgresql_where="published_at IS NULL AND dead_at IS NULL",
    )
    op.drop_table("outbox_events")
    op.drop_table("membership_plans")
    op.drop_index("ix_ledger_journals_reference_id", table_name="ledger_journals")
    op.drop_table("ledger_journals")
    op.drop_table("ledger_entries")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("document_series")
    op.drop_table("booking_types")
    for sequence in SEQUENCES:
        op.execute(sa.schema.DropSequence(sa.Sequence(sequence)))
    for function in (
        "ledger_post(jsonb)",
        "ledger_entry_hash",
        "check_ledger_entries",
        "refuse_invoice_change",
        "refuse_change",
        "words_of",
        "fold_for_search",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP EXTENSION pg_trgm")
