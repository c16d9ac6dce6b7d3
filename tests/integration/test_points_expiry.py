"""Points whose time is over, or nearly: taken once, and told of once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance
from domain.shared.errors import Busy
from infrastructure.database import transaction
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.integration.loyalty import DAY, YEAR, Loyalty
from tests.integration.shop import all_at_once


def test_what_has_ended_expires_by_a_journal_for_each_lot_and_the_rest_stays(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40, 30)
    loyalty.redeem(person, 10)
    loyalty.clock.go_on(YEAR + DAY)

    loyalty.expire()

    assert (loyalty.lots(person), loyalty.balance(person)) == ([0, 0, 30], 30)
    entries = loyalty.ledger.entries(accounts.points(person).id, limit=9, before_sequence=None)
    assert [(row["transaction_type"], row["amount_minor"]) for row in entries][:2] == [
        ("EXPIRED", -40),
        ("EXPIRED", -50),
    ]
    (told,) = loyalty.told(person, "ledger.points_expired")
    assert (told["points"], told["lots"]) == (90, 2)


def test_expiry_a_second_time_does_nothing(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60)
    loyalty.clock.go_on(YEAR)

    loyalty.expire()
    again = loyalty.expire()

    assert (again.people, again.lots, again.points) == (0, 0, 0)
    assert len(loyalty.told(person, "ledger.points_expired")) == 1


def test_two_expiries_at_once_take_each_lot_once(loyalty: Loyalty) -> None:
    people = [loyalty.a_customer(10, 20) for _ in range(6)]
    loyalty.clock.go_on(YEAR + DAY)

    results = all_at_once([lambda: loyalty.expire(people_at_once=2)] * 4)

    assert [result for result in results if isinstance(result, BaseException)] == []
    assert [loyalty.lots(person) for person in people] == [[0, 0]] * 6
    assert [len(loyalty.told(person, "ledger.points_expired")) for person in people] == [1] * 6


def test_points_that_are_spent_as_they_expire_go_one_way_only(loyalty: Loyalty) -> None:
    """Spenders' clocks stand just before the end, the job's just after: both find the points alive."""
    late = Loyalty(loyalty.database)
    late.clock.go_on(YEAR)
    people = [loyalty.a_customer(100) for _ in range(5)]

    results = all_at_once([*(lambda p=person: loyalty.redeem(p, 100) for person in people), late.expire])

    spent = [isinstance(result, UUID) for result in results[:-1]]
    assert [type(result) for result in results[:-1] if isinstance(result, Exception)] == [
        InsufficientBalance for was_spent in spent if not was_spent
    ]
    assert [loyalty.lots(person) for person in people] == [[0]] * 5
    assert [len(loyalty.told(person, "ledger.points_expired")) for person in people] == [
        0 if was_spent else 1 for was_spent in spent
    ]


def test_an_expiry_that_was_killed_between_batches_is_finished_by_the_next(addresses: DatabaseAddresses) -> None:
    alone = Database(addresses.app)
    loyalty = Loyalty(alone)
    people = [loyalty.a_customer(10) for _ in range(4)]
    loyalty.clock.go_on(YEAR)
    whole, opened = loyalty.new_uow, iter(range(4))

    def until_killed() -> UnitOfWork:
        # Two of each batch: which people, and their expiry.
        if next(opened, None) is None:
            raise KeyboardInterrupt
        return whole()

    loyalty.new_uow = until_killed
    with pytest.raises(KeyboardInterrupt):
        loyalty.expire(people_at_once=1)
    loyalty.new_uow = whole
    assert sorted(loyalty.lots(person) for person in people) == [[0], [0], [10], [10]]

    finished = loyalty.expire(people_at_once=1)

    assert (finished.people, finished.lots, finished.points) == (2, 2, 20)
    assert [len(loyalty.told(person, "ledger.points_expired")) for person in people] == [1] * 4
    alone.dispose()


def test_what_is_held_does_not_expire_until_the_hold_is_over(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40)
    hold = loyalty.hold(person, 70)
    loyalty.clock.go_on(YEAR + DAY)

    loyalty.expire()
    assert loyalty.lots(person) == [30, 40]
    loyalty.release(hold)
    loyalty.expire()
    assert loyalty.lots(person) == [0, 0]


def test_a_lot_expires_again_after_its_grace(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60)
    journal_id = loyalty.redeem(person, 20)
    loyalty.clock.go_on(YEAR)
    loyalty.expire()
    loyalty.reverse(journal_id)

    loyalty.expire()
    assert loyalty.lots(person) == [20]
    loyalty.clock.go_on(30 * DAY)
    loyalty.expire()

    assert loyalty.lots(person) == [0]
    assert [each["points"] for each in loyalty.told(person, "ledger.points_expired")] == [40, 20]


def test_a_batch_that_somebody_holds_up_is_passed_over_and_told_at_the_end(
    module_addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LOCK_SECONDS", 0.1)
    impatient = Database(module_addresses.app)
    loyalty = Loyalty(impatient)
    held_up, other = loyalty.a_customer(10), loyalty.a_customer(10)
    loyalty.clock.go_on(YEAR)

    with loyalty.new_uow() as uow:
        uow.ledger.lock([accounts.points(held_up)])
        (result,) = all_at_once([lambda: loyalty.expire(people_at_once=1)])

    assert isinstance(result, Busy)
    assert (loyalty.lots(held_up), loyalty.lots(other)) == ([10], [0])
    loyalty.expire()
    assert loyalty.lots(held_up) == [0]
    impatient.dispose()


# Reminders --------------------------------------------------------------------------------------------


def reminders(loyalty: Loyalty, person: UUID) -> list[tuple[int, int]]:
    """How many days before the end a person was told of how many points."""
    return [(each["days"], each["points"]) for each in loyalty.told(person, "ledger.points_expiring")]


def test_who_has_points_that_end_is_told_once_at_each_stage(loyalty: Loyalty) -> None:
    person, other = loyalty.a_customer(60, 40), loyalty.a_customer()
    loyalty.clock.go_on(YEAR - 31 * DAY)
    loyalty.remind()
    assert reminders(loyalty, person) == []

    for _ in range(2):
        loyalty.clock.go_on(2 * DAY)
        loyalty.remind()
        loyalty.remind()
    assert reminders(loyalty, person) == [(30, 100)]
    loyalty.clock.go_on(22 * DAY)
    loyalty.remind()
    assert reminders(loyalty, person) == [(30, 100), (7, 100)]
    assert reminders(loyalty, other) == []


def test_who_is_near_the_end_at_once_is_told_of_the_nearest_stage_alone(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60)
    loyalty.clock.go_on(YEAR - 3 * DAY)

    loyalty.remind()

    assert reminders(loyalty, person) == [(7, 60)]


def test_four_reminders_at_once_tell_everybody_once(loyalty: Loyalty) -> None:
    people = [loyalty.a_customer(10, 20) for _ in range(6)]
    loyalty.clock.go_on(YEAR - 20 * DAY)

    all_at_once([lambda: loyalty.remind(people_at_once=2)] * 4)

    assert [reminders(loyalty, person) for person in people] == [[(30, 30)]] * 6


def test_the_end_of_a_grace_is_told_of_again(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60)
    journal_id = loyalty.redeem(person, 20)
    loyalty.clock.go_on(YEAR - DAY)
    loyalty.remind()
    loyalty.clock.go_on(2 * DAY)
    loyalty.expire()
    loyalty.reverse(journal_id)

    loyalty.remind()

    assert reminders(loyalty, person) == [(7, 40), (30, 20)]


def test_who_has_no_account_any_more_is_told_nothing(loyalty: Loyalty, owner_session: psycopg.Connection[Any]) -> None:
    person = loyalty.a_customer(60)
    owner_session.execute("UPDATE users SET deleted_at = now() WHERE id = %s", (person,))
    loyalty.clock.go_on(YEAR - DAY)

    loyalty.remind()

    assert reminders(loyalty, person) == []
