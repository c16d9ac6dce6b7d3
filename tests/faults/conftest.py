"""A system whose provider lives behind a network that fails, and processes that die where a test says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from config.settings import FawaterkSettings, Settings
from fake_providers.fawaterk import FawaterkServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.conftest import MovableClock
from tests.e2e.invariants import STATES, broken
from tests.fakes.fault_proxy import FaultProxy
from tests.faults.processes import Mortals
from tests.faults.till import SignUp, Till


@pytest.fixture(autouse=True)
def everything_adds_up(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    """After every fault no query of the invariants finds a row, and the ledger's chains are whole."""
    if "addresses" not in request.fixturenames:
        yield
        return
    addresses: DatabaseAddresses = request.getfixturevalue("addresses")
    yield
    record_property("invariants", len(STATES) + 1)
    assert broken(addresses, STATES) == []


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", automatic_webhooks=False) as server:
        yield server


def _port(fawaterk: FawaterkServer) -> int:
    return urlsplit(fawaterk.address).port or 0


@pytest.fixture
def proxy(fawaterk: FawaterkServer) -> Iterator[FaultProxy]:
    with FaultProxy(_port(fawaterk)) as standing:
        yield standing


@pytest.fixture
def settings(settings: Settings, fawaterk: FawaterkServer, proxy: FaultProxy) -> Settings:
    """The provider is reached by the proxy alone."""
    base_url = fawaterk.base_url.replace(f":{_port(fawaterk)}/", f":{proxy.port}/")
    account = FawaterkSettings(base_url, fawaterk.api_key, fawaterk.api_key)
    return dataclasses.replace(settings, payment_gateways=("fawaterk",), fawaterk=account)


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock) -> Iterator[Running]:
    started = bootstrap(settings, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def mortals(settings: Settings, addresses: DatabaseAddresses) -> Iterator[Mortals]:
    made = Mortals(settings, addresses.app)
    yield made
    made.close()


@pytest.fixture
def till(
    running: Running, client: FlaskClient, fawaterk: FawaterkServer, addresses: DatabaseAddresses, sign_up: SignUp
) -> Till:
    return Till(running, client, fawaterk, addresses, sign_up())
