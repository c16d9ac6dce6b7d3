"""A backup is one moment of a running database, and comes back whole on a server that never saw it, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from cli import main
from infrastructure.database.backup_contents import read_contents
from infrastructure.database.backups import BackupRefused, Manifest, back_up, restore
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from infrastructure.embedded.drill import drill
from tests.integration.audited import Audited, a_story
from tests.integration.books import Ledger

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def database(own_addresses: DatabaseAddresses) -> Iterator[Database]:
    """With sealed books."""
    opened = Database(own_addresses.app)
    books = Audited(opened, own_addresses)
    a_story(books)
    books.as_owner("SELECT ledger_seal()")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def dump(database: Database, own_addresses: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made while others post."""
    file = tmp_path_factory.mktemp("backups") / "altayar.dump"
    is_over, ledger = threading.Event(), Ledger(database)

    def post_on() -> None:
        one, other = ledger.a_wallet(1_000_000), ledger.a_wallet()
        while not is_over.is_set():
            ledger.move(one, other, 1)

    posting = threading.Thread(target=post_on)
    posting.start()
    try:
        back_up(own_addresses, file)
    finally:
        is_over.set()
        posting.join()
    return file


@pytest.fixture
def empty(own_addresses: DatabaseAddresses, template_owner: psycopg.Connection[Any]) -> Iterator[DatabaseAddresses]:
    """An empty database on the same server, for the same roles."""
    target = own_addresses.of_database(f"{own_addresses.owner.database}_again")
    template_owner.execute(f'CREATE DATABASE "{target.owner.database}"')
    yield target
    template_owner.execute(f'DROP DATABASE "{target.owner.database}" WITH (FORCE)')


@pytest.mark.slow
def test_a_drill_brings_everything_back_on_a_server_that_never_saw_it(
    dump: Path, own_addresses: DatabaseAddresses, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)

    drilled = drill(dump, tmp_path / "drill")

    assert drilled.verified.fault is None
    assert drilled.verified.seals == 1
    held = drilled.manifest.contents
    assert drilled.verified.entries == sum(
        rows for table, rows in held.rows.items() if table.startswith("ledger_entries")
    )
    with connect(own_addresses.owner) as session:
        now = read_contents(session)
    assert held.privileges == now.privileges
    assert f"{own_addresses.app.username}: EXECUTE" in held.privileges["function ledger_post(jsonb)"]
    assert "PUBLIC" not in held.privileges["function ledger_post(jsonb)"]
    assert now.rows["ledger_journals"] > held.rows["ledger_journals"], "others posted on meanwhile"
    assert not list((tmp_path / "drill").glob("postgres*"))


def test_only_we_may_read_a_backup_and_none_is_overwritten(dump: Path, own_addresses: DatabaseAddresses) -> None:
    assert [path.stat().st_mode & 0o077 for path in (dump, Manifest.beside(dump))] == [0, 0]
    assert sorted(path.name for path in dump.parent.iterdir()) == ["altayar.dump", "altayar.dump.json"]
    with pytest.raises(BackupRefused, match="is there already"):
        back_up(own_addresses, dump)


def test_it_is_restored_into_an_empty_database_alone(dump: Path, own_addresses: DatabaseAddresses) -> None:
    with pytest.raises(BackupRefused, match="is not empty"):
        restore(own_addresses, dump)


def test_it_is_restored_for_the_roles_that_it_names_alone(dump: Path, empty: DatabaseAddresses) -> None:
    strangers = replace(empty, app=empty.app.set(username="somebody_app"))
    with pytest.raises(BackupRefused, match="restore it into one of the same name"):
        restore(strangers, dump)


def test_a_file_that_was_changed_is_refused(dump: Path, empty: DatabaseAddresses, tmp_path: Path) -> None:
    changed = tmp_path / dump.name
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    Manifest.beside(changed).write_text(Manifest.beside(dump).read_text("utf-8"), "utf-8")

    with pytest.raises(BackupRefused, match="not as it was written"):
        restore(empty, changed)


def test_what_comes_back_otherwise_than_it_was_is_named(dump: Path, empty: DatabaseAddresses, tmp_path: Path) -> None:
    told = Manifest.beside(dump).read_text("utf-8")
    rows = Manifest.of(dump).contents.rows["ledger_journals"]
    changed = tmp_path / dump.name
    changed.write_bytes(dump.read_bytes())
    Manifest.beside(changed).write_text(
        told.replace(f'"ledger_journals": {rows}', f'"ledger_journals": {rows + 1}').replace(": DELETE, ", ": ", 1),
        "utf-8",
    )

    with pytest.raises(BackupRefused) as refused:
        restore(empty, changed)

    assert f"rows of ledger_journals: {rows + 1}, not {rows}" in str(refused.value)
    assert "privileges on relation" in str(refused.value)


@pytest.mark.slow
def test_the_commands_do_it_too(
    own_addresses: DatabaseAddresses, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_addresses.owner.render_as_string(hide_password=False))
    tmp_path.chmod(0o755)
    monkeypatch.setenv("ALTAYAR_HOME", str(tmp_path / "home"))
    file = str(tmp_path / "altayar.dump")

    made = CliRunner().invoke(main, ["db", "backup", file])
    drilled = CliRunner().invoke(main, ["db", "drill", file])
    refused = CliRunner().invoke(main, ["db", "restore", file])

    assert made.exit_code == 0, made.output
    assert " rows as of " in made.output
    assert drilled.exit_code == 0, drilled.output
    assert "seals of 1 days" in drilled.output
    assert (refused.exit_code, "is not empty" in refused.output) == (1, True)
