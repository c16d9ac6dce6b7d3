"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.api.personas import Personas
from tests.api.shop import Shop, SignUp


@pytest.fixture
def shop(client: FlaskClient, running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> Shop:
    """Somewhere to book: nothing is on sale until a test says so."""
    return Shop(client, running, addresses, sign_up)


@pytest.fixture
def personas(running: Running, addresses: DatabaseAddresses) -> Iterator[Personas]:
    """Whoever a test wants to be."""
    made = Personas(running, addresses)
    yield made
    made.close()
