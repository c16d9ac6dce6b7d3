"""Packages."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from domain.catalogue.packages import Package, PackageNotFound
from infrastructure.database.catalogue.tables import packages
from infrastructure.database.transaction import Statements


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

    def slug_taken(self, slug: str) -> bool:
        return self._statements.row("SELECT 1 FROM packages WHERE slug = %s", (slug,)) is not None
