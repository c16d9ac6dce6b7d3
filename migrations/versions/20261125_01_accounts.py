"""An address is a claim until it is proved; devices, password resets and counted failures."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_01"
down_revision = "20261123_01"

PROVED = "email_verified_at IS NOT NULL AND deleted_at IS NULL"


def upgrade() -> None:
    op.create_index("uq_users_proved_email", "users", ["email"], unique=True, postgresql_where=PROVED)
    op.create_index("ix_users_email", "users", ["email"], unique=False)
    op.drop_constraint("uq_users_email", "users", type_="unique")
    # Defaults, because the release before this one goes on adding sessions for a while.
    op.add_column("sessions", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "sessions",
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.execute("UPDATE sessions SET last_used_at = created_at WHERE revoked_at IS NULL")
    op.add_column("refresh_tokens", sa.Column("follows", sa.LargeBinary(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_resets")),
    )
    op.create_index("ix_password_resets_user_id", "password_resets", ["user_id"], unique=False)
    op.create_table(
        "login_failures",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_began_at", "login_failures", ["began_at"], unique=False)


def downgrade() -> None:
    """Refused by the database while several accounts claim one address: somebody has to choose among them."""
    op.create_unique_constraint("uq_users_email", "users", ["email"])
    op.drop_index("ix_users_email", table_name="users")
    op.drop_index("uq_users_proved_email", table_name="users", postgresql_where=PROVED)
    op.drop_table("login_failures")
    op.drop_table("password_resets")
    op.drop_column("refresh_tokens", "withdrawn_at")
    op.drop_column("refresh_tokens", "follows")
    op.drop_column("sessions", "last_used_at")
    op.drop_column("sessions", "address")
