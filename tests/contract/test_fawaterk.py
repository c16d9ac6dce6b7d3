"""Fawaterk's gateway against a server that behaves as the wire contract says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from application.billing.ports import (
    BadSignature,
    Checkout,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    ProviderUnreachable,
    ReadingStatus,
    UnreadableWebhook,
)
from config.settings import FawaterkSettings
from domain.shared.money import EXPONENTS, LARGEST_MINOR, Money
from infrastructure.payment.fawaterk import FawaterkGateway, wire
from infrastructure.payment.http import ProviderClient
from tests.contract.gateway_contract import ATTEMPT_ID, GatewayContract, a_request
from tests.fakes.fawaterk_server import METHODS, FawaterkServer, encode, sign

KEY = "demo-vendor-key-0001"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class SettableClock:
    at: datetime = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class FawaterkBench:
    """The gateway, the server behind it, and the clock that both tests and gateway look at."""

    server: FawaterkServer
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        self.gateway = self.gateway_with()

    def gateway_with(self, *, base_url: str = "", api_key: str = KEY, total_seconds: float = 10.0) -> FawaterkGateway:
        account = FawaterkSettings(base_url or self.server.base_url, api_key, KEY)
        client = ProviderClient("FAWATERK", total_seconds=total_seconds)
        return FawaterkGateway(account, client=client, clock=self.clock)

    def pay(self, checkout: Checkout, times: int = 1) -> None:
        self.server.pay(checkout.provider_reference, times)

    def webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        return orjson.dumps(self.server.webhook("paid", checkout.provider_reference)), JSON

    def forged_webhook(self, checkout: Checkout) -> tuple[bytes, Mapping[str, str]]:
        guessed = {"hashKey": sign("a guessed vendor key", "InvoiceId=1&InvoiceKey=1&PaymentMethod=Fawry")}
        return orjson.dumps(self.server.webhook("paid", checkout.provider_reference, tamper=guessed)), JSON

    def last_order(self) -> Any:
        return json.loads(self.server.orders[-1], parse_float=Decimal)


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
    theirs = wire.written_currency(code)
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


# Webhooks


GOLDEN: list[tuple[str, dict[str, object]]] = [
    (
        "invoice.paid",
        {
            "invoice_id": 1000430,
            "invoice_key": "69zpnFIcIPYNBwG",
            "payment_method": "Fawry",
            "invoice_status": "paid",
            "hashKey": "d7fd1a4d5f346df89447502a04cebacdd65f685a06b69b85e70c590ec96a403f",
        },
    ),
    (
        "invoice.failed",
        {
            "invoice_id": 1000431,
            "invoice_key": "Qw3rTyUiOpAsDfG",
            "payment_method": "Visa-Mastercard",
            "errorMessage": "Declined",
            "hashKey": "c6511e91d0ba6d08fdeac648def311e6a72aa017421a7058fcbf2e32b58df04e",
        },
    ),
    (
        "code.expired",
        {
            "referenceId": "123456",
            "status": "EXPIRED",
            "paymentMethod": "Fawry",
            "pay_load": '{"attempt":"pa_1"}',
            "hashKey": "53ba68ce8b938abe85ac420ed2f305f689fae6ad2b5d71be9731636ac18885a5",
        },
    ),
    (
        "refund",
        {
            "transactionId": 987654,
            "amount": orjson.Fragment("150.50"),
            "currency": "EGP",
            "status": 1,
            "hashKey": "282861b364acb25f207d6efb3ab30f0b8e0319d41755c826043700c156960214",
        },
    ),
]


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize(("event_type", "body"), GOLDEN)
def test_golden_vectors_verify_in_both_content_types(
    bench: FawaterkBench, event_type: str, body: dict[str, object], form: bool
) -> None:
    content, content_type = encode(body, form=form)
    assert bench.gateway.parse_webhook(content, {"content-type": content_type}).event_type == event_type
    assert bench.gateway.parse_webhook(content, {}).event_type == event_type, "sniffed"


@pytest.mark.parametrize(("event_type", "body"), GOLDEN)
@pytest.mark.parametrize("hash_key", [None, "", "0" * 64, "é" * 64, 7, [], {"a": "b"}])
def test_no_webhook_passes_without_its_hash(
    bench: FawaterkBench, event_type: str, body: dict[str, object], hash_key: object
) -> None:
    forged = {name: value for name, value in body.items() if name != "hashKey"}
    if hash_key is not None:
        forged["hashKey"] = hash_key
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(orjson.dumps(forged), JSON)


def test_the_old_body_that_carries_the_api_key_is_refused(bench: FawaterkBench) -> None:
    old = {name: value for name, value in GOLDEN[0][1].items() if name != "hashKey"}
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(orjson.dumps({**old, "api_key": KEY}), JSON)


@pytest.mark.parametrize(
    "tamper",
    [
        {"invoice_key": "another-key"},
        {"invoice_id": 2304130099},
        {"payment_method": "Fawry"},
    ],
)
def test_what_the_hash_covers_cannot_be_edited(bench: FawaterkBench, tamper: dict[str, object]) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    body = bench.server.webhook("paid", checkout.provider_reference, tamper=tamper)
    with pytest.raises(BadSignature):
        bench.gateway.parse_webhook(orjson.dumps(body), JSON)


@pytest.mark.parametrize("genuine", ["failed", "pending"])
def test_a_genuine_notice_edited_into_paid_changes_no_reading(bench: FawaterkBench, genuine: str) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    body = bench.server.webhook(
        genuine, checkout.provider_reference, tamper={"invoice_status": "paid", "paidAmount": 1}
    )
    notice = bench.gateway.parse_webhook(orjson.dumps(body), JSON)
    reading = bench.gateway.read(ProviderIdentity(notice.provider_reference, checkout.provider_key))
    assert (reading.status, reading.paid) == (ReadingStatus.OPEN, ())


def test_an_edited_amount_changes_no_reading(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.server.pay(checkout.provider_reference, amount="1.00")
    body = bench.server.webhook("paid", checkout.provider_reference, tamper={"paidAmount": 1499.10})
    notice = bench.gateway.parse_webhook(orjson.dumps(body), JSON)
    reading = bench.gateway.read(ProviderIdentity(notice.provider_reference, checkout.provider_key))
    assert reading.paid == (Money.of(100, "EGP"),)


def test_failed_after_paid_leaves_it_paid(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    bench.pay(checkout)
    late = bench.gateway.parse_webhook(orjson.dumps(bench.server.webhook("failed", checkout.provider_reference)), JSON)
    paid = bench.gateway.parse_webhook(*bench.webhook(checkout))
    assert late.event_key != paid.event_key
    reading = bench.gateway.read(ProviderIdentity(late.provider_reference, checkout.provider_key))
    assert reading.status is ReadingStatus.PAID


def test_ten_deliveries_at_once_are_one_event(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    json_body = orjson.dumps(bench.server.webhook("paid", checkout.provider_reference))
    form_body, _ = encode(bench.server.webhook("paid", checkout.provider_reference), form=True)
    with ThreadPoolExecutor(10) as pool:
        notices = list(pool.map(bench.gateway.parse_webhook, [json_body, form_body] * 5, [JSON, FORM] * 5))
    assert len(set(notices)) == 1


def test_a_refunds_amount_verifies_in_each_spelling(bench: FawaterkBench) -> None:
    for signed, sent in (("150.5", "150.50"), ("150.50", "150.5"), ("150", "150.00"), ("150.00", "150")):
        body = {
            "transactionId": 987654,
            "amount": orjson.Fragment(sent),
            "currency": "EGP",
            "hashKey": sign(f"transactionId=987654&amount={signed}&currency=EGP", KEY),
        }
        assert bench.gateway.parse_webhook(orjson.dumps(body), JSON).reference_number == "987654"


def test_arabic_is_signed_as_it_is(bench: FawaterkBench) -> None:
    body = {
        "invoice_id": 7,
        "invoice_key": "k",
        "payment_method": "فورى",
        "hashKey": sign("InvoiceId=7&InvoiceKey=k&PaymentMethod=فورى", KEY),
    }
    for form in (False, True):
        content, content_type = encode(body, form=form)
        assert bench.gateway.parse_webhook(content, {"Content-Type": content_type}).provider_reference == "7"


def test_an_expired_notice_names_the_code_and_our_reference(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request(method="FAWRY"))
    body = bench.server.webhook("expired", checkout.provider_reference)
    notice = bench.gateway.parse_webhook(orjson.dumps(body), JSON)
    assert notice.provider_reference == ""
    assert notice.reference_number == checkout.reference_number
    assert notice.merchant_reference == f"pa_{ATTEMPT_ID.hex}"


@pytest.mark.parametrize("pay_load", [None, 7, "", "not json", '["attempt"]', {"attempt": [7]}, "[" * 9999])
def test_a_strange_pay_load_is_no_reference_and_no_accident(bench: FawaterkBench, pay_load: object) -> None:
    body = {**GOLDEN[0][1], "pay_load": pay_load}
    assert bench.gateway.parse_webhook(orjson.dumps(body), JSON).merchant_reference == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'[{"invoice_id":1}]',
        b'"invoice_id"',
        b"{",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"invoice_id":1,"invoice_id":2,"invoice_key":"k","hashKey":"h"}',
        b'{"invoice_id":null,"invoice_key":"k"}',
        b'{"invoice_id":{"a":1},"invoice_key":"k"}',
        b'{"invoice_id":"\\u0000","invoice_key":"k"}',
        b'{"invoice_id":"\\ud800","invoice_key":"k"}',
        b'{"invoice_id":NaN,"invoice_key":"k"}',
        b'{"invoice_id":' + b"9" * 200_000 + b',"invoice_key":"k"}',
        b'{"unrelated":true}',
        b" " * 300_000,
    ],
)
def test_unreadable_json_is_refused_as_such(bench: FawaterkBench, body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        bench.gateway.parse_webhook(body, JSON)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"invoice_id",
        b"invoice_id=1&invoice_id=2&invoice_key=k",
        b"invoice_id=%ff&invoice_key=k",
        b"invoice_id=%00&invoice_key=k",
        b"invoice_id[a]=1&invoice_key=k",
        b"invoice_id[a]=1&invoice_id=1&invoice_key=k",
        b"&".join(b"a%d=1" % number for number in range(5000)),
    ],
)
def test_unreadable_forms_are_refused_as_such(bench: FawaterkBench, body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        bench.gateway.parse_webhook(body, FORM)


# The fake itself


def test_the_fake_refuses_what_the_real_one_refuses(bench: FawaterkBench) -> None:
    url = f"{bench.server.base_url}/createInvoiceLink"
    token = {"Authorization": f"Bearer {KEY}"}
    order: Any = {
        "cartTotal": 2,
        "currency": "EGP",
        "customer": {"first_name": "Mona", "last_name": "Adel"},
        "cartItems": [{"name": "x", "price": 1, "quantity": 1}],
    }
    listing = requests.get(f"{bench.server.base_url}/getPaymentmethods", headers=token, timeout=5)
    anonymous = requests.post(url, json=order, timeout=5)
    stranger = requests.post(url, json=order, headers={"Authorization": "Bearer x"}, timeout=5)
    unequal = requests.post(url, json=order, headers=token, timeout=5)
    assert [it.status_code for it in (listing, anonymous, stranger, unequal)] == [400, 400, 400, 422]
    assert unequal.json()["message"] == {"cartTotal": ["Your cart total doesn't match the items total."]}


def test_the_fakes_page_and_control_serve_another_process(bench: FawaterkBench) -> None:
    checkout = bench.gateway.create_checkout(a_request())
    assert checkout.url is not None
    page = requests.get(checkout.url, timeout=5)
    assert "EGP 1499.10" in page.text
    sent = requests.post(checkout.url, data={"outcome": "paid"}, timeout=5, allow_redirects=False)
    assert sent.headers["Location"] == f"https://app.example.com/pay/ok?invoice_id={checkout.provider_reference}"
    assert bench.gateway.read(checkout.identity).paid
    control = f"{bench.server.address}/_control"
    told = {"path": "createInvoiceLink", "fault": "refuse"}
    assert requests.post(f"{control}/script", json=told, timeout=5).status_code == 200
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request())
    assert requests.get(f"{control}/calls", timeout=5).json()["createInvoiceLink"] == 2


def test_the_fake_sends_its_webhooks_in_the_content_type_that_the_address_asks_for(tmp_path: Path) -> None:
    from flask import Flask, request
    from werkzeug.serving import make_server

    received: list[tuple[bytes, str]] = []
    app = Flask("receiver")

    @app.post("/hook")
    @app.post("/hook_json")
    def hook() -> str:
        received.append((request.get_data(), request.content_type or ""))
        return "ok"

    receiver = make_server("127.0.0.1", 0, app, threaded=True)
    with ThreadPoolExecutor(1) as pool, FawaterkServer(tmp_path / "books.sqlite") as server:
        serving = pool.submit(receiver.serve_forever, 0.05)
        bench = FawaterkBench(server)
        for path in ("hook", "hook_json"):
            url = f"http://127.0.0.1:{receiver.port}/{path}"
            bench.pay(bench.gateway.create_checkout(a_request(webhook_url=url)))
        receiver.shutdown()
        serving.result()
        receiver.server_close()
        assert [content_type.partition(";")[0] for _, content_type in received] == [*FORM.values(), *JSON.values()]
        notices = [bench.gateway.parse_webhook(body, {"content-type": kind}) for body, kind in received]
        assert {notice.event_type for notice in notices} == {"invoice.paid"}
        assert [it["status"] for it in server.books.webhooks()] == [200, 200]
