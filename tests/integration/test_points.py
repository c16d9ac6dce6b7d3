"""Points in PostgreSQL: spent once, given back to the same lots, taken back, and let go when their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind
from domain.ledger.holds import HoldNotFound
from domain.ledger.journal import InsufficientBalance, JournalKeyReused, ReversalRefused
from domain.ledger.points import RedemptionNotFound
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from infrastructure.database import transaction
from infrastructure.database.refusals import Busy
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, egp
from tests.integration.loyalty import DAY, PREPAID, YEAR, Loyalty
from tests.integration.shop import PROMISES, all_at_once

DISCOUNTS = accounts.platform(AccountKind.DISCOUNTS, "EGP")
REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)
BOOKS = [
    PROMISES[name] for name in PROMISES if any(word in name for word in ("journal", "chain", "zero", "debt", "lot"))
]


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app)
    yield opened
    opened.dispose()


@pytest.fixture
def loyalty(database: Database) -> Loyalty:
    return Loyalty(database)


@pytest.fixture(autouse=True)
def the_books_are_right_afterwards(module_addresses: DatabaseAddresses) -> Iterator[None]:
    """Whatever a test does, journals balance, chains hold, and every balance is the sum of its lots."""
    yield
    with connect(module_addresses.owner) as connection:
        for query in BOOKS:
            assert connection.execute(query).fetchall() == []


# Spending ---------------------------------------------------------------------------------------------


def test_points_and_what_they_pay_move_in_one_journal(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100, 50)

    journal_id = loyalty.redeem(person, 120, worth=egp("1.20"))

    assert (loyalty.balance(person), loyalty.lots(person)) == (30, [0, 30])
    assert loyalty.took(journal_id) == [-100, -20]
    assert {account: loyalty.total(account, journal_id) for account in (PREPAID, DISCOUNTS, REDEEMED)} == {
        PREPAID: 120,
        DISCOUNTS: -120,
        REDEEMED: 120,
    }
    (told,) = loyalty.told(person, "ledger.points_redeemed")
    assert (told["points"], told["journal_id"]) == (120, str(journal_id))


def test_of_20_redemptions_at_once_of_points_for_one_exactly_one_is_made(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40)

    results = all_at_once([lambda: loyalty.redeem(person, 100, worth=egp("1.00"))] * 20)

    assert [type(result) for result in results].count(InsufficientBalance) == 19
    (journal_id,) = [result for result in results if isinstance(result, UUID)]
    assert loyalty.took(journal_id) == [-60, -40]
    assert (loyalty.balance(person), loyalty.lots(person)) == (0, [0, 0])


def test_the_same_redemption_ten_times_at_once_is_made_once(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(100), new_id().hex

    results = all_at_once([lambda: loyalty.redeem(person, 100, key=key)] * 10)

    assert len(set(results)) == 1
    assert loyalty.balance(person) == 0
    assert len(loyalty.told(person, "ledger.points_redeemed")) == 1


def test_a_key_that_redeems_something_else_is_refused(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(100), new_id().hex
    loyalty.redeem(person, 60, key=key)

    with pytest.raises(JournalKeyReused):
        loyalty.redeem(person, 40, key=key)

    assert loyalty.balance(person) == 40


@pytest.mark.parametrize("points", [0, -1])
def test_nothing_is_no_redemption(loyalty: Loyalty, points: int) -> None:
    person = loyalty.a_customer(100)

    with pytest.raises(InvalidValue):
        loyalty.redeem(person, points)


def test_what_has_ended_is_not_spent_even_before_it_is_taken(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40)
    loyalty.clock.go_on(YEAR)

    with pytest.raises(InsufficientBalance):
        loyalty.redeem(person, 41)
    journal_id = loyalty.redeem(person, 40)

    assert loyalty.took(journal_id) == [-40]
    assert loyalty.lots(person) == [60, 0]


def test_what_is_held_is_not_spent(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100)
    loyalty.hold(person, 70)

    with pytest.raises(InsufficientBalance):
        loyalty.redeem(person, 31)
    loyalty.redeem(person, 30)

    assert loyalty.balance(person) == 70


def test_what_was_held_is_spent_even_after_its_time(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40)
    hold = loyalty.hold(person, 70)
    loyalty.clock.go_on(YEAR + DAY)
    loyalty.expire()

    journal_id = loyalty.redeem(person, 70, hold=hold)

    assert loyalty.took(journal_id) == [-30, -40]
    row = loyalty.database.row("SELECT status, captured_minor, journal_id FROM balance_holds WHERE id = %s", (hold.id,))
    assert row == {"status": "CAPTURED", "captured_minor": 70, "journal_id": journal_id}


def test_a_hold_is_spent_once(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100)
    hold = loyalty.hold(person, 50)

    results = all_at_once([lambda: loyalty.redeem(person, 50, hold=hold)] * 5)

    assert [type(result) for result in results].count(IllegalTransition) == 4
    assert loyalty.balance(person) == 50


def test_the_hold_of_one_person_does_not_pay_for_another(loyalty: Loyalty) -> None:
    person, other = loyalty.a_customer(100), loyalty.a_customer(100)
    hold = loyalty.hold(other, 50)

    with pytest.raises(HoldNotFound):
        loyalty.redeem(person, 50, hold=hold)


# Giving back ------------------------------------------------------------------------------------------


def test_a_redemption_is_given_back_to_the_same_lots_in_parts(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(50, 30, 20)
    journal_id = loyalty.redeem(person, 90, worth=egp("9.00"))
    loyalty.earn(person, 500)

    first = loyalty.restore(person, journal_id, egp("3.00"))
    second = loyalty.restore(person, journal_id, 45)
    last = loyalty.restore(person, journal_id)

    assert first is not None
    assert second is not None
    assert last is not None
    assert [part.points for part in (first, second, last)] == [30, 45, 15]
    # Spent were 50, 30 and 10 of them: the last to go come back first.
    assert [loyalty.took(part.journal_id) for part in (first, second, last)] == [[20, 10], [35, 10], [15]]
    assert [loyalty.total(PREPAID, part.journal_id) for part in (first, second, last)] == [-300, -450, -150]
    assert sorted(loyalty.lots(person)) == [20, 30, 50, 500]
    with pytest.raises(ReversalRefused):
        loyalty.restore(person, journal_id, 1)


def test_a_part_given_back_again_under_its_key_changes_nothing(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(100), new_id().hex
    journal_id = loyalty.redeem(person, 100)
    loyalty.restore(person, journal_id, 40, key=key)

    assert loyalty.restore(person, journal_id, 40, key=key) is None
    assert loyalty.balance(person) == 40


def test_parts_at_once_never_give_back_more_than_was_taken(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100)
    journal_id = loyalty.redeem(person, 100, worth=egp("1.00"))

    results = all_at_once([lambda: loyalty.restore(person, journal_id, 30)] * 10)

    assert [type(result) for result in results].count(ReversalRefused) == 7
    assert (loyalty.balance(person), loyalty.lots(person)) == (90, [90])


def test_a_lot_that_ended_meanwhile_lives_on_for_the_grace(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(60, 40)
    journal_id = loyalty.redeem(person, 100)
    loyalty.clock.go_on(YEAR)

    loyalty.restore(person, journal_id)

    ended, alive = loyalty.queries.lots(person, spent=False, limit=9, after=None)[::-1]
    assert (ended["remaining"], ended["expires_at"], ended["in_grace"]) == (60, NOON + YEAR + 30 * DAY, True)
    assert (alive["remaining"], alive["expires_at"], alive["in_grace"]) == (40, NOON + YEAR + DAY, False)
    loyalty.clock.go_on(29 * DAY)
    loyalty.redeem(person, 60)


@pytest.mark.parametrize("whose", ["a stranger's", "an earning", "nobody's"])
def test_what_a_person_did_not_redeem_is_not_given_back_to_them(loyalty: Loyalty, whose: str) -> None:
    person, stranger = loyalty.a_customer(), loyalty.a_customer(100)
    journal_id = {
        "a stranger's": lambda: loyalty.redeem(stranger, 10),
        "an earning": lambda: loyalty.earn(person, 10),
        "nobody's": new_id,
    }[whose]()
    assert journal_id is not None

    with pytest.raises(RedemptionNotFound):
        loyalty.restore(person, journal_id)


# Earning, and taking back -----------------------------------------------------------------------------


def test_what_is_earned_is_a_lot_that_lives_a_year(loyalty: Loyalty) -> None:
    person = loyalty.a_customer()

    journal_id = loyalty.earn(person, 70)

    (lot,) = loyalty.queries.lots(person, spent=False, limit=9, after=None)
    assert (lot["points"], lot["expires_at"], lot["journal_id"]) == (70, NOON + YEAR, journal_id)
    (told,) = loyalty.told(person, "ledger.points_earned")
    assert (told["points"], told["repaid"]) == (70, 0)


def test_an_earning_of_nothing_is_none(loyalty: Loyalty) -> None:
    person = loyalty.a_customer()

    assert loyalty.earn(person, 0) is None
    assert loyalty.told(person, "ledger.points_earned") == []


def test_the_same_earning_ten_times_at_once_is_made_once(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(1), new_id().hex

    results = all_at_once([lambda: loyalty.earn(person, 30, key=key)] * 10)

    assert len(set(results)) == 1
    assert sorted(loyalty.lots(person)) == [1, 30]


def test_a_refund_takes_points_back_in_proportion_from_their_own_lot(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(20), new_id().hex
    loyalty.clock.go_on(DAY)
    loyalty.earn(person, 100, key=key)

    third = loyalty.claw_back(person, key, paid=egp("1000.00"), refunded=egp("333.33"))
    rest = loyalty.claw_back(person, key, paid=egp("1000.00"), refunded=egp("1000.00"))

    assert (third, rest) == (34, 66)
    assert (loyalty.lots(person), loyalty.balance(person), loyalty.debt(person)) == ([20, 0], 20, 0)


def test_a_refund_under_its_key_takes_points_back_once(loyalty: Loyalty) -> None:
    person, key, refund = loyalty.a_customer(), new_id().hex, new_id().hex
    loyalty.earn(person, 100, key=key)

    half = {"paid": egp("1000.00"), "refunded": egp("500.00")}
    taken = [loyalty.claw_back(person, key, key=refund, **half) for _ in range(2)]

    assert taken == [50, 0]
    assert loyalty.balance(person) == 50


def test_what_earned_nothing_is_not_taken_back(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100)

    assert loyalty.claw_back(person, "never earned", paid=egp("9.00"), refunded=egp("9.00")) == 0
    assert loyalty.balance(person) == 100


def test_what_was_spent_becomes_a_debt_that_later_earnings_pay_off(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(), new_id().hex
    loyalty.earn(person, 100, key=key)
    loyalty.redeem(person, 80)

    loyalty.claw_back(person, key, paid=egp("1000.00"), refunded=egp("1000.00"))
    assert (loyalty.balance(person), loyalty.debt(person)) == (0, 80)
    (told,) = loyalty.told(person, "ledger.points_clawed_back")
    assert (told["points"], told["owed"]) == (100, 80)

    loyalty.earn(person, 50)
    assert (loyalty.balance(person), loyalty.debt(person), loyalty.lots(person)) == (0, 30, [0])
    loyalty.earn(person, 50)
    assert (loyalty.balance(person), loyalty.debt(person), loyalty.lots(person)) == (20, 0, [0, 20])
    assert [each["repaid"] for each in loyalty.told(person, "ledger.points_earned")] == [0, 50, 30]


def test_what_paid_off_a_debt_is_owed_again_when_it_is_taken_back(loyalty: Loyalty) -> None:
    person, first, second = loyalty.a_customer(), new_id().hex, new_id().hex
    loyalty.earn(person, 100, key=first)
    loyalty.redeem(person, 100)
    loyalty.claw_back(person, first, paid=egp("1.00"), refunded=egp("1.00"))
    loyalty.earn(person, 130, key=second)
    loyalty.earn(person, 500)

    loyalty.claw_back(person, second, paid=egp("1.00"), refunded=egp("1.00"))

    assert (loyalty.balance(person), loyalty.debt(person)) == (500, 100)


def test_more_may_be_owed_again_than_an_earning_paid_off(loyalty: Loyalty) -> None:
    person, first, second = loyalty.a_customer(), new_id().hex, new_id().hex
    loyalty.earn(person, 100, key=first)
    loyalty.redeem(person, 100)
    loyalty.claw_back(person, first, paid=egp("1.00"), refunded=egp("1.00"))
    loyalty.earn(person, 130, key=second)
    loyalty.redeem(person, 30)

    loyalty.claw_back(person, second, paid=egp("1.00"), refunded=egp("1.00"))

    assert (loyalty.balance(person), loyalty.debt(person)) == (0, 130)


def test_what_is_spent_of_an_earning_is_taken_from_other_lots(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(), new_id().hex
    loyalty.earn(person, 100, key=key)
    loyalty.redeem(person, 70)
    loyalty.earn(person, 200, at=NOON + DAY)

    loyalty.claw_back(person, key, paid=egp("1.00"), refunded=egp("1.00"))

    assert (loyalty.lots(person), loyalty.debt(person)) == ([0, 130], 0)


def test_what_is_held_is_left_there_and_owed_instead(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(), new_id().hex
    loyalty.earn(person, 100, key=key)
    loyalty.hold(person, 60)

    loyalty.claw_back(person, key, paid=egp("1.00"), refunded=egp("1.00"))

    assert (loyalty.balance(person), loyalty.debt(person)) == (60, 60)


def test_staff_give_points_and_take_them(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(30), new_id().hex
    loyalty.clock.go_on(DAY)

    given = loyalty.adjust(person, 50, key=key)
    assert loyalty.adjust(person, 50, key=key) == given
    assert loyalty.lots(person) == [30, 50]
    loyalty.adjust(person, -70)
    assert loyalty.lots(person) == [0, 10]

    with pytest.raises(InsufficientBalance):
        loyalty.adjust(person, -11)
    with pytest.raises(InvalidValue):
        loyalty.adjust(person, 0)
    assert [each["points"] for each in loyalty.told(person, "ledger.points_adjusted")] == [50, -70]


# Expiry -----------------------------------------------------------------------------------------------


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
    loyalty.restore(person, journal_id)

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
    loyalty.restore(person, journal_id)

    loyalty.remind()

    assert reminders(loyalty, person) == [(7, 40), (30, 20)]


def test_who_has_no_account_any_more_is_told_nothing(loyalty: Loyalty, owner: psycopg.Connection[Any]) -> None:
    person = loyalty.a_customer(60)
    owner.execute("UPDATE users SET deleted_at = now() WHERE id = %s", (person,))
    loyalty.clock.go_on(YEAR - DAY)

    loyalty.remind()

    assert reminders(loyalty, person) == []


# What the database itself refuses ---------------------------------------------------------------------


@pytest.fixture
def owner(module_addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    """A session of the database's owner, past all of the application's own checks."""
    with connect(module_addresses.owner) as connection:
        yield connection


@pytest.mark.parametrize("table", ["points_lots", "points_lot_entries", "points_reminders"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"],
    ids=["update", "delete", "truncate"],
)
def test_even_the_owner_changes_no_row_of_lots(
    loyalty: Loyalty, owner: psycopg.Connection[Any], table: str, statement: str
) -> None:
    loyalty.redeem(loyalty.a_customer(10), 5)
    loyalty.clock.go_on(YEAR - DAY)
    loyalty.remind()
    column = {"points_lots": "remaining", "points_lot_entries": "points", "points_reminders": "days_before"}[table]

    with pytest.raises(psycopg.Error) as refused:
        owner.execute(statement.format(table, column))

    assert refused.value.sqlstate == "AL005"


ADD_ENTRY = "INSERT INTO points_lot_entries (journal_id, lot_id, points) VALUES (%s, %s, %s)"


@pytest.mark.parametrize(
    ("points", "sqlstate"),
    [(-1, "AL010"), (-41, "23514"), (1, "AL009"), (0, "23514")],
    ids=["the account says more", "more than is left", "nothing was taken", "nothing"],
)
def test_a_lot_loses_and_gets_only_what_the_account_does(
    loyalty: Loyalty, owner: psycopg.Connection[Any], points: int, sqlstate: str
) -> None:
    person = loyalty.a_customer(40)
    (lot,) = loyalty.queries.lots(person, spent=False, limit=1, after=None)

    with pytest.raises(psycopg.Error) as refused, owner.transaction():
        owner.execute(ADD_ENTRY, (lot["journal_id"], lot["id"], points))

    assert refused.value.sqlstate == sqlstate
    assert loyalty.lots(person) == [40]


def test_a_lot_that_no_account_knows_of_is_refused(loyalty: Loyalty, owner: psycopg.Connection[Any]) -> None:
    person = loyalty.a_customer(40)
    loyalty.redeem(person, 40)
    journal = owner.execute("SELECT id FROM ledger_journals WHERE journal_type = 'REDEEMED' LIMIT 1").fetchone()
    assert journal is not None

    with pytest.raises(psycopg.Error) as refused, owner.transaction():
        owner.execute(
            "INSERT INTO points_lots (id, user_id, journal_id, points, remaining, earned_at, expires_at)"
            " VALUES (%s, %s, %s, 40, 0, now(), now() + interval '1 year')",
            (new_id(), person, journal[0]),
        )

    # Even with nothing left, as it says: what is left of a new lot is all of it.
    assert refused.value.sqlstate == "AL010"


def test_a_reversal_gives_back_to_the_lots_that_were_taken_from_and_to_no_other(
    loyalty: Loyalty, owner: psycopg.Connection[Any]
) -> None:
    person = loyalty.a_customer(40, 30)
    journal_id = loyalty.redeem(person, 40)
    loyalty.redeem(person, 30)
    restored = loyalty.restore(person, journal_id, 10)
    assert restored is not None
    other = loyalty.database.row("SELECT id FROM points_lots WHERE user_id = %s ORDER BY earned_at DESC", (person,))
    assert other is not None

    with pytest.raises(psycopg.Error) as refused, owner.transaction():
        owner.execute(ADD_ENTRY, (restored.journal_id, other["id"], 10))

    assert refused.value.sqlstate == "AL009"


# Everything in any order ------------------------------------------------------------------------------


def test_a_model_of_the_points_agrees_whatever_happens(database: Database) -> None:
    """Earning, spending, giving back, taking back, adjusting, expiring in any order, beside a pure model."""

    class Books(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            self.loyalty = Loyalty(database)
            self.person = self.loyalty.a_customer()
            self.balance = self.debt = 0
            self.earned: list[tuple[str, int]] = []
            self.spent: list[tuple[UUID, int]] = []

        @rule(points=st.integers(1, 120))
        def earn(self, points: int) -> None:
            key = new_id().hex
            self.loyalty.earn(self.person, points, key=key)
            repaid = min(points, self.debt)
            self.debt -= repaid
            self.balance += points - repaid
            self.earned.append((key, points))

        @rule(points=st.integers(1, 150))
        def spend(self, points: int) -> None:
            living = self.loyalty.queries.summary(self.person, now=self.loyalty.clock.now(), until=NOON)["available"]
            try:
                journal_id = self.loyalty.redeem(self.person, points, worth=egp("7.77"))
            except InsufficientBalance:
                assert points > living
                return
            assert points <= living
            self.balance -= points
            self.spent.append((journal_id, points))

        @rule(choice=st.integers(0, 9), share=st.integers(1, 100))
        def give_back(self, choice: int, share: int) -> None:
            if not self.spent:
                return
            journal_id, left = self.spent.pop(choice % len(self.spent))
            part = max(left * share // 100, 1)
            restored = self.loyalty.restore(self.person, journal_id, part)
            assert restored is not None
            assert restored.points == part
            self.balance += part
            if left > part:
                self.spent.append((journal_id, left - part))

        @rule(choice=st.integers(0, 9))
        def take_back(self, choice: int) -> None:
            if not self.earned:
                return
            key, points = self.earned.pop(choice % len(self.earned))
            before = self.loyalty.balance(self.person)
            assert self.loyalty.claw_back(self.person, key, paid=egp("1.00"), refunded=egp("1.00")) == points
            taken = before - self.loyalty.balance(self.person)
            assert 0 <= taken <= min(points, before)
            self.balance -= taken
            self.debt += points - taken

        @rule(points=st.integers(-60, 60).filter(bool))
        def adjust(self, points: int) -> None:
            if self.balance + points < 0:
                with pytest.raises(InsufficientBalance):
                    self.loyalty.adjust(self.person, points)
                return
            self.loyalty.adjust(self.person, points)
            repaid = min(max(points, 0), self.debt)
            self.debt -= repaid
            self.balance += points - repaid

        @rule(days=st.integers(20, 200))
        def let_time_pass(self, days: int) -> None:
            self.loyalty.clock.go_on(timedelta(days=days))
            left = self.loyalty.queries.lots(self.person, spent=False, limit=100, after=None)
            self.loyalty.expire()
            self.balance -= sum(lot["remaining"] for lot in left if lot["expires_at"] <= self.loyalty.clock.now())

        @invariant()
        def the_points_are_the_models(self) -> None:
            if not hasattr(self, "balance"):
                return
            explained = self.loyalty.queries.explain(self.person, limit=100, after=None)
            assert (explained["balance"], explained["explained"]) == (self.balance, self.balance)
            assert sum(lot["remaining"] for lot in explained["items"]) == self.balance
            assert all(
                lot["points"] - lot["taken"] + lot["given_back"] == lot["remaining"] for lot in explained["items"]
            )
            assert self.loyalty.debt(self.person) == self.debt

    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
