"""The ways to pay that are offered: remembered for a minute, not waited for, without those that cannot be reached."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from application.billing.methods import FAILURE_KEPT, KEPT, Offer, OfferedMethods
from application.billing.ports import PaymentGateway, ProviderUnreachable
from tests.conftest import MovableClock
from tests.fakes.scripted_gateway import ScriptedGateway


class Asked(ScriptedGateway):
    """Counts how often it was asked what it offers, and answers as the test says."""

    def __init__(
        self, name: str = "FIRST", answer: Callable[[], frozenset[str]] = lambda: frozenset({"FAWRY", "CREDIT_CARD"})
    ) -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]
        self.answer = answer
        self.times = 0

    def offered(self) -> frozenset[str]:
        self.times += 1
        return self.answer()


@dataclass
class Named:
    """Implements `Gateways` with these."""

    made: list[Asked] = field(default_factory=list)

    def get(self, name: str) -> PaymentGateway:
        return next(gateway for gateway in self.made if gateway.name == name)

    def names(self) -> tuple[str, ...]:
        return tuple(gateway.name for gateway in self.made)


def unreachable() -> frozenset[str]:
    raise ProviderUnreachable(provider="AWAY")


FIRST = (Offer("FIRST", "CREDIT_CARD"), Offer("FIRST", "FAWRY"))


def test_what_is_offered_is_remembered_for_a_minute(clock: MovableClock) -> None:
    gateway = Asked()
    methods = OfferedMethods(Named([gateway]), clock=clock)

    assert methods.now() == methods.now() == FIRST
    assert gateway.times == 1
    clock.offset = KEPT - timedelta(seconds=1)
    methods.now()
    assert gateway.times == 1
    clock.offset = KEPT + timedelta(seconds=1)
    methods.now()
    assert gateway.times == 2


def test_one_that_cannot_be_reached_is_left_out_and_asked_again_soon(clock: MovableClock) -> None:
    away = Asked(name="AWAY", answer=unreachable)
    methods = OfferedMethods(Named([away, Asked()]), clock=clock)

    assert methods.now() == methods.now() == FIRST
    assert away.times == 1
    away.answer = lambda: frozenset({"AMAN"})
    clock.offset = FAILURE_KEPT + timedelta(seconds=1)
    assert methods.now() == (Offer("AWAY", "AMAN"), *FIRST)


def test_a_slow_one_is_left_out_asked_once_and_there_when_it_has_answered(clock: MovableClock) -> None:
    let_go, answered = threading.Event(), threading.Event()

    def slowly() -> frozenset[str]:
        let_go.wait(20)
        answered.set()
        return frozenset({"AMAN"})

    slow = Asked(name="SLOW", answer=slowly)
    methods = OfferedMethods(Named([Asked(), slow]), clock=clock, wait_seconds=1)

    assert methods.now() == FIRST
    assert slow.times == 1
    let_go.set()
    assert answered.wait(20)
    assert methods.now() == (*FIRST, Offer("SLOW", "AMAN"))
    assert slow.times == 1


@pytest.mark.parametrize("callers", [8])
def test_many_at_once_ask_once(clock: MovableClock, callers: int) -> None:
    gateway = Asked()
    methods = OfferedMethods(Named([gateway]), clock=clock)
    start = threading.Barrier(callers)
    got: list[tuple[Offer, ...]] = []

    def ask() -> None:
        start.wait()
        got.append(methods.now())

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (set(got), gateway.times) == ({FIRST}, 1)
