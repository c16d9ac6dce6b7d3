"""Packages and activities."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from domain.catalogue.activities import Activity, ActivityNotFound
from domain.catalogue.packages import Package, PackageNotFound
from infrastructure.database.catalogue.slugs import SqlSlugs
from infrastructure.database.catalogue.tables import activities, packages
from infrastructure.database.transaction import Statements


class SqlPackages(SqlSlugs):
    """Implements `application.ports.Packages`."""

    def __init__(self, statements: Statements) -> None:
        super().__init__(statements, packages.name)
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

    def read(self, package_id: UUID) -> Package:
        package = self._statements.session.get(Package, package_id)
        if package is None:
            raise PackageNotFound()
        return package


class SqlActivities(SqlSlugs):
    """Implements `application.ports.Activities`."""

    def __init__(self, statements: Statements) -> None:
        super().__init__(statements, activities.name)
        self.seen: list[Activity] = []

    def add(self, activity: Activity) -> None:
        self._statements.session.add(activity)
        self.seen.append(activity)

    def get(self, activity_id: UUID) -> Activity:
        query = (
            select(Activity)
            .where(activities.c.id == activity_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        activity = self._statements.session.scalars(query).one_or_none()
        if activity is None:
            raise ActivityNotFound()
        self.seen.append(activity)
        return activity

    def read(self, activity_id: UUID) -> Activity:
        activity = self._statements.session.get(Activity, activity_id)
        if activity is None:
            raise ActivityNotFound()
        return activity
