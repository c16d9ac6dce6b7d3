"""The network between us and a provider refuses, swallows, drags and cuts: nothing is asked twice, nothing is lost."""

from __future__ import annotations

import time

import pytest

from infrastructure.payment.http import CONNECT_SECONDS, TOTAL_SECONDS
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.faults.till import Till

pytestmark = pytest.mark.database

PATIENCE_SECONDS = 4.0
"""What a busy machine may add."""


def test_a_reply_that_was_eaten_leaves_an_unknown_attempt_that_its_payment_finds(till: Till, proxy: FaultProxy) -> None:
    proxy.become(Mode.EAT_REPLY)
    key = "asked-for-again"
    answers = [till.ask(key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert till.attempts() == [("UNKNOWN", False)]
    (invoice,) = till.invoices()
    assert proxy.accepted == 1, "nobody asked again"

    proxy.become(Mode.PASS)
    till.reconcile()
    assert till.in_wallet() == 0
    till.fawaterk.pay(invoice)
    till.tell(invoice)
    till.look_into_webhooks()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


@pytest.mark.slow
def test_a_black_hole_is_answered_in_ten_seconds_as_unknown_and_nothing_is_repeated(
    till: Till, proxy: FaultProxy
) -> None:
    proxy.become(Mode.BLACK_HOLE)
    began = time.monotonic()
    answer = till.ask()
    assert TOTAL_SECONDS - 1 < time.monotonic() - began < TOTAL_SECONDS + PATIENCE_SECONDS
    assert answer.status_code == 201
    assert (answer.json["status"], answer.json["checkout"]) == ("PENDING", None)
    assert till.attempts() == [("UNKNOWN", False)]
    assert (proxy.accepted, till.invoices()) == (1, [])
    till.assert_books_agree()


@pytest.mark.parametrize("reply_bytes", [0, 20, 200])
def test_an_answer_that_breaks_off_is_no_answer(till: Till, proxy: FaultProxy, reply_bytes: int) -> None:
    proxy.become(Mode.CUT, reply_bytes=reply_bytes)
    assert till.ask().status_code == 201
    assert till.attempts() == [("UNKNOWN", False)]
    assert (proxy.accepted, len(till.invoices())) == (1, 1)


def test_a_slow_answer_within_the_bound_is_an_answer(till: Till, proxy: FaultProxy) -> None:
    proxy.become(Mode.SLOW, seconds=CONNECT_SECONDS + 0.5)
    answer = till.ask()
    assert answer.json["checkout"]["url"]
    assert till.attempts() == [("OPEN", True)]


def test_where_nobody_listens_nothing_was_sent_and_the_next_try_is_another(till: Till, proxy: FaultProxy) -> None:
    proxy.become(Mode.REFUSE)
    refused = till.ask()
    assert (refused.status_code, refused.json["code"]) == (503, "provider_unavailable")
    assert till.attempts() == [("FAILED", False)]
    proxy.become(Mode.PASS)
    assert till.ask().status_code == 201
    (invoice,) = till.invoices()
    till.fawaterk.pay(invoice)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_a_reading_that_is_lost_settles_nothing_and_the_next_one_settles_once(till: Till, proxy: FaultProxy) -> None:
    assert till.ask().status_code == 201
    (invoice,) = till.invoices()
    till.fawaterk.pay(invoice)
    for mode in (Mode.EAT_REPLY, Mode.CUT, Mode.REFUSE):
        proxy.become(mode)
        till.reconcile(times=1)
        assert till.in_wallet() == 0, mode
    proxy.become(Mode.PASS)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_five_failures_in_a_row_open_the_breaker_and_nobody_is_asked(till: Till, proxy: FaultProxy) -> None:
    proxy.become(Mode.REFUSE)
    for _ in range(5):
        assert till.ask().status_code == 503
    proxy.become(Mode.PASS)
    before = proxy.accepted
    began = time.monotonic()
    refused = till.ask()
    assert (refused.status_code, refused.json["code"]) == (503, "provider_unavailable")
    assert time.monotonic() - began < CONNECT_SECONDS
    assert proxy.accepted == before
    assert till.invoices() == []
    assert till.attempts() == [("FAILED", False)] * 6
