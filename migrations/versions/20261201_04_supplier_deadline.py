"""The supplier's deadline of a cancellation policy, beside the customer's tiers.

Online: a column that is nullable, and a constraint that is validated after it is added. The release before keeps
policies without it, and freezes none.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_04"
down_revision = "20261201_02"

NAME = "ck_cancellation_policies_supplier_hours_known"
RULE = "supplier_hours_before BETWEEN 0 AND 8760"


def upgrade() -> None:
    op.add_column("cancellation_policies", sa.Column("supplier_hours_before", sa.Integer(), nullable=True))
    op.execute(f"ALTER TABLE cancellation_policies ADD CONSTRAINT {NAME} CHECK ({RULE}) NOT VALID")
    op.execute(f"ALTER TABLE cancellation_policies VALIDATE CONSTRAINT {NAME}")


def downgrade() -> None:
    op.drop_column("cancellation_policies", "supplier_hours_before")
