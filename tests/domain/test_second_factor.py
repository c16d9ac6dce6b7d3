"""Codes and guesses: a step is accepted once, and five wrong guesses lock for a quarter of an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identity.guesses import MOST_WRONG, PERIOD, Guesses
from domain.identity.lockout import TooManyAttempts
from domain.identity.second_factor import (
    SecondFactor,
    SecondFactorAlreadyOn,
    SecondFactorState,
    SecondFactorSwitchedOff,
    SecondFactorSwitchedOn,
    is_one_time_code,
    plain_code,
)
from infrastructure.clock import new_id
from tests.builders import NOON


def a_factor() -> SecondFactor:
    return SecondFactor(id=new_id(), user_id=new_id(), sealed_secret=b"sealed", created_at=NOON)


def test_a_step_is_accepted_once_and_no_earlier_one_after_it() -> None:
    factor = a_factor()

    assert [factor.accept(step) for step in (10, 10, 9, None, 11)] == [True, False, False, False, True]


def test_it_is_confirmed_once() -> None:
    factor = a_factor()
    assert factor.state is SecondFactorState.PENDING

    factor.confirm(at=NOON)

    assert factor.state is SecondFactorState.CONFIRMED
    assert factor.pull_events() == [SecondFactorSwitchedOn(at=NOON, user_id=factor.user_id, factor_id=factor.id)]
    with pytest.raises(SecondFactorAlreadyOn):
        factor.confirm(at=NOON)


def test_only_one_that_was_on_is_told_to_be_off() -> None:
    never_confirmed, confirmed = a_factor(), a_factor()
    confirmed.confirm(at=NOON)
    confirmed.pull_events()

    for factor in (never_confirmed, confirmed):
        factor.switch_off(at=NOON)

    assert never_confirmed.pull_events() == []
    assert [type(event) for event in confirmed.pull_events()] == [SecondFactorSwitchedOff]


@pytest.mark.parametrize(
    ("written", "plain", "is_of_an_app"),
    [
        (" 123 456 ", "123456", True),
        ("١٢٣٤٥٦", "123456", True),
        ("۱۲۳-۴۵۶", "123456", True),
        ("abcd-efgh-2345-67ab", "ABCDEFGH234567AB", False),
        ("12345", "12345", False),
        ("", "", False),
    ],
)
def test_codes_are_read_as_people_write_them(written: str, plain: str, is_of_an_app: bool) -> None:
    assert plain_code(written) == plain
    assert is_one_time_code(plain) is is_of_an_app


def test_the_fifth_wrong_guess_locks_and_the_lock_ends() -> None:
    guesses = Guesses(subject="x")
    for _ in range(MOST_WRONG - 1):
        guesses.count_wrong(at=NOON)
        guesses.refuse_while_locked(at=NOON)

    guesses.count_wrong(at=NOON)

    with pytest.raises(TooManyAttempts) as refused:
        guesses.refuse_while_locked(at=NOON + PERIOD - timedelta(seconds=1))
    assert 0 < int(str(refused.value.facts["retry_after"])) <= 3
    guesses.refuse_while_locked(at=NOON + PERIOD)


def test_guesses_of_long_ago_do_not_count() -> None:
    guesses = Guesses(subject="x")

    for number in range(3 * MOST_WRONG):
        guesses.count_wrong(at=NOON + number * PERIOD / 2)
        guesses.refuse_while_locked(at=NOON + number * PERIOD / 2)
