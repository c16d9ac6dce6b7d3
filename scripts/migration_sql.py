"""What a migration says to the database, as SQL. No server is asked: what a migration reads it finds empty."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")
"""Parameters as PostgreSQL itself writes them: their values are not known here."""


class Listener:
    """Stands where a migration expects a connection: writes down what it is asked, and answers nothing."""

    def __init__(self, written: io.StringIO) -> None:
        self._written = written
        # Bare psycopg, for files of many statements.
        self.connection = SimpleNamespace(driver_connection=self)

    def execute(self, statement: Any, _parameters: Any = None) -> Listener:
        text = statement if isinstance(statement, str) else str(statement.compile(dialect=_DIALECT))
        self._written.write(f"{text.rstrip().rstrip(';')};\n\n")
        return self

    def scalar(self, statement: Any = None, parameters: Any = None) -> None:
        """A connection's, with a statement, or its answer's."""
        if statement is not None:
            self.execute(statement, parameters)

    def fetchall(self) -> list[Any]:
        return []

    def fetchone(self) -> None:
        return None


def sql_of(script: Script) -> str:
    """The statements of one migration's upgrade, in their order, within its transaction."""
    written = io.StringIO()
    options = {"as_sql": True, "literal_binds": True, "output_buffer": written, "transactional_ddl": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context), patch.object(op, "get_bind", lambda: Listener(written)):
        written.write("BEGIN;\n\nSET lock_timeout = '5s';\n\n")
        script.module.upgrade()
        written.write("COMMIT;\n")
    return written.getvalue()
