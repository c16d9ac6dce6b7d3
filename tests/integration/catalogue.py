"""A catalogue in a database, and what its searches find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import ON_SALE, Behind, Facets, Found, PackageSearch, Sight
from infrastructure.database.catalogue.activity_queries import SqlActivityQueries
from infrastructure.database.catalogue.queries import SqlCatalogueQueries
from infrastructure.database.transaction import Database
from tests.builders import NOON, TODAY, a_departure, a_package, an_activity
from tests.integration.shop import a_stored_user, units_of_work

EVERYTHING = Sight(everything=True)


class Catalogue:
    """Packages in a database, and the slugs that a search finds."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.new_uow = units_of_work(database)
        self.queries = SqlCatalogueQueries(database)
        self.staff = a_stored_user(self.new_uow)

    def add(
        self, slug: str, *, days_ahead: Sequence[int] = (), seats: int = 10, taken: int = 0, **details: Any
    ) -> UUID:
        """A package on sale, unless said otherwise, with a departure that many days after TODAY."""
        with self.new_uow() as uow:
            package = a_package(slug=slug, created_by=self.staff, **details)
            uow.packages.add(package)
            uow.flush()
            for days in days_ahead:
                starts_on = TODAY + timedelta(days=days)
                uow.departures.add(a_departure(package_id=package.id, starts_on=starts_on, capacity=seats, taken=taken))
            uow.commit()
        return package.id

    def add_activity(self, slug: str, *, days_ahead: Sequence[int] = (), **details: Any) -> UUID:
        """An activity on sale, unless said otherwise, with a departure that many days after TODAY."""
        with self.new_uow() as uow:
            activity = an_activity(slug=slug, created_by_user_id=self.staff, **details)
            uow.activities.add(activity)
            uow.flush()
            for days in days_ahead:
                uow.departures.add(a_departure(activity_id=activity.id, starts_on=TODAY + timedelta(days=days)))
            uow.commit()
        return activity.id

    def count(self, item_id: UUID, *, bookings: int = 0, views: int = 0, stars: Sequence[int] = ()) -> None:
        """What was counted of an item."""
        with self.database.transaction() as transaction:
            transaction.execute(
                "UPDATE item_statistics SET bookings_count = %s, views_count = %s, rating_count = %s, rating_sum = %s"
                " WHERE item_id = %s",
                (bookings, views, len(stars), sum(stars), item_id),
            )
            transaction.commit()

    def activities(self, *, sight: Sight = ON_SALE, **search: Any) -> Found:
        return SqlActivityQueries(self.database).search(ActivitySearch(at=NOON, **search), sight=sight)

    def activities_found(self, **search: Any) -> list[str]:
        return [row["slug"] for row in self.activities(**search).rows]

    def found(self, *, sight: Sight = ON_SALE, **search: Any) -> list[str]:
        return [row["slug"] for row in self.search(sight=sight, **search).rows]

    def search(self, *, sight: Sight = ON_SALE, **search: Any) -> Found:
        return self.queries.search(PackageSearch(at=NOON, **search), sight=sight)

    def facets(self, *, sight: Sight = ON_SALE, **search: Any) -> Facets:
        return self.queries.facets(PackageSearch(at=NOON, **search), sight=sight)

    def pages(self, *, limit: int, **search: Any) -> list[list[str]]:
        """Every page of a search, each asked for with what the page before ended on."""
        pages: list[list[str]] = []
        after = None
        while True:
            rows = self.queries.search(PackageSearch(at=NOON, limit=limit, after=after, **search), sight=ON_SALE).rows
            pages.append([row["slug"] for row in rows[:limit]])
            if len(rows) <= limit:
                return pages
            last = rows[limit - 1]
            after = Behind(last["sort_key"], last["id"])
