"""What operators do, tried: a database whose roles are its own, and free ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infrastructure.database.roles import DatabaseAddresses, connect, ensure_roles, grant_privileges
from tests.conftest import REDIS, drop_left

ROOT = Path(__file__).resolve().parents[2]


_KINDS = ("TABLES", "SEQUENCES", "FUNCTIONS")


@pytest.fixture(scope="module")
def roles_to_drop(template_owner: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """Asked for ahead of a database: they can go only when it is gone."""
    names: list[str] = []
    yield names
    drop_left(template_owner)
    for name in names:
        template_owner.execute(f'DROP ROLE "{name}"')


@pytest.fixture(scope="module")
def own_addresses(roles_to_drop: list[str], module_addresses: DatabaseAddresses) -> DatabaseAddresses:
    """The migrated clone, with the roles that processes derive from its owner's address instead of the template's."""
    with connect(module_addresses.owner) as session:
        for url in (module_addresses.app, module_addresses.readonly):
            for what in ("SCHEMA public", *(f"ALL {kind} IN SCHEMA public" for kind in _KINDS)):
                session.execute(f'REVOKE ALL ON {what} FROM "{url.username}"'.encode())
    own = ensure_roles(module_addresses.owner.render_as_string(hide_password=False))
    roles_to_drop += [str(own.app.username), str(own.readonly.username)]
    grant_privileges(own)
    return own


@pytest.fixture(scope="module")
def environment(own_addresses: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process is started with: these servers, secrets of its own, no limits on who comes how often."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "ENVIRONMENT": "test",
        "ALTAYAR_HOME": str(tmp_path_factory.mktemp("home")),
        "DATABASE_URL": own_addresses.owner.render_as_string(hide_password=False),
        "REDIS_URL": os.environ[REDIS],
        "BACKEND_URL": "https://api.example.com",
        "BCRYPT_COST": "4",
        "RATE_LIMIT_SCALE": "1000",
        "TZ": "UTC",
    }
