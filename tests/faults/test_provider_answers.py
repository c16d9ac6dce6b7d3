"""A provider that hangs for 30 s, breaks down, answers HTML or half of its JSON: never failed, never success (P3)."""

from __future__ import annotations

import pytest

from infrastructure.payment.http import TOTAL_SECONDS
from tests.faults.till import Till
from tests.faults.whole import whole

pytestmark = pytest.mark.database

AT_ONCE = ("error_500", "error_500_after", "html", "half_json")
AFTER_30_SECONDS = ("timeout_before", "timeout_after")
FAULTS = [*AT_ONCE, *(pytest.param(fault, marks=[pytest.mark.slow, whole]) for fault in AFTER_30_SECONDS)]
WITHOUT_EFFECT = {"error_500", "html", "timeout_before"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_checkout_whose_answer_is_nonsense_or_late_is_in_doubt_and_asked_for_once(till: Till, fault: str) -> None:
    till.fawaterk.script("createInvoiceLink", fault)
    answers = [till.ask("the-same-key") for _ in range(2)]
    assert [(answer.status_code, answer.json["status"]) for answer in answers] == [(201, "PENDING")] * 2
    assert answers[0].json["checkout"] is None
    assert till.attempts() == [("UNKNOWN", False)]
    assert len(till.invoices()) == (0 if fault in WITHOUT_EFFECT else 1)
    till.reconcile()
    assert (till.attempts(), till.in_wallet()) == ([("UNKNOWN", False)], 0)

    for invoice in till.invoices():
        till.fawaterk.pay(invoice)
        assert till.tell(invoice) == "accepted"
    till.look_into_webhooks()
    assert till.fawaterk.calls("createInvoiceLink") == 1, "nobody asked again"
    till.assert_books_agree()
    assert till.in_wallet() == (0 if fault in WITHOUT_EFFECT else 75_000)


@pytest.mark.parametrize("fault", [*AT_ONCE, pytest.param("timeout_before", marks=[pytest.mark.slow, whole])])
def test_a_reading_that_is_nonsense_or_late_settles_nothing_and_the_next_one_settles_once(
    till: Till, fault: str
) -> None:
    assert till.ask().status_code == 201
    (invoice,) = till.invoices()
    till.fawaterk.pay(invoice)
    till.fawaterk.script("getInvoiceData", fault)
    till.reconcile(times=1)
    assert (till.attempts(), till.in_wallet()) == ([("OPEN", True)], 0)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_our_patience_is_less_than_half_of_the_time_that_it_hangs() -> None:
    assert TOTAL_SECONDS < 30 / 2
