"""Staff and agents wait for customers: who asked for a place in line.

Online: a column without a default, whose key is added without a look at old rows and then validated; the index is built
concurrently. The release before goes on: its entries name nobody, which is their customer.
"""

from alembic import op

revision = "20261129_19d"
down_revision = "20261129_19c"

KEY = "fk_waiting_list_entries_joined_by_user_id"


def upgrade() -> None:
    op.execute("ALTER TABLE waiting_list_entries ADD COLUMN joined_by_user_id uuid")
    op.execute(
        f"ALTER TABLE waiting_list_entries ADD CONSTRAINT {KEY}"
        " FOREIGN KEY (joined_by_user_id) REFERENCES users (id) NOT VALID"
    )
    op.execute(f"ALTER TABLE waiting_list_entries VALIDATE CONSTRAINT {KEY}")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_waiting_list_entries_joined_by_user_id_created_at_id",
            "waiting_list_entries",
            ["joined_by_user_id", "created_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_column("waiting_list_entries", "joined_by_user_id")
