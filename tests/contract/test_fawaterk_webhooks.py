"""Fawaterk's webhooks of both versions: verified in either content type, and proof of nothing but their sender."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from application.billing.ports import BadSignature, ProviderIdentity, ReadingStatus, UnreadableWebhook
from domain.shared.money import Money
from fake_providers.fawaterk import FawaterkServer, encode, sign
from tests.contract.fawaterk_bench import FORM, JSON, KEY, FawaterkBench
from tests.contract.gateway_contract import ATTEMPT_ID, a_request

OLD_KEY = "demo-vendor-key-0000"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", api_key=KEY, automatic_webhooks=False) as running:
        yield running


@pytest.fixture
def bench(server: FawaterkServer) -> FawaterkBench:
    return FawaterkBench(server)


@pytest.fixture
def bench_v3(server: FawaterkServer) -> FawaterkBench:
    return FawaterkBench(server, version="v3")


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
        "transaction.paid",
        {
            "transaction_id": 987654,
            "transaction_key": "kd7rwmxqoltbv3ezsa",
            "payment_method": "Visa-Mastercard",
            "status": "paid",
            "transactionHashKey": "8b78aeef2bd670b93427cd27367b88099c9716496ab445b37a26d2eb829432f9",
        },
    ),
    (
        "transaction.pending",
        {
            "transaction_id": "987654",
            "transaction_key": "kd7rwmxqoltbv3ezsa",
            "payment_method": "Visa-Mastercard",
            "status": "pending",
            "hashKey": "8b78aeef2bd670b93427cd27367b88099c9716496ab445b37a26d2eb829432f9",
        },
    ),
    (
        "transaction.failed",
        {
            "transaction_id": 987654,
            "transaction_key": "kd7rwmxqoltbv3ezsa",
            "payment_method": "Visa-Mastercard",
            "errorMessage": "Declined",
            "response": '{"gatewayCode":"DECLINED"}',
            "hashKey": "8b78aeef2bd670b93427cd27367b88099c9716496ab445b37a26d2eb829432f9",
        },
    ),
    (
        "code.canceled",
        {
            "referenceId": 123456,
            "status": "CANCELED",
            "paymentMethod": "Fawry",
            "transactionId": 987654,
            "transactionKey": "kd7rwmxqoltbv3ezsa",
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
    bench: FawaterkBench, bench_v3: FawaterkBench, event_type: str, body: dict[str, object], form: bool
) -> None:
    content, content_type = encode(body, form=form)
    for gateway in (bench.gateway, bench_v3.gateway):
        assert gateway.parse_webhook(content, {"content-type": content_type}).event_type == event_type
        assert gateway.parse_webhook(content, {}).event_type == event_type, "sniffed"


@pytest.mark.parametrize(("event_type", "body"), GOLDEN)
@pytest.mark.parametrize("hash_key", [None, "", "0" * 64, "é" * 64, 7, [], {"a": "b"}])
def test_no_webhook_passes_without_its_hash(
    bench: FawaterkBench, event_type: str, body: dict[str, object], hash_key: object
) -> None:
    name_of_hash = "transactionHashKey" if "transactionHashKey" in body else "hashKey"
    forged = {name: value for name, value in body.items() if name != name_of_hash}
    if hash_key is not None:
        forged[name_of_hash] = hash_key
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
        assert bench.gateway.parse_webhook(orjson.dumps(body), JSON).charge_reference == "987654"


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


# API v3


def test_a_transactions_notice_names_key_and_number(bench_v3: FawaterkBench) -> None:
    checkout = bench_v3.gateway.create_checkout(a_request())
    bench_v3.pay(checkout)
    notice = bench_v3.gateway.parse_webhook(*bench_v3.webhook(checkout))
    assert notice.provider_reference == checkout.provider_reference
    assert (notice.provider_key, notice.is_about_refund) == ("", False)
    assert notice.charge_reference == bench_v3.gateway.read(checkout.identity).charge_reference != ""


def test_on_v2_a_notice_in_the_newer_shape_is_known_by_our_reference(bench: FawaterkBench) -> None:
    """Attempts of v2 are stored under an invoice id, which such a notice does not name."""
    body = {**GOLDEN[3][1], "pay_load": '{"attempt":"pa_1"}'}
    notice = bench.gateway.parse_webhook(orjson.dumps(body), JSON)
    assert (notice.provider_reference, notice.merchant_reference) == ("", "pa_1")


def test_before_there_is_a_charge_its_number_is_none(bench_v3: FawaterkBench) -> None:
    body = {
        "transaction_id": 0,
        "transaction_key": "k",
        "payment_method": "Fawry",
        "status": "pending",
        "hashKey": sign("TransactionId=0&TransactionKey=k&PaymentMethod=Fawry", KEY),
    }
    assert bench_v3.gateway.parse_webhook(orjson.dumps(body), JSON).charge_reference == ""


@pytest.mark.parametrize("tamper", [{"transaction_key": "x"}, {"transaction_id": 1}, {"payment_method": "Fawry"}])
def test_what_the_hash_of_a_transaction_covers_cannot_be_edited(
    bench_v3: FawaterkBench, tamper: dict[str, object]
) -> None:
    checkout = bench_v3.gateway.create_checkout(a_request())
    for kind in ("paid", "failed"):
        body = bench_v3.server.webhook(kind, checkout.provider_reference, tamper=tamper)
        with pytest.raises(BadSignature):
            bench_v3.gateway.parse_webhook(orjson.dumps(body), JSON)


def test_a_wrong_hash_of_transactions_is_not_saved_by_a_good_one_beside_it(bench_v3: FawaterkBench) -> None:
    body = GOLDEN[3][1]
    mixed = {**body, "hashKey": body["transactionHashKey"], "transactionHashKey": "0" * 64}
    with pytest.raises(BadSignature):
        bench_v3.gateway.parse_webhook(orjson.dumps(mixed), JSON)


def test_a_failed_hash_reused_as_paid_changes_no_reading_of_a_transaction(bench_v3: FawaterkBench) -> None:
    checkout = bench_v3.gateway.create_checkout(a_request())
    bench_v3.server.fail(checkout.provider_reference)
    genuine = bench_v3.server.webhook("failed", checkout.provider_reference)
    forged = {**genuine, "status": "paid", "paidAmount": 1499.10, "transactionHashKey": genuine["hashKey"]}
    notice = bench_v3.gateway.parse_webhook(orjson.dumps(forged), JSON)
    assert notice.event_type == "transaction.paid"
    reading = bench_v3.gateway.read(ProviderIdentity(notice.provider_reference))
    assert (reading.status, reading.paid) == (ReadingStatus.OPEN, ())


def test_an_expired_code_of_v3_names_its_transaction(bench_v3: FawaterkBench) -> None:
    checkout = bench_v3.gateway.create_checkout(a_request(method="FAWRY"))
    body = bench_v3.server.webhook("expired", checkout.provider_reference)
    notice = bench_v3.gateway.parse_webhook(orjson.dumps(body), JSON)
    assert notice.provider_reference == checkout.provider_reference
    assert notice.reference_number == checkout.reference_number


@pytest.mark.parametrize("form", [False, True])
def test_a_form_is_read_at_an_address_that_asks_for_json(bench_v3: FawaterkBench, form: bool) -> None:
    checkout = bench_v3.gateway.create_checkout(a_request())
    bench_v3.pay(checkout)
    content, media = encode(bench_v3.server.webhook("paid", checkout.provider_reference), form=form)
    notice = bench_v3.gateway.parse_webhook(content, {"Content-Type": media})
    as_json = bench_v3.gateway.parse_webhook(*bench_v3.webhook(checkout))
    assert notice == as_json


# Refunds, saved cards, keys


def test_a_refunds_notice_names_the_charge_alone(bench: FawaterkBench, bench_v3: FawaterkBench) -> None:
    for gateway in (bench.gateway, bench_v3.gateway):
        notice = gateway.parse_webhook(orjson.dumps(GOLDEN[-1][1]), JSON)
        assert (notice.charge_reference, notice.is_about_refund) == ("987654", True)
        assert (notice.provider_reference, notice.merchant_reference, notice.reference_number) == ("", "", "")


def test_two_parts_of_one_size_are_two_events_and_a_redelivery_is_none(bench: FawaterkBench) -> None:
    first = {**GOLDEN[-1][1], "approvedAt": "2026-07-01 10:00:00"}
    second = {**first, "approvedAt": "2026-07-02 10:00:00"}
    keys = [bench.gateway.parse_webhook(orjson.dumps(it), JSON).event_key for it in (first, first, second)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("reason", [None, "r" * 5_000, "two\nlines \x00", {"en": "late"}, 7])
def test_whatever_the_reason_of_a_refund_is_its_notice_is_read(bench: FawaterkBench, reason: object) -> None:
    body = {**GOLDEN[-1][1], "reason": reason}
    assert bench.gateway.parse_webhook(orjson.dumps(body), JSON).charge_reference == "987654"


def test_the_amount_of_a_refund_cannot_be_edited(bench: FawaterkBench) -> None:
    for tamper in ({"amount": 1505.0}, {"currency": "USD"}, {"transactionId": 987655}):
        with pytest.raises(BadSignature):
            bench.gateway.parse_webhook(orjson.dumps({**GOLDEN[-1][1], **tamper}), JSON)


def test_saved_cards_are_not_taken_whatever_their_hash(bench: FawaterkBench, bench_v3: FawaterkBench) -> None:
    body = {
        "customerUniqueId": "7",
        "customerCard": "512345xxxxxx0008",
        "customerCardToken": "tok",
        "cardBrand": "MC",
        "cardTokenUniqueId": "9",
        "hashKey": sign("customerUniqueId=7&customerCardToken=tok", KEY),
    }
    for gateway in (bench.gateway, bench_v3.gateway):
        for form in (False, True):
            content, media = encode(body, form=form)
            with pytest.raises(UnreadableWebhook):
                gateway.parse_webhook(content, {"Content-Type": media})


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_both_keys_hold_while_the_vendor_key_changes(server: FawaterkServer, version: str) -> None:
    bench = FawaterkBench(server, version=version)
    rotating = bench.gateway_with(webhook_secret=KEY, former_webhook_secret=OLD_KEY)
    changed = bench.gateway_with(webhook_secret=KEY)
    body = {
        "invoice_id": 7,
        "invoice_key": "k",
        "payment_method": "Fawry",
        "hashKey": sign("InvoiceId=7&InvoiceKey=k&PaymentMethod=Fawry", OLD_KEY),
    }
    assert rotating.parse_webhook(orjson.dumps(body), JSON).provider_reference == "7"
    assert rotating.parse_webhook(orjson.dumps(GOLDEN[0][1]), JSON).event_type == "invoice.paid"
    with pytest.raises(BadSignature):
        changed.parse_webhook(orjson.dumps(body), JSON)
    forged = {**body, "hashKey": sign("InvoiceId=7&InvoiceKey=k&PaymentMethod=Fawry", "")}
    with pytest.raises(BadSignature):
        changed.parse_webhook(orjson.dumps(forged), JSON)
