"""Fawaterk's gateway by API v2, against a server that behaves as the wire contract says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.billing.ports import (
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    ReadingStatus,
)
from domain.shared.money import EXPONENTS, LARGEST_MINOR, Money
from fake_providers.fawaterk import METHODS, FawaterkServer
from infrastructure.payment.fawaterk import wire
from tests.contract.fawaterk_bench import KEY, FawaterkBench
from tests.contract.gateway_contract import ATTEMPT_ID, GatewayContract, a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FawaterkBench]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY, automatic_webhooks=False) as server:
        yield FawaterkBench(server)


class TestTheContractOfGateways(GatewayContract):
    """The promises that every gateway makes, kept by this one."""


# Checkouts


def test_a_card_is_paid_on_the_hosted_page(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    invoice = bench.server.books.invoice(checkout.provider_reference)
    assert checkout.url == f"{bench.server.address}/lk/{checkout.provider_reference}"
    assert checkout.provider_key == invoice["invoice_key"]
    assert invoice["pay_load"] == {"attempt": f"pa_{ATTEMPT_ID.hex}"}
    assert int(checkout.provider_reference) > 2**31


def test_an_order_says_what_the_contract_asks(bench: FawaterkBench) -> None:
    bench.gateway.create_checkout(a_request(expires_at=datetime(2026, 7, 1, 21, 30, tzinfo=UTC), locale="ar-EG"))
    order = bench.last_order()
    assert order["due_date"] == "2026-07-02", "half past midnight in Cairo's summer"
    assert (order["lang"], order["sendEmail"], order["sendSMS"]) == ("ar", False, False)
    assert order["redirectionUrls"] == {
        "successUrl": "https://app.example.com/pay/ok",
        "failUrl": "https://app.example.com/pay/fail",
        "pendingUrl": "https://app.example.com/pay/ok",
        "webhookUrl": "https://api.example.com/webhooks/fawaterk_json",
    }
    assert order["cartItems"] == [{"name": "Booking BK-2026-001042", "price": Decimal("1499.10"), "quantity": 1}]


def test_fawry_gives_a_code_and_its_end_as_an_instant(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="FAWRY"))
    invoice = bench.server.books.invoice(checkout.provider_reference)
    assert checkout.reference_number == invoice["code"]
    assert checkout.url is None
    assert checkout.expires_at is not None
    assert abs(checkout.expires_at - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)


@pytest.mark.parametrize("method", ["MEEZA", "VODAFONE_CASH"])
def test_a_wallet_gives_a_reference_and_a_code_to_draw(bench: FawaterkBench, method: str) -> None:
    checkout = bench.gateway.create_checkout(a_request(method=method, phone="+20 100 000 0000"))
    assert bench.last_order()["mobileWalletNumber"] == "01000000000"
    assert checkout.reference_number
    assert checkout.qr_code is not None
    assert checkout.qr_code.startswith("000201")


def test_a_wallet_without_an_egyptian_mobile_asks_nobody(bench: FawaterkBench) -> None:
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request(method="MEEZA", phone="+966 50 000 0000"))
    assert bench.server.books.calls() == {}


def test_method_ids_are_the_accounts_own(tmp_path: Path) -> None:
    renumbered = tuple({**method, "paymentId": 700 + index} for index, method in enumerate(METHODS))
    with FawaterkServer(tmp_path / "books.sqlite", methods=renumbered) as server:
        bench = FawaterkBench(server)
        bench.gateway.create_checkout(a_request(method="FAWRY"))
        assert bench.last_order()["payment_method_id"] == 701


def test_methods_are_asked_for_once_an_hour(bench: FawaterkBench) -> None:
    for minutes in (0, 30, 29, 2):
        bench.clock.at += timedelta(minutes=minutes)
        bench.gateway.create_checkout(a_request(method="FAWRY"))
    assert bench.server.calls("getPaymentmethods") == 2


def test_a_method_that_the_account_lacks_is_refused(tmp_path: Path) -> None:
    with FawaterkServer(tmp_path / "books.sqlite", methods=METHODS[:1]) as server:
        with pytest.raises(ProviderRefused):
            FawaterkBench(server).gateway.create_checkout(a_request(method="FAWRY"))
        assert server.books.all() == []


def test_a_lost_list_of_methods_is_certainly_no_invoice(bench: FawaterkBench) -> None:
    bench.server.script("getPaymentmethods", "error_500")
    with pytest.raises(ProviderUnreachable):
        bench.gateway.create_checkout(a_request(method="FAWRY"))
    assert bench.server.calls("invoiceInitPay") == 0


@pytest.mark.parametrize("method", ["AMAN", "MASARY"])
def test_cash_at_other_counters_gives_a_code_in_either_spelling(bench: FawaterkBench, method: str) -> None:
    for number in range(2):
        request = replace(a_request(method=method), merchant_reference=f"pa_{number}")
        checkout = bench.gateway.create_checkout(request)
        assert checkout.reference_number == bench.server.books.invoice(checkout.provider_reference)["code"]
        assert checkout.url is None


def test_what_the_account_offers_is_its_list_and_the_page(tmp_path: Path) -> None:
    hosted = {"CREDIT_CARD", "DEBIT_CARD", "OTHER"}
    everything = hosted | {"FAWRY", "MEEZA", "VODAFONE_CASH", "AMAN", "MASARY"}
    expected = [(METHODS, everything), (METHODS[:2], hosted | {"FAWRY"}), ((), hosted)]
    for number, (listed, offered) in enumerate(expected):
        with FawaterkServer(tmp_path / f"{number}.sqlite", methods=listed) as server:
            assert FawaterkBench(server).gateway.offered() == offered


@pytest.mark.parametrize("fault", ["error_500", "timeout_before", "refuse"])
def test_what_is_offered_is_not_known_while_the_list_is_not(bench: FawaterkBench, fault: str) -> None:
    bench.server.script("getPaymentmethods", fault)
    with pytest.raises(ProviderUnreachable):
        bench.gateway_with(total_seconds=0.7).offered()


def test_the_list_is_kept_for_an_hour_for_every_question(bench: FawaterkBench) -> None:
    bench.gateway.offered()
    bench.gateway.create_checkout(a_request(method="FAWRY"))
    bench.clock.at += timedelta(minutes=59)
    bench.gateway.offered()
    assert bench.server.calls("getPaymentmethods") == 1
    bench.clock.at += timedelta(minutes=1)
    bench.gateway.offered()
    assert bench.server.calls("getPaymentmethods") == 2


# Names, telephones, addresses


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("منى", "منى"),
        ("مُحَمَّد", "محمد"),
        ("عبد الرحمن", "عبد-الرحمن"),
        ("Zoé", "Zoé"),
        ("O'Neil", "ONeil"),
        ("<b>Mona</b>", "b-Mona-b"),
        ("Mona \u202e(VIP)", "Mona-VIP"),
        ("", "Adel"),
        ("!!!", "Adel"),
    ],
)
def test_names_keep_their_letters_and_pass(bench: FawaterkBench, name: str, written: str) -> None:
    bench.gateway.create_checkout(a_request(first_name=name))
    assert bench.last_order()["customer"]["first_name"] == written


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("01000000000", "01000000000"),
        ("+20 100 000 0000", "01000000000"),
        ("0020-122-345-6789", "01223456789"),
        ("٠١١١٢٣٤٥٦٧٨", "01112345678"),
        ("+966 50 123 4567", None),
        ("0223456789", None),
        ("", None),
    ],
)
def test_only_egyptian_mobiles_are_sent(bench: FawaterkBench, typed: str, written: str | None) -> None:
    bench.gateway.create_checkout(a_request(phone=typed))
    assert bench.last_order()["customer"].get("phone") == written


def test_runs_of_dots_in_an_address_become_one(bench: FawaterkBench) -> None:
    bench.gateway.create_checkout(a_request(email="mona..adel.@example..com"))
    assert bench.last_order()["customer"]["email"] == "mona.adel@example.com"


# Amounts


@given(minor=st.integers(min_value=1, max_value=LARGEST_MINOR), code=st.sampled_from(["JPY", "EGP", "KWD", "SAR"]))
def test_amounts_are_written_and_read_digit_for_digit(minor: int, code: str) -> None:
    amount = Money.of(minor, code)
    written = orjson.dumps(wire.written_number(amount)).decode()
    assert written == amount.decimal()
    number = json.loads(written, parse_float=Decimal)
    theirs = wire.written_currency(code, sar_code="SR")
    assert wire.read_amount(number, theirs) == wire.read_amount(written, theirs) == amount


@given(
    st.decimals(min_value="0.0000001", max_value="999999999", places=7),
    st.sampled_from(sorted(EXPONENTS)),
)
def test_an_amount_is_read_exactly_or_not_at_all(number: Decimal, code: str) -> None:
    expressible = number == number.quantize(Decimal(1).scaleb(-EXPONENTS[code]))
    if expressible:
        assert Decimal(wire.read_amount(number, code).decimal()) == number
    else:
        with pytest.raises(wire.Inexpressible):
            wire.read_amount(number, code)


@pytest.mark.parametrize(
    "amount", ["1,500.00", "NaN", "Infinity", "1e999999", "", "١٥٠٠", True, None, [], 10**400, "9" * 50, 1.5]
)
def test_what_is_no_amount_is_not_read(amount: object) -> None:
    with pytest.raises(wire.Inexpressible):
        wire.read_amount(amount, "EGP")


@pytest.mark.parametrize(("code", "minor"), [("KWD", 1_234_567), ("SAR", 99_999), ("USD", 450), ("EGP", 1)])
def test_every_currency_is_charged_and_read_back_as_it_was(bench: FawaterkBench, code: str, minor: int) -> None:
    checkout = bench.gateway.create_checkout(a_request(Money.of(minor, code)))
    bench.pay(checkout)
    # Numbers on one read, numeric strings on the next; the total on top is in EGP.
    for _ in range(2):
        reading = bench.gateway.read(checkout.identity)
        assert reading.paid == (Money.of(minor, code),)


def test_the_riyal_is_spelled_as_fawaterk_spells_it(bench: FawaterkBench) -> None:
    bench.gateway.create_checkout(a_request(Money.of(100, "SAR")))
    assert bench.last_order()["currency"] == "SR"


def test_the_riyal_is_spelled_as_the_account_does(tmp_path: Path) -> None:
    with FawaterkServer(tmp_path / "books.sqlite", sar_code="SAR") as server:
        bench = FawaterkBench(server)
        gateway = bench.gateway_with(sar_code="SAR")
        checkout = gateway.create_checkout(a_request(Money.of(12_345, "SAR")))
        assert bench.last_order()["currency"] == "SAR"
        bench.pay(checkout)
        assert gateway.read(checkout.identity).paid == (Money.of(12_345, "SAR"),)
        with pytest.raises(ProviderRefused):
            bench.gateway.create_checkout(a_request(Money.of(12_345, "SAR")))


# Readings


def test_an_amount_with_too_many_decimals_is_unknown_not_rounded(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.pay(checkout.provider_reference, amount="1499.101")
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(checkout.identity)


def test_a_short_payment_is_told_as_it_is(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.pay(checkout.provider_reference, amount="1")
    reading = bench.gateway.read(checkout.identity)
    assert reading.paid == (Money.of(100, "EGP"),)


def test_paid_without_a_paying_row_is_unknown(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.books.change(checkout.provider_reference, lambda it: it.update(paid=1))
    with pytest.raises(OutcomeUnknown):
        bench.gateway.read(checkout.identity)


def test_a_declined_or_expired_invoice_may_still_be_paid(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.fail(checkout.provider_reference)
    bench.server.expire(checkout.provider_reference)
    assert bench.gateway.read(checkout.identity).status is ReadingStatus.OPEN
    bench.pay(checkout)
    reading = bench.gateway.read(checkout.identity)
    assert reading.paid == (Money.of(149_910, "EGP"),), "the declined row is not counted"


def test_a_reading_without_a_known_key_tells_whose_invoice_it_is(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    for _ in range(2):  # pay_load as an object, then as text
        reading = bench.gateway.read(ProviderIdentity(checkout.provider_reference))
        assert reading.provider_key == checkout.provider_key
        assert reading.merchant_reference == f"pa_{ATTEMPT_ID.hex}"


def test_ids_beyond_a_double_survive(tmp_path: Path) -> None:
    with FawaterkServer(tmp_path / "books.sqlite", huge_ids=True) as server:
        bench = FawaterkBench(server)
        checkout = bench.gateway.create_checkout(a_request())
        bench.pay(checkout)
        assert int(checkout.provider_reference) > 2**53
        assert bench.gateway.parse_webhook(*bench.webhook(checkout)).provider_reference == (checkout.provider_reference)
        assert bench.gateway.read(checkout.identity).paid


def test_an_account_with_the_newer_names_is_read_too(tmp_path: Path) -> None:
    with FawaterkServer(tmp_path / "books.sqlite", newer_shape=True) as server:
        bench = FawaterkBench(server)
        checkout = bench.gateway.create_checkout(a_request())
        bench.pay(checkout)
        reading = bench.gateway.read(checkout.identity)
        assert reading.paid == (Money.of(149_910, "EGP"),)
        assert reading.charge_reference == checkout.provider_reference


def test_a_code_is_paid_at_the_counter_after_its_date(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="AMAN"))
    bench.server.expire(checkout.provider_reference)
    assert checkout.reference_number is not None
    bench.server.pay_code(checkout.reference_number)
    assert bench.gateway.read(checkout.identity).paid == (Money.of(149_910, "EGP"),)


def test_a_revoked_key_finds_nothing_out(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    with pytest.raises(OutcomeUnknown):
        bench.gateway_with(api_key="revoked-vendor-key-0").read(checkout.identity)


def test_a_wrong_base_address_is_not_taken_for_missing_invoices(bench: FawaterkBench) -> None:
    astray = bench.gateway_with(base_url=f"{bench.server.address}/api/v9")
    with pytest.raises(OutcomeUnknown):
        astray.read(ProviderIdentity("2304130044"))


@pytest.mark.parametrize(
    ("base_url", "live"),
    [
        ("https://app.fawaterk.com/api/v2", True),
        ("https://staging.fawaterk.com/api/v2", False),
        ("http://127.0.0.1:9010/api/v2", False),
        ("https://app.fawaterk.com.example.com/api/v2", False),
    ],
)
def test_only_the_live_host_takes_real_money(bench: FawaterkBench, base_url: str, live: bool) -> None:
    assert bench.gateway_with(base_url=base_url).live is live


# Faults


@pytest.mark.parametrize(
    ("fault", "invoices"),
    [
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("cut_before", 0),
        ("cut_after", 1),
        ("error_500", 0),
        ("error_500_after", 1),
        ("html", 0),
        ("half_json", 1),
        ("huge", 1),
        ("redirect", 0),
        ("slow", 1),
    ],
)
def test_a_create_call_that_ends_badly_is_unknown_and_made_once(
    bench: FawaterkBench, fault: str, invoices: int
) -> None:
    gateway = bench.gateway_with(total_seconds=0.7)
    bench.server.script("createInvoiceLink", fault)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        gateway.create_checkout(a_request())
    assert time.monotonic() - began < 3
    assert bench.server.books.calls() == {"createInvoiceLink": 1}
    assert len(bench.server.books.all()) == invoices


@pytest.mark.parametrize("fault", ["refuse", "status_error"])
def test_a_refusal_is_a_refusal_whatever_its_status(bench: FawaterkBench, fault: str) -> None:
    bench.server.script("createInvoiceLink", fault)
    with pytest.raises(ProviderRefused) as refusal:
        bench.gateway.create_checkout(a_request())
    assert "payment method" in str(refusal.value.facts["reason"]).lower()


def test_a_refusal_by_field_is_told_in_one_sentence(bench: FawaterkBench) -> None:
    with pytest.raises(ProviderRefused) as refusal:
        bench.gateway.create_checkout(a_request(Money.of(100, "JOD")))
    assert refusal.value.facts["reason"] == "currency: The selected currency is invalid."


def test_a_wrong_key_is_refused_and_creates_nothing(bench: FawaterkBench) -> None:
    with pytest.raises(ProviderRefused):
        bench.gateway_with(api_key="wrong-vendor-key-000").create_checkout(a_request())
    assert bench.server.books.all() == []


def test_books_outlive_the_server(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    with FawaterkServer(path) as server:
        checkout = FawaterkBench(server).gateway.create_checkout(a_request())
    with FawaterkServer(path) as server:
        FawaterkBench(server).pay(checkout)
        assert FawaterkBench(server).gateway.read(checkout.identity).paid
        assert server.calls("createInvoiceLink") == 1


def test_an_invoice_is_read_by_its_id_alone(bench: FawaterkBench) -> None:
    """A notice of a refund names only a number; not knowing whose it is must not look like no answer."""
    for identity in (ProviderIdentity("", charge="2304130044"), ProviderIdentity("")):
        with pytest.raises(ProviderRefused):
            bench.gateway.read(identity)
    assert bench.server.calls("getInvoiceData") == 0
