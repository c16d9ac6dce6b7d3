"""Addresses of items: which are free, held until the transaction ends."""

from __future__ import annotations

import itertools

from infrastructure.database.transaction import Statements


class SqlSlugs:
    """Implements `application.catalogue.record_ports.Slugs` over one table's `slug`."""

    def __init__(self, statements: Statements, table: str) -> None:
        self._statements = statements
        # Between looking for a free slug and taking it nobody else looks.
        self._lock = f"SELECT pg_advisory_xact_lock(hashtext('altayar slugs of {table}'))"
        self._like = f"SELECT slug FROM {table} WHERE slug = %(slug)s OR slug LIKE %(more)s"
        self._one = f"SELECT 1 FROM {table} WHERE slug = %s"

    def free_slug(self, wanted: str) -> str:
        self._statements.execute(self._lock)
        # A slug holds no % and no _, so it stands for itself in a pattern.
        taken = {row["slug"] for row in self._statements.rows(self._like, {"slug": wanted, "more": f"{wanted}-%"})}
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        return next(slug for slug in itertools.chain((wanted,), numbered) if slug not in taken)

    def slug_taken(self, slug: str) -> bool:
        self._statements.execute(self._lock)
        return self._statements.row(self._one, (slug,)) is not None
