"""Patterns: departures that recur are planned once, and what is sold of them is left alone."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.catalogue.authors import Author
from application.catalogue.departures import ChangeDeparture, MoveDeparture, cancel_departure, change_departure
from application.catalogue.patterns import (
    BeginPattern,
    ChangePattern,
    PreviewPattern,
    StopPattern,
    begin_pattern,
    change_pattern,
    plan_patterns,
    preview_pattern,
    stop_pattern,
)
from application.catalogue.pools import CreatePool, create_series
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.patterns import PatternNotFound
from domain.catalogue.pools import PoolSeriesNotFound
from domain.shared.clock import business_date
from domain.shared.errors import IllegalTransition, PreconditionFailed
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_user, an_activity
from tests.integration.shop import Shop, all_at_once

EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


class House:
    """An activity of a vendor's, and patterns of it."""

    def __init__(self, running: Running) -> None:
        self.shop = Shop.opened(running)
        self.use = running.dependencies
        self.today = business_date(self.use.clock.now())
        with self.use.new_uow() as uow:
            vendor = a_user()
            uow.users.add(vendor)
            uow.flush()
            self.activity = an_activity(created_by_user_id=vendor.id, vendor_id=vendor.id)
            uow.activities.add(self.activity)
            uow.commit()
        self.author = Author(vendor.id, is_staff=False)
        self.item = Item(ItemKind.ACTIVITY, self.activity.id)

    def day(self, number: int) -> date:
        return self.today + timedelta(days=number)

    def details(self, **changes: Any) -> Any:
        return {
            "weekdays": EVERY_DAY, "first_on": self.today, "last_on": None, "exceptions": [],
            "start_time": time(9), "capacity": 8, "series_ids": [], **changes,
        }  # fmt: skip

    def begin(self, *, horizon: int = 10, author: Author | None = None, **details: Any) -> UUID:
        command = BeginPattern(
            author=author or self.author,
            item=self.item,
            details=self.details(**details),
            horizon=timedelta(days=horizon),
        )
        return begin_pattern(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)

    def change(self, pattern_id: UUID, *, horizon: int = 10, version: int | None = None, **details: Any) -> None:
        command = ChangePattern(
            author=self.author,
            pattern_id=pattern_id,
            details=details,  # type: ignore[arg-type]
            horizon=timedelta(days=horizon),
            expected_version=version,
        )
        change_pattern(command, uow=self.use.new_uow(), clock=self.use.clock)

    def stop(self, pattern_id: UUID) -> None:
        command = StopPattern(author=self.author, pattern_id=pattern_id)
        stop_pattern(command, uow=self.use.new_uow(), clock=self.use.clock)

    def run(self, horizon: int = 10) -> int:
        return plan_patterns(new_uow=self.use.new_uow, clock=self.use.clock, horizon=timedelta(days=horizon))

    def planned(self, *columns: str) -> list[Any]:
        """Columns of the departures that are not cancelled, by day."""
        wanted = columns or ("starts_on",)
        rows = self.shop.database.rows("SELECT * FROM departures WHERE status <> 'CANCELLED' ORDER BY starts_on, id")
        return [row[wanted[0]] if len(wanted) == 1 else tuple(row[name] for name in wanted) for row in rows]

    def departure_of(self, number: int) -> UUID:
        row = self.shop.row("SELECT id FROM departures WHERE starts_on = %s", self.day(number))
        return UUID(str(row["id"]))

    def take(self, departure_id: UUID, seats: int = 1) -> None:
        with self.use.new_uow() as uow:
            uow.departures.get(departure_id).take_seats(seats, at=self.use.clock.now())
            uow.commit()

    def told(self, name: str) -> int:
        return int(self.shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = %s", name)["count"])

    def series(self, capacity: int = 12) -> UUID:
        command = CreatePool(actor_id=self.author.user_id, name_ar="حافلة", name_en="Bus", capacity=capacity)
        return create_series(command, uow=self.use.new_uow(), clock=self.use.clock, new_id=self.use.new_id)


@pytest.fixture
def house(running: Running) -> House:
    return House(running)


def test_its_days_are_planned_as_far_as_they_are_in_sight_and_no_day_twice(house: House, clock: Any) -> None:
    house.begin()
    assert house.planned() == [house.day(n) for n in range(1, 11)]
    assert set(house.planned("start_time", "time_zone", "capacity", "status", "ends_on")[0:1]) == {
        (time(9), "Africa/Cairo", 8, "OPEN", house.day(1))
    }
    assert house.run() == 0

    clock.offset += timedelta(days=2)
    assert sorted(all_at_once([house.run] * 4)) == [0, 0, 0, 2]  # type: ignore[type-var]
    assert house.planned() == [house.day(n) for n in range(1, 13)]
    assert house.told("catalogue.departure_planned") == 12


def test_a_preview_is_what_is_planned(house: House) -> None:
    details = house.details(weekdays=[2, 4], exceptions=[house.day(3)], last_on=house.day(20))
    command = PreviewPattern(author=house.author, item=house.item, details=details, horizon=timedelta(days=30))
    shown = preview_pattern(command, uow=house.use.new_uow(), clock=house.use.clock, new_id=house.use.new_id)
    assert house.planned() == []

    house.begin(horizon=30, **details)
    assert [(dates.starts_on, dates.ends_on) for dates in shown] == house.planned("starts_on", "ends_on")


def test_days_outside_the_season_are_planned_when_the_season_grows(house: House, addresses: DatabaseAddresses) -> None:
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE activities SET availability_end = %s", (house.day(4),))
    house.begin()
    assert house.planned() == [house.day(n) for n in range(1, 5)]
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE activities SET availability_end = %s", (house.day(6),))
    assert house.run() == 2
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE activities SET availability_end = NULL, status = 'ARCHIVED'")
    assert house.run() == 0


def test_what_staff_cancelled_or_moved_is_not_planned_again(house: House) -> None:
    pattern_id = house.begin(horizon=3)
    cancel = MoveDeparture(author=house.author, departure_id=house.departure_of(1))
    cancel_departure(cancel, uow=house.use.new_uow(), clock=house.use.clock)
    move = ChangeDeparture(
        author=house.author, departure_id=house.departure_of(2), details={"starts_on": house.day(30)}
    )
    change_departure(move, uow=house.use.new_uow(), clock=house.use.clock)

    house.run(3)
    house.change(pattern_id, horizon=3, capacity=5)

    assert house.planned("starts_on", "capacity") == [(house.day(3), 5), (house.day(30), 8)]


def test_a_change_is_for_what_nobody_has_booked(house: House) -> None:
    pattern_id = house.begin(horizon=6)
    house.take(house.departure_of(2))
    house.take(house.departure_of(3))
    kept_days = [1, 3, 5]
    weekdays = sorted({house.day(n).isoweekday() for n in kept_days})

    house.change(pattern_id, horizon=6, weekdays=weekdays, start_time=time(14), capacity=4)

    assert house.planned("starts_on", "start_time", "capacity", "seats_taken") == [
        (house.day(1), time(14), 4, 0),
        (house.day(2), time(9), 8, 1),
        (house.day(3), time(9), 8, 1),
        (house.day(5), time(14), 4, 0),
    ]
    assert house.told("catalogue.departure_cancelled") == 2

    house.change(pattern_id, horizon=6, weekdays=EVERY_DAY)
    assert house.planned() == [house.day(n) for n in range(1, 7)]


def test_stopping_cancels_what_nobody_has_booked(house: House) -> None:
    pattern_id = house.begin(horizon=4)
    house.take(house.departure_of(2))

    house.stop(pattern_id)

    assert house.planned("starts_on", "status") == [(house.day(2), "OPEN")]
    assert house.run() == 0
    with pytest.raises(IllegalTransition):
        house.stop(pattern_id)
    with pytest.raises(IllegalTransition):
        house.change(pattern_id, capacity=3)


def test_selling_and_stopping_at_once_never_cancel_what_is_sold(house: House) -> None:
    pattern_id = house.begin(horizon=5)
    departures = [house.departure_of(n) for n in range(1, 6)]

    all_at_once([*[lambda d=one: house.take(d) for one in departures], lambda: house.stop(pattern_id)])  # type: ignore[misc]

    wrong = "SELECT count(*) AS count FROM departures WHERE status = 'CANCELLED' AND seats_taken > 0"
    assert house.shop.row(wrong)["count"] == 0


class TestSeries:
    def test_departures_of_a_day_share_the_pool_of_the_day(self, house: House) -> None:
        bus = house.series()
        house.begin(horizon=3, series_ids=[bus])
        house.begin(horizon=5, series_ids=[bus], start_time=time(15))

        pools = house.shop.database.rows("SELECT * FROM pools ORDER BY on_date")
        assert [(row["on_date"], row["capacity"]) for row in pools] == [(house.day(n), 12) for n in range(1, 6)]
        shared = "SELECT count(*) AS count FROM departure_pools GROUP BY pool_id ORDER BY 1"
        assert [row["count"] for row in house.shop.database.rows(shared)] == [1, 1, 2, 2, 2]
        house.take(house.departure_of(1), 8)
        assert house.shop.row("SELECT seats_taken FROM pools WHERE on_date = %s", house.day(1))["seats_taken"] == 8

    def test_patterns_of_one_series_are_planned_at_once(self, house: House) -> None:
        first, second = house.series(), house.series()
        for hour in range(4):
            house.begin(horizon=1, series_ids=[first, second], start_time=time(8 + hour))

        assert sum(all_at_once([lambda: house.run(40)] * 4)) == 4 * 39  # type: ignore[arg-type]
        assert house.shop.row("SELECT count(*) AS count FROM pools")["count"] == 80
        assert house.shop.row("SELECT count(*) AS count FROM departure_pools")["count"] == 4 * 40 * 2

    def test_another_series_takes_the_place_of_one_where_nothing_is_sold(self, house: House) -> None:
        bus, boat = house.series(), house.series(capacity=6)
        pattern_id = house.begin(horizon=2, series_ids=[bus])
        house.take(house.departure_of(1))

        house.change(pattern_id, horizon=2, series_ids=[boat])

        drawn = house.shop.database.rows(
            """SELECT d.starts_on, p.series_id FROM departures d JOIN departure_pools s ON s.departure_id = d.id
               JOIN pools p ON p.id = s.pool_id ORDER BY 1"""
        )
        assert [(row["starts_on"], row["series_id"]) for row in drawn] == [(house.day(1), bus), (house.day(2), boat)]
        house.change(pattern_id, horizon=2, series_ids=[])
        assert house.planned("starts_on", "has_pools") == [(house.day(1), True), (house.day(2), False)]

    def test_a_series_that_there_is_not_is_refused(self, house: House) -> None:
        with pytest.raises(PoolSeriesNotFound):
            house.begin(series_ids=[house.use.new_id()])
        assert house.planned() == []


def test_a_pattern_is_its_vendors_and_the_staffs(house: House) -> None:
    stranger = Author(house.shop.a_customer(), is_staff=False)
    pattern_id = house.begin(author=Author(house.author.user_id, is_staff=True))

    with pytest.raises(ActivityNotFound):
        house.begin(author=stranger)
    with pytest.raises(PatternNotFound):
        command = StopPattern(author=stranger, pattern_id=pattern_id)
        stop_pattern(command, uow=house.use.new_uow(), clock=house.use.clock)
    with pytest.raises(PreconditionFailed):
        house.change(pattern_id, capacity=3, version=2)
    house.change(pattern_id, capacity=3, version=1)
    with pytest.raises(PreconditionFailed):
        house.change(pattern_id, capacity=4, version=1)
