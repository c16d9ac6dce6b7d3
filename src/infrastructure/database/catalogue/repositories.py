"""Packages."""

from __future__ import annotations

import itertools
from uuid import UUID

from sqlalchemy import select

from domain.catalogue.packages import Package, PackageNotFound
from infrastructure.database.catalogue.tables import packages
from infrastructure.database.transaction import Statements

# Held until the transaction ends: between looking for a free slug and taking it nobody else looks.
_LOCK_SLUGS = "SELECT pg_advisory_xact_lock(hashtext('altayar package slugs'))"
_LIKE_SLUG = "SELECT slug FROM packages WHERE slug = %(slug)s OR slug LIKE %(more)s"


class SqlPackages:
    """Implements `application.ports.Packages`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Package] = []

    def add(self, package: Package) -> None:
        self._statements.session.add(package)
        self.seen.append(package)

    def get(self, package_id: UUID) -> Package:
        query = (
            select(Package)
            .where(packages.c.id == package_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        package = self._statements.session.scalars(query).one_or_none()
        if package is None:
            raise PackageNotFound()
        self.seen.append(package)
        return package

    def free_slug(self, wanted: str) -> str:
        self._statements.execute(_LOCK_SLUGS)
        # A slug holds no % and no _, so it stands for itself in a pattern.
        taken = {row["slug"] for row in self._statements.rows(_LIKE_SLUG, {"slug": wanted, "more": f"{wanted}-%"})}
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        return next(slug for slug in itertools.chain((wanted,), numbered) if slug not in taken)

    def slug_taken(self, slug: str) -> bool:
        self._statements.execute(_LOCK_SLUGS)
        return self._statements.row("SELECT 1 FROM packages WHERE slug = %s", (slug,)) is not None
