"""What a database holds, as far as a restored one has to agree: rows, who may do what, how much of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

_TABLES: Final = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""

# What is the owner's own is left out: a database may be restored by another one.
_PRIVILEGES: Final = """
WITH objects AS (
    SELECT 'relation ' || relname AS name, relowner AS owner, coalesce(relacl, acldefault('r', relowner)) AS acl
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'sequence ' || relname, relowner, coalesce(relacl, acldefault('s', relowner))
    FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('column %s.%s', c.relname, a.attname), c.relowner, a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL AND c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'function ' || oid::regprocedure, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'schema ' || nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE nspname = 'public'
)
SELECT name, string_agg(
    format('%s: %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type), ', '
    ORDER BY grantee::regrole::text COLLATE "C", privilege_type COLLATE "C")
FROM objects, aclexplode(acl) WHERE grantee <> owner GROUP BY name
"""

_SHAPE: Final = """
SELECT 'indexes', count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid
UNION ALL
SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'
UNION ALL
SELECT 'constraints', count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND convalidated
UNION ALL
SELECT 'functions', count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""

_NEWEST_ROOT: Final = "SELECT encode(root, 'hex') FROM ledger_seals ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Contents:
    """One moment of a database."""

    revision: str
    seal: str
    """The root of the ledger's newest seal, in hexadecimal; empty before the first."""
    rows: Mapping[str, int]
    privileges: Mapping[str, str]
    shape: Mapping[str, int]

    def unlike(self, other: Contents) -> list[str]:
        """In what another one differs, each in a few words."""
        plain = (("revision", self.revision, other.revision), ("newest seal", self.seal, other.seal))
        return [
            *(f"{name}: {ours!r}, not {theirs!r}" for name, ours, theirs in plain if ours != theirs),
            *_differing("rows of", self.rows, other.rows),
            *_differing("privileges on", self.privileges, other.privileges),
            *_differing("number of", self.shape, other.shape),
        ]


def _differing(what: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    return [
        f"{what} {name}: {ours.get(name)}, not {theirs.get(name)}"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]


def read_contents(connection: psycopg.Connection[Any]) -> Contents:
    """What the owner sees, in the transaction at hand; every row is counted."""
    [(revision,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    newest = connection.execute(_NEWEST_ROOT).fetchone()
    tables = [str(name) for (name,) in connection.execute(_TABLES).fetchall()]
    counts = [
        sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(table), sql.Identifier(table)) for table in tables
    ]
    return Contents(
        revision=revision,
        seal=newest[0] if newest else "",
        rows=dict(connection.execute(sql.SQL(" UNION ALL ").join(counts)).fetchall()),
        privileges=dict(sorted(connection.execute(_PRIVILEGES).fetchall())),
        shape=dict(connection.execute(_SHAPE).fetchall()),
    )
