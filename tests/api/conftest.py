"""Fixtures of the API's tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.api.personas import Personas
from tests.api.shop import Shop, SignUp


@pytest.fixture
def shop(client: FlaskClient, running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> Shop:
    """Somewhere to book: nothing is on sale until a test says so."""
    return Shop(client, running, addresses, sign_up)


@pytest.fixture
def make_app(running: Running) -> Callable[..., Flask]:
    """The app of another process on the same servers, with other settings."""

    def make(**changes: object) -> Flask:
        settings = dataclasses.replace(running.settings, **changes)  # type: ignore[arg-type]
        return create_app(running=dataclasses.replace(running, settings=settings))

    return make


@pytest.fixture
def personas(running: Running, addresses: DatabaseAddresses) -> Iterator[Personas]:
    """Whoever a test wants to be."""
    made = Personas(running, addresses)
    yield made
    made.close()
