"""One real system for all end-to-end tests of a worker: its own database, its own Redis numbers, its own port."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from fake_providers.fawaterk import FawaterkServer
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect
from infrastructure.seed_demo import DEMO_PASSWORD
from tests.conftest import OWNER, REDIS
from tests.contract.smtp_server import smtp_server
from tests.e2e.invariants import broken, unlike_books
from tests.e2e.system import Json, Person, System, in_days, log_in, sign_up


@pytest.fixture(scope="session")
def fresh_database() -> Iterator[DatabaseAddresses]:
    """An empty database on the run's server; dropped with its roles."""
    server = addresses_from(os.environ[OWNER])
    name = f"altayar_e2e_{uuid4().hex[:10]}"
    with connect(server.owner) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield (made := addresses_from(server.owner.set(database=name).render_as_string(hide_password=False)))
    with connect(server.owner.set(database="postgres")) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        for url in (made.app, made.readonly):
            connection.execute(f'DROP ROLE IF EXISTS "{url.username}"'.encode())


@pytest.fixture(scope="session")
def own_redis_url(worker_id: str) -> str:
    """A number of the run's Redis that no other test uses."""
    number = 8 + (int(worker_id.removeprefix("gw")) % 8 if worker_id.startswith("gw") else 0)
    base = os.environ[REDIS].split("?")[0].rstrip("/")
    if base.startswith("unix:"):
        return f"{base}?db={number}"
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/{number}"


@pytest.fixture(scope="session")
def system(
    fresh_database: DatabaseAddresses, own_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Everything, started as a person would start it."""
    home = tmp_path_factory.mktemp("system")
    with (
        smtp_server() as inbox,
        FawaterkServer(home / "fawaterk.sqlite") as fawaterk,
    ):
        running = System(fresh_database, own_redis_url, home, inbox=inbox, fawaterk=fawaterk, port=_free_port())
        try:
            running.start()
            yield running
        finally:
            status = running.stop()
    assert status == 0, running.log()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def everything_adds_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test the invariants hold, and the provider's books are ours."""
    yield
    if "system" in request.fixturenames:
        system: System = request.getfixturevalue("system")
        system.wait_for(lambda: not unlike_books(system.fawaterk, system.addresses), "equal books")
        assert broken(system.addresses) == []


@pytest.fixture
def customer(system: System) -> Person:
    return sign_up(system)


@pytest.fixture(scope="session")
def admin(system: System) -> Person:
    return log_in(system, "admin@altayar.test", DEMO_PASSWORD)


Offer = Callable[..., Json]


@pytest.fixture
def offer(admin: Person) -> Offer:
    """Puts a package with one departure on sale; answers what a booking of it begins with."""

    def on_sale(seats: int = 10, **details: Any) -> Json:
        package = admin.post(
            "/packages",
            {
                "name_ar": "رحلة نيلية",
                "name_en": "Nile cruise",
                "description_ar": "أربعة أيام بين الأقصر وأسوان",
                "description_en": "Four days between Luxor and Aswan",
                "category": "FAMILY",
                "base_price": {"amount": "1000.00", "currency": "EGP"},
                "duration_days": 4,
                "duration_nights": 3,
                "min_travelers": 1,
                "max_travelers": 50,
                "destinations": ["Luxor"],
                **details,
            },
        )
        admin.post(f"/packages/{package['id']}/publish", {}, 200)
        path = f"/packages/{package['id']}/departures"
        departure = admin.post(path, {"starts_on": in_days(30), "capacity": seats})
        return {"package_id": package["id"], "departure_id": departure["id"]}

    return on_sale
