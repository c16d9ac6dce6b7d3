"""Roles have a surface, permissions Arabic words, sessions the surface they were opened on; API keys.

Online: columns have constant defaults, checks are validated apart from the lock that adds them, and the release
before runs on this schema: its sessions are opened on the widest surface, where every role of theirs counts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_03"
down_revision = "20261125_02"

SURFACES = "CHECK (surface IN ('APP', 'PARTNER', 'STAFF')) NOT VALID"

# Other tables that processes hold snapshots of may have made the first two already.
COUNT_CHANGES = """
CREATE TABLE IF NOT EXISTS revisions (name text CONSTRAINT pk_revisions PRIMARY KEY, revision bigint NOT NULL);
CREATE OR REPLACE FUNCTION bump_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE revisions SET revision = revision + 1 WHERE name = TG_ARGV[0];
    RETURN NULL;
END $$;
INSERT INTO revisions (name, revision) VALUES ('roles', 0) ON CONFLICT DO NOTHING;
CREATE OR REPLACE TRIGGER count_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roles
    FOR EACH STATEMENT EXECUTE FUNCTION bump_revision('roles');
CREATE OR REPLACE TRIGGER count_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_permissions
    FOR EACH STATEMENT EXECUTE FUNCTION bump_revision('roles');
"""
COUNT_NO_MORE = """
DROP TRIGGER count_changes ON roles;
DROP TRIGGER count_changes ON role_permissions;
DELETE FROM revisions WHERE name = 'roles';
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM revisions) THEN
        DROP TABLE revisions;
        DROP FUNCTION bump_revision();
    END IF;
END $$;
"""


def upgrade() -> None:
    op.execute(
        f"""
        ALTER TABLE roles
            ADD COLUMN IF NOT EXISTS surface text NOT NULL DEFAULT 'STAFF',
            ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1,
            DROP CONSTRAINT IF EXISTS ck_roles_surface_known,
            ADD CONSTRAINT ck_roles_surface_known {SURFACES};
        CREATE OR REPLACE TRIGGER next_version BEFORE UPDATE ON roles
            FOR EACH ROW EXECUTE FUNCTION next_version();
        UPDATE roles SET surface = 'APP' WHERE role_name = 'CUSTOMER';
        UPDATE roles SET surface = 'PARTNER' WHERE role_name IN ('AGENT', 'VENDOR');
        ALTER TABLE permissions
            ADD COLUMN IF NOT EXISTS description_ar text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS moves_money boolean NOT NULL DEFAULT false;
        ALTER TABLE sessions
            ADD COLUMN IF NOT EXISTS surface text NOT NULL DEFAULT 'STAFF',
            DROP CONSTRAINT IF EXISTS ck_sessions_surface_known,
            ADD CONSTRAINT ck_sessions_surface_known {SURFACES};
        """
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["revoked_by"], ["users.id"], name=op.f("fk_api_keys_revoked_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_keys_public_id")),
        if_not_exists=True,
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], if_not_exists=True)
    op.create_index("ix_api_keys_created_at_id", "api_keys", ["created_at", "id"], if_not_exists=True)
    op.execute(COUNT_CHANGES)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE roles VALIDATE CONSTRAINT ck_roles_surface_known")
        op.execute("ALTER TABLE sessions VALIDATE CONSTRAINT ck_sessions_surface_known")


def downgrade() -> None:
    op.execute(COUNT_NO_MORE)
    op.drop_table("api_keys")
    op.execute(
        """
        ALTER TABLE sessions DROP COLUMN surface;
        ALTER TABLE permissions DROP COLUMN description_ar, DROP COLUMN moves_money;
        DROP TRIGGER next_version ON roles;
        ALTER TABLE roles
            DROP COLUMN surface, DROP COLUMN created_at, DROP COLUMN updated_at, DROP COLUMN version;
        """
    )
