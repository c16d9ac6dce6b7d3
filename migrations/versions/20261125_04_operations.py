"""The audit log's remaining columns and the indexes of its filters; system settings, and the count of their changes.

Online: the columns are nullable or have a constant default, the check is validated apart from the lock that
adds it, and the indexes of the old table are built concurrently; every step may be run again after one that was
interrupted there. The release before runs on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_04"
down_revision = "20261125_01"

INDEXES = {
    "ix_audit_logs_user_id_created_at_id": "(user_id, created_at, id)",
    "ix_audit_logs_module_created_at_id": "(module, created_at, id)",
    "ix_audit_logs_action_created_at_id": "(action, created_at, id)",
    "ix_audit_logs_resource_type_created_at_id": "(resource_type, created_at, id)",
    "ix_audit_logs_resource_id_created_at_id": "(resource_id, created_at, id)",
    "ix_audit_logs_request_id": "(request_id) WHERE request_id <> ''",
    "ix_audit_logs_refused": "(status, created_at, id) WHERE status <> 'SUCCESS'",
}

# Other tables that processes hold snapshots of may have made both already.
COUNT_CHANGES = """
CREATE TABLE IF NOT EXISTS revisions (name text CONSTRAINT pk_revisions PRIMARY KEY, revision bigint NOT NULL);
CREATE OR REPLACE FUNCTION bump_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE revisions SET revision = revision + 1 WHERE name = TG_ARGV[0];
    RETURN NULL;
END $$;
INSERT INTO revisions (name, revision) VALUES ('settings', 0) ON CONFLICT DO NOTHING;
CREATE OR REPLACE TRIGGER count_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON system_settings
    FOR EACH STATEMENT EXECUTE FUNCTION bump_revision('settings');
"""
COUNT_NO_MORE = """
DELETE FROM revisions WHERE name = 'settings';
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM revisions) THEN
        DROP TABLE revisions;
        DROP FUNCTION bump_revision();
    END IF;
END $$;
"""


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE audit_logs
            ADD COLUMN IF NOT EXISTS ip_address text, ADD COLUMN IF NOT EXISTS user_agent text,
            ADD COLUMN IF NOT EXISTS status text NOT NULL DEFAULT 'SUCCESS',
            ADD COLUMN IF NOT EXISTS error_message text,
            DROP CONSTRAINT IF EXISTS ck_audit_logs_status_known,
            ADD CONSTRAINT ck_audit_logs_status_known CHECK (status IN ('SUCCESS', 'FAILED', 'PARTIAL')) NOT VALID
        """
    )
    op.create_table(
        "system_settings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("setting_key", sa.Text(), nullable=False),
        sa.Column("setting_value", postgresql.JSONB(), nullable=True),
        sa.Column("setting_type", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("updated_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "setting_type IN ('STRING', 'NUMBER', 'BOOLEAN', 'JSON', 'ARRAY')",
            name=op.f("ck_system_settings_setting_type_known"),
        ),
        sa.CheckConstraint(
            "category IN ('general', 'payment', 'notification', 'membership', 'booking', 'ledger', 'security',"
            " 'privacy')",
            name=op.f("ck_system_settings_category_known"),
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_user_id"], ["users.id"], name=op.f("fk_system_settings_updated_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_settings")),
        sa.UniqueConstraint("setting_key", name=op.f("uq_system_settings_setting_key")),
        if_not_exists=True,
    )
    op.execute(COUNT_CHANGES)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE audit_logs VALIDATE CONSTRAINT ck_audit_logs_status_known")
        for name, of in INDEXES.items():
            # One that was interrupted is left invalid under its name.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON audit_logs {of}")


def downgrade() -> None:
    op.drop_table("system_settings")
    op.execute(COUNT_NO_MORE)
    for name in INDEXES:
        op.drop_index(name, table_name="audit_logs")
    op.execute(
        """
        ALTER TABLE audit_logs DROP COLUMN ip_address, DROP COLUMN user_agent, DROP COLUMN status,
            DROP COLUMN error_message
        """
    )
