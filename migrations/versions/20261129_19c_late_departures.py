"""Money that came too late may take another departure: the choice, and the booking that came of it.

Online: a column without a default; checks are added without a look at old rows, then validated; the index is built
concurrently. The release before neither offers nor reads the new choice.
"""

from alembic import op

revision = "20261129_19c"
down_revision = "20261129_19b"

CHOICES = ("WALLET", "REFUND")
REBOOKED = "(choice IS NOT DISTINCT FROM 'DEPARTURE') = (rebooked_id IS NOT NULL)"


def upgrade() -> None:
    op.execute("ALTER TABLE late_money ADD COLUMN rebooked_id uuid")
    _hold("fk_late_money_rebooked_id", "FOREIGN KEY (rebooked_id) REFERENCES bookings (id)")
    _know_choices((*CHOICES, "DEPARTURE"))
    _hold("ck_late_money_rebooked_where_chosen", f"CHECK ({REBOOKED})")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_late_money_rebooked_id",
            "late_money",
            ["rebooked_id"],
            postgresql_where="rebooked_id IS NOT NULL",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _know_choices(choices: tuple[str, ...]) -> None:
    known = ", ".join(f"'{choice}'" for choice in choices)
    op.execute("ALTER TABLE late_money DROP CONSTRAINT ck_late_money_choice_known")
    _hold("ck_late_money_choice_known", f"CHECK (choice IN ({known}))")


def _hold(name: str, constraint: str) -> None:
    op.execute(f"ALTER TABLE late_money ADD CONSTRAINT {name} {constraint} NOT VALID")
    op.execute(f"ALTER TABLE late_money VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """What took another departure went through the wallet: that is how it is told then."""
    op.drop_constraint(op.f("ck_late_money_rebooked_where_chosen"), "late_money")
    op.execute("UPDATE late_money SET choice = 'WALLET' WHERE choice = 'DEPARTURE'")
    _know_choices(CHOICES)
    op.drop_column("late_money", "rebooked_id")
