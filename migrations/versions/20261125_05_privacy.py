"""Consents, exports of personal data, erasures, and the guards that let an erasure pass."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_05"
down_revision = "20261125_03"

SQL = Path(__file__).resolve().parents[1] / "sql"
GUARDED = ("bookings", "sessions", "notifications", "email_verifications")
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'AL005', HINT = 'Correct a journal by a reversal, a document by another document.';
END $$
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('EMAIL', 'SMS', 'PUSH', 'WHATSAPP')", name=op.f("ck_consents_channel_known")),
        sa.CheckConstraint("purpose IN ('MARKETING')", name=op.f("ck_consents_purpose_known")),
        sa.CheckConstraint("source IN ('REGISTRATION', 'PREFERENCES')", name=op.f("ck_consents_source_known")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consents_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(
        "ix_consents_user_id_channel_purpose_id", "consents", ["user_id", "channel", "purpose", "id"], unique=False
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_by", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("objects", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_erasures_user_id")),
        sa.ForeignKeyConstraint(["requested_by_user_id"], ["users.id"], name=op.f("fk_erasures_requested_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(
        "uq_erasures_open_user",
        "erasures",
        ["user_id"],
        unique=True,
        postgresql_where="withdrawn_at IS NULL AND done_at IS NULL",
    )
    op.create_table(
        "personal_data_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('REQUESTED', 'READY', 'FAILED', 'EXPIRED')",
            name=op.f("ck_personal_data_exports_status_known"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_personal_data_exports_user_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_user_id"], ["users.id"], name=op.f("fk_personal_data_exports_requested_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_data_exports")),
    )
    op.create_index(
        "ix_personal_data_exports_user_id_requested_at_id",
        "personal_data_exports",
        ["user_id", "requested_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_personal_data_exports_open_user",
        "personal_data_exports",
        ["user_id"],
        unique=True,
        postgresql_where="status = 'REQUESTED'",
    )
    execute((SQL / "20261125_privacy.sql").read_text("utf-8"))


def downgrade() -> None:
    for table in GUARDED:
        op.execute(f"DROP TRIGGER only_for_who_is_here ON {table}")
    execute("DROP FUNCTION IF EXISTS erase_person(uuid, timestamptz)")
    for table in ("personal_data_exports", "erasures", "consents"):
        op.drop_table(table)
    execute(REFUSE_CHANGE)
    for function in (
        "refuse_for_erased()",
        "erasure_blockers(uuid, timestamptz)",
        "without_texts(jsonb, text)",
        "erasable_columns(text)",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("users", "erased_at")
