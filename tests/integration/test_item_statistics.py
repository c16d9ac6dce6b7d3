"""Counts of packages and activities: views that are folded once whatever dies, the rest counted anew from its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from application.catalogue.statistics import fold_views
from domain.catalogue.items import ItemKind
from infrastructure.bootstrap import Running
from infrastructure.cache.views import BATCH_PREFIX, COUNTING, RedisViewCounter
from infrastructure.database.catalogue.statistics import SqlItemStatistics
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_package
from tests.conftest import MovableClock
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

PACKAGE = ItemKind.PACKAGE


@pytest.fixture
def package_id(running: Running, addresses: DatabaseAddresses) -> UUID:
    with connect(addresses.owner) as connection:
        somebody = connection.execute(
            """INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
               VALUES (gen_random_uuid(), 'a@example.com', '', 'A', 'B', 'en', 'ACTIVE', '{}', now()) RETURNING id"""
        ).fetchone()
    assert somebody is not None
    with running.dependencies.new_uow() as uow:
        package = a_package(created_by=somebody[0])  # type: ignore[arg-type]
        uow.packages.add(package)
        uow.commit()
    return package.id


@pytest.fixture
def statistics(running: Running) -> SqlItemStatistics:
    return SqlItemStatistics(running.database)


@pytest.fixture
def views(redis_url: str) -> Iterator[RedisViewCounter]:
    counter = RedisViewCounter(redis_url)
    yield counter
    counter.close()


def counted(running: Running) -> list[dict[str, Any]]:
    return running.database.rows("SELECT item_id, views_count FROM item_statistics ORDER BY item_id")


def test_what_was_seen_is_counted_and_added_to_what_was_counted_before(
    running: Running, views: RedisViewCounter, statistics: SqlItemStatistics, clock: MovableClock, package_id: UUID
) -> None:
    for round_ in (1, 2):
        for _ in range(5):
            views.count(PACKAGE, package_id)
        assert fold_views(views=views, statistics=statistics, clock=clock) == 1
        assert counted(running) == [{"item_id": package_id, "views_count": 5 * round_}]
    assert fold_views(views=views, statistics=statistics, clock=clock) == 0


def test_who_dies_before_the_batch_is_dropped_counts_nothing_twice(
    running: Running, views: RedisViewCounter, statistics: SqlItemStatistics, clock: MovableClock, package_id: UUID
) -> None:
    views.count(PACKAGE, package_id)
    ((batch, seen),) = views.batches().items()
    assert statistics.fold_views(batch, seen, at=clock.now())
    views.count(PACKAGE, package_id)
    assert fold_views(views=views, statistics=statistics, clock=clock) == 1
    assert counted(running) == [{"item_id": package_id, "views_count": 2}]
    assert views.batches() == {}


def test_who_dies_before_the_batch_is_folded_loses_nothing(
    running: Running, views: RedisViewCounter, statistics: SqlItemStatistics, clock: MovableClock, package_id: UUID
) -> None:
    views.count(PACKAGE, package_id)
    views.batches()
    fold_views(views=views, statistics=statistics, clock=clock)
    assert counted(running) == [{"item_id": package_id, "views_count": 1}]


def test_runs_at_once_count_once(
    running: Running, redis_url: str, statistics: SqlItemStatistics, clock: MovableClock, package_id: UUID
) -> None:
    counters = [RedisViewCounter(redis_url) for _ in range(4)]
    for counter in counters:
        for _ in range(10):
            counter.count(PACKAGE, package_id)

    def fold(counter: RedisViewCounter) -> int:
        return fold_views(views=counter, statistics=statistics, clock=clock)

    assert sum(all_at_once([lambda one=counter: fold(one) for counter in counters])) == 1  # type: ignore[misc]
    assert counted(running) == [{"item_id": package_id, "views_count": 40}]
    for counter in counters:
        counter.close()


def test_views_of_what_is_not_there_are_let_go(
    running: Running, views: RedisViewCounter, statistics: SqlItemStatistics, clock: MovableClock, package_id: UUID
) -> None:
    views.count(PACKAGE, uuid4())
    views.count(PACKAGE, package_id)
    assert fold_views(views=views, statistics=statistics, clock=clock) == 1
    assert [row["item_id"] for row in counted(running)] == [package_id]


def test_a_batch_ends_before_the_record_that_it_was_folded(views: RedisViewCounter, redis_url: str) -> None:
    views.count(PACKAGE, uuid4())
    views.batches()
    with redis.Redis.from_url(redis_url) as connection:
        (name,) = connection.keys(f"{BATCH_PREFIX}*")
        assert 0 < connection.ttl(name) <= 7 * 24 * 3600
        assert not connection.exists(COUNTING)


def test_without_redis_nobody_is_held_up_and_nothing_is_counted(running: Running) -> None:
    now = [0.0]
    views = RedisViewCounter("redis://127.0.0.1:1/0", monotonic=lambda: now[0])
    views.count(PACKAGE, uuid4())
    views.count(PACKAGE, uuid4())
    assert views.batches() == {}
    views.drop(uuid4())
    now[0] = 60.0
    views.count(PACKAGE, uuid4())
    views.close()


def test_counting_anew_mends_whatever_drifted(
    running: Running, statistics: SqlItemStatistics, addresses: DatabaseAddresses, package_id: UUID
) -> None:
    assert statistics.refresh() == 0
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE item_statistics SET bookings_count = 7, views_count = 3")
    assert statistics.refresh() == 1
    (row,) = running.database.rows("SELECT bookings_count, views_count, rating_count FROM item_statistics")
    assert row == {"bookings_count": 0, "views_count": 3, "rating_count": 0}
    versions = running.database.rows("SELECT version FROM packages WHERE id = %s", (package_id,))
    assert versions == [{"version": 1}]
