"""Vendors and agents, their bank accounts and rates; what is frozen of them in bookings; payable entries.

Online: new tables and nullable columns; the foreign key and the check on booking_items are validated apart, the index
is built concurrently. The release before writes none of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_21"
down_revision = "20261129_20b"

PAYEE_TYPES = "'VENDOR', 'AGENT'"


def upgrade() -> None:
    _profiles()
    _bank_accounts()
    _rates()
    _payable_entries()
    _booking_items()


def _profiles() -> None:
    op.create_table(
        "partner_profiles",
        _id("id"),
        _id("user_id"),
        _text("payee_type"),
        _text("status"),
        _text("company_name"),
        _text("license", server_default=""),
        _text("tax_id", server_default=""),
        _text("payout_method"),
        _text("stripe_account", nullable=True),
        _id("approved_by_user_id", nullable=True),
        _instant("approved_at", nullable=True),
        _text("suspension_reason", nullable=True),
        _instant("created_at"),
        _instant("updated_at", server_default=sa.text("clock_timestamp()")),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        *_checks(
            "partner_profiles",
            payee_type_known=f"payee_type IN ({PAYEE_TYPES})",
            status_known="status IN ('PENDING_APPROVAL', 'ACTIVE', 'SUSPENDED')",
            payout_method_known="payout_method IN ('BANK_TRANSFER', 'WALLET', 'STRIPE')",
            approved_by_another="approved_by_user_id <> user_id",
            active_once_approved="status = 'PENDING_APPROVAL' OR approved_at IS NOT NULL",
            suspended_with_reason="(status = 'SUSPENDED') = (suspension_reason IS NOT NULL)",
            stripe_needs_account="payout_method <> 'STRIPE' OR stripe_account IS NOT NULL",
        ),
        *_references("partner_profiles", user_id="users", approved_by_user_id="users"),
        sa.UniqueConstraint("user_id", "payee_type", name=op.f("uq_partner_profiles_user_id_payee_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_profiles")),
    )
    op.create_index("ix_partner_profiles_created_at_id", "partner_profiles", ["created_at", "id"])
    op.execute(
        "CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON partner_profiles"
        " FOR EACH ROW EXECUTE FUNCTION touch_updated_at();"
        " CREATE TRIGGER next_version BEFORE UPDATE ON partner_profiles"
        " FOR EACH ROW EXECUTE FUNCTION next_version();"
        " CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON partner_profiles"
        " FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();"
    )


def _bank_accounts() -> None:
    op.create_table(
        "partner_bank_accounts",
        _id("id"),
        _id("profile_id"),
        sa.Column("details_encrypted", sa.LargeBinary(), nullable=False),
        _text("masked"),
        _id("added_by_user_id"),
        _instant("created_at"),
        _instant("usable_from"),
        *_checks("partner_bank_accounts", cools_off="usable_from >= created_at"),
        *_references("partner_bank_accounts", profile_id="partner_profiles", added_by_user_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_bank_accounts")),
    )
    op.create_index(
        "ix_partner_bank_accounts_profile_id_created_at", "partner_bank_accounts", ["profile_id", "created_at"]
    )


def _rates() -> None:
    op.create_table(
        "partner_rates",
        _id("id"),
        _id("profile_id"),
        sa.Column("rate", sa.Numeric(5, 2), nullable=False),
        _instant("valid_from"),
        _text("reason", server_default=""),
        _id("set_by_user_id"),
        _instant("created_at"),
        *_checks("partner_rates", rate_of_a_whole="rate BETWEEN 0 AND 100"),
        *_references("partner_rates", profile_id="partner_profiles", set_by_user_id="users"),
        sa.UniqueConstraint("profile_id", "valid_from", name=op.f("uq_partner_rates_profile_id_valid_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_rates")),
    )
    _keep("partner_rates")


def _payable_entries() -> None:
    op.create_table(
        "payable_entries",
        _id("id"),
        _id("payee_id"),
        _text("payee_type"),
        _text("kind"),
        _id("account_id"),
        _id("journal_id"),
        _id("booking_id", nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        _text("currency"),
        _instant("released_at"),
        _instant("occurred_at"),
        *_checks(
            "payable_entries",
            payee_type_known=f"payee_type IN ({PAYEE_TYPES})",
            kind_known="kind IN ('EARNED', 'REVERSED', 'ADJUSTED', 'RETURNED')",
            amount_not_zero="amount_minor <> 0",
        ),
        *_references(
            "payable_entries",
            payee_id="users",
            account_id="ledger_accounts",
            journal_id="ledger_journals",
            booking_id="bookings",
        ),
        sa.UniqueConstraint("journal_id", "account_id", name=op.f("uq_payable_entries_journal_id_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payable_entries")),
    )
    op.create_index("ix_payable_entries_payee_id_occurred_at_id", "payable_entries", ["payee_id", "occurred_at", "id"])
    op.create_index("ix_payable_entries_booking_id", "payable_entries", ["booking_id"])
    _keep("payable_entries")


def _booking_items() -> None:
    op.add_column("booking_items", sa.Column("vendor_id", sa.Uuid(), nullable=True))
    op.add_column("booking_items", sa.Column("vendor_rate", sa.Numeric(5, 2), nullable=True))
    op.add_column("booking_items", sa.Column("agent_rate", sa.Numeric(5, 2), nullable=True))
    op.execute(
        "ALTER TABLE booking_items ADD CONSTRAINT fk_booking_items_vendor_id"
        " FOREIGN KEY (vendor_id) REFERENCES users (id) NOT VALID,"
        " ADD CONSTRAINT ck_booking_items_vendors_have_a_rate"
        " CHECK ((vendor_id IS NULL) = (vendor_rate IS NULL)) NOT VALID"
    )
    op.execute("ALTER TABLE booking_items VALIDATE CONSTRAINT fk_booking_items_vendor_id")
    op.execute("ALTER TABLE booking_items VALIDATE CONSTRAINT ck_booking_items_vendors_have_a_rate")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_booking_items_vendor_id",
            "booking_items",
            ["vendor_id"],
            postgresql_where="vendor_id IS NOT NULL",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _keep(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        f" CREATE TRIGGER keep_table BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
    )


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False, server_default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=server_default)


def _instant(name: str, *, nullable: bool = False, server_default: object = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}")) for name, condition in conditions.items()]


def _references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in targets.items()
    ]


def downgrade() -> None:
    """Fails while anything was earned: the release before would know nothing of it."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM payable_entries) THEN"
        " RAISE EXCEPTION 'partners have earned: there is no way back'; END IF; END $$"
    )
    op.drop_index("ix_booking_items_vendor_id", "booking_items")
    for column in ("agent_rate", "vendor_rate", "vendor_id"):
        op.drop_column("booking_items", column)
    for table in ("payable_entries", "partner_rates", "partner_bank_accounts", "partner_profiles"):
        op.drop_table(table)
