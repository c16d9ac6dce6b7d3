"""The database's function that erases a person, made from the registry after every migration.

`erase_person` runs as the owner and alone may change what is otherwise written once: the triggers of
append-only tables let an update pass only while it runs, and only in the columns that the registry
names (`erasable_columns`). The application may call it and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql
from sqlalchemy.engine import URL

from infrastructure.database.holdings import Holding
from infrastructure.database.metadata import metadata
from infrastructure.database.personal_data import PERSONAL_DATA
from infrastructure.database.roles import connect

_VARIABLES = {"$person": "v_person", "$email": "v_email", "$phone": "v_phone", "$at": "v_at"}

_FUNCTION = """
CREATE OR REPLACE FUNCTION erasable_columns(of_table text) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = public, pg_temp
    RETURN coalesce((SELECT columns FROM (VALUES {erasable}) AS known (name, columns) WHERE name = of_table), '{{}}');

CREATE OR REPLACE FUNCTION erase_person(erasure uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $erase$
DECLARE
    v_person uuid; v_email text; v_phone text; v_at timestamptz := at;
    v_objects text[] := '{{}}';
BEGIN
    PERFORM set_config('altayar.erasing', 'on', true);
    SELECT user_id INTO v_person FROM erasures
    WHERE id = erasure AND withdrawn_at IS NULL AND done_at IS NULL AND due_at <= at FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'erasure % is not due', erasure USING ERRCODE = 'AL006';
    END IF;
    -- Whoever adds a row of this person's waits here, or is waited for: nothing slips in between.
    SELECT email, phone INTO v_email, v_phone FROM users WHERE id = v_person FOR UPDATE;
    -- What several accounts share, such as a family's telephone, says nothing about whose a row is.
    IF EXISTS (SELECT 1 FROM users WHERE email = v_email AND id <> v_person) THEN v_email := NULL; END IF;
    IF EXISTS (SELECT 1 FROM users WHERE phone = v_phone AND id <> v_person) THEN v_phone := NULL; END IF;
    PERFORM 1 FROM ledger_heads h JOIN ledger_accounts a ON a.id = h.account_id
        WHERE a.user_id = v_person ORDER BY h.account_id FOR UPDATE OF h;
    IF cardinality(erasure_blockers(v_person, at)) > 0 THEN
        RAISE EXCEPTION 'money of % is open', v_person USING ERRCODE = 'AL007';
    END IF;
{statements}
    PERFORM set_config('altayar.erasing', '', true);
    UPDATE erasures SET erased_at = at, objects = objects || v_objects WHERE id = erasure;
END $erase$;
REVOKE ALL ON FUNCTION erase_person(uuid, timestamptz) FROM PUBLIC;
"""


def install_erasure(owner: URL) -> None:
    """Make the function anew from what is registered; safe to run at every start."""
    with connect(owner) as connection, connection.transaction():
        # Two processes that start at once would both replace the same row of the catalogue.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('altayar erasure'))")
        connection.execute(sql.SQL(erasing_function()))


def erasing_function(holdings: Sequence[Holding] = PERSONAL_DATA) -> str:
    """The statements that make both functions."""
    concerned = _children_first(holding for holding in holdings if holding.erased or holding.deleted)
    changed: dict[str, list[str]] = {}
    for holding in concerned:
        changed.setdefault(holding.table.name, []).extend(holding.erased)
    erasable = ", ".join(f"('{table}', '{{{','.join(columns)}}}'::text[])" for table, columns in changed.items())
    statements = [line for holding in concerned for line in _statements(holding)]
    return _FUNCTION.format(erasable=erasable, statements="\n".join(f"    {line}" for line in statements))


def _children_first(holdings: Iterable[Holding]) -> list[Holding]:
    """Rows go before those that they refer to; people themselves come last."""
    place = {table.name: number for number, table in enumerate(metadata.sorted_tables)}
    return sorted(holdings, key=lambda holding: -place[holding.table.name])


def _statements(holding: Holding) -> list[str]:
    table, belongs = holding.table.name, _written(holding.belongs)
    kept = f"v_objects := v_objects || ARRAY(SELECT {_written(holding.objects)} FROM {table} WHERE {belongs});"
    if holding.deleted:
        change = f"DELETE FROM {table} WHERE {belongs};"
    else:
        values = ", ".join(f"{column} = {_written(value)}" for column, value in holding.erased.items())
        change = f"UPDATE {table} SET {values} WHERE {belongs};"
    return [kept, change] if holding.objects else [change]


def _written(text: str) -> str:
    """A condition or a value in the function's own variables."""
    for name, variable in _VARIABLES.items():
        text = text.replace(name, variable)
    return " ".join(text.split())
