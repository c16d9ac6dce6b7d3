"""Refunds at Fawaterk, of invoices and of transactions: asked for once, decided later, told by a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from application.billing.ports import (
    Checkout,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    RefundAnswer,
    RefundReading,
    RefundState,
)
from domain.shared.money import Money
from fake_providers.fawaterk import FawaterkServer
from tests.contract.fawaterk_bench import KEY, FawaterkBench, a_refund
from tests.contract.gateway_contract import OTHER_ATTEMPT_ID, a_request

PRICE = Money.of(149_910, "EGP")


@dataclass
class Paid:
    """A paid checkout and what is given back of it."""

    bench: FawaterkBench
    checkout: Checkout

    def refund(self, minor: int, reference: str = "rf_0190a0000000") -> RefundAnswer:
        return self.bench.gateway.refund(a_refund(self.checkout, Money.of(minor, "EGP"), reference=reference))

    def told(self) -> tuple[RefundReading, ...]:
        return self.bench.gateway.read(self.checkout.identity).refunds


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY, automatic_webhooks=False) as running:
        yield running


@pytest.fixture(params=["v2", "v3"])
def paid(server: FawaterkServer, request: pytest.FixtureRequest) -> Paid:
    bench = FawaterkBench(server, version=request.param, with_credentials=True)
    checkout = bench.gateway.create_checkout(a_request(PRICE))
    bench.pay(checkout)
    return Paid(bench, checkout)


def impatient(paid: Paid) -> Paid:
    paid.bench.gateway = paid.bench.gateway_with(total_seconds=0.7)
    return paid


def test_v2_without_credentials_leaves_refunds_to_people(server: FawaterkServer) -> None:
    bench = FawaterkBench(server)
    assert (bench.gateway.capabilities.refunds, bench.gateway.capabilities.tells_refunds) == (False, False)
    checkout = bench.gateway.create_checkout(a_request(PRICE))
    bench.pay(checkout)
    with pytest.raises(ProviderRefused):
        bench.gateway.refund(a_refund(checkout, PRICE))
    assert bench.gateway.read(checkout.identity).refunds == ()
    assert server.calls("oauth/token") == 0


def test_a_refund_is_a_request_until_it_is_approved(paid: Paid) -> None:
    answer = paid.refund(50_000)
    assert (answer.provider_refund_reference, answer.state) == ("1", RefundState.PENDING)
    assert [it.state for it in paid.told()] == [RefundState.PENDING]
    paid.bench.server.approve_refund(1)
    assert paid.told() == (RefundReading("1", "rf_0190a0000000", Money.of(50_000, "EGP"), RefundState.SUCCEEDED),)


def test_the_order_names_the_charge_its_kind_and_our_reference(paid: Paid) -> None:
    paid.refund(12_345)
    order = json.loads(paid.bench.server.orders[-1], parse_float=Decimal)
    number = int(paid.bench.server.books.invoice(paid.checkout.provider_reference)["invoice_id"])
    assert order["refund_type"] == ("3" if paid.bench.version == "v3" else "0")
    assert (order["refund_id"], order["refundable_amount"]) == (number, Decimal("123.45"))
    assert order["reason"].startswith("rf_0190a0000000 ")


def test_a_refused_refund_has_failed_and_may_be_asked_for_again_as_another(paid: Paid) -> None:
    paid.refund(149_910)
    paid.bench.server.refuse_refund(1)
    (told,) = paid.told()
    assert (told.state, told.reason) == (RefundState.FAILED, "refused")
    assert paid.refund(149_910).state is RefundState.FAILED, "the same reference is the same refund"
    assert paid.refund(149_910, "rf_0190a0000001").state is RefundState.PENDING


def test_the_same_reference_gives_back_one_sum(paid: Paid) -> None:
    answers = [paid.refund(10_000) for _ in range(3)]
    assert len(set(answers)) == 1
    assert paid.bench.server.calls("refund/create") == 1
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda _: paid.refund(10_000, "rf_0190a0000001"), range(4)))
    assert len(set(at_once)) == 1
    assert len(paid.bench.server.books.refunds()) == 2


def test_what_was_asked_for_is_found_on_whatever_page_it_lies(paid: Paid) -> None:
    paid.refund(100)
    for _ in range(25):
        paid.bench.server.refund_on_dashboard(paid.checkout.provider_reference, "1.00")
    assert paid.refund(100).provider_refund_reference == "1"
    assert paid.bench.server.calls("refund/create") == 1
    told = paid.told()
    assert len(told) == 26
    assert [it.merchant_reference for it in told] == ["rf_0190a0000000", *[""] * 25], "oldest first"


def test_a_refund_from_the_dashboard_has_no_reference_of_ours(paid: Paid) -> None:
    paid.bench.server.refund_on_dashboard(paid.checkout.provider_reference, "20.00", "asked by phone")
    assert paid.told() == (RefundReading("1", "", Money.of(2_000, "EGP"), RefundState.PENDING),)


def test_a_reference_that_somebody_only_mentions_is_not_ours(paid: Paid) -> None:
    paid.bench.server.refund_on_dashboard(paid.checkout.provider_reference, "20.00", "instead of rf_0190a0000000")
    assert [it.merchant_reference for it in paid.told()] == [""]
    assert paid.refund(100).provider_refund_reference == "2"


def test_never_more_than_was_paid(paid: Paid) -> None:
    paid.refund(100_000)
    with pytest.raises(ProviderRefused):
        paid.refund(49_911, "rf_0190a0000001")
    assert paid.refund(49_910, "rf_0190a0000002").state is RefundState.PENDING


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("cut_after", 1),
        ("error_500", 0),
        ("error_500_after", 1),
        ("html", 0),
        ("half_json", 1),
    ],
)
def test_a_lost_answer_is_unknown_and_the_reading_tells_what_became_of_it(paid: Paid, fault: str, created: int) -> None:
    impatient(paid)
    paid.bench.server.script("refund/create", fault)
    with pytest.raises(OutcomeUnknown):
        paid.refund(50_000)
    assert paid.bench.server.calls("refund/create") == 1
    assert len(paid.told()) == created
    assert paid.refund(50_000).state is RefundState.PENDING
    assert len(paid.bench.server.books.refunds()) == 1
    assert paid.bench.server.calls("refund/create") == 2 - created


@pytest.mark.parametrize("fault", ["timeout_before", "error_500", "html", "status_error", "refuse", "unauthorized"])
def test_without_the_list_nothing_is_asked_for(paid: Paid, fault: str) -> None:
    impatient(paid)
    paid.bench.server.script("refund/index", fault, times=2)
    with pytest.raises(ProviderUnreachable):
        paid.refund(50_000)
    assert paid.bench.server.calls("refund/create") == 0


@pytest.mark.parametrize("fault", ["error_500", "status_error", "html"])
def test_a_reading_without_the_list_is_none(paid: Paid, fault: str) -> None:
    paid.refund(50_000)
    paid.bench.server.script("refund/index", fault)
    with pytest.raises(OutcomeUnknown):
        paid.told()


def test_a_request_that_was_taken_is_pending_though_the_list_is_down(paid: Paid) -> None:
    paid.told()
    server, gateway = paid.bench.server, paid.bench.gateway
    asked = server.refunds.create

    def taken_and_then_down(order: dict[str, object]) -> dict[str, object]:
        server.script("refund/index", "error_500")
        return asked(order)

    server.refunds.create = taken_and_then_down  # type: ignore[method-assign]
    answer = gateway.refund(a_refund(paid.checkout, Money.of(100, "EGP")))
    assert answer == RefundAnswer("", RefundState.PENDING)
    assert [it.provider_refund_reference for it in paid.told()] == ["1"]


def test_refused_because_the_first_request_only_now_shows_is_that_request(paid: Paid) -> None:
    """The list lags: we find nothing, ask again, and are told that there is not so much left."""
    server = paid.bench.server
    paid.refund(149_910)
    page, seen = server.refunds.page, []

    def lagging(number: int) -> dict[str, object]:
        seen.append(number)
        return page(number) if len(seen) > 1 else {**page(number), "data": [], "last_page": 1}

    server.refunds.page = lagging  # type: ignore[method-assign]
    assert paid.refund(149_910) == RefundAnswer("1", RefundState.PENDING)
    assert len(server.books.refunds()) == 1


def test_what_is_not_readable_is_not_refunded(paid: Paid) -> None:
    read = "getTransactionData" if paid.bench.version == "v3" else "getInvoiceData"
    paid.bench.server.script(read, "error_500")
    with pytest.raises(ProviderUnreachable):
        paid.refund(100)
    assert paid.bench.server.calls("refund/create") == 0


def test_what_was_never_paid_is_refused(paid: Paid) -> None:
    unpaid = paid.bench.gateway.create_checkout(a_request(PRICE, attempt_id=OTHER_ATTEMPT_ID))
    with pytest.raises((ProviderRefused, ProviderUnreachable)):
        paid.bench.gateway.refund(a_refund(unpaid, Money.of(100, "EGP")))
    assert paid.bench.server.books.refunds() == []


def test_refunds_of_one_charge_are_not_those_of_another_with_its_number(server: FawaterkServer) -> None:
    """Invoices and transactions are numbered separately at Fawaterk, so their numbers meet."""
    invoices = FawaterkBench(server, version="v2", with_credentials=True)
    transactions = FawaterkBench(server, version="v3")
    invoice = invoices.gateway.create_checkout(a_request(PRICE))
    transaction = transactions.gateway.create_checkout(a_request(PRICE))
    for bench, checkout in ((invoices, invoice), (transactions, transaction)):
        bench.pay(checkout)
        bench.gateway.refund(a_refund(checkout, Money.of(100, "EGP"), reference=f"rf_{bench.version}"))
    number = transactions.gateway.read(transaction.identity).charge_reference
    server.books.change_refund(1, refundable_id=int(number))
    (told,) = transactions.gateway.read(transaction.identity).refunds
    assert told.merchant_reference == "rf_v3"


def test_invoices_of_v2_are_still_refunded_after_the_change_to_v3(server: FawaterkServer) -> None:
    former, now = FawaterkBench(server, version="v2"), FawaterkBench(server, version="v3")
    invoice = former.gateway.create_checkout(a_request(PRICE))
    former.pay(invoice)
    assert now.gateway.refund(a_refund(invoice, Money.of(100, "EGP"))).state is RefundState.PENDING
    assert server.books.refunds()[0]["refundable_type"] == "Invoice"
    (told,) = now.gateway.read(invoice.identity).refunds
    assert told.amount == Money.of(100, "EGP")
    assert server.calls("oauth/token") == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Approved", RefundState.SUCCEEDED),
        ("1", RefundState.SUCCEEDED),
        ("rejected", RefundState.FAILED),
        ("Refused", RefundState.FAILED),
        ("pending", RefundState.PENDING),
        ("in the moon's shadow", RefundState.PENDING),
    ],
)
def test_only_words_that_are_known_decide_a_refund(paid: Paid, status: str, state: RefundState) -> None:
    paid.refund(100)
    paid.bench.server.books.change_refund(1, status=status)
    assert [it.state for it in paid.told()] == [state]


@pytest.mark.parametrize("amount", ["1.001", "0", "-1", "x", ""])
def test_a_refunds_amount_is_read_exactly_or_not_at_all(paid: Paid, amount: str) -> None:
    paid.refund(100)
    paid.bench.server.books.change_refund(1, amount=amount)
    with pytest.raises(OutcomeUnknown):
        paid.told()


@pytest.mark.parametrize("change", ["added", "deleted"])
def test_a_list_that_changes_while_it_is_read_is_read_again_later(paid: Paid, change: str) -> None:
    server = paid.bench.server
    for _ in range(11):
        server.refund_on_dashboard(paid.checkout.provider_reference, "1.00")
    page = server.refunds.page

    def changing(number: int) -> dict[str, object]:
        told = page(number)
        if number == 1 and change == "added":
            server.refund_on_dashboard(paid.checkout.provider_reference, "1.00")
        if number == 1 and change == "deleted":
            server.books.delete_refund(11)
        return told

    server.refunds.page = changing  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        paid.told()
    server.refunds.page = page  # type: ignore[method-assign]
    assert len(paid.told()) == (12 if change == "added" else 10)


def test_a_reference_that_could_not_be_found_again_is_never_sent(paid: Paid) -> None:
    with pytest.raises(ValueError, match="rf_"):
        paid.refund(100, "booking 7")
    assert paid.bench.server.calls("refund/create") == 0


def test_pages_older_than_the_charge_are_not_read(paid: Paid) -> None:
    for _ in range(25):
        paid.bench.server.refund_on_dashboard(paid.checkout.provider_reference, "1.00")
    for refund in paid.bench.server.books.refunds():
        paid.bench.server.books.change_refund(refund["id"], created_at="2020-01-01 00:00:00")
    paid.refund(100)
    before = paid.bench.server.calls("refund/index")
    assert len(paid.told()) == 20, "the page on which older ones begin, and one that is wholly older"
    assert paid.bench.server.calls("refund/index") - before == 2
