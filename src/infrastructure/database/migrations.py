"""Running migrations: forward at start, by hand in every direction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from infrastructure.database.erasing import install_erasure
from infrastructure.database.roles import DatabaseAddresses, grant_privileges

FOLDER = Path(__file__).resolve().parents[3] / "migrations"


def configuration(owner: URL) -> Config:
    """Alembic's configuration for one database, reached as its owner."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["owner_url"] = owner
    return config


def upgrade(addresses: DatabaseAddresses, revision: str = "head") -> None:
    """Bring the database to a revision; at the newest the roles are given their privileges. Safe at every start."""
    command.upgrade(configuration(addresses.owner), revision)
    # What follows speaks of the tables of this release: they are all there at its newest revision.
    if current_revision(addresses.owner) == newest_revision():
        install_erasure(addresses.owner)
        grant_privileges(addresses)


def downgrade(addresses: DatabaseAddresses, revision: str) -> None:
    """Take the database back to a revision; what later revisions added is lost."""
    command.downgrade(configuration(addresses.owner), revision)


def newest_revision() -> str:
    """The revision that this release of the code expects."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    if head is None:
        raise LookupError("there is no migration")
    return head


def earlier_revisions() -> frozenset[str]:
    """Those before the one that this release expects: it cannot run on their schema."""
    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()) - {newest_revision()}


def current_revision(owner: URL) -> str | None:
    """The revision that the database is at."""
    engine = create_engine(owner, poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
