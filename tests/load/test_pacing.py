"""When users of a load come, and from where."""

from __future__ import annotations

import ipaddress
from random import Random

import pytest

from tests.load.traffic.mix import MIX
from tests.load.traffic.pacing import Pacing, Stage, seconds_between, source_address, stage_at


def _turns(pacing: Pacing, seconds: float, *, each_takes: float) -> int:
    now, turns = 0.0, 0
    while now < seconds:
        now += pacing.seconds_to_wait(now) + each_takes
        turns += 1
    return turns


def test_as_many_turns_come_as_were_asked_for_however_slow_the_answers() -> None:
    quick = _turns(Pacing(2.0, Random(1)), 20_000, each_takes=0.001)
    slow = _turns(Pacing(2.0, Random(1)), 20_000, each_takes=0.5)
    assert quick == pytest.approx(10_000, rel=0.03)
    assert slow == pytest.approx(quick, rel=0.05)


def test_who_waited_long_for_an_answer_does_not_make_up_for_every_turn() -> None:
    pacing = Pacing(2.0, Random(1))
    pacing.seconds_to_wait(0.0)
    assert pacing.seconds_to_wait(1_000.0) == 0
    assert sum(pacing.seconds_to_wait(1_000.0) for _ in range(5)) > 0


def test_the_higher_the_rate_the_more_often_each_user_asks() -> None:
    assert seconds_between([Stage(10, 100), Stage(10, 500)]) == 6
    assert seconds_between([Stage(10, 30)]) == 10
    assert seconds_between([Stage(10, 5_000)]) == 2


def test_stages_follow_each_other_and_end() -> None:
    stages = [Stage(10, 1), Stage(5, 2)]
    assert [stage_at(stages, at) for at in (0, 9.9, 10, 14.9, 15)] == [*stages[:1] * 2, *stages[1:] * 2, None]


def test_every_user_has_an_address_of_its_own_in_loopbacks_network() -> None:
    addresses = [ipaddress.ip_address(source_address(number)) for number in range(130_000)]
    assert len(set(addresses)) == len(addresses)
    assert all(one.is_loopback for one in addresses)


def test_the_mix_is_of_a_thousand_and_says_why() -> None:
    assert sum(kind.of_thousand for kind in MIX) == 1000
    assert all(kind.why.endswith(".") for kind in MIX)
