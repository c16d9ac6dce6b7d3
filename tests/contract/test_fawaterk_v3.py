"""Fawaterk's gateway by API v3: transactions, tokens, statements."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from application.billing.ports import (
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    ReadingStatus,
    TransferRequest,
)
from domain.ledger.reconciliation import LineKind
from domain.shared.clock import business_date
from domain.shared.money import Money
from fake_providers.fawaterk import METHODS, FawaterkServer
from tests.contract.fawaterk_bench import KEY, FawaterkBench
from tests.contract.gateway_contract import ATTEMPT_ID, OTHER_ATTEMPT_ID, GatewayContract, a_request

DIRECT = ["FAWRY", "AMAN", "MASARY", "MEEZA", "VODAFONE_CASH"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FawaterkBench]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY, automatic_webhooks=False) as server:
        yield FawaterkBench(server, version="v3")


class TestTheContractOfGateways(GatewayContract):
    """The promises that every gateway makes, kept by this one."""


def test_it_says_what_it_can_do(bench: FawaterkBench) -> None:
    able = bench.gateway.capabilities
    assert (able.refunds, able.tells_refunds, able.states) == (True, True, True)
    assert (able.repeats_creation, able.pays_out) == (False, False)
    with pytest.raises(ProviderRefused):
        bench.gateway.transfer(TransferRequest("tr_1", "acct_1", Money.of(1, "EGP"), "share"))
    with pytest.raises(ProviderRefused):
        bench.gateway.read_transfer("tr_1", "")


# Checkouts


def test_a_card_is_paid_on_the_hosted_page(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    record = bench.server.books.invoice(checkout.provider_reference)
    assert checkout.url == f"{bench.server.address}/lk/{checkout.provider_reference}"
    assert record["invoice_key"] == checkout.provider_reference
    assert record["pay_load"] == {"attempt": f"pa_{ATTEMPT_ID.hex}"}


def test_a_page_is_open_for_two_hours_at_most(bench: FawaterkBench) -> None:
    for hours, open_for in ((1, 1), (24, 2)):
        request = a_request(expires_at=bench.clock.at + timedelta(hours=hours))
        checkout = bench.gateway.create_checkout(request)
        assert checkout.expires_at == bench.clock.at + timedelta(hours=open_for)


def test_an_order_is_written_as_v3_asks(bench: FawaterkBench) -> None:
    bench.gateway.create_checkout(a_request(Money.of(149_910, "SAR"), locale="ar"))
    order = bench.last_order()
    assert (order["cartTotal"], order["currency"]) == (Decimal("1499.10"), "SR")
    assert order["pay_load"] == {"attempt": f"pa_{ATTEMPT_ID.hex}"}
    assert "payLoad" not in order
    assert order["redirectionUrls"]["backUrl"] == "https://app.example.com/pay/fail"
    assert order["redirectionUrls"]["webhookUrl"] == "https://api.example.com/webhooks/fawaterk_json"


@pytest.mark.parametrize("method", DIRECT)
def test_codes_and_wallets_need_no_page_flat_answer_or_not(bench: FawaterkBench, method: str) -> None:
    # Twice: the fake turns between the two shapes of Fawry's answer and the two spellings of the others.
    for _ in range(2):
        checkout = bench.gateway.create_checkout(a_request(method=method))
        record = bench.server.books.invoice(checkout.provider_reference)
        assert checkout.reference_number == record["code"]
        assert checkout.url is None
        assert (checkout.qr_code is not None) == (method in ("MEEZA", "VODAFONE_CASH"))
        assert checkout.expires_at is not None
        if method == "FAWRY":
            assert abs(checkout.expires_at - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=2)


def test_methods_are_known_under_both_names_of_their_number(bench: FawaterkBench) -> None:
    for _ in range(2):
        bench.clock.at += timedelta(hours=2)
        assert {*DIRECT, "CREDIT_CARD", "DEBIT_CARD", "OTHER"} == bench.gateway.offered()
        bench.gateway.create_checkout(a_request(method="AMAN"))
        assert bench.last_order()["payment_method_id"] == 12
    assert bench.server.calls("getTrPaymentmethods") == 2


@pytest.mark.parametrize("on_customer", [1, "1"])
def test_a_method_whose_commission_comes_on_top_is_not_offered(tmp_path: Path, on_customer: object) -> None:
    fawry = {**METHODS[1], "commission_on_customer": on_customer}
    with FawaterkServer(tmp_path / "books.sqlite", methods=(METHODS[0], fawry, METHODS[3])) as server:
        bench = FawaterkBench(server, version="v3")
        assert "FAWRY" not in bench.gateway.offered()
        assert "AMAN" in bench.gateway.offered()
        with pytest.raises(ProviderRefused, match="commission"):
            bench.gateway.create_checkout(a_request(method="FAWRY"))
        assert server.books.all() == []


# Readings


def test_the_charge_has_no_number_until_somebody_tries_to_pay(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    for _ in range(2):
        assert bench.gateway.read(checkout.identity).charge_reference == ""
    bench.server.fail(checkout.provider_reference)
    for _ in range(2):
        reading = bench.gateway.read(checkout.identity)
        assert (reading.status, reading.paid) == (ReadingStatus.OPEN, ())
        assert int(reading.charge_reference) > 2**31


def test_a_reading_tells_whose_it_is_as_object_and_as_text(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    for _ in range(2):
        assert bench.gateway.read(checkout.identity).merchant_reference == f"pa_{ATTEMPT_ID.hex}"


@pytest.mark.parametrize(("code", "minor"), [("KWD", 1_234_567), ("SAR", 99_999), ("USD", 450), ("EGP", 1)])
def test_the_total_in_egp_is_never_compared(bench: FawaterkBench, code: str, minor: int) -> None:
    checkout = bench.gateway.create_checkout(a_request(Money.of(minor, code)))
    bench.pay(checkout)
    for _ in range(2):
        assert bench.gateway.read(checkout.identity).paid == (Money.of(minor, code),)


def test_a_short_and_a_second_payment_are_told_in_their_order(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.pay(checkout.provider_reference, amount="1")
    bench.server.fail(checkout.provider_reference)
    bench.server.pay(checkout.provider_reference, amount="2.50")
    for _ in range(2):
        assert bench.gateway.read(checkout.identity).paid == (Money.of(100, "EGP"), Money.of(250, "EGP"))


@pytest.mark.parametrize(
    "change",
    [{"paid": 2}, {"paid": None}, {"paid": 1, "transactions": []}],
)
def test_an_answer_that_proves_nothing_is_unknown(bench: FawaterkBench, change: dict[str, object]) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.books.change(checkout.provider_reference, lambda it: it.update(change))
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(checkout.identity)


def test_a_sentence_says_not_found_and_sentences_by_field_say_that_we_asked_wrongly(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.forget(checkout.provider_reference)
    assert bench.gateway.read(checkout.identity).status is ReadingStatus.NOT_FOUND
    bench.server.script("getTransactionData", "refuse_fields")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(checkout.identity)


def test_without_an_intent_key_nobody_is_asked(bench: FawaterkBench) -> None:
    with pytest.raises(ProviderRefused, match="intent key"):
        bench.gateway.read(ProviderIdentity("", charge="2304130044"))
    assert bench.server.books.calls() == {}


def test_an_answer_about_another_transaction_is_not_believed(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.books.change(checkout.provider_reference, lambda it: it.update(invoice_key="anotherkey"))
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(checkout.identity)


@pytest.mark.parametrize(
    "fault", ["cache_unavailable", "error_500", "html", "half_json", "status_error", "timeout_before", "redirect"]
)
def test_a_reading_that_fails_tells_nothing(bench: FawaterkBench, fault: str) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.script("getTransactionData", fault)
    gateway = bench.gateway_with(total_seconds=0.7)
    with pytest.raises(OutcomeUnknown):
        gateway.read(checkout.identity)
    assert gateway.read(checkout.identity).status is ReadingStatus.PAID


def test_another_charge_than_the_known_one_is_not_believed(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(ProviderIdentity(checkout.provider_reference, charge="1"))


def test_only_the_live_host_takes_real_money(bench: FawaterkBench) -> None:
    assert bench.gateway_with(base_url="https://app.fawaterk.com/api/v3").live
    assert not bench.gateway_with(base_url="https://staging.fawaterk.com/api/v3").live
    assert not bench.gateway.live


def test_invoices_of_v2_are_still_read_after_the_change_to_v3(bench: FawaterkBench) -> None:
    former = FawaterkBench(bench.server, version="v2")
    invoice = former.gateway.create_checkout(a_request(method="FAWRY"))
    former.pay(invoice)
    reading = bench.gateway.read(invoice.identity)
    assert (reading.status, reading.paid) == (ReadingStatus.PAID, (Money.of(149_910, "EGP"),))
    notice = bench.gateway.parse_webhook(*former.webhook(invoice))
    assert (notice.provider_reference, notice.provider_key) == (invoice.provider_reference, invoice.provider_key)


# Faults of the create call


@pytest.mark.parametrize(
    ("fault", "opened"),
    [
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("cut_before", 0),
        ("cut_after", 1),
        ("error_500", 0),
        ("error_500_after", 1),
        ("cache_unavailable", 0),
        ("html", 0),
        ("half_json", 1),
        ("huge", 1),
        ("redirect", 0),
        ("slow", 1),
    ],
)
def test_a_create_call_that_ends_badly_is_unknown_and_made_once(bench: FawaterkBench, fault: str, opened: int) -> None:
    gateway = bench.gateway_with(total_seconds=0.7)
    bench.server.script("createTransaction", fault)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        gateway.create_checkout(a_request())
    assert time.monotonic() - began < 4
    assert bench.server.books.calls() == {"oauth/token": 1, "createTransaction": 1}
    assert len(bench.server.books.all()) == opened


@pytest.mark.parametrize("fault", ["refuse", "status_error"])
def test_a_refusal_is_a_refusal_whatever_its_status(bench: FawaterkBench, fault: str) -> None:
    bench.server.script("createTransaction", fault)
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request())
    assert bench.server.books.all() == []


# Tokens


def test_one_token_serves_until_shortly_before_its_end(tmp_path: Path) -> None:
    with FawaterkServer(tmp_path / "books.sqlite", token_seconds=3600) as server:
        bench = FawaterkBench(server, version="v3")
        for minutes in (0, 30, 24):
            bench.clock.at += timedelta(minutes=minutes)
            bench.gateway.create_checkout(a_request())
        assert server.calls("oauth/token") == 1
        bench.clock.at += timedelta(minutes=2)
        bench.gateway.create_checkout(a_request())
        assert server.calls("oauth/token") == 2


def test_threads_that_start_at_once_fetch_one_token(bench: FawaterkBench) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: bench.gateway.create_checkout(a_request()), range(8)))
    assert len({checkout.provider_reference for checkout in opened}) == 8
    assert bench.server.calls("oauth/token") == 1


def test_after_a_401_the_call_is_made_once_more_with_a_new_token(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.revoke_tokens()
    bench.gateway.create_checkout(a_request(attempt_id=OTHER_ATTEMPT_ID))
    assert (len(bench.server.books.all()), bench.server.calls("createTransaction")) == (2, 3)
    bench.server.revoke_tokens()
    assert bench.gateway.read(checkout.identity).status is ReadingStatus.OPEN
    assert bench.server.calls("oauth/token") == 3


def test_a_second_401_ends_it(bench: FawaterkBench) -> None:
    bench.server.script("createTransaction", "unauthorized", times=2)
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request())
    assert bench.server.calls("createTransaction") == 2
    bench.server.script("getTransactionData", "unauthorized", times=2)
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(ProviderIdentity("kd7rwmxqoltbv3ezsa"))


def test_a_create_call_of_unknown_outcome_is_not_repeated_with_a_new_token(bench: FawaterkBench) -> None:
    bench.gateway.offered()
    bench.server.script("createTransaction", "unauthorized")
    bench.server.script("createTransaction", "error_500_after")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.create_checkout(a_request())
    assert (bench.server.calls("createTransaction"), len(bench.server.books.all())) == (2, 1)


@pytest.mark.parametrize("fault", ["error_500", "html", "timeout_before"])
def test_without_a_token_it_is_certain_that_nothing_was_asked(bench: FawaterkBench, fault: str) -> None:
    bench.server.script("oauth/token", fault)
    with pytest.raises(ProviderUnreachable):
        bench.gateway_with(total_seconds=0.7).create_checkout(a_request())
    assert bench.server.books.calls() == {"oauth/token": 1}


def test_wrong_credentials_open_nothing_and_prove_nothing(bench: FawaterkBench) -> None:
    stranger = bench.gateway_with(client_secret="wrong-client-secret-00")
    with pytest.raises(ProviderRefused):
        stranger.create_checkout(a_request())
    with pytest.raises(OutcomeUnknown):
        stranger.read(ProviderIdentity("kd7rwmxqoltbv3ezsa"))
    with pytest.raises(ProviderUnreachable):
        stranger.offered()


# Statements


def test_a_statement_has_every_charge_of_the_day_page_after_page(bench: FawaterkBench) -> None:
    today = business_date(datetime.now(UTC))
    for number in range(105):
        record = bench.server.create(
            {
                "cartTotal": 10 + number,
                "currency": "USD",
                "customer": {"first_name": "Mona", "last_name": "Adel"},
                "cartItems": [{"name": "x", "price": 10 + number, "quantity": 1}],
            },
            None,
            "v3",
        )
        bench.server.fail(record["reference"])
    paid = [it["reference"] for it in bench.server.books.all()[:3]]
    for reference in paid:
        bench.server.pay(reference)
    bench.server.pay(paid[0], amount="1.50")
    statement = bench.gateway.statement(today)
    assert bench.server.calls("getTransactionsData") == 2
    assert statement.provider == "FAWATERK"
    assert {(line.provider_reference, line.amount.minor) for line in statement.lines} == {
        (paid[0], 1000), (paid[0], 150), (paid[1], 1100), (paid[2], 1200),
    }  # fmt: skip
    assert {(line.kind, line.booked_on, line.amount.currency.code) for line in statement.lines} == {
        (LineKind.PAYMENT, today, "USD")
    }


def test_a_charge_is_in_the_statement_of_the_day_it_was_made_on(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)

    def three_days_before(record: dict[str, str]) -> None:
        opened = datetime.fromisoformat(record["created_at"]) - timedelta(days=3)
        record["created_at"] = f"{opened:%Y-%m-%d %H:%M:%S}"

    bench.server.books.change(checkout.provider_reference, three_days_before)
    today = business_date(datetime.now(UTC))
    assert [line.provider_reference for line in bench.gateway.statement(today).lines] == [checkout.provider_reference]
    assert bench.gateway.statement(today - timedelta(days=3)).lines == ()


@pytest.mark.parametrize("path", ["getTransactionsData", "getTransactionData"])
@pytest.mark.parametrize("fault", ["error_500", "status_error", "html"])
def test_half_a_statement_is_none(bench: FawaterkBench, path: str, fault: str) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    bench.server.script(path, fault)
    with pytest.raises(OutcomeUnknown):
        bench.gateway.statement(business_date(datetime.now(UTC)))


def test_the_lists_rows_are_taken_at_their_word_only_with_a_history(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(Money.of(450, "USD")))
    bench.pay(checkout)
    (line,) = bench.gateway.statement(business_date(datetime.now(UTC))).lines
    assert line.amount == Money.of(450, "USD"), "the list has the total in EGP"
    assert bench.server.calls("getTransactionData") == 1
