"""Points in PostgreSQL: spent once, and given back to the lots that they came from."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind
from domain.ledger.holds import HoldNotFound
from domain.ledger.journal import InsufficientBalance, JournalKeyReused, ReversalRefused
from domain.ledger.points import PointsTerms
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON, egp
from tests.integration.loyalty import DAY, PREPAID, YEAR, Loyalty
from tests.integration.shop import all_at_once, units_of_work

DISCOUNTS = accounts.platform(AccountKind.DISCOUNTS, "EGP")
REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)


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

    parts = [loyalty.reverse(journal_id, part) for part in (egp("3.00"), egp("4.50"))]
    with pytest.raises(ReversalRefused):
        loyalty.reverse(journal_id, egp("1.51"))
    parts.append(loyalty.reverse(journal_id))

    # Spent were 50, 30 and 10 of them: the last to go come back first.
    assert [loyalty.took(part) for part in parts] == [[20, 10], [35, 10], [15]]
    assert [loyalty.total(PREPAID, part) for part in parts] == [-300, -450, -150]
    assert sorted(loyalty.lots(person)) == [20, 30, 50, 500]
    with pytest.raises(ReversalRefused):
        loyalty.reverse(journal_id)
    told = loyalty.told(person, "ledger.points_restored")
    assert [(each["points"], each["journal_id"]) for each in told] == [
        (points, str(part)) for points, part in zip((30, 45, 15), parts, strict=True)
    ]


def test_a_part_that_is_worth_no_point_gives_back_money_alone(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(10)
    journal_id = loyalty.redeem(person, 10, worth=egp("10.00"))

    part = loyalty.reverse(journal_id, egp("0.99"))

    assert (loyalty.total(PREPAID, part), loyalty.took(part), loyalty.balance(person)) == (-99, [], 0)
    assert loyalty.told(person, "ledger.points_restored") == []


def test_a_part_given_back_again_under_its_key_changes_nothing(loyalty: Loyalty) -> None:
    person, key = loyalty.a_customer(100), new_id().hex
    journal_id = loyalty.redeem(person, 100, worth=egp("1.00"))

    first, again = [loyalty.reverse(journal_id, egp("0.40"), key=key) for _ in range(2)]

    assert again == first
    assert (loyalty.balance(person), loyalty.lots(person)) == (40, [40])
    assert len(loyalty.told(person, "ledger.points_restored")) == 1


def test_parts_at_once_never_give_back_more_than_was_taken(loyalty: Loyalty) -> None:
    person = loyalty.a_customer(100)
    journal_id = loyalty.redeem(person, 100, worth=egp("1.00"))

    results = all_at_once([lambda: loyalty.reverse(journal_id, egp("0.30"))] * 10)

    assert [type(result) for result in results].count(ReversalRefused) == 7
    assert (loyalty.balance(person), loyalty.lots(person)) == (90, [90])


def test_a_lot_that_ended_meanwhile_lives_on_for_the_grace_that_the_company_grants(loyalty: Loyalty) -> None:
    loyalty.new_uow = units_of_work(loyalty.database, terms=PointsTerms(grace=7 * DAY))
    person = loyalty.a_customer(60, 40)
    journal_id = loyalty.redeem(person, 100)
    loyalty.clock.go_on(YEAR)

    loyalty.reverse(journal_id)

    ended, alive = loyalty.queries.lots(person, spent=False, limit=9, after=None)[::-1]
    assert (ended["remaining"], ended["expires_at"], ended["in_grace"]) == (60, NOON + YEAR + 7 * DAY, True)
    assert (alive["remaining"], alive["expires_at"], alive["in_grace"]) == (40, NOON + YEAR + DAY, False)
    loyalty.clock.go_on(6 * DAY)
    loyalty.redeem(person, 60)
