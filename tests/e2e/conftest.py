"""One real system for all end-to-end tests of a worker: its own database, its own Redis numbers, its own port."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infrastructure.database.roles import DatabaseAddresses
from infrastructure.seed_demo import DEMO_PASSWORD
from tests.conftest import REDIS
from tests.e2e.invariants import broken, unlike_books
from tests.e2e.system import Json, Person, System, a_database, in_days, log_in, running_system, sign_up


@pytest.fixture(scope="session")
def fresh_database() -> Iterator[DatabaseAddresses]:
    with a_database() as addresses:
        yield addresses


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
    with running_system(fresh_database, own_redis_url, tmp_path_factory.mktemp("system")) as running:
        yield running


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
