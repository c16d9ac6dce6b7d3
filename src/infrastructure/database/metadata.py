"""The metadata that every table hangs on, and the column types that rows and domain values share."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator

from domain.shared.money import Currency, currency
from domain.shared.percentage import Percentage

db = SQLAlchemy(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)
metadata = db.metadata
mappers = registry(metadata=metadata)


class EnumText(TypeDecorator[StrEnum]):
    """An enumeration kept as its text; `status()` adds the CHECK that holds rows to it."""

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.enum(value)


class CurrencyCode(TypeDecorator[Currency]):
    """A currency kept as its ISO 4217 code."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Currency | None, dialect: Dialect) -> str | None:
        return None if value is None else value.code

    def process_result_value(self, value: Any, dialect: Dialect) -> Currency | None:
        return None if value is None else currency(value)


class PercentageNumber(TypeDecorator[Percentage]):
    """A percentage kept as an exact number of percent, 14.00."""

    impl = Numeric(5, 2)
    cache_ok = True

    def process_bind_param(self, value: Percentage | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else decimal_of_hundredths(value.hundredths)

    def process_result_value(self, value: Any, dialect: Dialect) -> Percentage | None:
        return None if value is None else Percentage(int(value.scaleb(2)))


class Hundredths(TypeDecorator[int]):
    """A whole number of hundredths kept as an exact number, 150 as 1.50."""

    impl = Numeric(7, 2)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else decimal_of_hundredths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value.scaleb(2))


def decimal_of_hundredths(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


def key() -> Column[Any]:
    """The primary key: a UUIDv7 made by the application."""
    return Column("id", Uuid, primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False, **options: Any) -> Column[Any]:
    """A foreign key to another table's id."""
    return Column(name, Uuid, ForeignKey(target), nullable=nullable, **options)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """An aware UTC instant."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def touched() -> Column[Any]:
    """When the row was last written, by the database's clock; a trigger keeps it."""
    return Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))


def version() -> Column[Any]:
    """How often the row was written; a trigger counts, whoever writes."""
    return Column("version", Integer, nullable=False, server_default="1")


def money(name: str, *, nullable: bool = False) -> Column[Any]:
    """An amount in minor units of the row's `currency`; the column's name ends in `_minor`."""
    return Column(f"{name}_minor", BigInteger, nullable=nullable)


def money_at_zero(name: str) -> Column[Any]:
    """An amount that begins at nothing; rows of the release before do not name it."""
    return Column(f"{name}_minor", BigInteger, nullable=False, server_default="0")


def unit() -> Column[Any]:
    """The currency that the row's amounts are in."""
    return Column("currency", CurrencyCode, nullable=False)


def status(
    name: str, enum: type[StrEnum], *, nullable: bool = False, default: StrEnum | None = None
) -> tuple[Column[Any], CheckConstraint]:
    """A status column and the CHECK made from its enumeration; `default` is for rows of the release before."""
    allowed = ", ".join(f"'{member.value}'" for member in enum)
    return (
        Column(name, EnumText(enum), nullable=nullable, server_default=default),
        CheckConstraint(f"{name} IN ({allowed})", name=f"{name}_known"),
    )
