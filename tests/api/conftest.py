"""Fixtures of the API's tests."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.api.shop import Shop, SignUp


@pytest.fixture
def shop(client: FlaskClient, running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> Shop:
    """Somewhere to book: nothing is on sale until a test says so."""
    return Shop(client, running, addresses, sign_up)
