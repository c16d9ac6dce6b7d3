"""${message}

Online: add columns nullable and fill them in steps, build indexes CONCURRENTLY in an autocommit block,
never hold a lock for long; the release before this one must run on the schema that this leaves.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
