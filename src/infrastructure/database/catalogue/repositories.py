"""Packages and activities."""

from __future__ import annotations

from typing import Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Table, select

from domain.catalogue.items import ItemKind
from domain.catalogue.publication import CatalogueItem
from infrastructure.database.catalogue.slugs import SqlSlugs
from infrastructure.database.catalogue.tables import activities, packages
from infrastructure.database.transaction import Statements

TABLES: Final[dict[ItemKind, Table]] = {ItemKind.PACKAGE: packages, ItemKind.ACTIVITY: activities}


_Held = TypeVar("_Held", bound=CatalogueItem)


class SqlItems(SqlSlugs, Generic[_Held]):
    """Implements `application.catalogue.record_ports.Items`."""

    def __init__(self, statements: Statements, held: type[_Held]) -> None:
        self._held, self._table = held, TABLES[held.KIND]
        super().__init__(statements, self._table.name)
        self.seen: list[_Held] = []

    def add(self, held: _Held) -> None:
        self._statements.session.add(held)
        self.seen.append(held)

    def get(self, item_id: UUID) -> _Held:
        query = (
            select(self._held)
            .where(self._table.c.id == item_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        held = self._statements.session.scalars(query).one_or_none()
        if held is None:
            raise self._held.NOT_FOUND()
        self.seen.append(held)
        return held

    def read(self, item_id: UUID) -> _Held:
        held = self._statements.session.get(self._held, item_id)
        if held is None:
            raise self._held.NOT_FOUND()
        return held
