"""Runs migrations as the database's owner, with a short lock timeout so that nobody waits behind them."""

import time

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from config.settings import load_settings
from infrastructure.database.tables import metadata

MIGRATION_LOCK = 7_310_554_201
"""An advisory lock: two processes that start at once migrate one after the other."""


def wait_for_turn(connection: Connection) -> None:
    """Ask for the lock again and again.

    Waiting inside one statement would keep a snapshot open, and an index that is built concurrently waits for those.
    """
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}):
        connection.rollback()
        time.sleep(0.2)


def run() -> None:
    owner = context.config.attributes.get("owner_url") or make_url(load_settings().database_url)
    engine = create_engine(owner.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        wait_for_turn(connection)
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
    engine.dispose()


run()
