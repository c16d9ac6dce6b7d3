"""Every table says what it holds about people: one that nobody thought about breaks the build (S9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import Column, ForeignKey, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Date, TypeEngine

from infrastructure.database.erasing import erasing_function
from infrastructure.database.holdings import Holding, because
from infrastructure.database.metadata import CurrencyCode, EnumText, metadata
from infrastructure.database.personal_data import ENCRYPTED, PERSONAL_DATA
from infrastructure.database.roles import APPEND_ONLY, DatabaseAddresses, connect
from infrastructure.database.tables import identity, sales

SOUNDS_PERSONAL = {
    "email", "mail", "phone", "mobile", "name", "names", "address", "ip", "agent", "body", "note", "notes", "info",
    "birth", "document", "passport", "iban", "reason", "message", "comment", "description", "secret", "token",
}  # fmt: skip
FREE_FORM = (Text, JSONB, LargeBinary, ARRAY)
# What may be put in place of something personal: never an amount, an id, a number or somebody's reference.
REPLACEABLE = (*FREE_FORM, Date, EnumText)


def could_be_personal(column: Column[object]) -> bool:
    """Free text, documents and bytes; and whatever is named like a thing of a person's."""
    if isinstance(column.type, EnumText | CurrencyCode) or column.foreign_keys:
        return False
    return isinstance(column.type, FREE_FORM) or bool(SOUNDS_PERSONAL.intersection(column.name.split("_")))


def concerns_people(table: Table, people: Table) -> bool:
    """Whether a chain of foreign keys leads from a table to people."""
    waiting, seen = [table], set()
    while waiting:
        found = waiting.pop()
        if found is people:
            return True
        if found not in seen:
            seen.add(found)
            waiting += [key.column.table for key in found.foreign_keys]
    return False


def unsaid(tables: Iterable[Table], people: Table, holdings: Iterable[Holding]) -> Iterator[str]:
    """What the registry ought to speak of and does not."""
    by_table: dict[Table, list[Holding]] = {}
    for holding in holdings:
        by_table.setdefault(holding.table, []).append(holding)
    for table in tables:
        suspects = [column.name for column in table.columns if could_be_personal(column)]
        known = by_table.get(table, [])
        if not known and (suspects or concerns_people(table, people)):
            yield table.name
        if known and not any(holding.deleted for holding in known):
            said = {name for holding in known for name in (*holding.erased, *holding.plain)}
            yield from (f"{table.name}.{name}" for name in suspects if name not in said)


def test_every_table_that_could_hold_something_personal_is_registered() -> None:
    tables = [table for table in metadata.tables.values() if table.name != "role_permissions"]

    assert list(unsaid(tables, identity.users, PERSONAL_DATA)) == []


def test_a_table_that_nobody_thought_about_is_noticed() -> None:
    new = MetaData()
    people = Table("users", new, Column("id", Uuid, primary_key=True))
    of_people = Table("devices", new, Column("id", Uuid, primary_key=True), Column("user_id", ForeignKey("users.id")))
    by_a_chain = Table("pings", new, Column("id", Uuid, primary_key=True), Column("d", ForeignKey("devices.id")))
    texts = Table("letters", new, Column("id", Uuid, primary_key=True), Column("words", Text))
    named = Table("guests", new, Column("id", Uuid, primary_key=True), Column("birth_date", Date))
    nobodys = Table("numbers", new, Column("id", Uuid, primary_key=True))
    tables = [of_people, by_a_chain, texts, named, nobodys]

    assert list(unsaid(tables, people, [])) == ["devices", "pings", "letters", "guests"]
    assert list(unsaid([texts], people, [Holding(table=texts)])) == ["letters.words"]
    assert list(unsaid([texts], people, [Holding(table=texts, plain=because("ours", "words"))])) == []


@pytest.mark.parametrize("holding", PERSONAL_DATA, ids=lambda holding: holding.table.name)
def test_what_is_registered_exists_and_makes_sense(holding: Holding) -> None:
    columns = set(holding.table.columns.keys())

    assert {*holding.erased, *holding.exported, *holding.plain} <= columns
    assert not (holding.deleted and holding.erased)
    assert not {*holding.erased}.intersection(holding.plain)
    assert bool(holding.exported_as) == bool(holding.exported)
    assert holding.belongs or not (holding.erased or holding.deleted or holding.exported)
    assert all(reason.strip() for reason in holding.plain.values())


def test_names_in_the_export_are_their_own() -> None:
    names = [holding.exported_as for holding in PERSONAL_DATA if holding.exported_as]

    assert len(names) == len(set(names))


def test_secrets_are_not_exported() -> None:
    exported = {name for holding in PERSONAL_DATA for name in holding.exported}

    assert [name for name in exported if "password" in name or "hash" in name or "secret" in name] == []


def test_the_books_are_not_erased() -> None:
    touched = {holding.table.name for holding in PERSONAL_DATA if holding.erased or holding.deleted}

    assert touched.isdisjoint(APPEND_ONLY)


def test_no_amount_number_or_reference_is_ever_replaced() -> None:
    marks = {"deleted_at", "erased_at"}
    for holding in PERSONAL_DATA:
        for name in set(holding.erased) - marks:
            column = holding.table.columns[name]
            kind: TypeEngine[object] = column.type
            assert isinstance(kind, REPLACEABLE), f"{holding.table.name}.{name}"
            assert not column.primary_key
            assert not column.foreign_keys
            assert not name.endswith(("_minor", "_number", "currency"))


def test_the_function_in_the_database_is_the_one_that_the_registry_makes(module_addresses: DatabaseAddresses) -> None:
    body = erasing_function().split("$erase$")[1]
    with connect(module_addresses.owner) as connection:
        installed = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'erase_person'").fetchall()

    assert installed == [(body,)]
    for holding in PERSONAL_DATA:
        if holding.erased or holding.deleted:
            assert f" {holding.table.name} " in body


def test_every_encrypted_column_takes_part_in_the_rotation_of_keys() -> None:
    named = {
        column for table in metadata.tables.values() for column in table.columns if column.name.endswith("_encrypted")
    }

    assert named == set(ENCRYPTED)
    assert sales.booking_travelers.c.document_number_encrypted in named
