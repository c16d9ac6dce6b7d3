"""A drill: a backup restored into a server that never saw it, looked through, and thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from infrastructure.database.backups import Manifest, restore
from infrastructure.database.ledger.verification import Verified, verify_ledger
from infrastructure.database.roles import connect, ensure_roles
from infrastructure.embedded.postgres import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of it: how long each part took in seconds, and what the ledger's verification says."""

    manifest: Manifest
    restoring: float
    verifying: float
    verified: Verified


def drill(file: Path, home: Path) -> Drilled:
    """Restore a backup below `home` and verify its ledger, the newest seal included. Raises BackupRefused."""
    manifest = Manifest.of(file)
    server = EmbeddedPostgres(home)
    server.discard()
    try:
        addresses = ensure_roles(_empty_database(server.start(), manifest.database))
        began = time.monotonic()
        restore(addresses, file)
        restored = time.monotonic()
        verified = verify_ledger(addresses.owner, expected_root=bytes.fromhex(manifest.contents.seal) or None)
        return Drilled(manifest, restored - began, time.monotonic() - restored, verified)
    finally:
        server.discard()


def _empty_database(owner_url: str, name: str) -> str:
    """A database of this name on a new server; its owner's address."""
    owner = make_url(owner_url)
    with connect(owner) as connection:
        if name != owner.database:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return owner.set(database=name).render_as_string(hide_password=False)
