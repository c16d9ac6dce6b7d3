"""Points that are earned, taken back with a refund, and adjusted; and all that can happen, in any order."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.ledger.journal import InsufficientBalance
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, egp
from tests.integration.loyalty import DAY, YEAR, Loyalty
from tests.integration.shop import all_at_once

WORTH = egp("7.77")


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


@pytest.mark.parametrize(("spent", "owed"), [(30, 0), (60, 30), (80, 50)])
def test_what_staff_gave_and_then_reverse_is_taken_back_and_told(loyalty: Loyalty, spent: int, owed: int) -> None:
    person = loyalty.a_customer(30)
    loyalty.clock.go_on(DAY)
    given = loyalty.adjust(person, 50)
    loyalty.redeem(person, spent)

    reversal_id = loyalty.reverse(given, allows_debt=True)

    assert (loyalty.lots(person), loyalty.balance(person), loyalty.debt(person)) == ([0, 0], 0, owed)
    (told,) = loyalty.told(person, "ledger.points_clawed_back")
    assert (told["points"], told["owed"], told["journal_id"]) == (50, owed, str(reversal_id))
    assert loyalty.told(person, "ledger.points_restored") == []


def test_what_staff_took_and_then_reverse_goes_back_to_its_lots(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(30, 20)
    taken = loyalty.adjust(person, -40)

    loyalty.reverse(taken)

    assert loyalty.lots(person) == [30, 20]
    assert [each["points"] for each in loyalty.told(person, "ledger.points_restored")] == [40]
    assert loyalty.told(person, "ledger.points_clawed_back") == []


# Everything in any order ------------------------------------------------------------------------------


def test_a_model_of_the_points_agrees_whatever_happens(loyalty: Loyalty) -> None:
    """Earning, spending, giving back, taking back, adjusting, expiring in any order, beside a pure model."""

    class Books(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            self.loyalty = Loyalty(loyalty.database)
            self.person = self.loyalty.a_customer()
            self.balance = self.debt = 0
            self.earned: list[tuple[str, int]] = []
            self.spent: list[tuple[UUID, int, int]] = []

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
                journal_id = self.loyalty.redeem(self.person, points, worth=WORTH)
            except InsufficientBalance:
                assert points > living
                return
            assert points <= living
            self.balance -= points
            self.spent.append((journal_id, points, 0))

        @rule(choice=st.integers(0, 9), share=st.integers(1, 100))
        def give_back(self, choice: int, share: int) -> None:
            if not self.spent:
                return
            journal_id, points, reversed_before = self.spent.pop(choice % len(self.spent))
            left = WORTH.minor - reversed_before
            part = max(left * share // 100, 1)
            reversal_id = self.loyalty.reverse(journal_id, Money(part, WORTH.currency))
            # In all, as many as are in proportion to the money that went back, rounded down.
            now = points * (reversed_before + part) // WORTH.minor - points * reversed_before // WORTH.minor
            assert sum(self.loyalty.took(reversal_id)) == now
            self.balance += now
            if part < left:
                self.spent.append((journal_id, points, reversed_before + part))

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
